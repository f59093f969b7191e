//! Which columns an answer shows.

use connect::catalogue::{Kind, Table};
use connect::{Catalogue, ColumnInfo};
use spec::model::Schema;

use super::Refusal;
use super::draft::Draft;
use super::field::{self, Field, How};
use super::words::{same_all, split};
use crate::output::{list, properties, row_schema};

/// The columns of an answer.
#[derive(Default)]
pub(crate) struct Shown<'a> {
    /// The property that asked, and its column.
    pub(crate) fields: Vec<(Option<String>, Field<'a>)>,
    /// Name of each in the answer.
    pub(crate) names: Vec<String>,
    /// Properties that only say that it worked (`success: boolean`).
    pub(crate) worked: Vec<String>,
    /// The answer is a bare value.
    pub(crate) value: bool,
}

/// The columns for the properties of `returns`, else all that are fit to be shown.
pub(crate) fn columns<'a>(draft: &mut Draft<'a>) -> Result<Shown<'a>, Refusal> {
    let returns = draft.ask.tool.returns.as_ref();
    let declared = returns.map(properties).unwrap_or_default();
    if declared.is_empty() {
        return all(draft);
    }
    let mut shown = Shown::default();
    let mut missing = Vec::new();
    let names: Vec<&str> = declared.iter().map(|(name, _)| *name).collect();
    for (property, schema) in &declared {
        match field::find(property, draft.table, draft.catalogue) {
            Some(found) => {
                if !found.is_named() && found.column.name != *property {
                    draft.why.push(format!("`{property}` is the column `{}`.", found.said()));
                }
                shown.fields.push((Some((*property).to_owned()), found));
                shown.names.push((*property).to_owned());
            }
            None if is_worked(property, schema) => shown.worked.push((*property).to_owned()),
            None => missing.push(*property),
        }
    }
    let columns: Vec<&str> = draft.table.columns.iter().map(|column| column.name.as_str()).collect();
    let required = returns.map(required).unwrap_or_default();
    if shown.fields.is_empty() && shown.worked.is_empty() {
        return Err(Refusal::new(format!(
            "`returns` has no property that table `{}` has a column for",
            draft.table.name
        ))
        .help(format!("`returns` declares {}; the table has the columns {}", list(&names), list(&columns))));
    }
    if let Some(name) = missing.iter().find(|name| required.contains(name)) {
        return Err(Refusal::new(format!(
            "`returns` requires `{name}`, and table `{}` has no column for it",
            draft.table.name
        ))
        .help(format!("the table has the columns {}", list(&columns))));
    }
    for property in missing {
        let warning = crate::output::no_column(&draft.ask.tool.name, &draft.ask.path, property, &columns);
        draft.warnings.push(warning);
        draft.why.push(format!("`{property}` of `returns` has no column and is left out."));
    }
    Ok(shown)
}

fn required(returns: &Schema) -> Vec<&str> {
    let required = row_schema(returns).and_then(|row| row.get("required")).and_then(serde_json::Value::as_array);
    required.into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
}

/// A property that a write sets to true when it worked.
fn is_worked(property: &str, schema: &serde_json::Value) -> bool {
    let boolean = schema.get("type").and_then(serde_json::Value::as_str) == Some("boolean");
    boolean
        && ["success", "ok", "updated", "created", "deleted", "removed", "added", "saved", "done", "successful"]
            .contains(&property)
}

/// All columns but secrets and binary data.
fn all<'a>(draft: &mut Draft<'a>) -> Result<Shown<'a>, Refusal> {
    let mut shown = Shown::default();
    let mut hidden = Vec::new();
    for column in &draft.table.columns {
        if field::is_secret(column) || column.kind == Kind::Bytes {
            hidden.push(column.name.as_str());
        } else {
            shown.fields.push((None, Field { column, via: None, how: How::Name }));
            shown.names.push(column.name.clone());
        }
    }
    if !hidden.is_empty() {
        draft.why.push(format!("{} left out: binary, or named like a secret.", list(&hidden)));
    }
    if shown.fields.is_empty() {
        return Err(Refusal::new(format!("table `{}` has no column that is fit to be shown", draft.table.name)));
    }
    Ok(shown)
}

