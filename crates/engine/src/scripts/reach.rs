//! Connections as a script sees them: objects with functions. One module for each kind.

mod apis;
mod http;
mod mongo;
mod redis;
pub(super) mod sql;

use std::sync::Arc;

use bytes::Bytes;
use connect::Database;
use connect::graphql::Client as Graphql;
use connect::grpc::Client as Grpc;
use connect::http::Api;
use connect::mongo::Mongo;
use connect::redis::Redis;
use script::HostError;
use spec::sql::Dialect;

use super::host::ScriptHost;
use crate::acting::ActAs;
use crate::connections::Link;
use crate::outcome::FailureKind;

/// A connection that a script reaches.
#[derive(Debug)]
pub(crate) struct Reach {
    connection: Box<str>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Sql(sql::Reach),
    Http(Link<Api>),
    Redis(Link<Redis>),
    Mongo(Link<Mongo>),
    Graphql(Link<Graphql>),
    Grpc(Link<Grpc>),
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

    pub(super) fn connection(&self) -> &str {
        &self.connection
    }

    /// The functions of the object.
    pub(super) fn functions(&self) -> &'static [&'static str] {
        match &self.kind {
            Kind::Sql(_) => &sql::FUNCTIONS,
            Kind::Http(_) => &http::FUNCTIONS,
            Kind::Redis(_) => &redis::FUNCTIONS,
            Kind::Mongo(_) => &mongo::FUNCTIONS,
            Kind::Graphql(_) => &apis::GRAPHQL,
            Kind::Grpc(_) => &apis::GRPC,
        }
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

/// An error for the script, with the kind as its code.
pub(super) fn refuse(kind: FailureKind, message: String) -> HostError {
    HostError::new(message).code(kind.as_str())
}
