//! JSON Schemas, compiled when they are first needed.

use std::sync::OnceLock;

use bytes::Bytes;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;

use crate::limits;

/// A schema as text, and its validator once somebody asked for it. Of a server with many tools only the called ones
/// cost memory.
#[derive(Debug)]
pub(crate) struct Schema {
    text: Bytes,
    compiled: OnceLock<Result<Box<Validator>, String>>,
}

impl Schema {
    pub(crate) fn new(schema: &Value) -> Self {
        Self { text: Bytes::from(schema.to_string()), compiled: OnceLock::new() }
    }

    /// The schema as JSON text.
    pub(crate) fn text(&self) -> &Bytes {
        &self.text
    }

    /// The schema as a value, made anew.
    pub(crate) fn value(&self) -> Value {
        serde_json::from_slice(&self.text).unwrap_or_default()
    }

    /// The validator.
    ///
    /// # Errors
    /// Why the schema is none.
    pub(crate) fn validator(&self) -> Result<&Validator, &str> {
        let compiled = self.compiled.get_or_init(|| compile(&self.value()).map(Box::new));
        compiled.as_deref().map_err(String::as_str)
    }
}

/// Draft 2020-12 with formats asserted; references to other documents are refused, not fetched.
fn compile(schema: &Value) -> Result<Validator, String> {
    let patterns =
        PatternOptions::fancy_regex().backtrack_limit(limits::PATTERN_STEPS_MAX).size_limit(limits::PATTERN_BYTES_MAX);
    jsonschema::draft202012::options()
        .offline()
        .should_validate_formats(true)
        .with_pattern_options(patterns)
        .build(schema)
        .map_err(|error| {
            let place = error.instance_path().as_str().to_owned();
            if place.is_empty() { error.to_string() } else { format!("{error} (at {place})") }
        })
}
