//! Parameters for a tool whose spec has none.

use connect::catalogue::{Column, Kind};
use serde_json::{Map, Value, json};
use spec::model::{Parameter, Schema};

use super::draft::Draft;
use super::field;
use super::verb::{Asked, Verb};
use super::words::split;
use crate::output::list;

/// Rows that a derived `limit` gives.
const LIMIT: u64 = 20;
/// Most filters that are derived.
const FILTERS_MAX: usize = 6;

/// Parameters from the table's columns: a search takes text, filters and a limit; a single row its
/// key; a change the key and what can be written.
pub(crate) fn parameters(draft: &mut Draft<'_>, asked: &Asked) -> Vec<Parameter> {
    let table = draft.table;
    let mut out = match asked.verb {
        Verb::Search => search(draft),
        Verb::Get => {
            let named = behind_by(draft, asked);
            let many = asked
                .rest
                .last()
                .is_some_and(|last| table.name.to_lowercase().ends_with(last.as_str()) && last.ends_with('s'));
            if !named.is_empty() {
                named
            } else if many || table.primary_key.is_empty() {
                search(draft)
            } else {
                key(draft)
            }
        }
        Verb::Count => filters(draft),
        Verb::Delete => key(draft),
        Verb::Update | Verb::Increase | Verb::Decrease => {
            let mut out = key(draft);
            let stamped = |column: &Column| column.has_default && field::is_time(column);
            let key = |column: &Column| table.primary_key.contains(&column.name);
            let written = table.columns.iter().filter(|c| is_writable(c) && !key(c) && !stamped(c));
            out.extend(written.map(|column| of_column(column, false)));
            out
        }
        Verb::Create | Verb::Upsert => {
            let written = table.columns.iter().filter(|column| {
                is_writable(column) && !(column.has_default && table.primary_key.contains(&column.name))
            });
            // A column that fills itself and takes no NULL is left to the database.
            let given = written.filter(|column| column.nullable || !column.has_default);
            given.map(|column| of_column(column, !column.nullable)).collect()
        }
    };
    out.dedup_by(|a, b| a.name == b.name);
    let names: Vec<&str> = out.iter().map(|parameter| parameter.name.as_str()).collect();
    if !names.is_empty() {
        draft.why.push(format!("The spec gives no parameters, so they come from the table: {}.", list(&names)));
    }
    out
}

fn is_writable(column: &Column) -> bool {
    !column.generated && column.kind != Kind::Bytes && !field::is_secret(column)
}

fn search(draft: &Draft<'_>) -> Vec<Parameter> {
    let mut out = Vec::new();
    if draft.table.columns.iter().any(|column| column.kind == Kind::Text && !field::is_opaque(column)) {
        out.push(parameter(
            "query",
            false,
            json!({ "type": "string", "description": "Text to look for; leave it out for all." }),
        ));
    }
    out.extend(filters(draft));
    out.push(parameter(
        "limit",
        false,
        json!({ "type": "integer", "description": "Most rows in the answer.", "default": LIMIT.min(draft.ask.rows) }),
    ));
    out
}

/// Equality on columns with few values: enumerated ones, truth values, references, kinds.
fn filters(draft: &Draft<'_>) -> Vec<Parameter> {
    let few = |column: &&Column| {
        let last = split(&column.name).pop().unwrap_or_default();
        !column.values.is_empty()
            || matches!(column.kind, Kind::Enum | Kind::Boolean)
            || draft.table.foreign_keys.iter().any(|key| key.columns.len() == 1 && key.columns[0] == column.name)
            || (column.kind == Kind::Text
                && matches!(
                    last.as_str(),
                    "category" | "status" | "type" | "kind" | "state" | "country" | "city" | "genre" | "department"
                ))
    };
    draft
        .table
        .columns
        .iter()
        .filter(few)
        .filter(|c| !field::is_secret(c))
        .take(FILTERS_MAX)
        .map(|column| of_column(column, false))
        .collect()
}

fn key(draft: &Draft<'_>) -> Vec<Parameter> {
    draft
        .table
        .primary_key
        .iter()
        .filter_map(|name| draft.table.column(name))
        .map(|column| of_column(column, true))
        .collect()
}

/// `get_user_by_email`.
fn behind_by(draft: &Draft<'_>, asked: &Asked) -> Vec<Parameter> {
    let Some(at) = asked.rest.iter().position(|word| word == "by") else {
        return Vec::new();
    };
    asked.rest[at + 1..]
        .split(|word| word == "and")
        .filter_map(|words| field::own(words, draft.table))
        .map(|found| of_column(found.column, true))
        .collect()
}

fn of_column(column: &Column, required: bool) -> Parameter {
    let kind = match column.kind {
        Kind::Bigint => json!({ "type": "integer" }),
        Kind::Numeric | Kind::Float => json!({ "type": "number" }),
        kind => kind.schema(false),
    };
    let mut schema = kind.as_object().cloned().unwrap_or_default();
    if let Some(comment) = &column.comment {
        schema.insert("description".to_owned(), json!(comment));
    }
    if !column.values.is_empty() {
        schema.insert("enum".to_owned(), json!(column.values));
    }
    // A name must be a word of SQL's `:name`.
    let plain = column.name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !column.name.starts_with(|c: char| c.is_numeric());
    let name = if plain { column.name.clone() } else { format!("p_{}", split(&column.name).join("_")) };
    Parameter::new(name, required, Schema(schema))
}

fn parameter(name: &str, required: bool, schema: Value) -> Parameter {
    let schema: Map<String, Value> = schema.as_object().cloned().unwrap_or_default();
    Parameter::new(name, required, Schema(schema))
}
