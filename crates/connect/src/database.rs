//! A database of any engine, opened by its URL.
#![cfg_attr(
    not(any(feature = "postgres", feature = "mysql", feature = "sqlite")),
    allow(unused_variables, unreachable_code, clippy::ptr_arg, reason = "without engines nothing is reached")
)]

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{Answer, Catalogue, Config, Described, Engine, Error, ErrorKind, Query, Statement};

/// A pool of connections to one database. Cheap to share behind an `Arc`; nothing is connected
/// before the first use, and every request is bounded in time.
#[derive(Debug)]
pub struct Database {
    name: String,
    engine: Engine,
    inner: Inner,
    /// Whether every request has to act as somebody.
    acts: bool,
}

#[derive(Debug)]
enum Inner {
    #[cfg(feature = "postgres")]
    Postgres(crate::postgres::Postgres),
    #[cfg(feature = "mysql")]
    Mysql(crate::mysql::Mysql),
    #[cfg(feature = "sqlite")]
    Sqlite(crate::sqlite::Sqlite),
}

/// Calls the same method of whichever engine is inside.
macro_rules! each {
    ($self:ident, $inner:ident => $call:expr) => {
        match &$self.inner {
            #[cfg(feature = "postgres")]
            Inner::Postgres($inner) => $call,
            #[cfg(feature = "mysql")]
            Inner::Mysql($inner) => $call,
            #[cfg(feature = "sqlite")]
            Inner::Sqlite($inner) => $call,
            // Without an engine no database can be opened.
            #[cfg(not(any(feature = "postgres", feature = "mysql", feature = "sqlite")))]
            _ => unreachable!("built without engines"),
        }
    };
}

impl Database {
    /// Checks the URL and makes the pool. No connection is opened, so this never waits.
    pub fn open(config: Config) -> Result<Self, Error> {
        let refuse = |message: &str, hint: &str| Error {
            kind: ErrorKind::Config,
            connection: config.name.clone(),
            attempted: "open",
            message: message.to_owned(),
            code: None,
            position: None,
            hint: Some(hint.to_owned()),
        };
        let Some(engine) = Engine::of_url(config.url.expose()) else {
            return Err(refuse(
                "the URL's scheme names no engine that this build knows",
                "use `postgresql://…`, `mysql://…`, `mariadb://…` or `sqlite:…`",
            ));
        };
        let name = config.name.clone();
        let inner = match engine {
            #[cfg(feature = "postgres")]
            Engine::Postgresql => Inner::Postgres(crate::postgres::Postgres::open(config)?),
            #[cfg(feature = "mysql")]
            Engine::Mysql => Inner::Mysql(crate::mysql::Mysql::open(config)?),
            #[cfg(feature = "sqlite")]
            Engine::Sqlite => Inner::Sqlite(crate::sqlite::Sqlite::open(config)?),
            #[allow(unreachable_patterns, reason = "reached when a feature is off")]
            _ => return Err(refuse("this build has no support for that engine", "build with its cargo feature")),
        };
        Ok(Self { name, engine, inner, acts: false })
    }

    /// Refuses every request that does not say whom it acts as ([`Query::acting`]): no path that forgets it may run with the
    /// rights of the connection's own account.
    ///
    /// # Errors
    /// The engine cannot act as somebody.
    pub fn acting_only(self) -> Result<Self, Error> {
        if self.engine != Engine::Postgresql {
            let what = "`actAs` is for PostgreSQL alone";
            return Err(self.refuse(ErrorKind::Config, what, "remove `actAs`, or use a PostgreSQL database"));
        }
        Ok(Self { acts: true, ..self })
    }

    fn refuse(&self, kind: ErrorKind, message: &str, hint: &str) -> Error {
        Error {
            kind,
            connection: self.name.clone(),
            attempted: "query",
            message: message.to_owned(),
            code: None,
            position: None,
            hint: Some(hint.to_owned()),
        }
    }

    /// The engine that the URL named.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Connects, and gives the engine's own name and version, such as `PostgreSQL 15.18`.
    pub async fn ping(&self) -> Result<String, Error> {
        each!(self, inner => inner.ping().await)
    }

    /// Reads tables, columns, keys, types and comments.
    pub async fn catalogue(&self) -> Result<Catalogue, Error> {
        each!(self, inner => inner.catalogue().await)
    }

    /// Has the engine check a statement without running it.
    pub async fn describe(&self, statement: &Statement) -> Result<Described, Error> {
        each!(self, inner => inner.describe(statement).await)
    }

    /// Runs a request and appends the rows to `out` as JSON (see [`Answer`]). On an error `out` is
    /// as it was before.
    pub async fn run(&self, query: &Query<'_>, out: &mut Vec<u8>) -> Result<Answer, Error> {
        if self.acts && query.acting.is_none() {
            let what = "this connection acts for its callers, and the request does not say for whom";
            return Err(self.refuse(ErrorKind::Denied, what, "use an action that knows its caller: `sql` or `script`"));
        }
        if query.acting.is_some() && self.engine != Engine::Postgresql {
            return Err(self.refuse(ErrorKind::Config, "only PostgreSQL can act for a caller", "remove `actAs`"));
        }
        each!(self, inner => inner.run(query, out).await)
    }

    /// Runs one statement that has no values, such as one that makes a table. It may write; rows are not told.
    pub async fn execute(&self, sql: &str, timeout: Duration) -> Result<(), Error> {
        let statement = Statement { text: sql.into(), order: [].into(), targets: [].into() };
        let query = Query {
            statements: &[statement],
            arguments: &[Vec::new()],
            write: true,
            row_limit: 1,
            byte_limit: 1024,
            timeout,
            cancel: &CancellationToken::new(),
            keep: &[],
            single: false,
            acting: None,
        };
        self.run(&query, &mut Vec::new()).await.map(drop)
    }

    /// Closes idle connections and refuses further requests.
    pub async fn close(&self) {
        each!(self, inner => inner.close().await);
    }
}
