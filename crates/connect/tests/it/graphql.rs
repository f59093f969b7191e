//! GraphQL APIs: a real server, and schemas on paper.

mod operations;
mod requests;
mod schemas;
