//! Operations on collections of MongoDB.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::sql::Effects;

/// An operation on a collection of the tool's MongoDB connection: exactly one of `find`, `aggregate`, `insert`, `update`,
/// `delete`, `count` and `distinct`. Their parts are value templates. What a caller gives is a value in them, never an operator
/// and never the name of a field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mongo {
    /// The collection.
    pub collection: String,
    /// The database, when it is not the connection's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// `filter`, `projection`, `sort`, `skip`, `hint`, `collation`, `let`. The result is `{documents, more}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub find: Option<Map<String, Value>>,
    /// `pipeline`, `hint`, `collation`, `let`, `allowDiskUse`. The result is `{documents, more}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Map<String, Value>>,
    /// `document` or `documents`, `ordered`. The result is `{inserted, ids}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insert: Option<Map<String, Value>>,
    /// `filter`, `update`, `many`, `all`, `upsert`, `arrayFilters`, `hint`, `collation`. The result is
    /// `{matched, modified, upserted}`. A filter that is empty changes nothing without `all: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub update: Option<Map<String, Value>>,
    /// `filter`, `many`, `all`, `hint`, `collation`. The result is `{deleted}`. A filter that is empty deletes nothing without
    /// `all: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<Map<String, Value>>,
    /// `filter`, `hint`, `collation`. The result is `{count}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Map<String, Value>>,
    /// `field`, `filter`, `collation`. The result is `{values, more}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<Map<String, Value>>,
    /// Most documents of an answer, a number or a template. Default: `limits.rows`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Value>,
    /// Allows operations that change data, and in a pipeline or filter the stages and operators that write or run JavaScript.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub write: bool,
    /// How values that JSON does not have are written.
    #[serde(default, rename = "as", skip_serializing_if = "MongoForm::is_plain")]
    pub form: MongoForm,
}

/// How values that JSON does not have are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MongoForm {
    /// As texts: identifiers in hexadecimal, dates as RFC 3339, decimals and integers beyond 2^53 as digits, bytes in base64.
    #[default]
    Plain,
    /// MongoDB's extended JSON, relaxed: every value keeps its type.
    Extended,
}

impl MongoForm {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
    fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

impl Mongo {
    /// The operations that are given, each by its word.
    pub fn operations(&self) -> Vec<(&'static str, &Map<String, Value>)> {
        let all = [
            ("find", &self.find),
            ("aggregate", &self.aggregate),
            ("insert", &self.insert),
            ("update", &self.update),
            ("delete", &self.delete),
            ("count", &self.count),
            ("distinct", &self.distinct),
        ];
        all.into_iter().filter_map(|(word, parts)| Some((word, parts.as_ref()?))).collect()
    }

    /// What it does to the world.
    pub fn effects(&self) -> Effects {
        let insert = self.insert.is_some() && !self.write_beside_insert();
        let read_only = !self.write && self.insert.is_none() && !self.write_beside_insert();
        Effects { read_only, destructive: !read_only && !insert, idempotent: read_only || self.delete.is_some() }
    }

    fn write_beside_insert(&self) -> bool {
        self.update.is_some() || self.delete.is_some()
    }
}
