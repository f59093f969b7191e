//! PostgreSQL, by `tokio-postgres`.
//!
//! A call is one round trip. What reads goes out as `BEGIN READ ONLY`, the prepared statement and `ROLLBACK` in one
//! packet: nothing is waited for in between, the server refuses to write, and what a read-only transaction lets through
//! all the same (large objects before PostgreSQL 16, notifications, settings) is rolled back. Statements that read tables
//! with the server's own functions and nothing else have nothing of that kind: they run alone, in a session whose
//! transactions are read-only. A single statement that writes is a transaction by itself; several are put into one.
//!
//! What a rollback does not take back is looked for in the statement's words (`guard`): functions that write files or talk
//! to other servers are refused, and what stays in a session is put back before the next caller gets it. Out of reach is
//! what the database's owner hides in a function or view of his own that uses another connection or the server's files.

mod acting;
mod bind;
mod catalogue;
mod decode;
mod error;
mod format;
mod guard;
mod interval;
mod kind;
mod numeric;
mod pool;
mod prepare;
mod run;
mod session;
mod url;
mod words;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use self::error::Place;
use self::pool::Pool;
use self::session::Role;
use crate::{Answer, Catalogue, Config, Described, Error, ErrorKind, Query, Statement};

/// Longest that a ping, a description or the catalogue may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(30);

/// A pool of connections to one PostgreSQL database.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: Arc<Pool>,
}

/// What the driver needs to reach the server of a URL by itself: for the platform's own tables, which are no connection of
/// a spec. The error quotes nothing of the URL.
pub fn client(url: base::Secret) -> Result<(tokio_postgres::Config, tokio_postgres_rustls::MakeRustlsConnect), String> {
    let config = Config {
        name: "store".to_owned(),
        url,
        schema: None,
        pool_max: 1,
        acquire_timeout: ASK_TIMEOUT,
        idle_timeout: ASK_TIMEOUT,
        tls: crate::Tls::Prefer,
        ca_file: None,
        gate: None,
    };
    let target = url::parse(&config)?;
    let tls = crate::tls::client(target.tls, target.ca_file.as_deref(), None)?;
    Ok((target.config, tokio_postgres_rustls::MakeRustlsConnect::new(tls)))
}

impl Postgres {
    pub(crate) fn open(config: Config) -> Result<Self, Error> {
        let place = Place { connection: &config.name, attempted: "open" };
        let target = url::parse(&config).map_err(|why| {
            let hint = "write `postgresql://user:password@host:5432/database`";
            place.error(ErrorKind::Config, why, hint)
        })?;
        Ok(Self { pool: Pool::new(config, target) })
    }

    pub(crate) async fn ping(&self) -> Result<String, Error> {
        let place = self.place("connect");
        let mut session = self.pool.acquire(Role::Read, ASK_TIMEOUT, place).await?;
        let cancel = CancellationToken::new();
        let work = session.bounded(Instant::now() + ASK_TIMEOUT, &cancel, |client| client.simple_query("SELECT 1"));
        work.await.map_err(|stop| place.stopped(stop))?.map_err(|error| place.engine(&error))?;
        let version = session.server();
        session.give_back();
        Ok(version)
    }

    pub(crate) async fn catalogue(&self) -> Result<Catalogue, Error> {
        let place = self.place("read the catalogue");
        let mut session = self.pool.acquire(Role::Read, ASK_TIMEOUT, place).await?;
        let catalogue = catalogue::read(&mut session, self.pool.schema(), place, ASK_TIMEOUT).await?;
        session.give_back();
        Ok(catalogue)
    }

    pub(crate) async fn describe(&self, statement: &Statement) -> Result<Described, Error> {
        let place = self.place("prepare");
        let mut session = self.pool.acquire(Role::Read, ASK_TIMEOUT, place).await?;
        let described = prepare::describe(&mut session, &statement.text, place, ASK_TIMEOUT).await?;
        session.give_back();
        Ok(described)
    }

    pub(crate) async fn run(&self, query: &Query<'_>, out: &mut Vec<u8>) -> Result<Answer, Error> {
        let deadline = query.deadline();
        match run::run(&self.pool, query, deadline, out).await {
            // A pooled session that broke: a read can be repeated, on a new one.
            Err(failed) if failed.stale && !query.write => {
                self.pool.drop_idle();
                run::run(&self.pool, query, deadline, out).await.map_err(|failed| failed.error)
            }
            other => other.map_err(|failed| failed.error),
        }
    }

    pub(crate) async fn close(&self) {
        self.pool.close();
    }

    fn place(&self, attempted: &'static str) -> Place<'_> {
        Place { connection: self.pool.name(), attempted }
    }
}
