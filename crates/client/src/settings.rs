//! Which server, and how it is reached.

use std::fmt;
use std::sync::Arc;

use base::Secret;
use connect::http;
use connect::process::Program;

use crate::limits::MESSAGE_BYTES;
use crate::oauth::Login;

/// Another server.
pub struct Settings {
    /// What it is called in errors and logs.
    pub name: String,
    /// Where it is.
    pub target: Target,
    /// Whether it has sessions.
    pub protocol: Protocol,
    /// What no error and no log line may show.
    pub secrets: Vec<Secret>,
    /// Bounds.
    pub limits: Limits,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where a server is.
pub enum Target {
    /// A program that is spoken to over its standard streams.
    Program {
        /// The program.
        program: Program,
        /// Its arguments.
        arguments: Vec<String>,
    },
    /// An address.
    Address {
        /// The connection to its origin. Its credentials and headers go with every request.
        http: Box<http::Settings>,
        /// The path of the endpoint, with its query.
        endpoint: String,
        /// Which transport.
        transport: Transport,
        /// Where the tokens come from that the server wants.
        login: Option<Arc<Login>>,
    },
}

/// How messages travel over HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// Streamable HTTP, and HTTP+SSE where the server does not know it.
    #[default]
    Auto,
    /// Streamable HTTP.
    Streamable,
    /// HTTP+SSE (2024-11-05).
    Sse,
}

/// How a conversation begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Without a session where the server knows how, else with one.
    #[default]
    Auto,
    /// Each request describes itself (2026-07-28).
    Stateless,
    /// `initialize` opens a session (2024-11-05 to 2025-11-25).
    Initialize,
}

/// Bounds of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest message of the server, bytes.
    pub message_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: MESSAGE_BYTES }
    }
}
