//! From the rows that a database wrote to the answer that a caller gets.

use std::fmt;

use bytes::Bytes;
use connect::Answer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use spec::model::SqlResult;

use crate::errors;
use crate::limits::CHECKED_BYTES_MAX;
use crate::outcome::{Content, Failure, Outcome};
use crate::schema::Schema;
use crate::toolset::{SqlAction, Tool};

type Attempt<T> = Result<T, Box<Failure>>;

/// Whether only the first row is asked for.
pub(crate) fn is_single(sql: &SqlAction) -> bool {
    sql.page.is_none() && matches!(sql.result, SqlResult::Row | SqlResult::Value)
}

/// Writes what stands before the rows.
pub(crate) fn open(sql: &SqlAction, out: &mut Vec<u8>) {
    if sql.page.is_some() {
        out.extend_from_slice(b"{\"items\":");
    }
}

/// The answer of a batch without elements.
pub(crate) fn nothing(sql: &SqlAction) -> Outcome {
    match sql.result {
        SqlResult::Affected => Outcome::structured(&b"{\"affected\":0}"[..]),
        SqlResult::Rows => Outcome::structured(&b"[]"[..]),
        SqlResult::Row | SqlResult::Value => Outcome::structured(&b"null"[..]),
    }
}

/// Finishes the answer whose rows are in `out`.
pub(crate) fn close(
    tool: &Tool,
    sql: &SqlAction,
    mut out: Vec<u8>,
    answer: &Answer,
    next: Option<String>,
) -> Attempt<Outcome> {
    if sql.page.is_some() {
        if out.ends_with(b":") {
            out.extend_from_slice(b"[]");
        }
        if let Some(cursor) = next {
            // base64url needs no escapes.
            out.extend_from_slice(b",\"nextCursor\":\"");
            out.extend_from_slice(cursor.as_bytes());
            out.push(b'"');
        }
        out.push(b'}');
        return finish(tool, out, answer, false);
    }
    match sql.result {
        SqlResult::Rows => {
            if out.is_empty() {
                out.extend_from_slice(b"[]");
            }
            finish(tool, out, answer, answer.truncated)
        }
        SqlResult::Row if answer.rows == 0 => Err(errors::no_row(tool)),
        SqlResult::Row => finish(tool, out, answer, false),
        SqlResult::Value if answer.rows == 0 => Err(errors::no_row(tool)),
        SqlResult::Value => {
            let value = first(&out).ok_or_else(|| errors::output(tool, "", "the row has no column"))?;
            finish(tool, value.get().as_bytes().to_vec(), answer, false)
        }
        SqlResult::Affected => {
            let affected = Answer { affected: answer.affected, ..Answer::default() };
            finish(tool, format!("{{\"affected\":{}}}", answer.affected).into_bytes(), &affected, false)
        }
    }
}

fn finish(tool: &Tool, out: Vec<u8>, answer: &Answer, truncated: bool) -> Attempt<Outcome> {
    conforms(tool, &out)?;
    let mut outcome = Outcome { rows: answer.rows, ..Outcome::structured(out) };
    if truncated {
        let rows = answer.rows;
        let text = format!(
            "Only the first {rows} rows are shown; there are more. Narrow the arguments to see the rows you need."
        );
        outcome.content.push(Content::Text(text));
        outcome.meta = Some(Bytes::from(json!({ "mcp-factory/truncated": { "rows": rows } }).to_string()));
    }
    Ok(outcome)
}

/// Clients refuse a result that does not conform to the output schema, without saying which part of it; so it is
/// looked at here first.
pub(crate) fn conforms(tool: &Tool, out: &[u8]) -> Attempt<()> {
    conforms_to(tool, tool.output.as_ref(), out)
}

/// Looks at a result of a tool by a schema that is not the tool's own.
pub(crate) fn conforms_to(tool: &Tool, schema: Option<&Schema>, out: &[u8]) -> Attempt<()> {
    let Some(schema) = schema.filter(|_| out.len() <= CHECKED_BYTES_MAX) else { return Ok(()) };
    let validator = schema
        .validator()
        .map_err(|error| errors::output(tool, "", &format!("`returns` is no valid schema ({error})")))?;
    let value: Value =
        serde_json::from_slice(out).map_err(|error| errors::unusable(tool, &format!("it is no JSON ({error})")))?;
    if validator.is_valid(&value) {
        return Ok(());
    }
    let error = validator.validate(&value).err();
    let place = error.as_ref().map(|error| error.instance_path().as_str()).unwrap_or_default();
    let why = error.as_ref().map(|error| error.masked_with("the value").to_string()).unwrap_or_default();
    tracing::warn!(tool = &*tool.info.name, place, why, "the result does not conform to the output schema");
    Err(errors::output(tool, place, &why))
}

/// The first value of an object, without reading the others.
fn first(row: &[u8]) -> Option<Box<RawValue>> {
    struct First;
    impl<'de> Visitor<'de> for First {
        type Value = Option<Box<RawValue>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a row")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut row: A) -> Result<Self::Value, A::Error> {
            let first = row.next_entry::<IgnoredAny, Box<RawValue>>()?.map(|(_, value)| value);
            while row.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(first)
        }
    }
    serde_json::Deserializer::from_slice(row).deserialize_map(First).ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn the_first_value_of_a_row_keeps_all_its_digits() {
        let get = |row: &str| first(row.as_bytes()).map(|value| value.get().to_owned());
        assert_eq!(get(r#"{"n":12345678901234567890.125,"b":[{}]}"#).as_deref(), Some("12345678901234567890.125"));
        assert_eq!(get(r#"{"a":null}"#).as_deref(), Some("null"));
        assert_eq!(get("{}"), None);
        assert_eq!(get("null"), None);
    }
}
