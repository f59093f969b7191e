//! PostgreSQL: a real server, a database of its own for each test.

mod safety;
mod sessions;
mod types;
mod world;
