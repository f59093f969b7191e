//! The core schema of YAML 1.2.2 (chapter 10.3): what a scalar without quotes means.

use serde_json::Number;

use super::tree::{Style, Value};

/// A scalar that has no JSON value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoValue {
    /// `.inf`, `-.inf` or `.nan`.
    NotFinite,
    /// An integer beyond 64 bits, or a number too big for a double.
    TooLarge,
}

/// Resolves a plain scalar. `yes`, `no`, `on` and `off` are texts.
pub(crate) fn resolve(text: &str) -> Result<Value, NoValue> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        _ => {}
    }
    Ok(match number(text)? {
        Some(number) => Value::Number(number),
        None => Value::String(text.to_owned(), Style::Plain),
    })
}

/// The number that a text is in the core schema, if it is one.
pub(crate) fn number(text: &str) -> Result<Option<Number>, NoValue> {
    let Some(first) = text.bytes().next() else { return Ok(None) };
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return Ok(None);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let bare = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(bare, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(NoValue::NotFinite);
    }
    if !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit()) {
        return integer(text.strip_prefix('+').unwrap_or(text)).map(Some);
    }
    if is_float(bare) { float(text).map(Some) } else { Ok(None) }
}

fn radix(digits: &str, radix: u32) -> Result<Option<Number>, NoValue> {
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Ok(None);
    }
    u64::from_str_radix(digits, radix).map(|n| Some(n.into())).map_err(|_| NoValue::TooLarge)
}

/// An integer of decimal digits with an optional `-`.
pub(crate) fn integer(text: &str) -> Result<Number, NoValue> {
    if let Ok(value) = text.parse::<i64>() {
        return Ok(value.into());
    }
    text.parse::<u64>().map(Number::from).map_err(|_| NoValue::TooLarge)
}

/// A decimal fraction.
pub(crate) fn float(text: &str) -> Result<Number, NoValue> {
    let value: f64 = text.parse().map_err(|_| NoValue::TooLarge)?;
    Number::from_f64(value).ok_or(NoValue::TooLarge)
}

/// `[0-9]*(\.[0-9]*)?([eE][-+]?[0-9]+)?` with at least one digit before the exponent.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let exponent_is_good = exponent.is_none_or(|e| {
        let digits = e.strip_prefix(['+', '-']).unwrap_or(e);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent_is_good
        && !(whole.is_empty() && fraction.is_empty())
        && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{NoValue, resolve};

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let json = |text: &str| {
            let span = base::Span { start: 0, end: 0, line: 1, column: 1 };
            super::super::Node::new(span, resolve(text).unwrap()).to_json().to_string()
        };
        for (text, expected) in [
            ("~", "null"),
            ("", "null"),
            ("True", "true"),
            ("yes", "\"yes\""),
            ("off", "\"off\""),
            ("12", "12"),
            ("+12", "12"),
            ("-0", "0"),
            ("012", "12"),
            ("0x1F", "31"),
            ("0o17", "15"),
            ("1.0", "1.0"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("1e3", "1000.0"),
            ("1.0.0", "\"1.0.0\""),
            ("-", "\"-\""),
            (".", "\".\""),
            ("1_000", "\"1_000\""),
            ("12:30", "\"12:30\""),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(json(text), expected, "{text:?}");
        }
        assert_eq!(resolve(".nan"), Err(NoValue::NotFinite));
        assert_eq!(resolve("-.inf"), Err(NoValue::NotFinite));
        assert_eq!(resolve("18446744073709551616"), Err(NoValue::TooLarge));
        assert_eq!(resolve("1e999"), Err(NoValue::TooLarge));
    }
}
