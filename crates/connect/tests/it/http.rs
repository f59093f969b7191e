//! HTTP APIs, against a real server on this machine.

mod answers;
mod cache;
mod credentials;
mod egress;
mod http2;
mod pages;
mod paths;
mod requests;
mod secure;
mod tls;
mod tokens;
mod world;
