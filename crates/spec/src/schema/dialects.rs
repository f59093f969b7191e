//! The published schema: the canonical one, and every other accepted way of writing.

use serde_json::{Map, Value, json};

use super::fragment;
use crate::check::numbers::RANGES;
use crate::structure::dialect::{ALIASES, WORDS, snake};

/// Adds what the dialects accept.
pub(super) fn published(mut schema: Value) -> Value {
    ranges(&mut schema);
    short_forms(&mut schema);
    words(&mut schema);
    keys(&mut schema);
    root(&mut schema);
    tidy(&mut schema);
    schema
}

fn definitions(schema: &mut Value) -> Option<&mut Map<String, Value>> {
    schema.get_mut("$defs")?.as_object_mut()
}

/// The properties of a definition.
fn properties<'a>(schema: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    let owner = if name == "Spec" { schema } else { definitions(schema)?.get_mut(name)? };
    owner.get_mut("properties")?.as_object_mut()
}

fn ranges(schema: &mut Value) {
    for (definition, key, least, most) in RANGES {
        if let Some(property) = properties(schema, definition).and_then(|all| all.get_mut(key)?.as_object_mut()) {
            property.insert("minimum".to_owned(), json!(least));
            property.insert("maximum".to_owned(), json!(most));
        }
    }
}

/// A property's schema in another form, with its description kept.
fn replace(schema: &mut Value, definition: &str, key: &str, forms: Value) {
    if let Some(property) = properties(schema, definition).and_then(|all| all.get_mut(key)) {
        let description = property.get("description").cloned();
        *property = forms;
        if let (Some(text), Some(property)) = (description, property.as_object_mut()) {
            property.insert("description".to_owned(), text);
        }
    }
}

/// Says that a definition needs one of these keys.
fn needs_one(schema: &mut Value, definition: &str, keys: &[&str]) {
    if let Some(full) = definitions(schema).and_then(|all| all.get_mut(definition)?.as_object_mut()) {
        let keys = keys.iter().map(|key| json!({"required": [key]}));
        full.insert("anyOf".to_owned(), keys.collect());
    }
}

/// A definition, or a shorter form of it.
fn or_short(schema: &mut Value, definition: &str, short: Value) {
    if let Some(full) = definitions(schema).and_then(|all| all.get_mut(definition)) {
        let description = full.get("description").cloned();
        *full = json!({"anyOf": [short, full.take()]});
        if let (Some(text), Some(full)) = (description, full.as_object_mut()) {
            full.insert("description".to_owned(), text);
        }
    }
}

fn short_forms(schema: &mut Value) {
    replace(schema, "Spec", "version", json!({"type": ["string", "number"], "default": "1.0.0"}));
    replace(schema, "Tool", "parameters", fragment::parameters());
    replace(schema, "Tool", "returns", json!({"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Schema"}]}));
    let texts = |text: Value| json!({"anyOf": [text, {"type": "array", "items": {"type": "string"}}]});
    replace(schema, "Page", "key", texts(json!({"type": "string"})));
    replace(schema, "Icon", "sizes", texts(json!({"type": "string"})));
    replace(schema, "HttpEvents", "keep", texts(json!({"type": "string"})));
    replace(schema, "Fetch", "hosts", texts(json!({"type": "string"})));
    replace(schema, "Tool", "groups", texts(json!({"type": "string"})));
    replace(schema, "Ask", "fields", texts(json!({"type": "string"})));
    replace(schema, "Shape", "pick", texts(json!({"type": "string"})));
    let tools = texts(json!({"type": "string"}));
    let of_group = json!({"type": "object", "properties": {
        "title": {"type": "string"},
        "description": {"type": "string"},
        "tools": tools,
    }, "additionalProperties": false});
    let groups = json!({"type": "object", "additionalProperties": {"anyOf": [tools, of_group]}});
    replace(schema, "Group", "tools", tools.clone());
    let listed = json!({"type": "array", "items": {"$ref": "#/$defs/Group"}});
    replace(schema, "Spec", "groups", json!({"anyOf": [listed, groups]}));
    let argument = json!({"anyOf": [
        {"type": "string"},
        {"type": "object", "properties": {
            "description": {"type": "string"},
            "required": {"type": "boolean"},
            "enum": {"type": "array", "items": {"type": "string"}},
        }, "additionalProperties": false},
    ]});
    replace(
        schema,
        "Prompt",
        "arguments",
        json!({"anyOf": [
            {"type": "array", "items": {"$ref": "#/$defs/PromptArgument"}},
            {"type": "object", "additionalProperties": argument},
        ]}),
    );
    replace(
        schema,
        "Prompt",
        "messages",
        json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/PromptMessage"}}]}),
    );
    sql(schema);
    if let Some(tool) = definitions(schema).and_then(|all| all.get_mut("Tool")?.as_object_mut()) {
        tool.insert("not".to_owned(), json!({"anyOf": [{"required": ["sql", "reply"]}, {"required": ["sql", "script"]}, {"required": ["script", "reply"]}]}));
    }
    if let Some(all) = definitions(schema) {
        all.insert("Schema".to_owned(), fragment::schema());
        all.insert("SchemaKeywords".to_owned(), fragment::keywords());
        all.remove("Parameter");
        for owner in ["Auth", "Credentials"] {
            let variants = all.get_mut(owner).and_then(|owner| owner.get_mut("oneOf")?.as_array_mut());
            for variant in variants.into_iter().flatten() {
                if let Some(scopes) = variant.pointer_mut("/properties/scopes") {
                    *scopes = texts(json!({"type": "string"}));
                }
            }
        }
        for variant in all.get_mut("Trigger").and_then(|t| t.get_mut("oneOf")?.as_array_mut()).into_iter().flatten() {
            if let Some(events) = variant.pointer_mut("/properties/events") {
                let list = events.take();
                *events = json!({"anyOf": [{"type": "string"}, list]});
            }
        }
    }
}

