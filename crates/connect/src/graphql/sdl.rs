//! Writes what an API says of itself in the language of schemas, so that one reader reads both.

use std::fmt::Write as _;

use serde_json::Value;

/// The question, with what newer servers know.
pub(super) const NEW: &str = concat!(
    "query Introspection { __schema { queryType { name } mutationType { name } subscriptionType { name } ",
    "types { ...Type specifiedByURL isOneOf } directives { name description locations args { ...Input } isRepeatable } } } ",
    include_str!("introspection.graphql")
);
/// The question as every server knows it.
pub(super) const OLD: &str = concat!(
    "query Introspection { __schema { queryType { name } mutationType { name } subscriptionType { name } ",
    "types { ...Type } directives { name description locations args { ...Input } } } } ",
    include_str!("introspection.graphql")
);

/// Deepest wrapping of a type in lists that is asked for.
const WRAPS_MAX: usize = 12;
/// Defined by the language itself.
const SCALARS: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];
/// Defined by the language itself.
const DIRECTIVES: [&str; 6] = ["skip", "include", "deprecated", "specifiedBy", "oneOf", "defer"];

/// Writes the value of `__schema`.
pub(super) fn write(schema: &Value) -> Result<String, String> {
    let mut out = String::from("schema {");
    for (root, field) in [("query", "queryType"), ("mutation", "mutationType"), ("subscription", "subscriptionType")] {
        if let Some(name) = schema[field]["name"].as_str() {
            write!(out, " {root}: {}", checked(name)?).map_err(|error| error.to_string())?;
        }
    }
    out.push_str(" }\n");
    for kind in list(&schema["types"]) {
        let name = named(kind)?;
        if !name.starts_with("__") && !SCALARS.contains(&name) {
            of_type(kind, name, &mut out)?;
        }
    }
    for directive in list(&schema["directives"]) {
        let name = named(directive)?;
        if DIRECTIVES.contains(&name) {
            continue;
        }
        describe(directive, "", &mut out);
        out.push_str(&format!("directive @{name}"));
        arguments(&directive["args"], &mut out)?;
        if directive["isRepeatable"] == true {
            out.push_str(" repeatable");
        }
        let places = list(&directive["locations"]).iter().filter_map(Value::as_str).map(checked);
        out.push_str(&format!(" on {}\n", places.collect::<Result<Vec<_>, _>>()?.join(" | ")));
    }
    Ok(out)
}

fn of_type(kind: &Value, name: &str, out: &mut String) -> Result<(), String> {
    describe(kind, "", out);
    match kind["kind"].as_str() {
        Some("SCALAR") => {
            out.push_str(&format!("scalar {name}"));
            if let Some(url) = kind["specifiedByURL"].as_str() {
                out.push_str(&format!(" @specifiedBy(url: {})", quoted(url)));
            }
            out.push('\n');
        }
        Some(word @ ("OBJECT" | "INTERFACE")) => {
            out.push_str(&format!("{} {name}", if word == "OBJECT" { "type" } else { "interface" }));
            let parents = list(&kind["interfaces"]).iter().map(named).collect::<Result<Vec<_>, _>>()?;
            if !parents.is_empty() {
                out.push_str(&format!(" implements {}", parents.join(" & ")));
            }
            out.push_str(" {\n");
            for field in list(&kind["fields"]) {
                describe(field, "  ", out);
                out.push_str(&format!("  {}", named(field)?));
                arguments(&field["args"], out)?;
                out.push_str(&format!(": {}", reference(&field["type"], 0)?));
                deprecated(field, out);
                out.push('\n');
            }
            out.push_str("}\n");
        }
        Some("UNION") => {
            let members = list(&kind["possibleTypes"]).iter().map(named).collect::<Result<Vec<_>, _>>()?;
            out.push_str(&format!("union {name} = {}\n", members.join(" | ")));
        }
        Some("ENUM") => {
            out.push_str(&format!("enum {name} {{\n"));
            for value in list(&kind["enumValues"]) {
                describe(value, "  ", out);
                out.push_str(&format!("  {}", named(value)?));
                deprecated(value, out);
                out.push('\n');
            }
            out.push_str("}\n");
        }
        Some("INPUT_OBJECT") => {
            let one_of = if kind["isOneOf"] == true { " @oneOf" } else { "" };
            out.push_str(&format!("input {name}{one_of} {{\n"));
            for field in list(&kind["inputFields"]) {
                out.push_str("  ");
                input(field, out)?;
                out.push('\n');
            }
            out.push_str("}\n");
        }
        other => return Err(format!("`{name}` is of an unknown kind: {}", other.unwrap_or("none"))),
    }
    Ok(())
}

fn arguments(list_of: &Value, out: &mut String) -> Result<(), String> {
    let arguments = list(list_of);
    if arguments.is_empty() {
        return Ok(());
    }
    out.push('(');
    for argument in arguments {
        input(argument, out)?;
        out.push(' ');
    }
    out.push(')');
    Ok(())
}

fn input(value: &Value, out: &mut String) -> Result<(), String> {
    describe(value, "", out);
    out.push_str(&format!("{}: {}", named(value)?, reference(&value["type"], 0)?));
    if let Some(default) = value["defaultValue"].as_str() {
        out.push_str(&format!(" = {default}"));
    }
    Ok(())
}

fn reference(kind: &Value, depth: usize) -> Result<String, String> {
    if depth > WRAPS_MAX {
        return Err("a type is wrapped in too many lists".to_owned());
    }
    match kind["kind"].as_str() {
        Some("NON_NULL") => Ok(format!("{}!", reference(&kind["ofType"], depth + 1)?)),
        Some("LIST") => Ok(format!("[{}]", reference(&kind["ofType"], depth + 1)?)),
        _ => named(kind).map(str::to_owned),
    }
}

fn deprecated(value: &Value, out: &mut String) {
    if value["isDeprecated"] == true {
        let reason = value["deprecationReason"].as_str().unwrap_or("No longer supported");
        out.push_str(&format!(" @deprecated(reason: {})", quoted(reason)));
    }
}

fn describe(value: &Value, indent: &str, out: &mut String) {
    if let Some(text) = value["description"].as_str().filter(|text| !text.is_empty()) {
        out.push_str(&format!("{indent}{}\n", quoted(text)));
    }
}

/// A string of JSON is one of GraphQL.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn named(value: &Value) -> Result<&str, String> {
    checked(value["name"].as_str().unwrap_or_default())
}

fn checked(name: &str) -> Result<&str, String> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match name.bytes().next() {
        Some(first) if plain && !first.is_ascii_digit() => Ok(name),
        _ => Err(format!("`{}` is no name", name.escape_debug())),
    }
}
