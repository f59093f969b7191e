//! MySQL and MariaDB: a real server, a database of its own for each test.

mod catalogue;
mod requests;
mod safety;
mod sessions;
mod stopping;
mod tls;
mod types;
mod world;
