//! Connections as a script sees them: objects with functions. One module for each kind.

mod apis;
mod fetch;
mod files;
mod http;
mod mongo;
mod redis;
mod send;
pub(super) mod sql;
pub(super) mod state;
pub(super) mod tools;
mod vector;

use std::sync::Arc;

use bytes::Bytes;
use client::Client;
use connect::Database;
use connect::files::Store;
use connect::graphql::Client as Graphql;
use connect::grpc::Client as Grpc;
use connect::http::Api;
use connect::mongo::Mongo;
use connect::redis::Redis;
use connect::state::State;
use connect::vector::Store as Vectors;
use script::HostError;
use spec::sql::Dialect;

pub(crate) use fetch::MARKDOWN;

use super::host::ScriptHost;
use crate::acting::ActAs;
use crate::actions::send::Messenger;
use crate::connections::Link;
use crate::outcome::FailureKind;

/// The function that gives the id of the task that the call is, or null.
const TASK: &str = "task";

/// A connection that a script reaches.
pub(crate) struct Reach {
    connection: Box<str>,
    kind: Kind,
}

impl Reach {
    /// Whether it leads to other tools, of this server or of another one.
    pub(super) fn leads_to_tools(&self) -> bool {
        matches!(self.kind, Kind::Tools(_) | Kind::Mcp(_))
    }
}

impl std::fmt::Debug for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reach").field("connection", &self.connection).finish_non_exhaustive()
    }
}

enum Kind {
    Sql(sql::Reach),
    Http(Link<Api>),
    Redis(Link<Redis>),
    Mongo(Link<Mongo>),
    Graphql(Link<Graphql>),
    Grpc(Link<Grpc>),
    Files(Link<Store>),
    Send(Link<Messenger>),
    Vector(Link<Vectors>),
    Mcp(Link<Client>),
    /// What the server remembers.
    State(Link<State>),
    /// Its timers.
    Timers(Link<State>),
    /// The other tools of the server.
    Tools(Vec<Box<str>>),
    /// `fetch`, as far as the tool allows it.
    Fetch(Link<Api>),
    /// Pages of HTML as Markdown.
    Markdown,
    /// The task that the call is.
    Task,
}

impl Reach {
    pub(crate) fn sql(connection: &str, dialect: Dialect, database: Link<Database>, acts: Option<Arc<ActAs>>) -> Self {
        Self { connection: connection.into(), kind: Kind::Sql(sql::Reach::new(dialect, database, acts)) }
    }

    pub(crate) fn http(connection: &str, api: Link<Api>) -> Self {
        Self { connection: connection.into(), kind: Kind::Http(api) }
    }

    pub(crate) fn redis(connection: &str, link: Link<Redis>) -> Self {
        Self { connection: connection.into(), kind: Kind::Redis(link) }
    }

    pub(crate) fn mongo(connection: &str, link: Link<Mongo>) -> Self {
        Self { connection: connection.into(), kind: Kind::Mongo(link) }
    }

    pub(crate) fn graphql(connection: &str, client: Link<Graphql>) -> Self {
        Self { connection: connection.into(), kind: Kind::Graphql(client) }
    }

    pub(crate) fn grpc(connection: &str, client: Link<Grpc>) -> Self {
        Self { connection: connection.into(), kind: Kind::Grpc(client) }
    }

    pub(crate) fn files(connection: &str, link: Link<Store>) -> Self {
        Self { connection: connection.into(), kind: Kind::Files(link) }
    }

    pub(crate) fn send(connection: &str, link: Link<Messenger>) -> Self {
        Self { connection: connection.into(), kind: Kind::Send(link) }
    }

    pub(crate) fn vector(connection: &str, link: Link<Vectors>) -> Self {
        Self { connection: connection.into(), kind: Kind::Vector(link) }
    }

    pub(crate) fn mcp(connection: &str, client: Link<Client>) -> Self {
        Self { connection: connection.into(), kind: Kind::Mcp(client) }
    }

    /// What the server remembers, and its timers.
    pub(crate) fn state(link: &Link<State>) -> [Self; 2] {
        let one = |connection: &str, kind| Self { connection: connection.into(), kind };
        [one(state::STATE, Kind::State(link.clone())), one(state::TIMERS, Kind::Timers(link.clone()))]
    }

    pub(crate) fn tools(names: Vec<Box<str>>) -> Self {
        Self { connection: tools::OWN.into(), kind: Kind::Tools(names) }
    }

