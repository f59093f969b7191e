//! What MongoDB's operations are made of, as far as checks need it.

use serde_json::Value;

/// The operations.
pub const VERBS: [&str; 7] = ["find", "aggregate", "insert", "update", "delete", "count", "distinct"];

/// The parts of an operation.
pub fn parts(verb: &str) -> &'static [&'static str] {
    match verb {
        "find" => &["filter", "projection", "sort", "skip", "hint", "collation", "let"],
        "aggregate" => &["pipeline", "hint", "collation", "let", "allowDiskUse"],
        "insert" => &["document", "documents", "ordered"],
        "update" => &["filter", "update", "many", "all", "upsert", "arrayFilters", "hint", "collation"],
        "delete" => &["filter", "many", "all", "hint", "collation"],
        "count" => &["filter", "hint", "collation"],
        "distinct" => &["field", "filter", "collation"],
        _ => &[],
    }
}

/// Whether an operation always changes data.
pub fn writes(verb: &str) -> bool {
    matches!(verb, "insert" | "update" | "delete")
}

/// A stage that writes, or an operator that runs JavaScript, anywhere in a value.
pub fn forbidden(value: &Value) -> Option<&str> {
    const WORDS: [&str; 5] = ["$out", "$merge", "$where", "$function", "$accumulator"];
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            let found = WORDS.iter().find(|word| *word == name);
            found.copied().or_else(|| forbidden(value))
        }),
        Value::Array(items) => items.iter().find_map(forbidden),
        _ => None,
    }
}

/// The first key that begins with `$` anywhere in a value: a value of a caller has none.
pub fn operator(value: &Value) -> Option<&str> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .find_map(|(name, value)| if name.starts_with('$') { Some(name.as_str()) } else { operator(value) }),
        Value::Array(items) => items.iter().find_map(operator),
        _ => None,
    }
}
