//! MySQL and MariaDB, which speak the same protocol with other words in places.
//!
//! The tests run against MariaDB. What differs in MySQL 8 (`max_execution_time`, a JSON type of its
//! own, expressions as defaults) is written after its manual.

mod catalogue;
mod error;
mod guard;
mod kind;
mod pool;
mod run;
mod session;
mod traces;
mod url;
mod value;

use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use tokio_util::sync::CancellationToken;

use self::error::Place;
use self::guard::Class;
use self::pool::{Bounds, Pool, Use};
use self::session::{Role, Session};
use crate::{Answer, Catalogue, Config, Described, Error, ErrorKind, Query, Statement};

/// Longest that a ping, a description or the catalogue may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(30);

/// A pool of connections to one MySQL or MariaDB database.
#[derive(Debug)]
pub(crate) struct Mysql {
    pool: Arc<Pool>,
    schema: Option<String>,
}

impl Mysql {
    pub(crate) fn open(config: Config) -> Result<Self, Error> {
        let place = Place { connection: &config.name, attempted: "open" };
        let location = url::parse(&config)
            .map_err(|why| place.error(ErrorKind::Config, why, "write `mysql://user:password@host:3306/database`"))?;
        // The driver asks for the process's provider; another room may have set the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self { pool: Pool::new(&config, location), schema: config.schema })
    }

    pub(crate) async fn ping(&self) -> Result<String, Error> {
        let work = async |session: &mut Session| {
            session.conn.ping().await?;
            Ok(session.server.clone())
        };
        loop {
            if let Some(done) = self.ask("connect", work).await {
                return done;
            }
        }
    }

    pub(crate) async fn catalogue(&self) -> Result<Catalogue, Error> {
        let work = async |session: &mut Session| {
            session.limits(ASK_TIMEOUT, usize::MAX).await?;
            catalogue::read(session, &self.pool.known.json, self.schema.as_deref()).await
        };
        loop {
            if let Some(done) = self.ask("read the catalogue", work).await {
                return done;
            }
        }
    }

    pub(crate) async fn describe(&self, statement: &Statement) -> Result<Described, Error> {
        let attempted = "prepare";
        let place = Place { connection: &self.pool.name, attempted };
        let verdict = self.pool.known.verdicts.get(&statement.text);
        let role = match verdict.map_err(|why| place.error(ErrorKind::Denied, why, ""))?.class {
            Class::Read => Role::Read,
            Class::Write | Class::Ddl => Role::Write,
        };
        let cancel = CancellationToken::new();
        let bounds = Bounds { attempted, role, deadline: Instant::now() + ASK_TIMEOUT, cancel: &cancel };
        let json = &self.pool.known.json;
        loop {
            let work = async |session: &mut Session| run::describe(session, json, place, &statement.text).await;
            if let Some(done) = self.pool.with(bounds, work).await {
                return done;
            }
        }
    }

    async fn ask<T>(
        &self,
        attempted: &'static str,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, mysql_async::Error>,
    ) -> Option<Result<T, Error>> {
        let place = Place { connection: &self.pool.name, attempted };
        let cancel = CancellationToken::new();
        let bounds = Bounds { attempted, role: Role::Read, deadline: Instant::now() + ASK_TIMEOUT, cancel: &cancel };
        self.pool
            .with(bounds, async |session: &mut Session| match work(session).await {
                Ok(out) => Use::Clean(Ok(out)),
                Err(error) => Use::Broken(place.native(&error, "")),
            })
            .await
    }

    pub(crate) async fn run(&self, query: &Query<'_>, out: &mut Vec<u8>) -> Result<Answer, Error> {
        let role = if query.write { Role::Write } else { Role::Read };
        let place = Place { connection: &self.pool.name, attempted: "query" };
        let bounds = Bounds { attempted: "query", role, deadline: query.deadline(), cancel: query.cancel };
        let start = out.len();
        loop {
            let work = async |session: &mut Session| run::run(session, &self.pool.known, place, query, out).await;
            let done = self.pool.with(bounds, work).await;
            if !matches!(done, Some(Ok(_))) {
                // A statement that had to stop left what it had written.
                out.truncate(start);
            }
            if let Some(done) = done {
                return done;
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
