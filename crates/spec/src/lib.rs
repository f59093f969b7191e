//! A server as data: the types of a spec, parsing with positions, validation, JSON Schema,
//! canonical form and digest.
//!
//! Never: I/O, async, a clock, a connection. A spec that this crate accepts has not been compared
//! with a live database; that is what `plan` does.

pub mod limits;
pub mod model;
pub mod sql;

pub use model::Spec;
