//! Databases as the rest of the house sees them: a URL, native text and JSON values in, JSON out.

mod support;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "sqlite")]
mod sqlite;
