//! Databases as the rest of the house sees them: a URL, native text and JSON values in, JSON out.

#[cfg(any(
    feature = "postgres",
    feature = "mysql",
    feature = "sqlite",
    feature = "graphql",
    feature = "grpc",
    feature = "files",
    feature = "send"
))]
mod support;

#[cfg(feature = "files")]
mod files;
#[cfg(feature = "graphql")]
mod graphql;
#[cfg(feature = "grpc")]
mod grpc;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "mongo")]
mod mongo;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "send")]
mod send;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "vector")]
mod vector;
