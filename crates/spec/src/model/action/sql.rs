//! SQL.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// SQL with named parameters `:name`, which are bound and never spliced. A string is short for
/// `{query: …}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sql {
    /// The statements, run in order in one transaction. `query: …` is short for a list of one.
    /// The answer is the last one's.
    pub statements: Vec<String>,
    /// Whether the statements may change data. Without it they run in a read-only transaction.
    #[serde(default)]
    pub write: bool,
    /// Name of an array parameter: the statements run once per element, in one transaction.
    /// The fields of an object element are bound by name; any other element is bound as `:item`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// What the answer is made of. Default: `rows`, or `affected` for a write that returns no rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<SqlResult>,
    /// Gives the answer in pages with a cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
    /// Most rows in one answer; the server's limit when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_limit: Option<u64>,
}

/// What the answer of a `sql` action is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SqlResult {
    /// An array of objects.
    Rows,
    /// The first row as an object; no row is an error that says so.
    Row,
    /// The first column of the first row.
    Value,
    /// `{"affected": n}`.
    Affected,
}

/// Pages of an answer: `{"items": […], "nextCursor": "…"}`, and a `cursor` parameter is added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Page {
    /// Rows per page.
    #[serde(default = "default_page_size")]
    pub size: u64,
    /// How the next page is found.
    #[serde(default)]
    pub by: PageBy,
    /// Columns of a unique order, for `keyset`; `-name` for descending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
}

fn default_page_size() -> u64 {
    crate::limits::PAGE_SIZE
}

/// How the next page is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PageBy {
    /// By counting rows.
    #[default]
    Offset,
    /// By the key of the last row: no row is skipped or repeated when others are inserted.
    Keyset,
}
