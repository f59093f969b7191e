//! Statements, their arguments and their answers, the same for every engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::catalogue::Kind;

/// One statement in the engine's native text: `$1 …` for PostgreSQL, `?` for MySQL and `?1 …` for
/// SQLite. Prepared once per pooled connection and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Native text, one statement.
    pub text: Arc<str>,
    /// For each placeholder in the order of the engine, the index into [`Query::arguments`].
    /// PostgreSQL and SQLite number their placeholders, so there it is `0..n`; MySQL repeats.
    pub order: Arc<[usize]>,
    /// How the columns are written, by position. Shorter than the row: the rest is [`Target::Auto`].
    pub targets: Arc<[Target]>,
}

/// How a column's value is written as JSON. What the `returns` of a tool declares wins over the
/// natural form of the column's [`Kind`]; a value that cannot be written so is an error, not a loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// The natural form of the column's kind.
    #[default]
    Auto,
    /// A JSON string.
    String,
    /// A JSON number, all digits kept (a `numeric` is written as its decimal literal).
    Number,
    /// A JSON integer.
    Integer,
    /// A JSON boolean (0 and 1 of engines without a boolean type).
    Boolean,
    /// Any JSON: a text column that holds JSON is spliced after it was checked.
    Json,
}

/// A request: statements run in order on one connection in one transaction; the answer is the last
/// one's.
#[derive(Debug)]
pub struct Query<'a> {
    /// The statements, one at least.
    pub statements: &'a [Statement],
    /// One set of values per run. A plain call has one; a batch has one per element, all in the
    /// same transaction. A value is JSON and is converted to the placeholder's own type.
    pub arguments: &'a [Vec<Value>],
    /// `false`: the statements run read-only, enforced by the engine itself.
    pub write: bool,
    /// Most rows written; one more row is looked for to set [`Answer::truncated`], and no more are
    /// read from the server.
    pub row_limit: usize,
    /// Most bytes written; over it the request fails with [`crate::ErrorKind::Limit`].
    pub byte_limit: usize,
    /// The statement is cancelled at the server after this.
    pub timeout: Duration,
    /// Cancelled by the caller: the statement is cancelled at the server.
    pub cancel: &'a CancellationToken,
    /// Names of columns whose values of the last written row are kept in [`Answer::last`].
    pub keep: &'a [String],
    /// Write the first row as an object, not an array of rows.
    pub single: bool,
    /// Whom it acts as at the database; `None` for the account of the connection itself.
    pub acting: Option<&'a Acting>,
}

/// Whom a request acts as: for its transaction and no longer (PostgreSQL).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acting {
    /// The role, as by `SET LOCAL ROLE`.
    pub role: Option<String>,
    /// Settings by name, as by `set_config(…, true)`.
    pub settings: Vec<(String, String)>,
}

impl Query<'_> {
    /// The moment at which [`Query::timeout`] passes, from now.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }
}

/// What came back. The rows themselves were appended to the caller's buffer as JSON: an array of
/// objects, or with [`Query::single`] one object, or `null` when there is no row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Rows written.
    pub rows: usize,
    /// Whether there were more rows than the limit.
    pub truncated: bool,
    /// Rows changed, summed over all statements that report it.
    pub affected: u64,
    /// Values of the kept columns of the last written row, as JSON.
    pub last: Vec<Value>,
    /// Whether the last statement returns rows at all.
    pub has_rows: bool,
}

/// What the engine says of a statement before it is run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Described {
    /// Kinds of the placeholders, in the engine's order; `None` where the engine does not say.
    pub parameters: Vec<Option<Kind>>,
    /// Columns of the rows; empty when it returns none.
    pub columns: Vec<ColumnInfo>,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ColumnInfo {
    /// Name.
    pub name: String,
    /// What kind of value.
    pub kind: Kind,
    /// Type in the engine's own words.
    pub native_type: String,
    /// Whether it may be NULL; `true` where the engine does not say.
    pub nullable: bool,
}

impl ColumnInfo {
    /// The JSON Schema (2020-12) of the natural form of this column.
    pub fn schema(&self) -> Value {
        self.kind.schema(self.nullable)
    }
}

impl Kind {
    /// The JSON Schema (2020-12) of the natural form of a value of this kind.
    pub fn schema(self, nullable: bool) -> Value {
        let (types, format): (&[&str], Option<&str>) = match self {
            Self::Boolean => (&["boolean"], None),
            Self::Integer => (&["integer"], None),
            Self::Bigint => (&["integer", "string"], None),
            Self::Numeric | Self::Text | Self::Enum | Self::Time | Self::Timestamp | Self::Other => (&["string"], None),
            Self::Float => (&["number", "string"], None),
            Self::Uuid => (&["string"], Some("uuid")),
            Self::Date => (&["string"], Some("date")),
            Self::Timestamptz => (&["string"], Some("date-time")),
            Self::Bytes => (&["string"], None),
            Self::Array => (&["array"], None),
            Self::Json => return Value::Bool(true),
        };
        let mut types: Vec<Value> = types.iter().map(|name| Value::from(*name)).collect();
        if nullable {
            types.push("null".into());
        }
        let kind = if types.len() == 1 { types.remove(0) } else { Value::Array(types) };
        let mut schema = serde_json::Map::new();
        schema.insert("type".into(), kind);
        if let Some(format) = format {
            schema.insert("format".into(), format.into());
        }
        if self == Self::Bytes {
            schema.insert("contentEncoding".into(), "base64".into());
        }
        Value::Object(schema)
    }
}
