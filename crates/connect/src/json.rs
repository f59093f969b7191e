//! Values written as JSON, the same for every engine: an engine's folder turns what its driver
//! gives into a [`Cell`], and this decides how that is written for a [`Target`].

mod rows;

use base64::Engine as _;
use serde_json::value::RawValue;

use crate::Target;

pub(crate) use rows::{Columns, RowWriter, Shape};

/// Largest integer whose neighbours a double can tell apart (`Number.MAX_SAFE_INTEGER`): over it a
/// JSON number is read wrongly by most clients, so the natural form is a string.
pub(crate) const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;

/// One value, as the driver gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    /// SQL's NULL.
    Null,
    /// Truth value.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Unsigned integer.
    Uint(u64),
    /// Floating point number.
    Float(f64),
    /// The float of 32 bits: its shortest text has fewer digits than that of the double of the same value.
    Single(f32),
    /// Exact decimal, as text: `-12.50`, also `NaN` and `Infinity` where the engine has them.
    Decimal(&'a str),
    /// Text.
    Text(&'a str),
    /// JSON text that the engine vouches for.
    Json(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// A value that has no form for its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Misfit;

/// Writes a value for a target. After an error `out` may hold a part of it.
pub(crate) fn write(out: &mut Vec<u8>, cell: Cell<'_>, target: Target) -> Result<(), Misfit> {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Bool(truth) => write_bool(out, truth, target),
        Cell::Int(integer) => write_integer(out, integer < 0, integer.unsigned_abs(), target)?,
        Cell::Uint(integer) => write_integer(out, false, integer, target)?,
        Cell::Float(float) => write_float(out, float, ryu::Buffer::new().format(float), target)?,
        Cell::Single(float) => write_float(out, float.into(), ryu::Buffer::new().format(float), target)?,
        Cell::Decimal(text) => match target {
            Target::Auto | Target::String => string(out, text),
            _ => write_text(out, text, target)?,
        },
        Cell::Text(text) => write_text(out, text, target)?,
        Cell::Json(text) => write_json(out, text, target)?,
        Cell::Bytes(bytes) => match target {
            Target::Auto | Target::String => base64(out, bytes),
            _ => return Err(Misfit),
        },
    }
    Ok(())
}

fn write_bool(out: &mut Vec<u8>, truth: bool, target: Target) {
    let text = match target {
        Target::Auto | Target::Boolean | Target::Json => ["false", "true"],
        Target::String => ["\"false\"", "\"true\""],
        Target::Number | Target::Integer => ["0", "1"],
    };
    out.extend_from_slice(text[usize::from(truth)].as_bytes());
}

fn write_integer(out: &mut Vec<u8>, negative: bool, magnitude: u64, target: Target) -> Result<(), Misfit> {
    let quoted = match target {
        Target::Auto | Target::Json => magnitude > SAFE_INTEGER_MAX,
        Target::String => true,
        Target::Number | Target::Integer => false,
        Target::Boolean if !negative && magnitude <= 1 => {
            write_bool(out, magnitude == 1, target);
            return Ok(());
        }
        Target::Boolean => return Err(Misfit),
    };
    if quoted {
        out.push(b'"');
    }
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(itoa::Buffer::new().format(magnitude).as_bytes());
    if quoted {
        out.push(b'"');
    }
    Ok(())
}

fn write_float(out: &mut Vec<u8>, float: f64, shortest: &str, target: Target) -> Result<(), Misfit> {
    if !float.is_finite() {
        let word = if float.is_nan() {
            "NaN"
        } else if float > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        return match target {
            Target::Auto | Target::String | Target::Json => {
                string(out, word);
                Ok(())
            }
            _ => Err(Misfit),
        };
    }
    match target {
        Target::Auto | Target::Number | Target::Json => out.extend_from_slice(shortest.as_bytes()),
        Target::String => string(out, shortest),
        Target::Integer | Target::Boolean => {
            // A double of up to 2^53 without a fraction is that integer exactly.
            if float.fract() != 0.0 || float.abs() > SAFE_INTEGER_MAX as f64 {
                return Err(Misfit);
            }
            write_integer(out, float < 0.0, float.abs() as u64, target)?;
        }
    }
    Ok(())
}

fn write_text(out: &mut Vec<u8>, text: &str, target: Target) -> Result<(), Misfit> {
    match target {
        Target::Auto | Target::String => string(out, text),
        Target::Json => {
            serde_json::from_str::<&RawValue>(text).map_err(|_| Misfit)?;
            out.extend_from_slice(text.trim().as_bytes());
        }
        Target::Boolean => match text {
            "true" | "t" | "1" | "TRUE" => write_bool(out, true, target),
            "false" | "f" | "0" | "FALSE" => write_bool(out, false, target),
            _ => return Err(Misfit),
        },
        Target::Number | Target::Integer => {
            let number = decimal_literal(text).ok_or(Misfit)?;
            if target == Target::Number {
                out.extend_from_slice(number.as_bytes());
            } else {
                // `12.00` is an integer; `1e3` is not looked into.
                let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
                if whole.contains(['e', 'E']) || fraction.bytes().any(|digit| digit != b'0') {
                    return Err(Misfit);
                }
                out.extend_from_slice(whole.as_bytes());
            }
        }
    }
    Ok(())
}

fn write_json(out: &mut Vec<u8>, text: &str, target: Target) -> Result<(), Misfit> {
    let text = text.trim();
    let first = text.bytes().next();
    match target {
        Target::Auto | Target::Json => out.extend_from_slice(text.as_bytes()),
        Target::String if first == Some(b'"') => out.extend_from_slice(text.as_bytes()),
        Target::String => string(out, text),
        Target::Number | Target::Integer if matches!(first, Some(b'-' | b'0'..=b'9')) => write_text(out, text, target)?,
        Target::Boolean if matches!(first, Some(b't' | b'f')) => out.extend_from_slice(text.as_bytes()),
        _ if text == "null" => out.extend_from_slice(b"null"),
        _ => return Err(Misfit),
    }
    Ok(())
}

/// A decimal text as a JSON number with the same digits: `.5` gets its zero and `+` and leading
/// zeros go. `None` when it is no number.
fn decimal_literal(text: &str) -> Option<String> {
    let text = text.trim();
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let literal = format!("{sign}{whole}{}", rest.strip_suffix('.').unwrap_or(rest));
    let number = end > 0 || rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    (number && serde_json::from_str::<&RawValue>(&literal).is_ok()).then_some(literal)
}

/// A JSON string.
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // Writing to a `Vec` does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// Bytes as a JSON string of base64 (RFC 4648, section 4).
pub(crate) fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = base64::engine::general_purpose::STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or(0);
    out.truncate(start + written);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::{Cell, Target, write};

    #[test]
    fn a_value_is_written_for_its_target_or_refused() {
        use Cell::{Bool, Bytes, Decimal, Float, Int, Json, Null, Single, Text, Uint};
        use Target::{Auto, Boolean, Integer, Json as AsJson, Number, String};
        let cases: &[(Cell<'_>, Target, Option<&str>)] = &[
            (Null, Integer, Some("null")),
            (Bool(true), Auto, Some("true")),
            (Bool(false), Integer, Some("0")),
            (Int(-7), Auto, Some("-7")),
            (Int(9_007_199_254_740_991), Auto, Some("9007199254740991")),
            (Int(9_007_199_254_740_993), Auto, Some("\"9007199254740993\"")),
            (Int(i64::MIN), Number, Some("-9223372036854775808")),
            (Uint(u64::MAX), Auto, Some("\"18446744073709551615\"")),
            (Int(1), Boolean, Some("true")),
            (Int(2), Boolean, None),
            (Float(0.1), Auto, Some("0.1")),
            (Float(1e300), Auto, Some("1e300")),
            (Single(0.1), Auto, Some("0.1")),
            (Float(f64::NAN), Auto, Some("\"NaN\"")),
            (Float(f64::NEG_INFINITY), Number, None),
            (Float(3.0), Integer, Some("3")),
            (Float(3.5), Integer, None),
            (Decimal("12.50"), Auto, Some("\"12.50\"")),
            (Decimal("12.50"), Number, Some("12.50")),
            (Decimal("12.00"), Integer, Some("12")),
            (Decimal(".5"), Number, Some("0.5")),
            (Decimal("NaN"), Number, None),
            (Decimal("123456789012345678901234567890.5"), Number, Some("123456789012345678901234567890.5")),
            (Text("a\"b\n"), Auto, Some("\"a\\\"b\\n\"")),
            (Text("007"), Number, Some("7")),
            (Text("seven"), Number, None),
            (Text(""), Number, None),
            (Text("{\"a\": 1}"), AsJson, Some("{\"a\": 1}")),
            (Text("{a}"), AsJson, None),
            (Json("[1,2]"), Auto, Some("[1,2]")),
            (Json("[1,2]"), String, Some("\"[1,2]\"")),
            (Json("\"x\""), String, Some("\"x\"")),
            (Json("\"x\""), Number, None),
            (Bytes(b"hi!"), Auto, Some("\"aGkh\"")),
            (Bytes(b""), String, Some("\"\"")),
            (Bytes(b"hi"), Number, None),
        ];
        for (cell, target, wanted) in cases {
            let mut out = Vec::new();
            let written = write(&mut out, *cell, *target).ok().map(|()| std::string::String::from_utf8(out).unwrap());
            assert_eq!(written.as_deref(), *wanted, "{cell:?} as {target:?}");
        }
    }
}
