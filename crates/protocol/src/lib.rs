//! MCP on the wire: every revision in use, three transports, any toolset. Knows no connector.
//!
//! A [`Service`] says what there is and answers calls, once for all revisions. An [`Endpoint`] makes it servable:
//! over standard streams ([`stdio`]), Streamable HTTP and the older HTTP+SSE pair ([`http`]).
//! Stateless requests (2026-07-28) and sessions (up to 2025-11-25) are served side by side.

mod changes;
mod clock;
pub mod code;
mod connection;
mod context;
mod cuts;
mod dispatch;
mod endpoint;
mod envelope;
mod error;
mod exchange;
mod headers;
pub mod http;
mod job;
mod json;
pub mod limit;
mod listing;
mod principal;
mod revision;
mod runtime;
mod seal;
pub mod service;
mod session;
pub mod stdio;
mod tasks;

pub use changes::{Change, Changes};
pub use context::{Answered, Capability, ClientInfo, Context, LogLevel};
pub use endpoint::{Endpoint, EndpointOptions};
pub use envelope::{MAX_DEPTH, MAX_ID};
pub use error::Error;
pub use json::Json;
pub use limit::Limit;
pub use listing::{DEFAULT_PAGE_SIZE, DEFAULT_TTL_MS, Listing, ListingBuilder};
pub use principal::Principal;
pub use revision::Revision;
pub use runtime::{Runtime, RuntimeOptions};
pub use seal::{MAX_STATE, STATE_LIFETIME_S};
pub use service::*;
pub use session::{MAX_RUNNING, MAX_WATCHED, SessionLimits};
pub use tasks::{Interrupted, MemoryTasks, TASK_HOLD, TaskLimits, TaskRecord, TaskStatus, TaskStore, expendable};
