//! JSON Schemas, compiled when they are first needed.

use std::sync::OnceLock;

use bytes::Bytes;
use jsonschema::{PatternOptions, Validator};
use serde_json::{Map, Value};

use crate::limits;

/// A schema as text, and its validator once somebody asked for it. Of a server with many tools only the called ones
/// cost memory.
#[derive(Debug)]
pub(crate) struct Schema {
    text: Bytes,
    asserts_formats: bool,
    compiled: OnceLock<Result<Box<Validator>, String>>,
}

impl Schema {
    pub(crate) fn new(schema: &Value) -> Self {
        Self { text: Bytes::from(schema.to_string()), asserts_formats: true, compiled: OnceLock::new() }
    }

    /// A schema whose formats tell what a value usually is, which is what they mean in draft 2020-12 by default
    /// (JSON Schema validation, 7.2.1): a database's `infinity` is a date without being one of RFC 3339.
    pub(crate) fn annotated(schema: &Value) -> Self {
        Self { asserts_formats: false, ..Self::new(schema) }
    }

    /// The schema as JSON text.
    pub(crate) fn text(&self) -> &Bytes {
        &self.text
    }

    /// The schema as a value, made anew.
    pub(crate) fn parsed(&self) -> Value {
        serde_json::from_slice(&self.text).unwrap_or_default()
    }

    /// The schema as a value with its references replaced by what they refer to, for looking at its parts. Deep in a schema
    /// that refers to itself nothing is said any more.
    pub(crate) fn value(&self) -> Value {
        let mut value = self.parsed();
        if let Some(Value::Object(definitions)) = value.as_object_mut().and_then(|schema| schema.remove("$defs")) {
            inline(&mut value, &definitions, limits::INLINED_DEPTH_MAX);
        }
        value
    }

    /// The validator.
    ///
    /// # Errors
    /// Why the schema is none.
    pub(crate) fn validator(&self) -> Result<&Validator, &str> {
        let compiled = self.compiled.get_or_init(|| compile(&self.parsed(), self.asserts_formats).map(Box::new));
        compiled.as_deref().map_err(String::as_str)
    }
}

fn inline(schema: &mut Value, definitions: &Map<String, Value>, depth: usize) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, definitions, depth)),
        Value::Object(keywords) => {
            let name = keywords.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix("#/$defs/"));
            let found = name.and_then(|name| definitions.get(name)).and_then(Value::as_object).cloned();
            keywords.remove("$ref");
            let left = if found.is_some() { depth.saturating_sub(1) } else { depth };
            if left > 0 {
                for (key, value) in found.into_iter().flatten() {
                    keywords.entry(key).or_insert(value);
                }
            }
            keywords.values_mut().for_each(|value| inline(value, definitions, left));
        }
        _ => {}
    }
}

/// Draft 2020-12; references to other documents are refused, not fetched.
fn compile(schema: &Value, asserts_formats: bool) -> Result<Validator, String> {
    let patterns =
        PatternOptions::fancy_regex().backtrack_limit(limits::PATTERN_STEPS_MAX).size_limit(limits::PATTERN_BYTES_MAX);
    jsonschema::draft202012::options()
        .offline()
        .should_validate_formats(asserts_formats)
        .with_pattern_options(patterns)
        .build(schema)
        .map_err(|error| {
            let place = error.instance_path().as_str().to_owned();
            if place.is_empty() { error.to_string() } else { format!("{error} (at {place})") }
        })
}
