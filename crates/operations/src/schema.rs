//! The JSON Schema of specs, for editors and for checking.

use serde_json::Value;

/// The JSON Schema (draft 2020-12) of a spec.
pub fn schema() -> Value {
    spec::json_schema()
}
