//! GraphQL APIs: schemas read from the API, operations checked against them before anything is sent, answers with their errors.
//!
//! What is sent travels by [`crate::http`]: its credentials, limits, retries and egress check hold here too.

mod client;
mod input;
mod operation;
mod output;
mod schema;
mod sdl;
mod size;
mod types;

pub use client::{Answer, Client, Problem, Request};
pub use operation::{Fault, Kind, Operation, Variable};
pub use schema::Schema;

/// Longest text of an operation, bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Longest text of a schema, bytes.
pub const SCHEMA_BYTES_MAX: usize = 32 << 20;
/// Most problems of an answer that are told.
pub const PROBLEMS_MAX: usize = 10;

/// How large an operation may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most levels of fields, fragments counted where they are used.
    pub depth: usize,
    /// Most fields, fragments counted each time that they are used.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 15, fields: 1000 }
    }
}
