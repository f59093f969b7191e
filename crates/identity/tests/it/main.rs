//! Callers and the authorization server, over a real store.

mod accounts;
mod documents;
mod grants;
mod keys;
mod limits;
mod openid;
mod world;
