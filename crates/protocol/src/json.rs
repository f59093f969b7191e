//! Serialised JSON that is carried, never re-parsed.

use bytes::Bytes;
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::value::RawValue;

/// One JSON value in serialised form. Cloning shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(Bytes);

impl Json {
    /// The empty object.
    pub const EMPTY_OBJECT: Self = Self(Bytes::from_static(b"{}"));

    /// Takes bytes after checking that they are exactly one JSON value.
    ///
    /// # Errors
    /// The position and kind of the first fault.
    pub fn parse(bytes: impl Into<Bytes>) -> Result<Self, serde_json::Error> {
        let bytes = bytes.into();
        serde_json::from_slice::<&RawValue>(&bytes)?;
        Ok(Self(bytes))
    }

    /// Takes bytes that the caller has just serialised itself; they are not checked again.
    pub fn trusted(bytes: impl Into<Bytes>) -> Self {
        Self(bytes.into())
    }

    /// Serialises a value. A value that cannot be serialised (a map with keys that are no strings) becomes `null`.
    pub fn to(value: &(impl Serialize + ?Sized)) -> Self {
        serde_json::to_vec(value).map_or(Self(Bytes::from_static(b"null")), |bytes| Self(bytes.into()))
    }

    /// The serialised form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The shared bytes.
    pub fn bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// The serialised form as text; empty when somebody vouched for bytes that are not UTF-8.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether the value is an object.
    pub fn is_object(&self) -> bool {
        self.0.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
    }

    /// The members of an object without its braces, trimmed: `{"a":1}` gives `"a":1`. Empty for anything else.
    pub(crate) fn members(&self) -> &[u8] {
        self.0.trim_ascii().strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).map_or(&[], <[u8]>::trim_ascii)
    }
}

impl From<Box<RawValue>> for Json {
    fn from(raw: Box<RawValue>) -> Self {
        Self(Bytes::from(String::from(Box::<str>::from(raw))))
    }
}

impl From<&RawValue> for Json {
    fn from(raw: &RawValue) -> Self {
        Self(Bytes::copy_from_slice(raw.get().as_bytes()))
    }
}

impl From<serde_json::Value> for Json {
    fn from(value: serde_json::Value) -> Self {
        Self(Bytes::from(value.to_string()))
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_slice(&self.0).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing into a vector cannot fail and a string always serialises.
    let _ = serde_json::to_writer(out, text);
}

/// Appends bytes that are JSON, as they are.
pub(crate) fn push_raw(out: &mut Vec<u8>, json: &[u8]) {
    out.extend_from_slice(json);
}

/// Makes one line of a message: line breaks in JSON are only ever white space between tokens.
pub(crate) fn one_line(bytes: Bytes) -> Bytes {
    if !bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
        return bytes;
    }
    bytes.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect()
}

/// Serialises a plain object literal-like value built with [`serde_json::json!`]; for answers off the hot path.
pub(crate) fn render(value: &serde_json::Value) -> Bytes {
    Bytes::from(value.to_string())
}
