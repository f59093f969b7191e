//! What a tool does.

mod http;
mod reply;
mod script;
mod sql;

pub use http::{Http, HttpBody, HttpEvents, HttpPages, HttpPart, HttpResult, HttpTurn};
pub use reply::Reply;
pub use script::{Script, ScriptPlace, TextPlace};
pub use sql::{Page, PageBy, Sql, SqlResult};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConnectionKind;

/// The action keys. Each is also the key in the tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Statements on a SQL connection.
    Sql(Sql),
    /// A request to an HTTP API.
    Http(Box<Http>),
    /// A fixed answer.
    Reply(Reply),
    /// JavaScript in a sandbox.
    Script(Script),
}

impl Action {
    /// The action keys of this build.
    pub const KEYS: [&str; 4] = ["sql", "http", "script", "reply"];

    /// The action key.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Sql(_) => "sql",
            Self::Http(_) => "http",
            Self::Reply(_) => "reply",
            Self::Script(_) => "script",
        }
    }

    /// Whether it runs on a connection of this kind; `None` when it needs no connection.
    pub fn runs_on(&self, kind: ConnectionKind) -> Option<bool> {
        match self {
            Self::Sql(_) => Some(kind.is_database()),
            Self::Http(_) => Some(kind == ConnectionKind::Http),
            Self::Reply(_) | Self::Script(_) => None,
        }
    }
}

/// Action keys of the language that this build does not run yet. They are refused by name.
pub const FUTURE_ACTIONS: [&str; 11] =
    ["graphql", "grpc", "mongo", "redis", "files", "send", "vector", "command", "call", "steps", "ask"];
