//! What the platform keeps: servers and their versions, API keys, what the authorization server gave, on an embedded SQLite file or a PostgreSQL server. Its callers
//! write no SQL.
//!
//! What was acknowledged is on the disk: a change is one transaction, and a process that is killed at any moment leaves
//! either the old state or the new one. Several processes may use the same store at once. Each room has its requests in a
//! folder of its own and its tables in `migrations/`; `db` is how they reach a database.
//!
//! Never: knowledge of the spec language, of plans or of MCP. Documents come in and go out as text.
//! The calls block; an asynchronous caller runs them on a blocking thread.

pub mod accounts;
mod db;
mod error;
pub mod keys;
mod migrations;
pub mod model;
pub mod oauth;
pub mod policies;
mod store;

pub use db::Remote;
pub use error::Error;
pub use model::{
    By, Check, Claim, Deployment, Documents, Format, Head, Job, JobState, Listing, NewJob, Outcome, Page, PlanRevision,
    Release, Reply, Seen, Server, Version, VersionSummary, Wanted,
};
pub use store::{BUSY_TIMEOUT, FILE_NAME, PAGE_SIZE_MAX, REPLY_KEPT_HOURS, Store, cursor_after};
