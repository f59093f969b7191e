//! A value that a schema accepts, and ones that it refuses by type or by bounds.

use serde_json::{Map, Value, json};

/// Deepest schema that values are made for.
const DEPTH_MAX: usize = 16;

/// The smallest sensible value that a schema accepts, or why none can be made.
pub(super) fn valid(schema: &Value) -> Result<Value, String> {
    valid_at(schema, 0)
}

fn valid_at(schema: &Value, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err("its schema is too deep".to_owned());
    }
    let Value::Object(keys) = schema else { return Ok(Value::Null) };
    let first = |key: &str| keys.get(key).and_then(Value::as_array).and_then(|all| all.first()).cloned();
    if let Some(value) = keys
        .get("const")
        .cloned()
        .or_else(|| first("examples"))
        .or_else(|| keys.get("default").cloned())
        .or_else(|| first("enum"))
    {
        return Ok(value);
    }
    for key in ["anyOf", "oneOf"] {
        if let Some(one) = first(key) {
            return valid_at(&one, depth + 1);
        }
    }
    match kind(keys) {
        Some("string") => text(keys),
        Some("integer") => Ok(whole(keys)),
        Some("number") => Ok(number(keys)),
        Some("boolean") => Ok(json!(false)),
        Some("array") => list(keys, depth),
        Some("object") => object(keys, depth),
        _ => Ok(Value::Null),
    }
}

/// The type, the first that is not `null` where there are several.
fn kind(keys: &Map<String, Value>) -> Option<&str> {
    match keys.get("type")? {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").or(Some("null")),
        _ => None,
    }
}

fn text(keys: &Map<String, Value>) -> Result<Value, String> {
    if let Some(format) = keys.get("format").and_then(Value::as_str) {
        let known = match format {
            "date" => "2024-01-31",
            "date-time" => "2024-01-31T12:00:00Z",
            "time" => "12:00:00Z",
            "uuid" => "00000000-0000-4000-8000-000000000000",
            "email" => "someone@example.com",
            "uri" | "iri" | "uri-reference" => "https://example.com/",
            "hostname" => "example.com",
            "ipv4" => "192.0.2.1",
            "ipv6" => "2001:db8::1",
            "duration" => "P1D",
            _ => "",
        };
        if !known.is_empty() {
            return Ok(known.into());
        }
    }
    if keys.contains_key("pattern") {
        return Err("it has a `pattern` and no `examples`".to_owned());
    }
    let at_least = keys.get("minLength").and_then(Value::as_u64).unwrap_or(1).clamp(1, 10_000);
    let at_most = keys.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let length = usize::try_from(at_least.min(at_most)).unwrap_or(1);
    Ok("a".repeat(length).into())
}

fn whole(keys: &Map<String, Value>) -> Value {
    let bound = |key: &str| keys.get(key).and_then(Value::as_i64);
    let step = bound("multipleOf").filter(|step| *step > 0).unwrap_or(1);
    let low = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|low| low.saturating_add(1)));
    let high = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|high| high.saturating_sub(1)));
    let mut value = match (low, high) {
        (Some(low), _) => low,
        (None, Some(high)) => high.min(1),
        (None, None) => 1,
    };
    if value.rem_euclid(step) != 0 {
        value = value.saturating_add(step - value.rem_euclid(step));
    }
    value.into()
}

fn number(keys: &Map<String, Value>) -> Value {
    let bound = |key: &str| keys.get(key).and_then(Value::as_f64);
    if keys.contains_key("multipleOf") {
        return keys.get("multipleOf").cloned().unwrap_or(json!(1));
    }
    match (bound("minimum"), bound("exclusiveMinimum"), bound("maximum"), bound("exclusiveMaximum")) {
        (Some(low), ..) => json!(low),
        (None, Some(low), Some(high), _) | (None, Some(low), None, Some(high)) => json!(f64::midpoint(low, high)),
        (None, Some(low), None, None) => json!(low + 1.0),
        (None, None, Some(high), _) => json!(high.min(1.0)),
        (None, None, None, Some(high)) => json!((high - 1.0).min(1.0)),
        (None, None, None, None) => json!(1),
    }
}

fn list(keys: &Map<String, Value>, depth: usize) -> Result<Value, String> {
    let least = keys.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(0, 1_000);
    let item = keys.get("items").map_or(Ok(Value::Null), |items| valid_at(items, depth + 1))?;
    if least > 1 && keys.get("uniqueItems") == Some(&Value::Bool(true)) {
        return Err("it needs several different items and has no `examples`".to_owned());
    }
    Ok(Value::Array(vec![item; usize::try_from(least).unwrap_or(1)]))
}

fn object(keys: &Map<String, Value>, depth: usize) -> Result<Value, String> {
    let properties = keys.get("properties").and_then(Value::as_object);
    let mut value = Map::new();
    for name in keys.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        let schema = properties.and_then(|all| all.get(name)).unwrap_or(&Value::Null);
        let inner = valid_at(schema, depth + 1).map_err(|why| format!("`{name}`: {why}"))?;
        value.insert(name.to_owned(), inner);
    }
    Ok(Value::Object(value))
}

