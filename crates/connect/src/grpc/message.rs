//! Messages as JSON, by the mapping of protobuf.

use prost_reflect::prost::Message as _;
use prost_reflect::{
    DeserializeOptions, DynamicMessage, MessageDescriptor, ReflectMessage as _, SerializeOptions, Value,
};

/// The bytes of a message that is given as JSON. Unknown fields are refused.
pub(super) fn write(kind: MessageDescriptor, json: &serde_json::Value) -> Result<Vec<u8>, String> {
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let message = DynamicMessage::deserialize_with_options(kind, json, &options).map_err(|error| error.to_string())?;
    Ok(message.encode_to_vec())
}

/// The JSON of a message. With `all` the fields that are never absent are there with their defaults too.
pub(super) fn read(kind: MessageDescriptor, bytes: &[u8], all: bool) -> Result<serde_json::Value, String> {
    let message = DynamicMessage::decode(kind, bytes).map_err(|error| error.to_string())?;
    json(&message, all)
}

/// The JSON of a message without what a mask takes out of its texts and bytes.
pub(super) fn read_masked(
    kind: MessageDescriptor,
    bytes: &[u8],
    mask: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
) -> Result<serde_json::Value, String> {
    let mut message = DynamicMessage::decode(kind, bytes).map_err(|error| error.to_string())?;
    masked_message(&mut message, mask);
    let mut json = json(&message, true)?;
    masked_json(&mut json, mask);
    Ok(json)
}

fn json(message: &DynamicMessage, all: bool) -> Result<serde_json::Value, String> {
    let options = SerializeOptions::new().skip_default_fields(!all);
    message.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| error.to_string())
}

/// Bytes become base64 as JSON, where a secret cannot be seen any more.
fn masked_message(message: &mut DynamicMessage, mask: &dyn Fn(&[u8]) -> Option<Vec<u8>>) {
    // The bytes of an `Any` are a message; they are looked at when it is JSON.
    if message.descriptor().full_name() == "google.protobuf.Any" {
        return;
    }
    message.fields_mut().for_each(|(_, value)| masked_value(value, mask));
}

fn masked_value(value: &mut Value, mask: &dyn Fn(&[u8]) -> Option<Vec<u8>>) {
    match value {
        Value::Bytes(bytes) => {
            if let Some(clean) = mask(bytes) {
                *bytes = clean.into();
            }
        }
        Value::Message(message) => masked_message(message, mask),
        Value::List(items) => items.iter_mut().for_each(|item| masked_value(item, mask)),
        Value::Map(entries) => entries.values_mut().for_each(|item| masked_value(item, mask)),
        _ => {}
    }
}

fn masked_json(json: &mut serde_json::Value, mask: &dyn Fn(&[u8]) -> Option<Vec<u8>>) {
    let clean = |text: &str| mask(text.as_bytes()).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    match json {
        serde_json::Value::String(text) => {
            if let Some(clean) = clean(text) {
                *text = clean;
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| masked_json(item, mask)),
        serde_json::Value::Object(fields) => {
            fields.values_mut().for_each(|item| masked_json(item, mask));
            if fields.keys().any(|key| clean(key).is_some()) {
                let old = std::mem::take(fields);
                fields.extend(old.into_iter().map(|(key, value)| (clean(&key).unwrap_or(key), value)));
            }
        }
        _ => {}
    }
}