fn sql(schema: &mut Value) {
    let statements = json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]});
    replace(schema, "Sql", "statements", statements);
    if let Some(sql) = definitions(schema).and_then(|all| all.get_mut("Sql")?.as_object_mut()) {
        if let Some(properties) = sql.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("query".to_owned(), json!({"type": "string", "description": "One statement."}));
        }
        sql.remove("required");
        sql.insert("oneOf".to_owned(), json!([{"required": ["query"]}, {"required": ["statements"]}]));
    }
    needs_one(schema, "Script", &["code", "module"]);
    needs_one(schema, "Http", &["path", "url"]);
    needs_one(schema, "PromptMessage", &["text", "content", "tool"]);
    or_short(schema, "Sql", json!({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}));
    or_short(schema, "Script", json!({"type": "string"}));
    or_short(schema, "Http", json!({"type": "string"}));
    or_short(schema, "Redis", json!({"type": "array"}));
    or_short(schema, "Graphql", json!({"type": "string"}));
    or_short(schema, "Grpc", json!({"type": "string"}));
    or_short(schema, "Call", json!({"type": "string"}));
    or_short(schema, "Ask", json!({"type": "string"}));
    or_short(schema, "Steps", json!({"type": "array"}));
    or_short(schema, "Command", json!({"type": "array"}));
    or_short(schema, "Program", json!({"type": "array", "items": {"type": "string"}}));
    let place = r"^\s*\$\{(env|file):[^}]+\}\s*$";
    or_short(schema, "SecretRef", json!({"type": "string", "pattern": place}));
    or_short(schema, "Reply", json!({"type": "string"}));
    or_short(schema, "ReplyItem", json!({"type": "string"}));
    or_short(schema, "Page", json!({"type": "integer", "minimum": 1, "maximum": crate::limits::PAGE_SIZE_MAX}));
    or_short(schema, "Icon", json!({"type": "string"}));
}

