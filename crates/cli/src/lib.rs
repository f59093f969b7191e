//! Arguments to operations; printing, progress, JSON output. Knows no HTTP handler and no SQL.
//!
//! Data goes to standard output, messages to standard error, and `printer::Printer` is the only
//! way to either. With `--output json` a command prints one JSON document, or one JSON error on
//! standard error with the same exit code.

mod arguments;
mod commands;
mod demo;
mod entry;
mod input;
mod links;
mod manual;
mod printer;
mod reference;
mod remote;
mod session;
mod table;

pub use entry::main;
pub use reference::reference_markdown;
