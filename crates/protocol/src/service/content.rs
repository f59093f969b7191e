//! Results of handlers.

use std::borrow::Cow;

use crate::json::Json;
use crate::service::CacheScope;

/// What a tool answers.
#[derive(Clone, Debug)]
pub struct ToolResult {
    /// Content blocks.
    pub content: Vec<Content>,
    /// The structured result, given once; it is copied into the answer as it is.
    pub structured: Option<Json>,
    /// Puts the structured result as text before the other content, for clients that read only text. On by default.
    pub text_from_structured: bool,
    /// The tool failed in a way that the model should see.
    pub is_error: bool,
    /// `_meta`, an object.
    pub meta: Option<Json>,
}

impl Default for ToolResult {
    fn default() -> Self {
        Self { content: Vec::new(), structured: None, text_from_structured: true, is_error: false, meta: None }
    }
}

impl ToolResult {
    /// One text block.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self { content: vec![Content::Text(text.into())], ..Self::default() }
    }

    /// Structured data, and the same as text.
    pub fn structured(json: impl Into<Json>) -> Self {
        Self { structured: Some(json.into()), ..Self::default() }
    }

    /// A failure that the model can act on.
    pub fn error(text: impl Into<Cow<'static, str>>) -> Self {
        Self { is_error: true, ..Self::text(text) }
    }
}

/// One block of content.
#[derive(Clone, Debug)]
pub enum Content {
    /// Text.
    Text(Cow<'static, str>),
    /// A picture.
    Image {
        /// Base64.
        data: Cow<'static, str>,
        /// The media type.
        mime_type: Cow<'static, str>,
    },
    /// Sound; sent as a note in text to peers of 2024-11-05.
    Audio {
        /// Base64.
        data: Cow<'static, str>,
        /// The media type.
        mime_type: Cow<'static, str>,
    },
    /// A link to a resource; sent as text to peers before 2025-06-18.
    Link {
        /// The resource.
        uri: String,
        /// Its name.
        name: String,
        /// What it holds.
        description: Option<String>,
        /// The media type.
        mime_type: Option<String>,
    },
    /// A resource in place.
    Embedded(ResourceContents),
    /// A whole content block that the caller has serialised; sent as it is to every revision.
    Raw(Json),
}

impl Content {
    /// A text block.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Text(text.into())
    }
}

/// What a resource holds.
#[derive(Clone, Debug)]
pub struct ResourceContents {
    /// Its URI.
    pub uri: String,
    /// The media type.
    pub mime_type: Option<String>,
    /// Text, or base64.
    pub body: Cow<'static, str>,
    /// Whether `body` is base64 of bytes.
    pub is_blob: bool,
    /// `_meta`, an object.
    pub meta: Option<Json>,
}

impl ResourceContents {
    /// Text.
    pub fn text(uri: impl Into<String>, mime_type: impl Into<String>, text: impl Into<Cow<'static, str>>) -> Self {
        let mime_type = Some(mime_type.into());
        Self { uri: uri.into(), mime_type, body: text.into(), is_blob: false, meta: None }
    }

    /// Bytes, given as base64.
    pub fn blob(uri: impl Into<String>, mime_type: impl Into<String>, base64: impl Into<Cow<'static, str>>) -> Self {
        Self { is_blob: true, ..Self::text(uri, mime_type, base64) }
    }
}

/// What reading a resource answers.
#[derive(Clone, Debug)]
pub struct ReadResult {
    /// The contents; several for a folder-like resource.
    pub contents: Vec<ResourceContents>,
    /// How long a copy may be kept, in milliseconds.
    pub ttl_ms: u64,
    /// Who may keep it.
    pub scope: CacheScope,
}

impl From<ResourceContents> for ReadResult {
    /// Uncached, and only for this caller.
    fn from(contents: ResourceContents) -> Self {
        Self { contents: vec![contents], ttl_ms: 0, scope: CacheScope::Private }
    }
}

/// Who speaks in a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Assistant,
}

impl Role {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message of a prompt.
#[derive(Clone, Debug)]
pub struct PromptMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: Content,
}

impl PromptMessage {
    /// The user says something.
    pub fn user(content: Content) -> Self {
        Self { role: Role::User, content }
    }
}

/// A rendered prompt.
#[derive(Clone, Debug, Default)]
pub struct PromptResult {
    /// What it is for.
    pub description: Option<String>,
    /// The messages.
    pub messages: Vec<PromptMessage>,
}
