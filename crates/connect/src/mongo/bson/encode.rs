//! JSON to BSON. Objects such as `{"$oid": "…"}` are values of extended JSON.

use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Map, Number, Value, json};

use super::{DEPTH_MAX, decimal, tag};

/// Writes a document. The error is a sentence that names the value.
pub(in crate::mongo) fn document(fields: &Map<String, Value>) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    write_document(fields, &mut out, 0)?;
    Ok(out)
}

fn write_document(fields: &Map<String, Value>, out: &mut Vec<u8>, depth: usize) -> Result<(), String> {
    framed(out, depth, |out| fields.iter().try_for_each(|(name, value)| write(name, value, out, depth)))
}

/// Writes the length around the content.
fn framed(
    out: &mut Vec<u8>,
    depth: usize,
    content: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("a value is nested deeper than {DEPTH_MAX} levels"));
    }
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    content(out)?;
    out.push(0);
    let length = length(out.len() - start)?;
    out[start..start + 4].copy_from_slice(&length);
    Ok(())
}

fn length(length: usize) -> Result<[u8; 4], String> {
    i32::try_from(length).map(i32::to_le_bytes).map_err(|_| "a value is longer than 2 GiB".to_owned())
}

fn head(kind: u8, name: &str, out: &mut Vec<u8>) -> Result<(), String> {
    if name.contains('\0') {
        return Err(format!("the field name `{}` holds a null character", name.escape_debug()));
    }
    out.push(kind);
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    Ok(())
}

fn write(name: &str, value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), String> {
    match value {
        Value::Null => head(tag::NULL, name, out),
        Value::Bool(truth) => {
            head(tag::BOOL, name, out)?;
            out.push(u8::from(*truth));
            Ok(())
        }
        Value::Number(number) => write_number(name, number, out),
        Value::String(text) => {
            head(tag::STRING, name, out)?;
            write_string(text, out)
        }
        Value::Array(items) => {
            head(tag::ARRAY, name, out)?;
            framed(out, depth + 1, |out| {
                let mut items = items.iter().enumerate();
                items.try_for_each(|(nth, item)| write(itoa::Buffer::new().format(nth), item, out, depth + 1))
            })
        }
        Value::Object(fields) => match extended(name, fields, out)? {
            true => Ok(()),
            false => {
                head(tag::DOCUMENT, name, out)?;
                write_document(fields, out, depth + 1)
            }
        },
    }
}

fn write_string(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    out.extend_from_slice(&length(text.len() + 1)?);
    out.extend_from_slice(text.as_bytes());
    out.push(0);
    Ok(())
}

fn write_number(name: &str, number: &Number, out: &mut Vec<u8>) -> Result<(), String> {
    if let Some(number) = number.as_i64() {
        return match i32::try_from(number) {
            Ok(number) => fixed(tag::INT32, name, &number.to_le_bytes(), out),
            Err(_) => fixed(tag::INT64, name, &number.to_le_bytes(), out),
        };
    }
    match number.as_f64() {
        Some(double) if !number.is_u64() => fixed(tag::DOUBLE, name, &double.to_le_bytes(), out),
        _ => Err(format!("{number} has more than 64 bits; `{{\"$numberDecimal\": \"{number}\"}}` can hold it")),
    }
}

