//! What a call answers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

/// The answer of a call: a result, or a failure that the caller can act on.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Why there is no result.
    pub failure: Option<Failure>,
    /// The structured result, one JSON value.
    pub structured: Option<Bytes>,
    /// Whether the structured result is also given as text, for clients that read only text.
    pub echo: bool,
    /// Text blocks besides the structured result.
    pub content: Vec<Content>,
    /// Facts for programs, a JSON object: MCP's `_meta`.
    pub meta: Option<Bytes>,
    /// Rows in the result, where it has rows.
    pub rows: usize,
}

/// A block of content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// A fixed text: the whole block `{"type":"text","text":…}` as JSON, shared by all calls, and the text.
    Block(Bytes),
    /// A picture.
    Image {
        /// Base64.
        data: String,
        /// The media type.
        mime_type: String,
    },
    /// A sound.
    Audio {
        /// Base64.
        data: String,
        /// The media type.
        mime_type: String,
    },
    /// A file in place.
    Resource {
        /// What it is called.
        uri: String,
        /// The media type.
        mime_type: String,
        /// Text, or Base64.
        body: String,
        /// Whether `body` is Base64.
        is_blob: bool,
    },
    /// A link to a resource.
    Link {
        /// Where it is.
        uri: String,
        /// Its name.
        name: String,
        /// The media type.
        mime_type: Option<String>,
    },
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Which kind.
    pub kind: FailureKind,
    /// What was attempted, what went wrong, and what to do next.
    pub text: String,
    /// Facts for programs.
    pub detail: Option<Value>,
}

/// The kinds of failure. Their words are the labels of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The arguments do not fit the tool's schema.
    Arguments,
    /// The cursor is not one of this call.
    Cursor,
    /// The tool has no action.
    NotImplemented,
    /// Nothing was found.
    NotFound,
    /// The connection cannot be reached or is not configured.
    Unavailable,
    /// No permit or no connection was free in time.
    Busy,
    /// The call took too long.
    Timeout,
    /// The caller went away.
    Cancelled,
    /// The answer would be too large.
    Limit,
    /// The tool's statement is wrong: for the author of the spec.
    Statement,
    /// A value does not fit its column or parameter.
    Value,
    /// The database refused a change that breaks a rule of the data.
    Constraint,
    /// Not permitted.
    Denied,
    /// It may work when tried again.
    Transient,
    /// The result does not conform to the tool's output schema.
    Output,
    /// A script threw.
    Script,
    /// Another server's tool, or a program, says that it failed.
    Upstream,
    /// Anything else.
    Internal,
}

impl FailureKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 18] = [
        Self::Arguments,
        Self::Cursor,
        Self::NotImplemented,
        Self::NotFound,
        Self::Unavailable,
        Self::Busy,
        Self::Timeout,
        Self::Cancelled,
        Self::Limit,
        Self::Statement,
        Self::Value,
        Self::Constraint,
        Self::Denied,
        Self::Transient,
        Self::Output,
        Self::Script,
        Self::Upstream,
        Self::Internal,
    ];

    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::Cursor => "cursor",
            Self::NotImplemented => "not_implemented",
            Self::NotFound => "not_found",
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Limit => "limit",
            Self::Statement => "statement",
            Self::Value => "value",
            Self::Constraint => "constraint",
            Self::Denied => "denied",
            Self::Transient => "transient",
            Self::Output => "output",
            Self::Script => "script",
            Self::Upstream => "upstream",
            Self::Internal => "internal",
        }
    }

    /// Whether the same call may succeed later.
    pub const fn may_retry(self) -> bool {
        matches!(self, Self::Unavailable | Self::Busy | Self::Timeout | Self::Transient)
    }
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), detail: None }
    }

    pub(crate) fn with(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }

    /// The facts for programs under the key `mcp-factory/error` of `_meta`. They are not the structured result:
    /// clients check that one against the output schema, errors included.
    fn meta(&self) -> Bytes {
        let mut error = json!({ "kind": self.kind, "retry": self.kind.may_retry() });
        if let Some(detail) = &self.detail {
            error["detail"] = detail.clone();
        }
        Bytes::from(json!({ "mcp-factory/error": error }).to_string())
    }
}

impl From<Failure> for Outcome {
    fn from(failure: Failure) -> Self {
        Self {
            content: vec![Content::Text(failure.text.clone())],
            meta: Some(failure.meta()),
            failure: Some(failure),
            ..Self::default()
        }
    }
}

impl Outcome {
    pub(crate) fn structured(json: impl Into<Bytes>) -> Self {
        Self { structured: Some(json.into()), echo: true, ..Self::default() }
    }

