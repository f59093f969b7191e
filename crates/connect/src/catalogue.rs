//! What a database really offers: tables, columns, keys, types, comments.

use serde::{Deserialize, Serialize};

/// The tables and views of one database schema, in name order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Catalogue {
    /// Engine and version as the server tells it, such as `PostgreSQL 15.18`.
    pub server: String,
    /// Tables and views.
    pub tables: Vec<Table>,
}

/// A table or view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Database schema, empty where the engine has none.
    pub schema: String,
    /// Name, as stored.
    pub name: String,
    /// Whether it is a view.
    pub view: bool,
    /// Comment, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comment: Option<String>,
    /// Columns in table order.
    pub columns: Vec<Column>,
    /// Columns of the primary key, in key order; empty without one.
    pub primary_key: Vec<String>,
    /// Other unique keys.
    pub unique_keys: Vec<Vec<String>>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Column {
    /// Name, as stored.
    pub name: String,
    /// Type in the engine's own words, such as `numeric(10,2)`.
    pub native_type: String,
    /// What kind of value it holds.
    pub kind: Kind,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether the database fills it when an insert does not.
    pub has_default: bool,
    /// Whether the database computes it (identity always, generated): it cannot be written.
    pub generated: bool,
    /// Values of an enumerated type.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub values: Vec<String>,
    /// Comment, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comment: Option<String>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForeignKey {
    /// Columns of this table.
    pub columns: Vec<String>,
    /// Table that they refer to.
    pub table: String,
    /// Columns of that table.
    pub references: Vec<String>,
}

/// What kind of value a column holds, over all engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Truth value.
    Boolean,
    /// Integer that always fits 53 bits.
    Integer,
    /// Integer of up to 64 bits: a JSON number up to 2^53, else a string.
    Bigint,
    /// Exact decimal: a JSON string.
    Numeric,
    /// Floating point number.
    Float,
    /// Text that people search in.
    Text,
    /// One of a set of texts.
    Enum,
    /// UUID.
    Uuid,
    /// Date, RFC 3339 `full-date`.
    Date,
    /// Time of day.
    Time,
    /// Date and time without a zone, RFC 3339 without offset.
    Timestamp,
    /// Point in time, RFC 3339 with offset.
    Timestamptz,
    /// Binary, base64.
    Bytes,
    /// Any JSON value.
    Json,
    /// A list.
    Array,
    /// Anything else, as the engine's own text.
    Other,
}

impl Catalogue {
    /// The table of this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