/// Other spellings of words, and `auth: bearer` for `auth: {type: bearer}`.
fn words(schema: &mut Value) {
    let Some(all) = definitions(schema) else { return };
    for (definition, alias, name) in WORDS {
        let Some(choices) = all.get_mut(definition).and_then(|owner| owner.get_mut("oneOf")?.as_array_mut()) else {
            continue;
        };
        let mut plain = None;
        for choice in choices.iter_mut() {
            let is_plain = choice.get("properties").is_none();
            let place = if is_plain { Some(&mut *choice) } else { choice.pointer_mut("/properties/type") };
            let Some(place) = place.and_then(Value::as_object_mut) else { continue };
            let is_it = place.get("const").is_some_and(|word| word == name);
            if is_it && is_plain {
                plain = Some(json!({"const": alias, "description": format!("Same as `{name}`.")}));
            } else if is_it {
                place.remove("const");
                place.insert("enum".to_owned(), json!([name, alias]));
            } else if let Some(words) = place.get_mut("enum").and_then(Value::as_array_mut)
                && words.iter().any(|word| word == name)
            {
                words.push(json!(alias));
            }
        }
        choices.extend(plain);
    }
    let short: Vec<&str> = ["none", "bearer", "api_key", "oauth2"]
        .into_iter()
        .chain(WORDS.iter().filter(|(definition, ..)| *definition == "Auth").map(|(_, alias, _)| *alias))
        .collect();
    or_short(schema, "Auth", json!({"enum": short}));
}

/// Other spellings of keys, in every object of the language.
fn keys(schema: &mut Value) {
    if let Some(all) = definitions(schema) {
        let names: Vec<String> = all.keys().filter(|name| !name.starts_with("Schema")).cloned().collect();
        for name in names {
            if let Some(definition) = all.get_mut(&name) {
                objects(definition, &name);
            }
        }
    }
    // The root has its definitions apart.
    let all = schema.as_object_mut().and_then(|root| root.remove("$defs"));
    objects(schema, "Spec");
    if let (Some(all), Some(root)) = (all, schema.as_object_mut()) {
        root.insert("$defs".to_owned(), all);
    }
}

fn objects(schema: &mut Value, definition: &str) {
    for key in ["anyOf", "oneOf"] {
        for choice in schema.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            objects(choice, definition);
        }
    }
    let Some(owner) = schema.as_object_mut() else { return };
    let Some(properties) = owner.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let mut spellings: Vec<(String, String)> = Vec::new();
    for key in properties.keys() {
        if snake(key) != *key {
            spellings.push((snake(key), key.clone()));
        }
        spellings.extend(
            ALIASES
                .iter()
                .filter(|(owner, _, name)| *owner == definition && name == key)
                .map(|(_, alias, name)| ((*alias).to_owned(), (*name).to_owned())),
        );
    }
    for (alias, name) in &spellings {
        let mut copy = properties.get(name).cloned().unwrap_or_default();
        if let Some(copy) = copy.as_object_mut() {
            copy.insert("description".to_owned(), json!(format!("Same as `{name}`.")));
        }
        properties.insert(alias.clone(), copy);
    }
    either_spelling(owner, &spellings);
}

/// A required key may be written in any of its spellings.
fn either_spelling(owner: &mut Map<String, Value>, spellings: &[(String, String)]) {
    let mut groups = Vec::new();
    if let Some(required) = owner.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|key| {
            let aliases: Vec<&String> =
                spellings.iter().filter(|(_, name)| key == name).map(|(alias, _)| alias).collect();
            if aliases.is_empty() {
                return true;
            }
            let choices: Vec<Value> = std::iter::once(json!({"required": [key]}))
                .chain(aliases.into_iter().map(|alias| json!({"required": [alias]})))
                .collect();
            groups.push(json!({"anyOf": choices}));
            false
        });
    }
    if !groups.is_empty() {
        owner.insert("allOf".to_owned(), Value::Array(groups));
    }
}

fn root(schema: &mut Value) {
    let Some(root) = schema.as_object_mut() else { return };
    root.insert("$id".to_owned(), json!(super::SCHEMA_ID));
    root.insert("title".to_owned(), json!("MCP Factory spec"));
    root.insert("patternProperties".to_owned(), json!({"^x-": true}));
    let offers = ["tools", "resources", "prompts"];
    let offers = offers.map(|key| json!({"required": [key], "properties": {key: {"minItems": 1}}}));
    root.insert("anyOf".to_owned(), json!(offers));
    if let Some(properties) = root.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert(
            "$schema".to_owned(),
            json!({"type": "string", "description": "Address of this schema, for editors."}),
        );
    }
}

/// Comments of the types have line breaks where their lines end, and `format` words of Rust.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(map) => {
            if let Some(Value::String(text)) = map.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if map.get("format").is_some_and(|format| format == "uint64") {
                map.remove("format");
            }
            map.values_mut().for_each(tidy);
        }
        _ => {}
    }
}
