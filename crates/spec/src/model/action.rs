//! What a tool does.

mod call;
mod command;
mod files;
mod graphql;
mod grpc;
mod http;
mod mongo;
mod redis;
mod reply;
mod script;
mod send;
mod sql;
mod steps;
mod vector;

pub use call::Call;
pub use command::{Command, CommandOutput};
pub use files::{
    Files, FilesAs, FilesDiffAs, FilesEdit, FilesList, FilesMode, FilesMove, FilesPath, FilesPresign, FilesRead,
    FilesRoots, FilesSearch, FilesTree, FilesWhich, FilesWrite,
};
pub use graphql::Graphql;
pub use grpc::Grpc;
pub use http::{Http, HttpBody, HttpEvents, HttpPages, HttpPart, HttpResult, HttpTurn};
pub use mongo::{Mongo, MongoForm};
pub use redis::{Redis, RedisScan, RedisText, RedisType};
pub use reply::{Media, Reply, ReplyFile, ReplyItem, ReplyLink};
pub use script::{Fetch, Script, ScriptPlace, TextPlace};
pub use send::Send;
pub use sql::{Page, PageBy, Sql, SqlResult};
pub use steps::{OnError, Step, Steps};
pub use vector::{Vector, VectorDelete, VectorKeep, VectorSearch};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConnectionKind;

/// The action keys. Each is also the key in the tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(clippy::large_enum_variant, reason = "a spec has few actions, each held once")]
pub enum Action {
    /// Statements on a SQL connection.
    Sql(Sql),
    /// A request to an HTTP API.
    Http(Box<Http>),
    /// Commands of Redis.
    Redis(Box<Redis>),
    /// An operation on a collection of MongoDB.
    Mongo(Box<Mongo>),
    /// An operation of a GraphQL API.
    Graphql(Graphql),
    /// A call of a gRPC method.
    Grpc(Grpc),
    /// Files of a folder or a bucket.
    Files(Box<Files>),
    /// A message to people.
    Send(Box<Send>),
    /// Texts that are kept and found by what they are like.
    Vector(Box<Vector>),
    /// An answer that the spec itself gives.
    Reply(Box<Reply>),
    /// JavaScript in a sandbox.
    Script(Script),
    /// A call of another tool.
    Call(Call),
    /// Several actions, one after the other.
    Steps(Steps),
    /// A program of the machine.
    Command(Box<Command>),
}

impl Action {
    /// The action keys of this build.
    pub const KEYS: [&str; 14] = [
        "sql", "http", "graphql", "grpc", "redis", "mongo", "files", "send", "vector", "script", "reply", "call",
        "steps", "command",
    ];

    /// The action key.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Sql(_) => "sql",
            Self::Http(_) => "http",
            Self::Redis(_) => "redis",
            Self::Mongo(_) => "mongo",
            Self::Graphql(_) => "graphql",
            Self::Grpc(_) => "grpc",
            Self::Files(_) => "files",
            Self::Send(_) => "send",
            Self::Vector(_) => "vector",
            Self::Reply(_) => "reply",
            Self::Script(_) => "script",
            Self::Call(_) => "call",
            Self::Steps(_) => "steps",
            Self::Command(_) => "command",
        }
    }

    /// Whether it runs on a connection of this kind; `None` when it needs no connection.
    pub fn runs_on(&self, kind: ConnectionKind) -> Option<bool> {
        match self {
            Self::Sql(_) => Some(kind.is_database()),
            Self::Http(_) => Some(kind == ConnectionKind::Http),
            Self::Redis(_) => Some(kind == ConnectionKind::Redis),
            Self::Mongo(_) => Some(kind == ConnectionKind::Mongodb),
            Self::Graphql(_) => Some(kind == ConnectionKind::Graphql),
            Self::Grpc(_) => Some(kind == ConnectionKind::Grpc),
            Self::Files(_) => Some(kind.is_store()),
            Self::Send(_) => Some(kind.is_messenger()),
            Self::Vector(_) => Some(kind == ConnectionKind::Vector),
            Self::Call(_) => Some(kind == ConnectionKind::Mcp),
            Self::Reply(_) | Self::Script(_) | Self::Steps(_) | Self::Command(_) => None,
        }
    }
}
