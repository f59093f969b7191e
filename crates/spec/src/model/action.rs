//! What a tool does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The action keys. Each is also the key in the tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Statements on a SQL connection.
    Sql(Sql),
    /// A fixed answer.
    Reply(Reply),
    /// JavaScript in a sandbox.
    Script(Script),
}

impl Action {
    /// The action key.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Sql(_) => "sql",
            Self::Reply(_) => "reply",
            Self::Script(_) => "script",
        }
    }
}

/// Action keys of the language that this build does not run yet. They are refused by name.
pub const FUTURE_ACTIONS: [&str; 12] =
    ["http", "graphql", "grpc", "mongo", "redis", "files", "send", "vector", "command", "call", "steps", "ask"];

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

/// A fixed answer. One of `text` and `json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reply {
    /// A text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Any JSON value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
}

/// JavaScript in a sandbox: one ECMAScript module whose default export is a function of the call's arguments and of what it may
/// reach, `export default async function run(args, { my_db, log, progress, sleep }) { … }`. A string is short for `{code: …}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Script {
    /// The module. Each connection is an object with `query(sql, values)`, which gives rows, and `execute(sql, values)`, which
    /// gives the number of rows changed; names in the SQL, `:name`, are bound. With `connection` in the tool it is the only one.
    pub code: String,
    /// Whether its statements may change data. Without it they run in read-only transactions.
    #[serde(default)]
    pub write: bool,
    /// Where the code stands in the document that it was read from.
    #[serde(skip)]
    pub place: ScriptPlace,
}

/// Where a text of several lines stands in its document: each line on a line of its own, in the same column. `None` when that
/// is not so, as in a JSON string with `\n`. It is no part of what a spec says: all are equal.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScriptPlace(pub Option<TextPlace>);

impl PartialEq for ScriptPlace {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The place of a text's first character, and the column of its further lines. All from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPlace {
    /// Line of the first character.
    pub line: u32,
    /// Its column, in characters.
    pub column: u32,
    /// Column of the first character of the lines after it.
    pub indent: u32,
}
