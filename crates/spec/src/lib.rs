//! A server as data: the types of a spec, parsing with positions, validation, JSON Schema,
//! canonical form and digest.
//!
//! Never: I/O, async, a clock, a connection. A spec that this crate accepts has not been compared
//! with a live database; that is what `plan` does.

mod canonical;
mod check;
mod codes;
pub mod expression;
mod fmt;
pub mod limits;
pub mod model;
pub mod mongo;
mod parse;
pub mod redis;
mod report;
mod schema;
pub mod sql;
mod structure;
mod syntax;

pub use check::{FORMATS, RESERVED_NAMES};
pub use codes::{CodeInfo, codes, explain};
pub use fmt::fmt;
pub use model::Spec;
pub use parse::{ParseOptions, Parsed, add_places, parse, parse_bytes, read_value};
pub use schema::{SCHEMA_ID, json_schema, reference_markdown};
pub use structure::TYPES;
pub use syntax::Format;
