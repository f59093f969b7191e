//! MCP as a client on the wire.
//!
//! A [`Client`] reaches one other server: a program over its standard streams, or an address over Streamable HTTP or the older
//! HTTP+SSE. It finds out which revision the server speaks, opens a session where the revision has sessions, opens it anew when it
//! is gone, hands progress on, and tells the server when nobody waits for an answer any more.
//!
//! [`bridge`] lets a client on standard streams reach an endpoint over Streamable HTTP. [`oauth`] signs in at servers that want
//! tokens.
//!
//! Never: a tool of ours. What goes in is a name and a JSON object; what comes out is content blocks as the server sent them.

mod asked;
mod bridge;
mod client;
mod door;
mod handshake;
pub mod limits;
mod message;
pub mod oauth;
mod params;
mod pending;
mod result;
mod session;
mod settings;
mod wire;

pub use asked::{Answering, Mode, Person};
pub use bridge::{Find, Place, bridge};
pub use client::Client;
pub use result::{Tool, ToolResult};
pub use session::{Caller, Progress};
pub use settings::{Limits, Protocol, Settings, Target, Transport};
