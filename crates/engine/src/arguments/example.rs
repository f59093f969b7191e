//! An example of a correct call, as near as possible to what was sent.

use std::collections::HashSet;

use base::nearest;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::limits::{EXAMPLE_BYTES_MAX, PROBLEMS_MAX};

/// Deepest example that is made.
const DEPTH_MAX: usize = 4;

/// Arguments that pass: the good ones that were sent, misspelt names mended, and examples for the rest. `bad` are the
/// names whose values were refused. `None` when no example could be found that passes.
pub(super) fn corrected(schema: &Value, validator: &Validator, sent: &Value, bad: &HashSet<String>) -> Option<String> {
    let fits = |candidate: &Value| {
        let text = candidate.to_string();
        (text.len() <= EXAMPLE_BYTES_MAX && validator.is_valid(candidate)).then_some(text)
    };
    let mended = |replace: bool| fits(&mended(schema, sent, bad, replace));
    mended(true).or_else(|| mended(false)).or_else(|| fits(&of_schema(schema, DEPTH_MAX)))
}

/// What was sent without its faults; optional values that were refused are replaced by examples, or left out.
fn mended(schema: &Value, sent: &Value, bad: &HashSet<String>, replace: bool) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let (Some(properties), Some(sent)) = (properties, sent.as_object()) else { return of_schema(schema, DEPTH_MAX) };
    let mut out = Map::new();
    for (name, inner) in properties {
        let given = sent.get(name).or_else(|| misspelt(name, properties, sent));
        let good = given.filter(|value| !bad.contains(name) && accepts(inner, value));
        let refused = given.is_some_and(|value| !value.is_null());
        let value = match good {
            Some(value) => value.clone(),
            None if required(schema, name) => example(inner, DEPTH_MAX),
            None if replace && refused && is_telling(inner) => example(inner, DEPTH_MAX),
            None => continue,
        };
        out.insert(name.clone(), value);
    }
    Value::Object(out)
}

/// Whether a part of a schema accepts a value by itself. A part that refers to the whole counts as one that does not.
fn accepts(schema: &Value, value: &Value) -> bool {
    let validator = jsonschema::draft202012::options().offline().build(schema);
    validator.is_ok_and(|validator| validator.is_valid(value))
}

/// Whether an example would show more than that a text goes there.
fn is_telling(schema: &Value) -> bool {
    let hints = ["examples", "default", "const", "enum", "format"];
    schema.get("type").and_then(Value::as_str) != Some("string") || hints.iter().any(|hint| schema.get(hint).is_some())
}

/// A sent value under an unknown name that is nearest to this one.
fn misspelt<'a>(name: &str, properties: &Map<String, Value>, sent: &'a Map<String, Value>) -> Option<&'a Value> {
    let unknown = sent.iter().filter(|(key, _)| !properties.contains_key(*key)).take(PROBLEMS_MAX);
    unknown
        .filter(|(key, _)| nearest(key, properties.keys().map(String::as_str)) == Some(name))
        .map(|(_, value)| value)
        .next()
}

fn of_schema(schema: &Value, depth: usize) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let needed = properties.into_iter().flatten().filter(|(name, _)| required(schema, name));
    needed.map(|(name, inner)| (name.clone(), example(inner, depth.saturating_sub(1)))).collect::<Map<_, _>>().into()
}

fn required(schema: &Value, name: &str) -> bool {
    let names = schema.get("required").and_then(Value::as_array);
    names.is_some_and(|names| names.iter().any(|required| required == name))
}

/// A value that the schema probably accepts.
fn example(schema: &Value, depth: usize) -> Value {
    let given = schema.get("examples").and_then(|examples| examples.get(0));
    let given = given.or_else(|| schema.get("default")).or_else(|| schema.get("const"));
    if let Some(value) = given.or_else(|| schema.get("enum").and_then(|choices| choices.get(0))) {
        return value.clone();
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("integer" | "number") => number(schema),
        Some("boolean") => true.into(),
        Some("null") => Value::Null,
        Some("array") if depth > 0 => {
            let needed = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).min(3);
            let inner = schema.get("items").cloned().unwrap_or_default();
            (0..needed).map(|_| example(&inner, depth - 1)).collect()
        }
        Some("array") => json!([]),
        Some("object") => of_schema(schema, depth),
        _ => text(schema).into(),
    }
}

fn number(schema: &Value) -> Value {
    let bound = |key: &str| schema.get(key).filter(|bound| bound.is_number());
    if let Some(least) = bound("minimum") {
        return least.clone();
    }
    if let Some(below) = bound("exclusiveMinimum").and_then(Value::as_i64) {
        return (below + 1).into();
    }
    match bound("maximum").and_then(Value::as_i64) {
        Some(most) if most < 1 => most.into(),
        _ => 1.into(),
    }
}

fn text(schema: &Value) -> String {
    let like = match schema.get("format").and_then(Value::as_str) {
        Some("date-time") => "2026-01-31T12:00:00Z",
        Some("date") => "2026-01-31",
        Some("time") => "12:00:00Z",
        Some("email") => "name@example.com",
        Some("uuid") => "3f2b8c1e-6d4a-4e0f-9a57-1c2d3e4f5a6b",
        Some("uri") => "https://example.com/",
        Some("ipv4") => "192.0.2.1",
        _ => "text",
    };
    let least = schema.get("minLength").and_then(Value::as_u64).and_then(|least| usize::try_from(least).ok());
    let most = schema.get("maxLength").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
    let mut out = like.to_owned();
    while out.len() < least.unwrap_or(0).min(EXAMPLE_BYTES_MAX) {
        out.push('x');
    }
    out.truncate(most.unwrap_or(usize::MAX));
    out
}
