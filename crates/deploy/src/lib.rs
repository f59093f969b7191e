//! Where servers run, and what is known of the calls that they answered.
//!
//! A [`Target`] runs servers. [`Local`] runs them in this process: a compiled toolset behind a path of the control
//! plane. [`Logs`] keeps one line for each call.
//!
//! Never: a catalogue of servers (what is to run is handed in), a route, an argument parser.

mod access;
mod local;
mod logs;
mod target;
mod usage;

pub use access::{Access, Counted, Place};
pub use local::{Local, Running};
pub use logs::{Call, Done, Entry, LOG_BYTES_MAX, Logs, MESSAGE_CHARS_MAX, Query, READ_MAX, Sink, Times, Writer};
pub use target::{Boxed, Compiled, Launch, Target};
pub use usage::{Ended, Histogram, Key, OTHERS, Sum, Usage};
