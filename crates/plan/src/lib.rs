//! What is really run: statements with bound values, types, and the reasons for each choice. A
//! plan is made at create time from a spec and from what its connections really offer, is stored
//! with the server, can be read, pinned and edited by a person, and is what the engine runs.
//!
//! Never: I/O. The catalogue and the engine's descriptions of statements are handed in.

pub mod model;

pub use model::{ActionPlan, ConnectionPlan, Origin, PagePlan, Plan, SqlPlan, StatementPlan, ToolPlan};
