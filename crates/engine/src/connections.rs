//! The opened connections of a server, by name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use client::Client;
use connect::Database;
use connect::files::Store;
use connect::graphql::Client as Graphql;
use connect::grpc::Client as Grpc;
use connect::http::Api;
use connect::mongo::Mongo;
use connect::process::Program;
use connect::redis::Redis;
use connect::state::State;
use connect::vector::Store as Vectors;

use crate::actions::send::Messenger;

/// The opened connections of a server, by name. Nothing is connected yet: each connects when it is first used.
#[derive(Clone, Default)]
pub struct Connections {
    /// SQL databases.
    pub databases: HashMap<String, Arc<Database>>,
    /// HTTP APIs.
    pub apis: HashMap<String, Arc<Api>>,
    /// Redis servers.
    pub redis: HashMap<String, Arc<Redis>>,
    /// MongoDB servers.
    pub mongo: HashMap<String, Arc<Mongo>>,
    /// GraphQL APIs.
    pub graphql: HashMap<String, Arc<Graphql>>,
    /// gRPC services.
    pub grpc: HashMap<String, Arc<Grpc>>,
    /// Folders and buckets.
    pub stores: HashMap<String, Arc<Store>>,
    /// Ways to people.
    pub messengers: HashMap<String, Arc<Messenger>>,
    /// Values of the environment variables that parameters name.
    pub variables: HashMap<String, String>,
    /// Texts with vectors.
    pub vectors: HashMap<String, Arc<Vectors>>,
    /// Other MCP servers.
    pub mcp: HashMap<String, Arc<Client>>,
    /// What scripts may fetch with, by tool (`tool`, or `tool/step`), or why one cannot.
    pub fetches: HashMap<String, Result<Arc<Api>, String>>,
    /// The programs of `command` actions by tool (`tool`, or `tool/step`), or why one cannot be run.
    pub programs: HashMap<String, Result<Program, String>>,
    /// What the server remembers, when its spec asks for that.
    pub state: Option<Arc<State>>,
    /// Connections that could not be opened, and why.
    pub unavailable: HashMap<String, String>,
    /// Those of them that the server is whole without: scripts find nothing of these names.
    pub absent: HashSet<String>,
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connections").field("unavailable", &self.unavailable).finish_non_exhaustive()
    }
}

impl Connections {
    /// Why a connection is not there.
    pub fn why(&self, name: &str) -> String {
        self.unavailable.get(name).cloned().unwrap_or_else(|| "it is not configured".to_owned())
    }
}

/// A connection that an action uses, or why it cannot.
pub(crate) type Link<T> = Result<Arc<T>, String>;
