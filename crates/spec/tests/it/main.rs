//! The spec crate from outside.

mod corpus;
