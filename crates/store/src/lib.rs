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
pub mod audit;
mod db;
mod error;
pub mod keys;
mod migrations;
pub mod model;
pub mod oauth;
pub mod policies;
mod store;

pub use audit::{AuditCheck, AuditEntry, AuditKind, AuditNote, AuditNotes, AuditQuery, Pending};
pub use db::Remote;
pub use error::Error;
pub use model::{
    By, Check, Claim, Claimant, Deployment, Documents, Format, Head, Job, JobEvent, JobState, Lease, Listing, NewJob,
    Outcome, Page, PlanRevision, Release, Reply, Seen, Server, UsagePeriod, UsageQuery, UsageRow, Version,
    VersionSummary, Wanted,
};
pub use store::{
    AUDIT_PAGE_MAX, BUSY_TIMEOUT, DAYS_KEPT, DUMP_FORMAT, Dumped, FILE_NAME, HOURS_KEPT, PAGE_SIZE_MAX,
    REPLY_KEPT_HOURS, Store, USAGE_PAGE, check_dump, cursor_after,
};
