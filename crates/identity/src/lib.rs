//! Who asks: callers and their scopes; keys; limits; the OAuth 2.1 authorization server; people who come from a provider of
//! OpenID Connect.
//!
//! Plain functions over the store. Those that write block for as long as a disk needs; an asynchronous
//! caller runs them on a blocking thread. What is asked on every request is answered from memory.
//!
//! Never: routes, headers and pages (the HTTP face has them), MCP, a spec.

pub mod accounts;
pub mod address;
pub mod buckets;
pub mod callers;
mod clock;
mod expiry;
mod fault;
pub mod keys;
mod live;
pub mod oauth;
pub mod openid;
mod password;
mod principal;
mod scopes;
mod seal;

pub use clock::Clock;
pub use fault::Fault;
pub use live::is_live;
pub use principal::{Kind, Principal};
pub use scopes::{ADMIN, SCOPES_BYTES_MAX, Scopes};
