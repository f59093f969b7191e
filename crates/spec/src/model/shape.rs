//! What of a tool's result is given.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What of a result is given, whatever the action. It is done in this order, before the result is checked against `returns`:
/// `limit`, `pick`, `rename`, `truncate`. Lists are looked through: what is said of a field holds for that field of every item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Shape {
    /// Most items of a list that are given; that there are more is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Fields that are kept, all others are left out; below objects with dots: `[id, customer.name]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pick: Vec<String>,
    /// New names of fields, by their old names or paths: `{customer.name: customerName}`. A field stays where it is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rename: BTreeMap<String, String>,
    /// A result larger than `limits.resultBytes` is cut, which is told, and not refused: of a list as many items as fit are
    /// given, with a cursor where the action gives pages; a text ends early.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub truncate: bool,
}
