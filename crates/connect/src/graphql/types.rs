//! JSON Schema of types.

use apollo_compiler::ast::Value as Literal;
use apollo_compiler::schema::{EnumType, ScalarType, Type};
use serde_json::{Map, Value, json};

/// The schema of a scalar. What a server's own scalars hold is known by the names that are in wide use.
pub(super) fn scalar(scalar: &ScalarType, is_input: bool) -> Value {
    let known = match scalar.name.as_str() {
        "Int" => json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
        "Float" => json!({"type": "number"}),
        "Boolean" => json!({"type": "boolean"}),
        "String" | "ID" => return json!({"type": "string"}),
        "DateTime" | "Timestamp" | "ISO8601DateTime" => json!({"type": "string", "format": "date-time"}),
        "Date" | "ISO8601Date" => json!({"type": "string", "format": "date"}),
        "UUID" => json!({"type": "string", "format": "uuid"}),
        "URI" | "URL" => json!({"type": "string", "format": "uri"}),
        "EmailAddress" => json!({"type": "string", "format": "email"}),
        "JSONObject" => json!({"type": "object"}),
        "BigInt" | "Long" | "Int64" | "UInt64" | "Decimal" | "BigDecimal" => {
            json!({"type": ["integer", "number", "string"]})
        }
        _ => json!({}),
    };
    // An answer may hold what a server takes for its own scalar; what is sent is the author's to say.
    let is_builtin = matches!(scalar.name.as_str(), "Int" | "Float" | "Boolean");
    let mut schema = if is_input || is_builtin { known } else { json!({}) };
    if !is_builtin && let Some(description) = &scalar.description {
        schema["description"] = Value::from(description.as_str());
    }
    schema
}

/// The schema of an enum.
pub(super) fn variants(kind: &EnumType) -> Value {
    let names: Vec<_> = kind.values.keys().map(|name| name.as_str()).collect();
    let mut schema = json!({"type": "string", "enum": names});
    if let Some(description) = &kind.description {
        schema["description"] = Value::from(description.as_str());
    }
    schema
}

/// Adds null to what a schema allows.
pub(super) fn or_null(mut schema: Value) -> Value {
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    match schema.get_mut("type") {
        Some(Value::Array(kinds)) => kinds.push("null".into()),
        Some(kind) => *kind = json!([kind.take(), "null"]),
        None => {}
    }
    schema
}

/// A type, its lists applied to the schema of what is in them.
pub(super) fn wrapped(kind: &Type, inner: &dyn Fn(&str) -> Value) -> Value {
    match kind {
        Type::NonNullNamed(name) => inner(name),
        Type::NonNullList(items) => json!({"type": "array", "items": wrapped(items, inner)}),
        Type::Named(name) => or_null(inner(name)),
        Type::List(items) => or_null(json!({"type": "array", "items": wrapped(items, inner)})),
    }
}

/// A literal as JSON; nothing for a variable.
pub(super) fn literal(value: &Literal) -> Option<Value> {
    Some(match value {
        Literal::Null => Value::Null,
        Literal::Enum(name) => Value::from(name.as_str()),
        Literal::Variable(_) => return None,
        Literal::String(text) => Value::from(text.as_str()),
        Literal::Float(number) => serde_json::from_str(number.as_str()).ok()?,
        Literal::Int(number) => serde_json::from_str(number.as_str()).ok()?,
        Literal::Boolean(flag) => Value::Bool(*flag),
        Literal::List(items) => Value::Array(items.iter().map(|item| literal(item)).collect::<Option<_>>()?),
        Literal::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| Some((name.to_string(), literal(value)?)));
            Value::Object(fields.collect::<Option<Map<_, _>>>()?)
        }
    })
}
