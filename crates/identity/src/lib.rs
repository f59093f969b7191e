//! Who asks: callers and their scopes; keys; limits; the OAuth 2.1 authorization server.
//!
//! Plain functions over the store. Those that write block for as long as a disk needs; an asynchronous
//! caller runs them on a blocking thread. What is asked on every request is answered from memory.
//!
//! Never: routes, headers and pages (the HTTP face has them), MCP, a spec.

mod principal;
mod scopes;

pub use principal::{Kind, Principal};
pub use scopes::{ADMIN, Scopes};
