//! Integers that a caller wrote as `5.0` or `5e2`. JSON Schema counts them as integers (2020-12 validation, 6.1.1) and some
//! clients know no other numbers, but a database reads `5.0` as no integer: so where the schema asks for an integer they
//! become what they are. It is the same number; one that is too large to be known exactly is refused.

use serde_json::{Number, Value};

/// From here on neighbouring integers have the same 64-bit float.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// Whether there is an integer that is written as a real number.
pub(super) fn written_as_reals(value: &Value) -> bool {
    match value {
        Value::Number(number) => integral(number).is_some(),
        Value::Array(items) => items.iter().any(written_as_reals),
        Value::Object(fields) => fields.values().any(written_as_reals),
        _ => false,
    }
}

/// Replaces them where the schema asks for integers: along `properties`, `items` and `prefixItems`.
///
/// # Errors
/// One is too large; says which.
pub(super) fn normalise(schema: &Value, value: &mut Value, place: &str) -> Result<(), String> {
    match value {
        Value::Number(number) if asks_integer(schema) => {
            let Some(real) = integral(number) else { return Ok(()) };
            if real.abs() >= EXACT_BELOW {
                return Err(format!(
                    "`{place}`: {number} was sent; an integer as large as this is only known exactly when it is written \
                     with digits alone, without fraction and exponent, and has at most 19 of them"
                ));
            }
            // Checked above: it is integral and below 2^53.
            #[expect(clippy::cast_possible_truncation, reason = "an integer below 2^53")]
            let integer = real as i64;
            *number = integer.into();
            Ok(())
        }
        Value::Array(items) => {
            let (first, rest) = (schema.get("prefixItems"), schema.get("items"));
            for (index, item) in items.iter_mut().enumerate() {
                if let Some(inner) = first.and_then(|schemas| schemas.get(index)).or(rest) {
                    normalise(inner, item, &format!("{place}[{index}]"))?;
                }
            }
            Ok(())
        }
        Value::Object(fields) => {
            let Some(properties) = schema.get("properties") else { return Ok(()) };
            for (name, field) in fields {
                if let Some(inner) = properties.get(name) {
                    let inside = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                    normalise(inner, field, &inside)?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The value of a number that is an integer but not held as one.
fn integral(number: &Number) -> Option<f64> {
    let real = number.as_f64().filter(|_| number.is_f64())?;
    (real.fract() == 0.0).then_some(real)
}

fn asks_integer(schema: &Value) -> bool {
    match schema.get("type") {
        Some(Value::String(kind)) => kind == "integer",
        Some(Value::Array(kinds)) => {
            kinds.iter().any(|kind| kind == "integer") && !kinds.iter().any(|kind| kind == "number")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{normalise, written_as_reals};

    #[test]
    fn integers_are_held_as_integers_where_the_schema_asks_for_them() {
        let integer = json!({"type": "integer"});
        let schema = json!({"properties": {
            "i": integer, "maybe": {"type": ["integer", "null"]}, "n": {"type": "number"}, "list": {"items": integer},
            "tuple": {"prefixItems": [{"type": "number"}], "items": integer}, "deep": {"properties": {"i": integer}},
        }});
        let cases = [
            (r#"{"i":5.0,"maybe":1e2,"n":5.0}"#, json!({"i": 5, "maybe": 100, "n": 5.0})),
            (r#"{"list":[-0.0,2.0,3],"tuple":[1.0,2.0]}"#, json!({"list": [0, 2, 3], "tuple": [1.0, 2]})),
            (r#"{"deep":{"i":7.0,"j":7.0},"k":7.0}"#, json!({"deep": {"i": 7, "j": 7.0}, "k": 7.0})),
            (r#"{"i":9007199254740991.0}"#, json!({"i": 9_007_199_254_740_991_i64})),
        ];
        for (sent, kept) in cases {
            let mut value: Value = serde_json::from_str(sent).unwrap();
            assert!(written_as_reals(&value), "{sent}");
            normalise(&schema, &mut value, "").unwrap();
            assert_eq!(value, kept);
        }
        for sent in [r#"{"i":9007199254740992.0}"#, r#"{"deep":{"i":1e300}}"#, r#"{"i":99999999999999999999}"#] {
            let mut value: Value = serde_json::from_str(sent).unwrap();
            assert!(normalise(&schema, &mut value, "").unwrap_err().contains("was sent"), "{sent}");
        }
        assert!(!written_as_reals(&json!({"i": 5, "n": 0.5, "s": "5.0"})));
    }
}
