//! Calls of other servers: the official reference servers on every transport, and fakes for what those never do.

mod fakes;
mod login;
mod questions;
mod reference;
mod world;
