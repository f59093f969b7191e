//! PostgreSQL: a real server, a database of its own for each test.

mod acting;
mod cancellation;
mod catalogue;
mod limits;
mod login;
mod outages;
mod parameters;
mod proxy;
mod requests;
mod safety;
mod sessions;
mod types;
mod world;
