//! Keywords one by one.

use super::{Check, patterns};
use crate::codes;
use crate::limits::ENUM_MAX;
use crate::structure::clip;
use crate::syntax::{Entry, Node, Value};

/// What a keyword's value must be.
pub(super) fn shape(check: &mut Check<'_, '_>, entry: &Entry) {
    let name = entry.key.text.as_str();
    let value = &entry.value;
    let count = |node: &Node| node.as_number().is_some_and(serde_json::Number::is_u64);
    let (good, wanted) = match name {
        "title" | "description" | "pattern" | "format" | "contentEncoding" | "contentMediaType" => {
            (value.as_str().is_some(), "text")
        }
        "minLength" | "maxLength" | "minItems" | "maxItems" | "minContains" | "maxContains" | "minProperties"
        | "maxProperties" => (count(value), "a whole number, 0 or more"),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => (value.as_number().is_some(), "a number"),
        "multipleOf" => {
            (value.as_number().and_then(serde_json::Number::as_f64).is_some_and(|n| n > 0.0), "a number above 0")
        }
        "uniqueItems" | "deprecated" | "readOnly" | "writeOnly" => (value.as_bool().is_some(), "`true` or `false`"),
        "enum" | "examples" => (value.as_list().is_some(), "a list"),
        "required" => {
            (value.as_list().is_some_and(|names| names.iter().all(|n| n.as_str().is_some())), "a list of names")
        }
        "prefixItems" | "allOf" | "anyOf" | "oneOf" => {
            (value.as_list().is_some_and(|l| !l.is_empty()), "a list of schemas")
        }
        "properties" | "patternProperties" | "dependentSchemas" => {
            (value.as_map().is_some(), "a map from name to schema")
        }
        "dependentRequired" => (value.as_map().is_some(), "a map from name to names"),
        _ => return, // `type`, `const`, `default` and the keywords that hold a schema.
    };
    if !good {
        let message = format!("`{name}` must be {wanted}, not {}", value.kind());
        return check.error(codes::KEYWORD_SHAPE, value.span, message, format!("give {wanted}, or remove `{name}`"));
    }
    match name {
        "pattern" => patterns::all(check, value.as_str().unwrap_or_default(), value, None),
        "format" => format(check, value),
        "patternProperties" => {
            for inner in value.entries() {
                patterns::all(check, &inner.key.text, value, Some(inner.key.span));
            }
        }
        _ => {}
    }
}

/// The formats of JSON Schema, draft 2020-12. Others are an author's own, unless they are nearly one of these.
pub const FORMATS: [&str; 19] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "uri-template",
    "iri",
    "iri-reference",
    "uuid",
    "json-pointer",
    "relative-json-pointer",
    "regex",
];

/// A format that is written otherwise than the draft does checks nothing.
fn format(check: &mut Check<'_, '_>, node: &Node) {
    /// Words of other schema languages, without signs.
    const SYNONYMS: [(&str, &str); 8] = [
        ("datetime", "date-time"),
        ("timestamp", "date-time"),
        ("url", "uri"),
        ("guid", "uuid"),
        ("ip", "ipv4"),
        ("ipaddress", "ipv4"),
        ("mail", "email"),
        ("emailaddress", "email"),
    ];
    let name = node.as_str().unwrap_or_default();
    if FORMATS.contains(&name) {
        return;
    }
    let folded: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let synonym = SYNONYMS.iter().find(|(word, _)| *word == folded).map(|(_, format)| *format);
    let Some(near) = synonym.or_else(|| base::nearest(name, FORMATS)) else { return };
    let problem = base::Diagnostic::warning(
        codes::UNKNOWN_KEYWORD,
        format!("JSON Schema has no format `{}`: it checks nothing", clip(name)),
    );
    let help = "write the format as the draft does, or remove it";
    check.push(problem.at(node.span).label(format!("did you mean `{near}`?")).help(help));
}

/// `enum`: not empty, no value twice, values of the schema's type.
pub(super) fn enumeration(check: &mut Check<'_, '_>, node: &Node) {
    let Some(choices) = node.get("enum").and_then(|choices| choices.as_list().map(|_| choices)) else { return };
    choices_of(check, choices, kinds(node).as_deref());
}

/// The values of an `enum`, with the types that they may have when that is known.
pub(super) fn choices_of(check: &mut Check<'_, '_>, choices: &Node, kinds: Option<&[&str]>) {
    let values = choices.items();
    if values.is_empty() {
        return check.error(
            codes::BAD_ENUM,
            choices.span,
            "the enum has no value",
            "name at least one value, or remove `enum`",
        );
    }
    if values.len() > ENUM_MAX {
        let message = format!("the enum has {} values", values.len());
        return check.error(codes::TOO_LONG, choices.span, message, format!("up to {}", ENUM_MAX));
    }
    let mut seen = std::collections::HashSet::new();
    for value in values {
        if !seen.insert(crate::canonical::text(&value.to_json())) {
            let message = format!("the enum names `{}` twice", clip(&value.to_json().to_string()));
            check.error(codes::BAD_ENUM, value.span, message, "name each value once");
        } else if !kinds.is_none_or(|kinds| kinds.iter().any(|kind| is_of(value, kind))) {
            let kinds = kinds.unwrap_or_default().join(" or ");
            let message = format!("the enum's value `{}` is not of type {kinds}", clip(&value.to_json().to_string()));
            let help = match value.value {
                Value::Number(_) | Value::Bool(_) if kinds.contains("string") => "put it in quotes",
                _ => "change the value, or the type",
            };
            check.error(codes::BAD_ENUM, value.span, message, help);
        }
    }
}

