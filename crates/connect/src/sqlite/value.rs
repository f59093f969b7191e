//! Values: JSON in, SQLite's five storage classes out.

use std::fmt::Write as _;

use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::Target;
use crate::catalogue::Kind;
use crate::json::{Cell, SAFE_INTEGER_MAX};

/// Binds a JSON value as it is. SQLite's placeholders have no type: the column's affinity converts
/// what is stored or compared. Booleans are 0 and 1; arrays and objects are their JSON text.
///
/// The error says what does not fit.
pub(super) fn bind(value: &Value) -> Result<ToSqlOutput<'_>, &'static str> {
    Ok(match value {
        Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
        Value::Bool(truth) => ToSqlOutput::Borrowed(ValueRef::Integer(i64::from(*truth))),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => ToSqlOutput::Borrowed(ValueRef::Integer(integer)),
            (None, _) if number.is_u64() => return Err("the integer is larger than 9223372036854775807"),
            (None, Some(real)) => ToSqlOutput::Borrowed(ValueRef::Real(real)),
            (None, None) => return Err("the number has no 64-bit form"),
        },
        Value::String(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        Value::Array(_) | Value::Object(_) => ToSqlOutput::Owned(Owned::Text(value.to_string())),
    })
}

/// A stored value in the form that its column's kind promises (see [`Kind::schema`]): SQLite lets a
/// text into an integer column and a number into a date's.
///
/// `scratch` holds what has to be made. `None`: a text that is not UTF-8.
pub(super) fn cell<'v>(
    value: ValueRef<'v>,
    kind: Option<Kind>,
    target: Target,
    scratch: &'v mut String,
) -> Option<Cell<'v>> {
    let natural = target == Target::Auto;
    Some(match (value, kind) {
        (ValueRef::Null, _) => Cell::Null,
        // Truth in SQL is anything but zero.
        (ValueRef::Integer(integer), Some(Kind::Boolean)) if natural => Cell::Bool(integer != 0),
        (ValueRef::Integer(integer), Some(kind)) if natural && is_text(kind) => Cell::Text(made(scratch, &integer)),
        (ValueRef::Integer(integer), _) => Cell::Int(integer),
        (ValueRef::Real(real), Some(Kind::Boolean)) if natural => Cell::Bool(real != 0.0),
        (ValueRef::Real(real), Some(Kind::Bigint)) if natural => {
            if real.fract() == 0.0 && real.abs() <= SAFE_INTEGER_MAX as f64 {
                Cell::Int(real as i64)
            } else {
                Cell::Text(made(scratch, &real))
            }
        }
        (ValueRef::Real(real), Some(kind)) if natural && is_text(kind) => Cell::Text(made(scratch, &real)),
        (ValueRef::Real(real), _) => Cell::Float(real),
        (ValueRef::Text(bytes), kind) => text(std::str::from_utf8(bytes).ok()?, kind, natural, scratch),
        (ValueRef::Blob(bytes), Some(Kind::Uuid)) if bytes.len() == 16 => {
            let uuid = uuid::Uuid::from_slice(bytes).unwrap_or_default();
            Cell::Text(made(scratch, &uuid.hyphenated()))
        }
        (ValueRef::Blob(bytes), _) => Cell::Bytes(bytes),
    })
}

fn text<'v>(text: &'v str, kind: Option<Kind>, natural: bool, scratch: &'v mut String) -> Cell<'v> {
    match kind {
        Some(Kind::Timestamp) if is_datetime(text) => {
            scratch.clear();
            scratch.push_str(text);
            scratch.replace_range(10..11, "T");
            Cell::Text(scratch)
        }
        Some(Kind::Boolean) if natural && text.eq_ignore_ascii_case("true") => Cell::Bool(true),
        Some(Kind::Boolean) if natural && text.eq_ignore_ascii_case("false") => Cell::Bool(false),
        Some(Kind::Json) if natural && serde_json::from_str::<&RawValue>(text).is_ok() => Cell::Json(text),
        // Text in a column of bytes has the form of all its values.
        Some(Kind::Bytes) if natural => Cell::Bytes(text.as_bytes()),
        _ => Cell::Text(text),
    }
}

/// `YYYY-MM-DD HH:MM…`, which becomes RFC 3339 by a `T`.
fn is_datetime(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is = |at: usize, byte: u8| bytes.get(at) == Some(&byte);
    [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15].into_iter().all(digit)
        && is(4, b'-')
        && is(7, b'-')
        && is(10, b' ')
        && is(13, b':')
}

/// Kinds whose natural form is a JSON string.
fn is_text(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Text
            | Kind::Enum
            | Kind::Uuid
            | Kind::Date
            | Kind::Time
            | Kind::Timestamp
            | Kind::Timestamptz
            | Kind::Bytes
            | Kind::Other
    )
}

fn made<'s>(scratch: &'s mut String, value: &dyn std::fmt::Display) -> &'s str {
    scratch.clear();
    // Writing to a `String` does not fail.
    let _ = write!(scratch, "{value}");
    scratch
}
