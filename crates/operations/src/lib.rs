//! Every operation of the platform, once.
//!
//! An operation is an asynchronous function with [`Context`] as its first argument, a typed input
//! and a typed output that serialize in camelCase and describe themselves as JSON Schema. The
//! command line, and whatever other face comes, only translate.
//!
//! Never: HTTP, an argument parser, printing.

pub mod access;
pub mod accounts;
pub mod all;
pub mod archive;
pub mod audit;
pub mod authority;
pub mod authorize;
pub mod backup;
pub mod calling;
pub mod clients;
pub mod code;
pub mod context;
pub mod create;
pub mod demo;
pub mod dependencies;
pub mod deploy;
pub mod diff;
pub mod doctor;
mod error;
pub mod explain;
pub mod first_party;
pub mod fmt;
pub mod follow;
mod index;
pub mod jobs;
pub mod kept;
pub mod keys;
pub mod list;
mod machine;
pub mod natural;
pub mod openid;
pub mod operation;
pub mod paths;
mod pipeline;
pub mod plan;
pub mod plane;
pub mod policies;
mod precondition;
mod progress;
pub mod remove;
mod reserved;
pub mod run;
pub mod schema;
pub mod scopes;
pub mod search;
pub mod server_json;
pub mod source;
pub mod status;
pub mod templates;
pub mod test;
pub mod usage;
pub mod validate;
pub mod version;

pub use ::host::{ALLOW_COMMANDS, ALLOW_NETWORK, HOSTS_FILE};
pub use code::{Code, Kind};
pub use context::{Caller, Context, Environment, Home, STORE};
pub use error::{Error, render};
pub use machine::ALLOW_REFERENCES;
pub use operation::{Operation, perform};
pub use pipeline::login_file;
pub use precondition::Precondition;
pub use progress::Progress;
pub use source::{SpecText, Subject};
