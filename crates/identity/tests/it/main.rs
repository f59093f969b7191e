//! Callers and the authorization server, over a real store.

mod grants;
mod keys;
mod limits;
mod world;
