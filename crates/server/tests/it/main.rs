//! The HTTP face over real sockets.

mod oauth;
mod routes;
mod start;
mod world;
