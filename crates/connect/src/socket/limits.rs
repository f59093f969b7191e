//! Bounds of the connections that are spoken here byte by byte.

use std::time::Duration;

/// Bounds of a connection and its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most connections.
    pub pool_max: usize,
    /// Longest wait for a free connection.
    pub acquire: Duration,
    /// Longest wait for a new connection to one server.
    pub connect: Duration,
    /// An unused connection is closed after this.
    pub idle: Duration,
    /// Most bytes of what is sent.
    pub request_bytes: usize,
    /// Most bytes of one answer.
    pub answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pool_max: 8,
            acquire: Duration::from_secs(5),
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(300),
            request_bytes: 16 << 20,
            answer_bytes: 16 << 20,
        }
    }
}
