//! The protocol from outside: bytes in, bytes out.

mod http;
mod http_sessions;
mod legacy_sse;
mod noise;
mod sample;
mod stdio;
mod transcripts;
mod wire;
