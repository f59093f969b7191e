//! Values: JSON in, the binary protocol's values out.

use std::fmt::Write as _;

use mysql_async::Value as Native;
use serde_json::Value;
use serde_json::value::RawValue;

use super::kind::Shape;
use crate::Target;
use crate::catalogue::Kind;
use crate::json::Cell;

/// Binds a JSON value as it is: MySQL's placeholders have no type, the server converts. Booleans
/// are 1 and 0; arrays and objects are their JSON text.
pub(super) fn bind(value: &Value) -> Native {
    match value {
        Value::Null => Native::NULL,
        Value::Bool(truth) => Native::Int((*truth).into()),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(integer), _) => Native::Int(integer),
            (None, Some(integer)) => Native::UInt(integer),
            (None, None) => Native::Double(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Native::Bytes(text.as_bytes().to_vec()),
        Value::Array(_) | Value::Object(_) => Native::Bytes(value.to_string().into_bytes()),
    }
}

/// A value in the form that its column's kind promises. `scratch` holds what has to be made.
/// `None`: a text that is not UTF-8.
pub(super) fn cell<'v>(value: &'v Native, shape: &Shape, target: Target, scratch: &'v mut String) -> Option<Cell<'v>> {
    let natural = target == Target::Auto;
    Some(match value {
        Native::NULL => Cell::Null,
        // Truth in SQL is anything but zero.
        Native::Int(integer) if natural && shape.kind == Some(Kind::Boolean) => Cell::Bool(*integer != 0),
        Native::UInt(integer) if natural && shape.kind == Some(Kind::Boolean) => Cell::Bool(*integer != 0),
        Native::Int(integer) => Cell::Int(*integer),
        Native::UInt(integer) => Cell::Uint(*integer),
        Native::Float(float) => Cell::Single(*float),
        Native::Double(float) => Cell::Float(*float),
        Native::Date(..) | Native::Time(..) => {
            scratch.clear();
            // Writing to a `String` does not fail.
            let _ = write_time(scratch, value, shape);
            Cell::Text(scratch)
        }
        Native::Bytes(bytes) if shape.bits => {
            let number = bytes.iter().fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
            if natural && shape.kind == Some(Kind::Boolean) { Cell::Bool(number != 0) } else { Cell::Uint(number) }
        }
        Native::Bytes(bytes) if shape.kind == Some(Kind::Bytes) => Cell::Bytes(bytes),
        Native::Bytes(bytes) => {
            let text = std::str::from_utf8(bytes).ok()?;
            match shape.kind {
                Some(Kind::Numeric) => Cell::Decimal(text),
                Some(Kind::Json) if natural && serde_json::from_str::<&RawValue>(text).is_ok() => Cell::Json(text),
                _ => Cell::Text(text),
            }
        }
    })
}

/// Dates and times as RFC 3339 has them. What RFC 3339 has no form for (the date zero, a month
/// zero, times over a day) keeps MySQL's own.
fn write_time(out: &mut String, value: &Native, shape: &Shape) -> std::fmt::Result {
    let micros = match *value {
        Native::Date(year, month, day, hour, minute, second, micros) => {
            write!(out, "{year:04}-{month:02}-{day:02}")?;
            if shape.kind == Some(Kind::Date) {
                return Ok(());
            }
            let real = month > 0 && day > 0;
            let between = if real { 'T' } else { ' ' };
            write!(out, "{between}{hour:02}:{minute:02}:{second:02}")?;
            fraction(out, micros, shape.decimals)?;
            if real && shape.kind == Some(Kind::Timestamptz) {
                // The session's time zone is UTC.
                out.push('Z');
            }
            return Ok(());
        }
        Native::Time(negative, days, hours, minutes, seconds, micros) => {
            let hours = u64::from(days) * 24 + u64::from(hours);
            let sign = if negative { "-" } else { "" };
            write!(out, "{sign}{hours:02}:{minutes:02}:{seconds:02}")?;
            micros
        }
        _ => return Ok(()),
    };
    fraction(out, micros, shape.decimals)
}

/// As many digits as the column has; all six where nothing says and there are any.
fn fraction(out: &mut String, micros: u32, decimals: u8) -> std::fmt::Result {
    let digits = match decimals {
        1..=6 => usize::from(decimals),
        _ if micros != 0 => 6,
        _ => return Ok(()),
    };
    let all = format!("{micros:06}");
    write!(out, ".{}", &all[..digits])
}
