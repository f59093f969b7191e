//! The HTTP face over real sockets.

mod routes;
mod start;
mod world;
