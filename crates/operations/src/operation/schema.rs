//! JSON Schemas of inputs and outputs.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// The schema of a type, without references, so that every client can read it.
pub(super) fn of<T: JsonSchema>(output: bool) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let settings = if output { settings.for_serialize() } else { settings };
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    forget_rust(&mut schema);
    if let Some(keys) = schema.as_object_mut() {
        keys.shift_remove("title");
        keys.shift_remove("description");
        keys.entry("type").or_insert(json!("object"));
        keys.entry("properties").or_insert(json!({}));
    }
    schema
}

/// Takes out formats that neither JSON Schema nor OpenAPI knows: clients warn of each. What they say of the least number is said by
/// `minimum`.
fn forget_rust(schema: &mut Value) {
    const RUST: [&str; 10] =
        ["int", "int8", "int16", "int128", "uint", "uint8", "uint16", "uint32", "uint64", "uint128"];
    match schema {
        Value::Array(items) => items.iter_mut().for_each(forget_rust),
        Value::Object(keys) => {
            if keys.get("format").and_then(Value::as_str).is_some_and(|format| RUST.contains(&format)) {
                keys.shift_remove("format");
            }
            keys.values_mut().for_each(forget_rust);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// Those of JSON Schema (draft 2020-12, format annotation) and of OpenAPI 3.1.
    const KNOWN: [&str; 13] = [
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "hostname",
        "uri",
        "uuid",
        "regex",
        "int32",
        "int64",
        "float",
        "double",
    ];

    fn check(schema: &Value, name: &str) {
        match schema {
            Value::Array(items) => items.iter().for_each(|item| check(item, name)),
            Value::Object(keys) => {
                if let Some(Value::String(format)) = keys.get("format") {
                    assert!(KNOWN.contains(&format.as_str()), "{name}: {format}");
                }
                keys.values().for_each(|value| check(value, name));
            }
            _ => {}
        }
    }

    #[test]
    fn schemas_have_no_formats_that_only_rust_knows() {
        for operation in crate::all::all() {
            let name = operation.declared().name;
            check(&operation.input_schema(), name);
            check(&operation.output_schema(), name);
        }
    }
}