/// The one number of a count.
pub(crate) fn count<'a>(draft: &Draft<'a>) -> Result<Shown<'a>, Refusal> {
    let returns = draft.ask.tool.returns.as_ref();
    let mut shown = Shown { names: vec!["count".to_owned()], ..Shown::default() };
    match returns.and_then(|returns| returns.kind()) {
        None => {}
        Some("integer" | "number") => shown.value = true,
        Some("object") => {
            let declared = returns.map(properties).unwrap_or_default();
            let number = |schema: &serde_json::Value| {
                matches!(schema.get("type").and_then(serde_json::Value::as_str), Some("integer" | "number"))
            };
            match declared.as_slice() {
                [] => {}
                [(name, schema)] if number(schema) => shown.names = vec![(*name).to_owned()],
                _ => {
                    return Err(Refusal::new(
                        "a count gives one number, and `returns` declares something else".to_owned(),
                    ));
                }
            }
        }
        Some(other) => return Err(Refusal::new(format!("a count gives one number, and `returns` is of type {other}"))),
    }
    Ok(shown)
}

/// What is known of the shown columns before a database describes them.
pub(crate) fn describe(draft: &Draft<'_>, shown: &Shown<'_>) -> Vec<ColumnInfo> {
    let columns = shown.fields.iter().zip(&shown.names).map(|((_, field), name)| ColumnInfo {
        name: name.clone(),
        kind: field.column.kind,
        native_type: field.column.native_type.clone(),
        nullable: draft.nullable(field),
    });
    columns.collect()
}

/// The columns that a description names behind `by` (or `in`): "by name, SKU, or category".
pub(crate) fn named_behind_by<'a>(description: &str, table: &'a Table, catalogue: &'a Catalogue) -> Vec<Field<'a>> {
    let lower = description.to_lowercase();
    let Some(at) = [" by ", " in their ", " whose ", " matching "]
        .iter()
        .filter_map(|by| lower.find(by).map(|at| at + by.len()))
        .min()
    else {
        return Vec::new();
    };
    let sentence = description.get(at..).unwrap_or_default().split(['.', ';', '(']).next().unwrap_or_default();
    let mut out: Vec<Field<'a>> = Vec::new();
    for part in sentence.replace(" and ", ",").replace(" or ", ",").replace('/', ",").split(',') {
        let words: Vec<String> = split(part)
            .into_iter()
            .filter(|word| !matches!(word.as_str(), "and" | "or" | "the" | "its" | "a" | "an" | "their"))
            .collect();
        // `partial name`, `name prefix`: the longest run of words that is a column.
        let found = (1..=words.len()).rev().find_map(|length| {
            words.windows(length).find_map(|run| field::find(&run.join("_"), table, catalogue).filter(|f| good(f, run)))
        });
        // `name` may be several columns: `first_name` and `last_name`.
        let parts =
            found.is_none().then(|| words.iter().flat_map(|word| ending_with(word, table))).into_iter().flatten();
        for field in found.into_iter().chain(parts) {
            if !out.iter().any(|other| std::ptr::eq(other.column, field.column)) {
                out.push(field);
            }
        }
    }
    out
}

/// The text columns whose last word this is.
fn ending_with<'a>(word: &str, table: &'a Table) -> Vec<Field<'a>> {
    let ends = |name: &str| split(name).last().is_some_and(|last| super::words::same(last, word));
    let columns = table.columns.iter().filter(|column| column.kind == Kind::Text && ends(&column.name));
    columns.map(|column| Field { column, via: None, how: How::Part }).collect()
}

/// One stray word must not pick a column by a part of its name.
fn good(field: &Field<'_>, run: &[String]) -> bool {
    field.how != How::Part || same_all(&split(&field.column.name)[..1], &run[..1]) || field.column.kind == Kind::Text
}
