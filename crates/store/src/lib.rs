//! The catalogue of servers and their versions on an embedded SQLite file. Its callers write no SQL.
//!
//! What was acknowledged is on the disk: every change is one transaction in WAL mode with
//! `synchronous = FULL`, so a process that is killed at any moment leaves either the old state or
//! the new one. Several processes may use the same file at once; a writer waits for the others up
//! to [`BUSY_TIMEOUT`].
//!
//! Never: knowledge of the spec language, of plans or of MCP. Documents come in and go out as text.
//! The calls block; an asynchronous caller runs them on a blocking thread.

mod error;
mod migrations;
pub mod model;
mod store;

pub use error::Error;
pub use model::{Check, Format, Listing, Outcome, Page, PlanRevision, Release, Server, Version, VersionSummary};
pub use store::{BUSY_TIMEOUT, FILE_NAME, PAGE_SIZE_MAX, Store};