/// The type words of a schema, if it has any.
fn kinds(node: &Node) -> Option<Vec<&str>> {
    let kind = node.get("type")?;
    match &kind.value {
        Value::String(word, _) => Some(vec![word]),
        Value::List(words) => Some(words.iter().filter_map(Node::as_str).collect()),
        _ => None,
    }
}

fn is_of(value: &Node, kind: &str) -> bool {
    match (&value.value, kind) {
        (Value::Null, "null") | (Value::Bool(_), "boolean") | (Value::String(..), "string") => true,
        (Value::List(_), "array") | (Value::Map(_), "object") | (Value::Number(_), "number") => true,
        (Value::Number(number), "integer") => number.as_f64().is_some_and(|n| n.fract() == 0.0),
        // An unknown word is reported where it stands.
        (_, kind) => !crate::structure::TYPES.contains(&kind),
    }
}

/// Lower bounds above upper bounds.
pub(super) fn bounds(check: &mut Check<'_, '_>, node: &Node) {
    const PAIRS: [(&str, &str, bool); 8] = [
        ("minimum", "maximum", false),
        ("exclusiveMinimum", "maximum", true),
        ("minimum", "exclusiveMaximum", true),
        ("exclusiveMinimum", "exclusiveMaximum", true),
        ("minLength", "maxLength", false),
        ("minItems", "maxItems", false),
        ("minProperties", "maxProperties", false),
        ("minContains", "maxContains", false),
    ];
    let number = |key: &str| node.get(key)?.as_number()?.as_f64();
    for (least, most, strict) in PAIRS {
        let (Some(low), Some(high)) = (number(least), number(most)) else { continue };
        if low > high || strict && low >= high {
            let message = format!("`{least}` {low} and `{most}` {high} allow no value");
            check.error(codes::BOUNDS, node.span_of(least), message, "swap them, or change one");
        }
    }
}

/// Bounds of whole numbers with no whole number between them.
pub(super) fn integers(check: &mut Check<'_, '_>, node: &Node) {
    let number = |key: &str| node.get(key)?.as_number()?.as_f64();
    if kinds(node).is_none_or(|kinds| kinds != ["integer"]) {
        return;
    }
    let step = number("multipleOf").filter(|step| *step > 0.0).unwrap_or(1.0);
    // The least and the most multiple of the step that the bounds allow.
    let least = [
        number("minimum").map(|low| (low / step).ceil()),
        number("exclusiveMinimum").map(|low| (low / step).floor() + 1.0),
    ];
    let most = [
        number("maximum").map(|high| (high / step).floor()),
        number("exclusiveMaximum").map(|high| (high / step).ceil() - 1.0),
    ];
    let least = least.into_iter().flatten().reduce(f64::max);
    let most = most.into_iter().flatten().reduce(f64::min);
    if least.zip(most).is_some_and(|(least, most)| least > most) {
        let place = ["minimum", "exclusiveMinimum"].into_iter().find_map(|key| node.get(key)).unwrap_or(node);
        let help = "widen the bounds, or change `multipleOf`";
        check.error(codes::BOUNDS, place.span, "no whole number is within the bounds", help);
    }
}

/// Keywords that say nothing about values of the schema's type.
pub(super) fn unused(check: &mut Check<'_, '_>, node: &Node) {
    const BY_TYPE: [(&str, &[&str]); 4] = [
        ("string", &["minLength", "maxLength", "pattern", "contentEncoding", "contentMediaType"]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
        ("array", &["items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"]),
        (
            "object",
            &["properties", "additionalProperties", "patternProperties", "minProperties", "maxProperties", "required"],
        ),
    ];
    let Some(kinds) = kinds(node) else { return };
    if kinds.iter().any(|kind| !crate::structure::TYPES.contains(kind)) {
        return;
    }
    for (kind, keywords) in BY_TYPE {
        if kinds.iter().any(|has| *has == kind || kind == "number" && *has == "integer") {
            continue;
        }
        for entry in node.entries().iter().filter(|entry| keywords.contains(&entry.key.text.as_str())) {
            let message = format!("`{}` does nothing for the type {}", entry.key.text, kinds.join(" or "));
            check.warning(
                codes::KEYWORD_UNUSED,
                entry.key.span,
                message,
                format!("it is for the type `{kind}`; remove it, or change the type"),
            );
        }
    }
}

/// `required` names what `properties` declares, each once.
pub(super) fn required(check: &mut Check<'_, '_>, node: &Node) {
    let listed = node.get("required").map(Node::items).unwrap_or_default();
    for (index, name) in listed.iter().enumerate() {
        if listed[..index].iter().any(|other| other.as_str() == name.as_str()) {
            let message = format!("`required` names `{}` twice", clip(name.as_str().unwrap_or_default()));
            check.error(codes::KEYWORD_SHAPE, name.span, message, "name it once");
        }
    }
    let (Some(properties), Some(names)) = (node.get("properties"), node.get("required")) else { return };
    if node.get("patternProperties").is_some() {
        return;
    }
    let known: Vec<&str> = properties.entries().iter().map(|entry| entry.key.text.as_str()).collect();
    for name in names.items() {
        let Some(text) = name.as_str().filter(|text| !known.contains(text)) else { continue };
        let message = format!("`required` names `{}`, which is not declared", clip(text));
        let problem = base::Diagnostic::error(codes::REQUIRED_UNDECLARED, message)
            .at(name.span)
            .help("add it to `properties`, or remove it from `required`");
        check.push(match base::nearest(text, known.iter().copied()) {
            Some(near) => problem.label(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
}
