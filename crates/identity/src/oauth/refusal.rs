//! An error as OAuth says it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Fault;
use crate::buckets::Spent;

/// An error answer of an endpoint (RFC 6749, section 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The code, such as `invalid_grant`.
    pub error: &'static str,
    /// What is wrong, for whoever writes the client.
    pub description: String,
    /// When it is worth trying again.
    pub retry_after: Option<Duration>,
    /// The limit that is used up, where it is one that is counted for each address.
    pub spent: Option<Spent>,
    /// Whether the client tried HTTP Basic, and is told that it may (RFC 6749, section 5.2).
    pub basic: bool,
}

impl Refusal {
    pub(crate) fn new(status: u16, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), retry_after: None, spent: None, basic: false }
    }

    /// A bad request.
    pub(crate) fn request(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", description)
    }

    /// A client that is not known, or does not prove who it is.
    pub(crate) fn client(description: impl Into<String>) -> Self {
        Self::new(401, "invalid_client", description)
    }

    pub(crate) fn grant(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_grant", description)
    }

    pub(crate) fn metadata(description: impl Into<String>) -> Self {
        Self::new(400, "invalid_client_metadata", description)
    }

    pub(crate) fn too_many(what: &str, spent: Spent) -> Self {
        let seconds = spent.wait.as_secs_f64().ceil().max(1.0);
        Self {
            retry_after: Some(spent.wait),
            spent: Some(spent),
            ..Self::new(429, "slow_down", format!("too many {what} from this address; try again in {seconds} s"))
        }
    }

    /// The body of the answer.
    pub fn body(&self) -> Value {
        json!({ "error": self.error, "error_description": self.description })
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        tracing::error!(%fault, "the authorization server could not answer");
        let busy = matches!(
            &fault,
            Fault::Store(
                store::Error::Busy { .. }
                    | store::Error::Full { .. }
                    | store::Error::Away { .. }
                    | store::Error::Gone { .. }
            )
        );
        let refusal = if busy {
            Self::new(503, "temporarily_unavailable", "the server cannot store anything at the moment; try again")
        } else {
            Self::new(500, "server_error", "the server could not answer; its log says why")
        };
        Self { retry_after: busy.then_some(Duration::from_secs(5)), ..refusal }
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Fault::Store(error).into()
    }
}
