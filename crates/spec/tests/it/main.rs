//! The spec crate from outside.

mod corpus;
mod fmt;
mod limits;
mod pages;
mod properties;
mod schema;
