//! What an answer looks like: its JSON Schema, and how each column is written.

use base::Diagnostic;
use connect::{ColumnInfo, Target};
use serde_json::{Map, Value, json};
use spec::model::{Schema, SqlResult, Tool};

use crate::codes::{NO_COLUMN, NULLABLE};
use crate::model::{ActionPlan, ToolPlan};

/// The schema of one row in `returns`: the items of an array, the items of a page, or the object.
pub(crate) fn row_schema(returns: &Schema) -> Option<&Map<String, Value>> {
    let top = &returns.0;
    if let Some(items) = top.get("items") {
        return items.as_object();
    }
    let properties = top.get("properties")?.as_object()?;
    // `{items: […], nextCursor}` is what a paged answer looks like.
    let page = properties.get("items").filter(|_| properties.len() <= 2).and_then(|items| items.get("items"));
    page.and_then(Value::as_object).filter(|row| row.contains_key("properties")).or(Some(top))
}

/// The properties of one row in `returns`.
pub(crate) fn properties(returns: &Schema) -> Vec<(&str, &Value)> {
    let properties = row_schema(returns).and_then(|row| row.get("properties")).and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema)).collect()
}

/// How a value is written for a schema; the natural form where the schema leaves it open.
pub(crate) fn target(schema: &Value) -> Target {
    match kinds(schema).as_slice() {
        ["string"] => Target::String,
        ["number"] | ["integer", "number"] | ["number", "integer"] => Target::Number,
        ["integer"] => Target::Integer,
        ["boolean"] => Target::Boolean,
        ["object"] | ["array"] => Target::Json,
        _ => Target::Auto,
    }
}

fn kinds(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        _ => Vec::new(),
    }
}

fn takes_null(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == "null",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "null"),
        _ => true,
    }
}

/// What is known of an answer.
pub(crate) struct Shape<'a> {
    pub(crate) returns: Option<&'a Schema>,
    pub(crate) result: SqlResult,
    pub(crate) paged: bool,
}

impl Shape<'_> {
    /// The JSON Schema of the answer. `columns` is `None` as long as nobody described the statement.
    pub(crate) fn schema(&self, columns: Option<&[ColumnInfo]>) -> Option<Value> {
        if self.result == SqlResult::Affected {
            return Some(affected());
        }
        if self.paged {
            let row = self.returns.and_then(row_schema).map(|row| Value::Object(row.clone()));
            return Some(page(&row.or_else(|| columns.map(row_of)).unwrap_or(json!({ "type": "object" }))));
        }
        if let Some(returns) = self.returns {
            return Some(returns.to_value());
        }
        let columns = columns?;
        match self.result {
            SqlResult::Rows => Some(json!({ "type": "array", "items": row_of(columns) })),
            SqlResult::Row => Some(row_of(columns)),
            SqlResult::Value => columns.first().map(ColumnInfo::schema),
            SqlResult::Affected => Some(affected()),
        }
    }

    /// How each column is written, by position; empty when all are natural.
    pub(crate) fn targets(&self, columns: &[ColumnInfo]) -> Vec<Target> {
        let Some(returns) = self.returns else {
            return Vec::new();
        };
        let mut targets: Vec<Target> = if self.result == SqlResult::Value && row_schema(returns).is_none() {
            vec![target(&returns.to_value())]
        } else {
            let properties = properties(returns);
            let of = |name: &str| {
                properties.iter().find(|(property, _)| *property == name).map(|(_, schema)| target(schema))
            };
            columns.iter().map(|column| of(&column.name).unwrap_or_default()).collect()
        };
        while targets.last() == Some(&Target::Auto) {
            targets.pop();
        }
        targets
    }

    /// Where `returns` and the columns disagree. `may_be_null` tells of a column by its name.
    pub(crate) fn disagreements(
        &self,
        tool: &str,
        path: &str,
        columns: &[ColumnInfo],
        may_be_null: impl Fn(&ColumnInfo) -> bool,
    ) -> Vec<Diagnostic> {
        let Some(returns) = self.returns.filter(|_| matches!(self.result, SqlResult::Rows | SqlResult::Row)) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        for (property, schema) in properties(returns) {
            match columns.iter().find(|column| column.name == property) {
                None => out.push(no_column(tool, path, property, &names)),
                Some(column) if !takes_null(schema) && may_be_null(column) => {
                    out.push(nullable(tool, path, property));
                }
                Some(_) => {}
            }
        }
        out
    }
}

/// A property of `returns` that no column answers.
pub(crate) fn no_column(tool: &str, path: &str, property: &str, names: &[&str]) -> Diagnostic {
    let mut out = Diagnostic::warning(
        NO_COLUMN,
        format!("`returns` of tool `{tool}` declares `{property}`, but no column has that name"),
    )
    .path(format!("{path}/returns"))
    .help(format!("the columns are: {}", list(names)));
    if let Some(near) = base::nearest(property, names.iter().copied()) {
        out =
            out.help(format!("if `{near}` is meant, write `{near} AS {property}` in the SQL, or rename the property"));
    }
    out
}

/// A column that may be NULL under a type without null.
pub(crate) fn nullable(tool: &str, path: &str, property: &str) -> Diagnostic {
    let message = format!("`{property}` of tool `{tool}` may be NULL in the database, but `returns` allows no null");
    Diagnostic::warning(NULLABLE, message)
        .path(format!("{path}/returns"))
        .help(format!("add \"null\" to the type of `{property}`, or use COALESCE in the SQL"))
}

/// Names for a sentence.
pub(crate) fn list(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES_SHOWN_MAX).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > NAMES_SHOWN_MAX { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

/// Most names listed in one sentence.
const NAMES_SHOWN_MAX: usize = 16;

/// The schema of a row with these columns.
pub(crate) fn row_of(columns: &[ColumnInfo]) -> Value {
    let properties: Map<String, Value> = columns.iter().map(|column| (column.name.clone(), column.schema())).collect();
    let required: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

pub(crate) fn affected() -> Value {
    json!({ "type": "object", "properties": { "affected": { "type": "integer" } }, "required": ["affected"] })
}

/// The JSON Schema of what a tool answers after its result got its shape.
pub fn shaped(tool: &Tool, planned: &ToolPlan) -> Option<Value> {
    if !tool.reshapes() {
        return planned.output.clone();
    }
    let returns = tool.returns.as_ref();
    match &planned.action {
        ActionPlan::Sql(sql) if sql.page.is_some() => {
            let row = returns.and_then(row_schema).map(|row| Value::Object(row.clone()));
            Some(page(&row.unwrap_or(json!({ "type": "object" }))))
        }
        _ => returns.map(Schema::to_value),
    }
}

fn page(row: &Value) -> Value {
    json!({
        "type": "object",
        "properties": { "items": { "type": "array", "items": row }, "nextCursor": { "type": "string" } },
        "required": ["items"]
    })
}
