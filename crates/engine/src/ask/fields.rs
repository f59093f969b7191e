//! The form that a person fills in: the flat schemas that MCP has for it.

use serde_json::{Map, Value, json};
use spec::model::Parameter;

use super::Field;

/// Keywords that a field of a form may have (MCP 2025-11-25, elicitation), by type. What a parameter demands beyond them is checked
/// when the form comes back.
const TEXT: [&str; 6] = ["title", "description", "minLength", "maxLength", "format", "default"];
const NUMBER: [&str; 5] = ["title", "description", "minimum", "maximum", "default"];
const BOOLEAN: [&str; 3] = ["title", "description", "default"];
/// Formats that a field of a form may have.
const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// The field of a parameter; nothing when a form has none for it.
pub(super) fn of(parameter: &Parameter) -> Option<Value> {
    let schema = &parameter.schema.0;
    let kind = parameter.schema.kind()?;
    let keywords: &[&str] = match kind {
        "string" => &TEXT,
        "integer" | "number" => &NUMBER,
        "boolean" => &BOOLEAN,
        _ => return None,
    };
    let kept = keywords.iter().filter_map(|key| Some(((*key).to_owned(), schema.get(*key)?.clone())));
    let mut field: Map<String, Value> = std::iter::once(("type".to_owned(), kind.into())).chain(kept).collect();
    if field.get("format").is_some_and(|format| !FORMATS.iter().any(|known| format == known)) {
        field.remove("format");
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
        choose(&mut field, kind, choices);
    } else if let Some(titled) = titled(schema) {
        field.retain(|key, _| !matches!(key.as_str(), "minLength" | "maxLength" | "format"));
        field.insert("oneOf".to_owned(), titled);
    }
    Some(Value::Object(field))
}

/// Forms have choices of texts alone; other choices are told in words.
fn choose(field: &mut Map<String, Value>, kind: &str, choices: &[Value]) {
    if kind == "string" && choices.iter().all(Value::is_string) {
        field.retain(|key, _| !matches!(key.as_str(), "minLength" | "maxLength" | "format"));
        field.insert("enum".to_owned(), choices.into());
        return;
    }
    let listed: Vec<String> = choices.iter().map(Value::to_string).collect();
    let words = format!("One of {}.", listed.join(", "));
    let described = field.get("description").and_then(Value::as_str);
    let text = described.map_or_else(|| words.clone(), |text| format!("{text} {words}"));
    field.insert("description".to_owned(), text.into());
}

/// The choices of `oneOf: [{const: a, title: A}]`, where they are texts.
fn titled(schema: &Map<String, Value>) -> Option<Value> {
    let choices = schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?;
    let one = |choice: &Value| {
        let value = choice.get("const")?.as_str()?;
        let title = choice.get("title").and_then(Value::as_str).unwrap_or(value);
        Some(json!({ "const": value, "title": title }))
    };
    choices.iter().map(one).collect::<Option<Vec<Value>>>().map(Value::Array)
}

/// The form of these fields.
pub(super) fn form(fields: &[&Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.name.to_string(), field.schema.clone())).collect();
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| &*field.name).collect();
    let mut form = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        form["required"] = json!(required);
    }
    form
}
