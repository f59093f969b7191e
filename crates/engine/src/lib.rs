//! The compiled toolset: validate, limit, run, paginate, mask, measure.
//!
//! [`Toolset::compile`] turns a spec and its plan into something that answers calls; [`Toolset::call`] is the path of
//! every call, whichever transport it came over.
//!
//! Never: a transport, a catalogue of servers, MCP's envelope. What goes out is JSON bytes and texts.

mod acting;
mod actions;
mod arguments;
mod ask;
mod codes;
mod completion;
mod connections;
mod context;
mod cursor;
mod errors;
pub mod limits;
mod markup;
mod mask;
mod metrics;
mod outcome;
mod permit;
mod person;
mod prompts;
mod replies;
mod resources;
mod run;
mod schema;
mod scripts;
mod shape;
mod timers;
mod toolset;
mod trim;
mod uri;

pub use actions::send::Messenger;
pub use codes::codes;
pub use completion::Completions;
pub use connections::Connections;
pub use context::{CallContext, Known, Log, Progress};
pub use mask::Mask;
pub use metrics::{Latency, Metrics, ToolMetrics};
pub use outcome::{Content, Failure, FailureKind, Outcome};
pub use person::{Answer, Answering, Asker, Form, Person, Question};
pub use prompts::{BadPrompt, Prompt, Rendered};
pub use replies::check_replies;
pub use resources::{Document, ReadError, Resource};
pub use script::Level as LogLevel;
pub use scripts::check_scripts;
pub use toolset::{About, Bindings, Group, Tool, ToolInfo, Toolset, Unknown};
