//! gRPC services: schemas by reflection, from `.proto` texts or descriptor sets; calls with messages as JSON.
//!
//! Calls travel by [`crate::http`] over HTTP/2: its credentials, limits and egress check hold here too. Messages are put together
//! when they are needed, by the schema; nothing is generated.

mod call;
mod client;
mod frame;
mod message;
mod metadata;
mod reflection;
mod schema;
mod status;

use std::time::Duration;

pub use call::Call;
pub use client::{Client, Reply};
pub use schema::{Method, Schema};
pub use status::Code;

/// Most files of a schema.
pub const FILES_MAX: usize = 2000;
/// Most bytes of a schema.
pub const SCHEMA_BYTES_MAX: usize = 32 << 20;

/// Bounds of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of one message that is received, unpacked.
    pub message_bytes: usize,
    /// Most messages of a stream that are kept; the call is ended then.
    pub messages: usize,
    /// Most bytes of a stream's messages together, unpacked; the call is ended then.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: 4 << 20, messages: 1000, bytes: 16 << 20 }
    }
}

/// Longest wait that can be told to a server.
const TIMEOUT_MAX: Duration = Duration::from_secs(99_999_999);
