//! The published schema: the canonical one, and every other accepted way of writing.

use serde_json::Value;

/// Adds what the dialects accept.
pub(crate) fn published(canonical: Value) -> Value {
    canonical
}
