//! What every room of the house may use: diagnostics with positions, secrets that cannot be
//! printed and their spellings, digests, the nearest-name search behind "did you mean", templates of URLs and their paths, and
//! selections of parts of JSON values.
//!
//! Never: I/O, async, a clock, knowledge of specs, tools or MCP.

pub mod diagnostic;
pub mod digest;
pub mod nearest;
pub mod path;
pub mod secret;
pub mod select;
mod spellings;
pub mod strict;
mod userinfo;
pub mod whole;

pub use diagnostic::{Diagnostic, Severity, Source, Span};
pub use digest::Digest;
pub use nearest::nearest;
pub use path::{PathError, PathTemplate};
pub use secret::Secret;
pub use select::Select;
pub use spellings::spellings;
pub use strict::Strict;
pub use userinfo::{has_userinfo, without_userinfo};
pub use whole::UrlTemplate;