fn fixed(kind: u8, name: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    head(kind, name, out)?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Writes a value of extended JSON, if the object is one.
fn extended(name: &str, fields: &Map<String, Value>, out: &mut Vec<u8>) -> Result<bool, String> {
    let mut pairs = fields.iter();
    let (Some((key, value)), None) = (pairs.next(), pairs.next()) else { return Ok(false) };
    let wrong = || format!("`{}` is no value of `{key}`", shown(value));
    let text = || value.as_str().ok_or_else(wrong);
    match key.as_str() {
        "$oid" => {
            let id = text().ok().and_then(object_id);
            let id = id.ok_or_else(|| format!("{}; an identifier has 24 hexadecimal digits", wrong()))?;
            fixed(tag::OBJECT_ID, name, &id, out)?;
        }
        "$date" => fixed(tag::DATE, name, &millis(value).ok_or_else(wrong)?.to_le_bytes(), out)?,
        "$numberInt" => {
            fixed(tag::INT32, name, &text()?.parse::<i32>().map_err(|_| wrong())?.to_le_bytes(), out)?;
        }
        "$numberLong" => {
            fixed(tag::INT64, name, &text()?.parse::<i64>().map_err(|_| wrong())?.to_le_bytes(), out)?;
        }
        "$numberDouble" => {
            fixed(tag::DOUBLE, name, &text()?.parse::<f64>().map_err(|_| wrong())?.to_le_bytes(), out)?;
        }
        "$numberDecimal" => fixed(tag::DECIMAL, name, &decimal::parse(text()?).ok_or_else(wrong)?, out)?,
        "$uuid" => {
            let uuid = uuid::Uuid::parse_str(text()?).map_err(|_| wrong())?;
            write_binary(name, uuid.as_bytes(), 4, out)?;
        }
        "$binary" => {
            let bytes = value["base64"].as_str().and_then(|text| STANDARD.decode(text).ok()).ok_or_else(wrong)?;
            let subtype = value["subType"].as_str().map_or(Ok(0), |hex| u8::from_str_radix(hex, 16));
            write_binary(name, &bytes, subtype.map_err(|_| wrong())?, out)?;
        }
        "$regularExpression" => {
            let (pattern, options) = (value["pattern"].as_str(), value["options"].as_str());
            let (Some(pattern), Some(options)) = (pattern, options) else { return Err(wrong()) };
            head(tag::REGEX, name, out)?;
            for part in [pattern, options] {
                if part.contains('\0') {
                    return Err(wrong());
                }
                out.extend_from_slice(part.as_bytes());
                out.push(0);
            }
        }
        "$timestamp" => {
            let part = |name: &str| value[name].as_u64().and_then(|part| u32::try_from(part).ok()).ok_or_else(wrong);
            let (time, increment) = (part("t")?, part("i")?);
            fixed(tag::TIMESTAMP, name, &[increment.to_le_bytes(), time.to_le_bytes()].concat(), out)?;
        }
        "$minKey" => head(tag::MIN, name, out)?,
        "$maxKey" => head(tag::MAX, name, out)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn write_binary(name: &str, bytes: &[u8], subtype: u8, out: &mut Vec<u8>) -> Result<(), String> {
    head(tag::BINARY, name, out)?;
    out.extend_from_slice(&length(bytes.len())?);
    out.push(subtype);
    out.extend_from_slice(bytes);
    Ok(())
}

fn object_id(text: &str) -> Option<[u8; 12]> {
    let mut id = [0; 12];
    if text.len() != 24 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (nth, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(nth * 2..nth * 2 + 2)?, 16).ok()?;
    }
    Some(id)
}

fn millis(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis()),
        Value::Number(number) => number.as_i64(),
        other => other["$numberLong"].as_str()?.parse().ok(),
    }
}

/// Most characters of a value that an error shows.
const SHOWN_CHARS: usize = 60;

fn shown(value: &Value) -> String {
    value.to_string().chars().take(SHOWN_CHARS).collect()
}

/// Makes identifiers of documents: the time, a number of this process, and a count.
#[derive(Debug)]
pub(in crate::mongo) struct ObjectIds {
    process: [u8; 5],
    count: AtomicU32,
}

impl ObjectIds {
    pub(in crate::mongo) fn new() -> Result<Self, String> {
        let mut random = [0; 9];
        getrandom::fill(&mut random).map_err(|error| format!("the system gives no random numbers: {error}"))?;
        let [a, b, c, d, e, count @ ..] = random;
        Ok(Self { process: [a, b, c, d, e], count: AtomicU32::new(u32::from_le_bytes(count)) })
    }

    /// A new one, as a value of extended JSON.
    pub(in crate::mongo) fn next(&self) -> Value {
        let seconds = u32::try_from(Utc::now().timestamp()).unwrap_or_default().to_be_bytes();
        let [_, count @ ..] = self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let bytes = seconds.iter().chain(&self.process).chain(&count);
        json!({"$oid": bytes.map(|byte| format!("{byte:02x}")).collect::<String>()})
    }
}
