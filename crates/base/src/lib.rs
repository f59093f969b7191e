//! What every room of the house may use: diagnostics with positions, secrets that cannot be
//! printed, digests, and the nearest-name search behind "did you mean".
//!
//! Never: I/O, async, a clock, knowledge of specs, tools or MCP.

pub mod diagnostic;
pub mod digest;
pub mod nearest;
pub mod secret;

pub use diagnostic::{Diagnostic, Severity, Source, Span};
pub use digest::Digest;
pub use nearest::nearest;
pub use secret::Secret;