    pub(crate) fn fetch(api: Link<Api>) -> Self {
        Self { connection: fetch::FETCH.into(), kind: Kind::Fetch(api) }
    }

    pub(crate) fn markdown() -> Self {
        Self { connection: fetch::MARKDOWN.into(), kind: Kind::Markdown }
    }

    pub(crate) fn task() -> Self {
        Self { connection: TASK.into(), kind: Kind::Task }
    }

    /// What the server remembers, if this is that.
    pub(super) fn memory(&self) -> Option<Result<&Arc<State>, HostError>> {
        match &self.kind {
            Kind::State(link) => Some(self.there(link)),
            _ => None,
        }
    }

    /// Whether it is a function, not an object with functions.
    pub(super) fn is_function(&self) -> bool {
        matches!(self.kind, Kind::Fetch(_) | Kind::Markdown | Kind::Task)
    }

    pub(super) fn connection(&self) -> &str {
        &self.connection
    }

    /// The functions of the object.
    pub(super) fn functions(&self) -> Vec<&str> {
        let names: &[&str] = match &self.kind {
            Kind::Tools(names) => return names.iter().map(|name| &**name).collect(),
            Kind::Mcp(_) => &tools::OTHER,
            Kind::Fetch(_) | Kind::Markdown | Kind::Task => &[],
            Kind::Sql(_) => &sql::FUNCTIONS,
            Kind::Http(_) => &http::FUNCTIONS,
            Kind::Redis(_) => &redis::FUNCTIONS,
            Kind::Mongo(_) => &mongo::FUNCTIONS,
            Kind::Graphql(_) => &apis::GRAPHQL,
            Kind::Grpc(_) => &apis::GRPC,
            Kind::Files(_) => &files::FUNCTIONS,
            Kind::Send(_) => &send::FUNCTIONS,
            Kind::Vector(_) => &vector::FUNCTIONS,
            Kind::State(_) => &state::VALUES,
            Kind::Timers(_) => &state::OF_TIMERS,
        };
        names.to_vec()
    }

    /// Calls a function: its name, and its arguments as a JSON array.
    pub(super) async fn call(&self, host: &ScriptHost<'_>, name: &str, arguments: &str) -> Result<Bytes, HostError> {
        match &self.kind {
            Kind::Sql(reach) => reach.call(host, &self.connection, name, arguments).await,
            Kind::Http(api) => http::call(self.there(api)?, host, &self.connection, name, arguments).await,
            Kind::Redis(link) => redis::call(self.there(link)?, host, &self.connection, name, arguments).await,
            Kind::Mongo(link) => mongo::call(self.there(link)?, host, &self.connection, name, arguments).await,
            Kind::Graphql(client) => apis::graphql(self.there(client)?, host, &self.connection, name, arguments).await,
            Kind::Grpc(client) => apis::grpc(self.there(client)?, host, &self.connection, arguments).await,
            Kind::Files(link) => files::call(self.there(link)?, host, &self.connection, name, arguments).await,
            Kind::Send(link) => send::call(self.there(link)?, host, &self.connection, arguments).await,
            Kind::Vector(link) => vector::call(self.there(link)?, host, &self.connection, name, arguments).await,
            Kind::Mcp(client) => tools::other(self.there(client)?, host, &self.connection, arguments).await,
            Kind::State(link) => state::values(self.there(link)?, host, name, arguments).await,
            Kind::Timers(link) => state::timers(self.there(link)?, host, name, arguments).await,
            Kind::Tools(_) => tools::own(host, name, arguments).await,
            Kind::Fetch(api) => fetch::call(self.there(api)?, host, arguments).await,
            Kind::Markdown => fetch::markdown(arguments).await,
            Kind::Task => Ok(serde_json::Value::from(host.context.task).to_string().into()),
        }
    }

    fn there<'a, T>(&self, link: &'a Link<T>) -> Result<&'a Arc<T>, HostError> {
        link.as_ref().map_err(|why| unavailable(&self.connection, why))
    }
}

/// The connection is not there.
fn unavailable(connection: &str, why: &str) -> HostError {
    refuse(FailureKind::Unavailable, format!("connection `{connection}` is not available: {why}"))
}

/// What changes data in a script that does not say that it does.
fn silent(what: &str) -> HostError {
    let message =
        format!("{what} changes data, and the tool does not say that it writes: `script: {{code: …, write: true}}`");
    refuse(FailureKind::Denied, message)
}

/// An error for the script, with the kind as its code.
pub(super) fn refuse(kind: FailureKind, message: String) -> HostError {
    HostError::new(message).code(kind.as_str())
}
