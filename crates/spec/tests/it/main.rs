//! The spec crate from outside.

mod corpus;
mod fmt;
mod layouts;
mod limits;
mod pages;
mod properties;
mod replay;
mod schema;
