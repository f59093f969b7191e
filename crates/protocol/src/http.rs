//! MCP over HTTP/1.1: Streamable HTTP, the older HTTP+SSE pair, and a small server for both.

mod accept;
mod auth;
mod body;
mod guard;
mod legacy_sse;
mod read;
mod respond;
mod router;
mod serve;
mod sse;
mod streamable;

use std::net::SocketAddr;

pub use auth::{AuthOutcome, Authenticator, Challenge};
pub use body::{Body, BoxError};
pub use guard::{Allowed, Barred, Guard};
pub use legacy_sse::LegacySessions;
pub use read::{DRAIN_BYTES_MAX, DRAIN_TIMEOUT, Unread, read_body};
pub use router::{Fallback, Router};
pub use serve::{ServeOptions, serve};

/// The other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// Its address; `None` for sockets that have none.
    pub address: Option<SocketAddr>,
}

impl Peer {
    /// A peer at this address.
    pub const fn at(address: SocketAddr) -> Self {
        Self { address: Some(address) }
    }

    /// A peer without an address, such as the other end of a Unix socket.
    pub const UNKNOWN: Self = Self { address: None };
}
