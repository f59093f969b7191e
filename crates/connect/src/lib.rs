//! One folder per outside thing, each behind a cargo feature.
//!
//! Never: knowledge of a tool, a spec or MCP. What comes in is a URL, native SQL text or an
//! HTTP request, and JSON values; what goes out is rows written as JSON, an answer, a catalogue, or an error that says what to do.

pub mod catalogue;
pub mod config;
pub mod database;
#[cfg(any(feature = "http", feature = "redis", feature = "mongo"))]
pub mod egress;
pub mod error;
#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "graphql")]
pub mod graphql;
#[cfg(feature = "grpc")]
pub mod grpc;
#[cfg(feature = "http")]
pub mod http;
#[cfg(any(feature = "files", feature = "send"))]
mod job;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "sqlite"))]
#[cfg_attr(
    not(all(feature = "postgres", feature = "mysql")),
    allow(dead_code, reason = "an engine alone does not give every kind of cell")
)]
mod json;
#[cfg(any(feature = "http", feature = "redis", feature = "mongo"))]
#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only HTTP has secrets that come and go"))]
mod mask;
#[cfg(feature = "mongo")]
pub mod mongo;
#[cfg(any(feature = "mysql", feature = "sqlite", feature = "http", feature = "redis", feature = "mongo"))]
#[cfg_attr(not(feature = "http"), allow(dead_code, reason = "only HTTP encodes"))]
mod percent;
#[cfg(feature = "process")]
pub mod process;
pub mod query;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "send")]
pub mod send;
#[cfg(any(feature = "redis", feature = "mongo"))]
mod socket;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlite")]
pub mod state;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod steps;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "http", feature = "redis", feature = "mongo"))]
mod tls;
#[cfg(feature = "vector")]
pub mod vector;

pub use catalogue::Catalogue;
pub use config::{Config, Engine, Tls};
pub use database::Database;
pub use error::{Error, ErrorKind};
#[cfg(any(feature = "files", feature = "send"))]
pub use job::Job;
#[cfg(feature = "postgres")]
pub use postgres::client as postgres_client;
pub use query::{Acting, Answer, ColumnInfo, Described, Query, Statement, Target};
#[cfg(feature = "sqlite")]
pub use sqlite::file as sqlite_file;
#[cfg(feature = "http")]
pub use tls::authorities;
