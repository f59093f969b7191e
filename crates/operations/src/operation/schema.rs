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
    if let Some(keys) = schema.as_object_mut() {
        keys.shift_remove("title");
        keys.shift_remove("description");
        keys.entry("type").or_insert(json!("object"));
        keys.entry("properties").or_insert(json!({}));
    }
    schema
}