    pub(crate) fn content(content: Content) -> Self {
        Self { content: vec![content], ..Self::default() }
    }

    /// Whether the call failed.
    pub fn is_error(&self) -> bool {
        self.failure.is_some()
    }

    /// All of it as text, for callers without MCP: the structured result, then the texts, a line each.
    pub fn text(&self) -> String {
        let structured = self.structured.as_ref().filter(|_| self.echo);
        let structured = structured.map(|json| String::from_utf8_lossy(json).into_owned());
        let blocks = self.content.iter().map(Content::text);
        structured.into_iter().chain(blocks).collect::<Vec<_>>().join("\n")
    }

    /// All of it as one value: the structured result, the text of the only block, or the list of blocks.
    pub(crate) fn value(&self) -> Value {
        if let Some(json) = &self.structured {
            return serde_json::from_slice(json).unwrap_or_default();
        }
        match self.content.as_slice() {
            [] => Value::Null,
            [Content::Text(text)] => Value::String(text.clone()),
            [block @ Content::Block(_)] => Value::String(block.text()),
            blocks => blocks.iter().map(Content::value).collect::<Vec<_>>().into(),
        }
    }

    /// The structured result, or the text where that is JSON.
    pub(crate) fn data(&self) -> Option<Value> {
        match &self.structured {
            Some(json) => serde_json::from_slice(json).ok(),
            None => serde_json::from_str(&self.content.first()?.text()).ok(),
        }
    }

    /// Size of what goes out, bytes, without the envelope.
    pub(crate) fn size(&self) -> usize {
        let blocks: usize = self.content.iter().map(Content::size).sum();
        self.structured.as_ref().map_or(0, Bytes::len) + blocks
    }
}

impl Content {
    /// A text that is the same for all calls.
    pub(crate) fn fixed(text: &str) -> Self {
        Self::Block(Bytes::from(json!({ "type": "text", "text": text }).to_string()))
    }

    /// Bytes as what they are: a picture, a sound, or a file with this URI.
    pub(crate) fn of_bytes(bytes: &[u8], mime_type: &str, uri: String) -> Self {
        let kind = if mime_type.is_empty() { "application/octet-stream" } else { mime_type }.to_owned();
        match (kind.split('/').next(), std::str::from_utf8(bytes)) {
            (Some("image"), _) if kind != "image/svg+xml" => {
                Self::Image { data: STANDARD.encode(bytes), mime_type: kind }
            }
            (Some("audio"), _) => Self::Audio { data: STANDARD.encode(bytes), mime_type: kind },
            (Some("video"), _) | (_, Err(_)) => {
                Self::Resource { uri, mime_type: kind, body: STANDARD.encode(bytes), is_blob: true }
            }
            (_, Ok(text)) => Self::Resource { uri, mime_type: kind, body: text.to_owned(), is_blob: false },
        }
    }

    /// The text; of anything else what it is.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Image { data, mime_type } | Self::Audio { data, mime_type } => {
                format!("[{mime_type}, {} bytes]", data.len() / 4 * 3)
            }
            Self::Resource { body, is_blob: false, .. } => body.clone(),
            Self::Resource { uri, mime_type, body, .. } => {
                format!("[{uri}: {mime_type}, {} bytes]", body.len() / 4 * 3)
            }
            Self::Link { uri, name, .. } => format!("{name}: {uri}"),
            Self::Block(json) => {
                let block: Value = serde_json::from_slice(json).unwrap_or_default();
                block["text"].as_str().unwrap_or_default().to_owned()
            }
        }
    }

    /// As the block that it is on the wire.
    fn value(&self) -> Value {
        match self {
            Self::Text(text) => json!({ "type": "text", "text": text }),
            Self::Block(json) => serde_json::from_slice(json).unwrap_or_default(),
            Self::Image { data, mime_type } => json!({ "type": "image", "data": data, "mimeType": mime_type }),
            Self::Audio { data, mime_type } => json!({ "type": "audio", "data": data, "mimeType": mime_type }),
            Self::Resource { uri, mime_type, body, is_blob } => {
                let key = if *is_blob { "blob" } else { "text" };
                json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime_type, key: body } })
            }
            Self::Link { uri, name, mime_type } => {
                let mut link = json!({ "type": "resource_link", "uri": uri, "name": name });
                if let Some(kind) = mime_type {
                    link["mimeType"] = kind.as_str().into();
                }
                link
            }
        }
    }

    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Block(json) => json.len(),
            Self::Image { data, .. } | Self::Audio { data, .. } => data.len(),
            Self::Resource { body, .. } => body.len(),
            Self::Link { uri, name, .. } => uri.len() + name.len(),
        }
    }
}