/// A value of a type that the schema does not list, or `None` when it lists them all.
pub(super) fn of_wrong_type(schema: &Value) -> Option<Value> {
    let keys = schema.as_object()?;
    let listed: Vec<&str> = match keys.get("type")? {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let candidates = [
        ("string", json!("wrong")),
        ("integer", json!(1.5)),
        ("boolean", json!(true)),
        ("object", json!({ "wrong": true })),
        ("array", json!([])),
    ];
    candidates
        .into_iter()
        .find(|(kind, _)| !(listed.contains(kind) || *kind == "integer" && listed.contains(&"number")))
        .map(|(_, value)| value)
}

/// Longest text that is made up to be too long, characters.
const TOO_LONG_MAX: u64 = 10_000;

/// A value of the right type that is outside of the enum or the bounds, or `None` where there are none.
pub(super) fn out_of_bounds(schema: &Value) -> Option<Value> {
    let keys = schema.as_object()?;
    if let Some(allowed) = keys.get("enum").and_then(Value::as_array) {
        let other = json!("not one of the allowed values");
        let texts = allowed.iter().any(Value::is_string) && !allowed.contains(&other);
        return texts.then_some(other);
    }
    let bound = |key: &str| keys.get(key).filter(|value| value.is_number());
    let beyond = |key: &str, step: i64| match bound(key)?.as_i64() {
        Some(whole) => whole.checked_add(step).map(Value::from),
        None => bound(key)?.as_f64().map(|number| json!(if step < 0 { number - 1.0 } else { number + 1.0 })),
    };
    match kind(keys)? {
        "integer" | "number" => beyond("minimum", -1)
            .or_else(|| beyond("maximum", 1))
            .or_else(|| bound("exclusiveMinimum").or_else(|| bound("exclusiveMaximum")).cloned()),
        "string" => {
            let longest = keys.get("maxLength").and_then(Value::as_u64).filter(|longest| *longest < TOO_LONG_MAX);
            let shortest = keys.get("minLength").and_then(Value::as_u64).filter(|shortest| *shortest > 0);
            let long = longest.and_then(|longest| usize::try_from(longest).ok());
            long.map(|longest| json!("x".repeat(longest + 1))).or_else(|| shortest.map(|_| json!("")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{of_wrong_type, valid};
    use serde_json::{Value, json};

    #[test]
    fn values_fit_their_schemas() {
        let cases: [(Value, Value); 14] = [
            (json!({"type": "string"}), json!("a")),
            (json!({"type": "string", "minLength": 3}), json!("aaa")),
            (json!({"type": "string", "enum": ["x", "y"]}), json!("x")),
            (json!({"type": "string", "examples": ["laptop"], "default": "z"}), json!("laptop")),
            (json!({"type": "string", "format": "date"}), json!("2024-01-31")),
            (json!({"type": "integer", "default": 50}), json!(50)),
            (json!({"type": "integer", "minimum": 7, "multipleOf": 5}), json!(10)),
            (json!({"type": "integer", "exclusiveMaximum": 0}), json!(-1)),
            (json!({"type": "number", "exclusiveMinimum": 0, "maximum": 1}), json!(0.5)),
            (json!({"type": ["null", "boolean"]}), json!(false)),
            (json!({"type": "array", "items": {"type": "integer"}}), json!([1])),
            (json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), json!(1)),
            (
                json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"]}),
                json!({"a": "a"}),
            ),
            (json!({}), Value::Null),
        ];
        for (schema, expected) in cases {
            assert_eq!(valid(&schema), Ok(expected), "{schema}");
        }
        assert!(valid(&json!({"type": "string", "pattern": "^x$"})).is_err());
    }

    #[test]
    fn values_out_of_bounds_are_refused() {
        let schemas = [
            json!({ "type": "string", "enum": ["a", "b"] }),
            json!({ "type": "integer", "minimum": 1, "maximum": 9 }),
            json!({ "type": "number", "maximum": 0.5 }),
            json!({ "type": "number", "exclusiveMinimum": 0 }),
            json!({ "type": "string", "maxLength": 3 }),
            json!({ "type": "string", "minLength": 1 }),
        ];
        for schema in schemas {
            let value = super::out_of_bounds(&schema).unwrap();
            assert!(!jsonschema::is_valid(&schema, &value), "{schema} {value}");
        }
        assert_eq!(super::out_of_bounds(&json!({ "type": "string" })), None);
    }

    #[test]
    fn wrong_types_are_wrong() {
        assert_eq!(of_wrong_type(&json!({"type": "string"})), Some(json!(1.5)));
        assert_eq!(of_wrong_type(&json!({"type": "integer"})), Some(json!("wrong")));
        assert_eq!(of_wrong_type(&json!({"type": ["string", "number"]})), Some(json!(true)));
        assert_eq!(of_wrong_type(&json!({})), None);
    }
}
