//! HTTP APIs, against a real server on this machine.

mod answers;
mod credentials;
mod egress;
mod pages;
mod paths;
mod requests;
mod world;
