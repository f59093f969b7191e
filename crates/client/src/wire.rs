//! How messages travel. One module for each transport.

mod pipe;
mod sse;
mod streamable;

use std::sync::Arc;

use bytes::Bytes;
use connect::{Error, ErrorKind};
use tokio::time::Instant;

pub(crate) use pipe::Pipe;
pub(crate) use sse::Sse;
pub(crate) use streamable::{Endpoint, Streamable};

use crate::pending::Pending;

/// Why a message was not sent.
#[derive(Debug)]
pub(crate) enum Fault {
    Error(Error),
    /// The server does not know the session any more: a new one has to be opened, and the request was not carried out.
    SessionGone,
    /// The server does not know the transport.
    OtherTransport(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Fault {
    pub(crate) fn into_error(self, name: &str) -> Error {
        match self {
            Self::Error(error) | Self::OtherTransport(error) => error,
            Self::SessionGone => error(name, ErrorKind::Transient, "the server ended the session again and again"),
        }
    }
}

/// A message on its way out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) body: Bytes,
    /// The request that it is.
    pub(crate) id: Option<u64>,
    /// Headers that repeat parts of it.
    pub(crate) headers: Vec<(String, String)>,
}

/// A way to a server and back.
pub(crate) enum Wire {
    Pipe(Pipe),
    Sse(Sse),
    Streamable(Streamable),
}

impl Wire {
    /// Sends a message. Over Streamable HTTP it ends when the answer is there.
    pub(crate) async fn send(&self, message: Outgoing, pending: &Arc<Pending>, deadline: Instant) -> Result<(), Fault> {
        match self {
            Self::Pipe(pipe) => pipe.send(&message.body).await,
            Self::Sse(sse) => sse.send(message.body, deadline).await,
            Self::Streamable(streamable) => streamable.send(message, pending, deadline).await,
        }
    }

    /// Whether sending ends only when the answer is there.
    pub(crate) fn answers_itself(&self) -> bool {
        matches!(self, Self::Streamable(_))
    }

    /// What the server's program said last.
    pub(crate) fn last_words(&self) -> Option<String> {
        match self {
            Self::Pipe(pipe) => pipe.last_words(),
            Self::Sse(_) | Self::Streamable(_) => None,
        }
    }
}

/// An error of a connection to another server.
pub(crate) fn error(name: &str, kind: ErrorKind, message: impl Into<String>) -> Error {
    Error {
        kind,
        connection: name.to_owned(),
        attempted: "call another MCP server",
        message: message.into(),
        code: None,
        position: None,
        hint: None,
    }
}

/// The error of an HTTP status.
pub(crate) fn refused(name: &str, status: u16, body: &[u8]) -> Error {
    let kind = match status {
        401 | 403 => ErrorKind::Denied,
        408 | 429 | 500..=599 => ErrorKind::Transient,
        _ => ErrorKind::Other,
    };
    let said: String = String::from_utf8_lossy(body).trim().chars().take(200).collect();
    let said = if said.is_empty() { said } else { format!(": {said}") };
    error(name, kind, format!("the server answered with status {status}{said}"))
}
