//! JSON-RPC errors, written once and coded per revision.

use std::borrow::Cow;

use serde_json::json;

use crate::code;
use crate::context::Capability;
use crate::json::Json;
use crate::revision::Revision;

/// A JSON-RPC error of a handler or of the protocol. Wrong tool arguments belong in a tool result with `is_error`, where
/// the model can see them.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: Kind,
    message: Cow<'static, str>,
    data: Option<Json>,
}

#[derive(Clone, Debug)]
enum Kind {
    Code(i32),
    ResourceNotFound,
    MissingCapability,
}

impl Error {
    /// The parameters of the request are wrong.
    pub fn invalid_params(message: impl Into<Cow<'static, str>>) -> Self {
        Self::custom(code::INVALID_PARAMS, message)
    }

    /// The server failed; the message is shown to the peer, so it must hold no secret.
    pub fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::custom(code::INTERNAL_ERROR, message)
    }

    /// There is no resource with this URI: `-32002` up to 2025-11-25, `-32602` after.
    pub fn resource_not_found(uri: &str) -> Self {
        Self {
            kind: Kind::ResourceNotFound,
            message: format!(
                "Resource not found: {uri}; `resources/list` names those that there are, `resources/templates/list` what others look like"
            )
            .into(),
            data: Some(json!({ "uri": uri }).into()),
        }
    }

    /// The request cannot be served without a capability that the client did not declare.
    pub fn missing_capability(capability: Capability) -> Self {
        Self {
            kind: Kind::MissingCapability,
            message: format!("This request needs the client capability {}", capability.name()).into(),
            data: Some(json!({ "requiredCapabilities": capability.declaration() }).into()),
        }
    }

    /// Any other code. Codes from -32020 to -32099 belong to the specification.
    pub fn custom(code: i32, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: Kind::Code(code), message: message.into(), data: None }
    }

    /// Adds `data`.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Json>) -> Self {
        self.data = Some(data.into());
        self
    }

    /// There is no tool or prompt of this name among those that are listed.
    pub(crate) fn unknown<'a>(what: &str, name: &str, listed: impl Iterator<Item = &'a str>) -> Self {
        let near = base::nearest(name, listed).map(|near| format!(" did you mean `{near}`?")).unwrap_or_default();
        Self::invalid_params(format!("Unknown {what}: {};{near} `{what}s/list` names those that there are", clip(name)))
    }

    pub(crate) fn method_not_found(method: &str) -> Self {
        let what =
            format!("Method not found: {}; `capabilities` of this server say which methods it has", clip(method));
        Self::custom(code::METHOD_NOT_FOUND, what)
    }

    pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::custom(code::INVALID_REQUEST, message)
    }

    pub(crate) fn header_mismatch(message: impl Into<Cow<'static, str>>) -> Self {
        Self::custom(code::HEADER_MISMATCH, message)
    }

    /// The code for a peer of this revision.
    pub fn code(&self, revision: Revision) -> i32 {
        match self.kind {
            Kind::Code(code) => code,
            Kind::ResourceNotFound if revision.is_modern() => code::INVALID_PARAMS,
            Kind::ResourceNotFound => code::RESOURCE_NOT_FOUND_LEGACY,
            Kind::MissingCapability if revision.is_modern() => code::MISSING_CAPABILITY,
            Kind::MissingCapability => code::INVALID_REQUEST,
        }
    }

    /// The message for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The `data` member.
    pub fn data(&self) -> Option<&Json> {
        self.data.as_ref()
    }

    /// Appends `{"code":…,"message":…,"data":…}`.
    pub(crate) fn write(&self, revision: Revision, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"code\":");
        out.extend_from_slice(itoa::Buffer::new().format(self.code(revision)).as_bytes());
        out.extend_from_slice(b",\"message\":");
        crate::json::push_string(out, &self.message);
        if let Some(data) = &self.data {
            out.extend_from_slice(b",\"data\":");
            out.extend_from_slice(data.as_bytes());
        }
        out.push(b'}');
    }
}

/// Shortens text of the peer for use in a message.
pub(crate) fn clip(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 120;
    if text.len() <= LONGEST {
        return text.into();
    }
    format!("{}…", &text[..text.floor_char_boundary(LONGEST)]).into()
}
