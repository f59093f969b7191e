//! BSON to JSON. Every length is checked: a server's bytes never make it panic or nest without end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike as _, SecondsFormat};
use serde_json::{Map, Number, Value, json};

use super::{DEPTH_MAX, Form, decimal, tag};

/// Beyond it an integer is a text: JavaScript would round it.
const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;
/// Subtype of UUIDs.
const UUID: u8 = 4;
/// Subtype of bytes with a second length, of old drivers.
const OLD_BINARY: u8 = 2;

struct Reader<'a> {
    left: &'a [u8],
    form: Form,
}

/// Reads one document that fills `bytes`. The error is a sentence.
pub(in crate::mongo) fn document(bytes: &[u8], form: Form) -> Result<Map<String, Value>, String> {
    let mut reader = Reader { left: bytes, form };
    let fields = reader.fields(0)?;
    if !reader.left.is_empty() {
        return Err("bytes are left after a document".to_owned());
    }
    Ok(fields.into_iter().collect())
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, left) = self.left.split_at_checked(length).ok_or_else(|| "a document ends too early".to_owned())?;
        self.left = left;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| "a document ends too early".to_owned())
    }

    fn length(&mut self) -> Result<usize, String> {
        let length = i32::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| format!("{length} is no length"))
    }

    fn name(&mut self) -> Result<String, String> {
        let end = memchr::memchr(0, self.left).ok_or_else(|| "a name has no end".to_owned())?;
        let name = String::from_utf8_lossy(self.take(end)?).into_owned();
        self.take(1)?;
        Ok(name)
    }

    fn string(&mut self) -> Result<String, String> {
        let length = self.length()?;
        let text = self.take(length)?.strip_suffix(&[0]).ok_or_else(|| "a text has no end".to_owned())?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn fields(&mut self, depth: usize) -> Result<Vec<(String, Value)>, String> {
        if depth > DEPTH_MAX {
            return Err(format!("a document is nested deeper than {DEPTH_MAX} levels"));
        }
        let length = self.length()?;
        let inner = self.take(length.checked_sub(4).ok_or_else(|| format!("{length} is no length"))?)?;
        let inner = inner.strip_suffix(&[0]).ok_or_else(|| "a document has no end".to_owned())?;
        let mut inner = Reader { left: inner, form: self.form };
        let mut fields = Vec::new();
        while let Some((kind, rest)) = inner.left.split_first() {
            inner.left = rest;
            let name = inner.name()?;
            fields.push((name, inner.value(*kind, depth)?));
        }
        Ok(fields)
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Value, String> {
        let plain = self.form == Form::Plain;
        Ok(match kind {
            tag::DOUBLE => double(f64::from_le_bytes(self.array()?), plain),
            tag::STRING => Value::String(self.string()?),
            tag::DOCUMENT => Value::Object(self.fields(depth + 1)?.into_iter().collect()),
            tag::ARRAY => Value::Array(self.fields(depth + 1)?.into_iter().map(|(_, value)| value).collect()),
            tag::BINARY => self.binary(plain)?,
            tag::UNDEFINED if plain => Value::Null,
            tag::UNDEFINED => json!({"$undefined": true}),
            tag::OBJECT_ID => wrapped(plain, "$oid", hex(&self.array::<12>()?)),
            tag::BOOL => Value::Bool(self.array::<1>()? != [0]),
            tag::DATE => date(i64::from_le_bytes(self.array()?), plain),
            tag::NULL => Value::Null,
            tag::REGEX => {
                let (pattern, options) = (self.name()?, self.name()?);
                json!({"$regularExpression": {"pattern": pattern, "options": options}})
            }
            tag::POINTER => json!({"$dbPointer": {"$ref": self.string()?, "$id": {"$oid": hex(&self.array::<12>()?)}}}),
            tag::CODE => json!({"$code": self.string()?}),
            tag::SYMBOL => wrapped(plain, "$symbol", self.string()?),
            tag::SCOPED_CODE => {
                self.length()?;
                let code = self.string()?;
                let scope: Map<String, Value> = self.fields(depth + 1)?.into_iter().collect();
                json!({"$code": code, "$scope": scope})
            }
            tag::INT32 => i32::from_le_bytes(self.array()?).into(),
            tag::TIMESTAMP => {
                let (increment, time) = (u32::from_le_bytes(self.array()?), u32::from_le_bytes(self.array()?));
                json!({"$timestamp": {"t": time, "i": increment}})
            }
            tag::INT64 => long(i64::from_le_bytes(self.array()?), plain),
            tag::DECIMAL => wrapped(plain, "$numberDecimal", decimal::text(self.array()?)),
            tag::MAX => json!({"$maxKey": 1}),
            tag::MIN => json!({"$minKey": 1}),
            other => return Err(format!("a value of the unknown kind {other:#04x}")),
        })
    }

    fn binary(&mut self, plain: bool) -> Result<Value, String> {
        let length = self.length()?;
        let [subtype] = self.array::<1>()?;
        let mut bytes = self.take(length)?;
        if subtype == OLD_BINARY {
            bytes = bytes.get(4..).ok_or_else(|| "a document ends too early".to_owned())?;
        }
        if plain
            && subtype == UUID
            && let Ok(bytes) = <[u8; 16]>::try_from(bytes)
        {
            return Ok(Value::String(uuid::Uuid::from_bytes(bytes).to_string()));
        }
        let encoded = STANDARD.encode(bytes);
        if plain {
            return Ok(Value::String(encoded));
        }
        Ok(json!({"$binary": {"base64": encoded, "subType": format!("{subtype:02x}")}}))
    }
}

fn wrapped(plain: bool, key: &str, text: String) -> Value {
    if plain { Value::String(text) } else { Value::Object(Map::from_iter([(key.to_owned(), Value::String(text))])) }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn long(number: i64, plain: bool) -> Value {
    if number.unsigned_abs() > SAFE_INTEGER_MAX {
        return wrapped(plain, "$numberLong", number.to_string());
    }
    number.into()
}

fn double(number: f64, plain: bool) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and in range")]
    if plain && number.fract() == 0.0 && number.abs() <= SAFE_INTEGER_MAX as f64 {
        return (number as i64).into();
    }
    let name = |number: f64| match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    };
    Number::from_f64(number).map_or_else(|| wrapped(plain, "$numberDouble", name(number).to_owned()), Value::Number)
}

/// Years that RFC 3339 has are texts.
fn date(millis: i64, plain: bool) -> Value {
    match DateTime::from_timestamp_millis(millis) {
        Some(time) if (0..=9999).contains(&time.year()) => {
            wrapped(plain, "$date", time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
        }
        _ => json!({"$date": {"$numberLong": millis.to_string()}}),
    }
}

/// An integer of any width and form.
pub(in crate::mongo) fn int(value: &Value) -> Option<i64> {
    match value {
        #[expect(clippy::cast_possible_truncation, reason = "counts and codes are whole; saturates")]
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.parse().ok(),
        Value::Object(wrapped) => wrapped.get("$numberLong")?.as_str()?.parse().ok(),
        _ => None,
    }
}
