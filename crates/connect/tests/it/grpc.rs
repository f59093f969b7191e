//! gRPC: a real server, and schemas on paper.

mod calls;
mod endings;
mod messages;
mod schemas;
mod world;
