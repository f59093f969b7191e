//! The spec crate from outside.

mod corpus;
mod pages;
