//! Asking the client: the requests of a handler and the client's answers.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::context::Capability;
use crate::json::Json;
use crate::revision::Revision;

/// What a handler needs before it can go on.
#[derive(Clone, Debug, Default)]
pub struct NeedInput {
    /// The questions, each under a key that is unique within the call.
    pub requests: Vec<(String, InputRequest)>,
    /// The handler's own state, given back with the answers. Sealed on the wire: the client cannot read meaning into it
    /// that it could change unnoticed, but it can read it, so no secrets.
    pub state: Option<Bytes>,
}

/// A question to the client.
#[derive(Clone, Debug)]
pub enum InputRequest {
    /// The user fills in a form.
    Elicit {
        /// What to tell the user.
        message: String,
        /// A flat object schema of the form's fields.
        schema: Json,
    },
    /// The user visits a page.
    ElicitUrl {
        /// What to tell the user.
        message: String,
        /// The page.
        url: String,
        /// Names this elicitation when its end is announced.
        id: String,
    },
    /// The client's model writes a message; holds the parameters of `sampling/createMessage`.
    Sample(Json),
    /// The client's root folders.
    Roots,
}

impl InputRequest {
    /// The capability that the client must have declared.
    pub fn capability(&self) -> Capability {
        match self {
            Self::Elicit { .. } => Capability::Elicitation,
            Self::ElicitUrl { .. } => Capability::ElicitationUrl,
            Self::Sample(_) => Capability::Sampling,
            Self::Roots => Capability::Roots,
        }
    }

    /// Method name of the question.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Elicit { .. } | Self::ElicitUrl { .. } => "elicitation/create",
            Self::Sample(_) => "sampling/createMessage",
            Self::Roots => "roots/list",
        }
    }

    /// Parameters of the question; `mode` is known since 2025-11-25.
    pub(crate) fn params(&self, revision: Revision) -> Value {
        let raw = |json: &Json| serde_json::from_slice(json.as_bytes()).unwrap_or(Value::Null);
        match self {
            Self::Elicit { message, schema } if revision.has_icons() => {
                json!({ "mode": "form", "message": message, "requestedSchema": raw(schema) })
            }
            Self::Elicit { message, schema } => json!({ "message": message, "requestedSchema": raw(schema) }),
            Self::ElicitUrl { message, url, id } if revision.is_modern() => {
                let _ = id;
                json!({ "mode": "url", "message": message, "url": url })
            }
            Self::ElicitUrl { message, url, id } => {
                json!({ "mode": "url", "message": message, "url": url, "elicitationId": id })
            }
            Self::Sample(params) => raw(params),
            Self::Roots => json!({}),
        }
    }
}

/// The client's answer to one question: always a JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a>(pub(crate) &'a RawValue);

#[derive(Deserialize)]
struct Elicited<'a> {
    action: Option<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

impl<'a> Input<'a> {
    /// An answer that was kept.
    pub fn of(answer: &'a RawValue) -> Self {
        Self(answer)
    }

    /// The whole answer.
    pub fn raw(&self) -> &'a RawValue {
        self.0
    }

    /// Of an elicitation: `accept`, `decline` or `cancel`.
    pub fn action(&self) -> Option<String> {
        self.elicited().and_then(|answer| answer.action)
    }

    /// The `content` member: the filled form of an accepted elicitation, the message of a sampling.
    pub fn content(&self) -> Option<&'a RawValue> {
        self.elicited().and_then(|answer| answer.content)
    }

    /// The whole answer as a value.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    fn elicited(&self) -> Option<Elicited<'a>> {
        serde_json::from_str(self.0.get()).ok()
    }
}
