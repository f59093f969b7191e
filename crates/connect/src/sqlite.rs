//! SQLite: a file or a database in memory, by the library that is built in.
//!
//! Statements that read use connections that cannot write; all are interrupted in time.

mod catalogue;
mod checks;
mod connection;
mod error;
mod guard;
mod kind;
mod pool;
mod run;
mod url;
mod value;
#[cfg(feature = "vector")]
mod vectors;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use self::error::Place;
use self::guard::Role;
use self::pool::{Bounds, Pool};
use self::run::Job;
use crate::{Answer, Catalogue, Config, Described, Engine, Error, ErrorKind, Query, Statement};

/// Longest that a ping, a description or the catalogue may take.
const ASK_TIMEOUT: Duration = Duration::from_secs(30);

/// The file that a URL opens as a database; nothing when it names another engine, a database in memory, or nothing at all.
pub fn file(url: &str) -> Option<PathBuf> {
    match url::parse(url) {
        Ok(url::Location::File { path, .. }) if Engine::of_url(url) == Some(Engine::Sqlite) => Some(path),
        _ => None,
    }
}

/// A pool of connections to one SQLite database.
#[derive(Debug)]
pub(crate) struct Sqlite {
    pool: Arc<Pool>,
}

impl Sqlite {
    pub(crate) fn open(config: Config) -> Result<Self, Error> {
        let place = Place { connection: &config.name, attempted: "open" };
        let location = url::parse(config.url.expose()).map_err(|why| {
            place.error(
                ErrorKind::Config,
                why,
                "write `sqlite:path.db`, `sqlite:///absolute/path.db` or `sqlite::memory:`",
            )
        })?;
        if config.schema.as_deref().is_some_and(|schema| schema != "main") {
            return Err(place.error(ErrorKind::Config, "SQLite has no database schemas", "remove `schema`"));
        }
        Ok(Self { pool: Pool::new(config, location) })
    }

    /// Version, after a first read of the file: what is no database is found now.
    pub(crate) async fn ping(&self) -> Result<String, Error> {
        let place = self.pool.name.clone();
        self.ask("connect", Role::Read, move |link| {
            let place = Place { connection: &place, attempted: "connect" };
            link.connection
                .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(catalogue::server()))
                .map_err(|error| place.engine(&error, link.watch.stop()))
        })
        .await
    }

    pub(crate) async fn catalogue(&self) -> Result<Catalogue, Error> {
        let name = self.pool.name.clone();
        let attempted = "read the catalogue";
        self.ask(attempted, Role::Read, move |link| {
            let place = Place { connection: &name, attempted };
            catalogue::read(&link.connection).map_err(|error| place.engine(&error, link.watch.stop()))
        })
        .await
    }

    pub(crate) async fn describe(&self, statement: &Statement) -> Result<Described, Error> {
        let described = self.describe_as(Role::Read, statement).await;
        match described {
            // Nobody says here whether the tool may write; to compile is not to run.
            Err(error) if error.kind == ErrorKind::Denied => match self.describe_as(Role::Write, statement).await {
                // With `mode=ro` there is no such connection, and the first answer is the better one.
                Err(second) if second.attempted == "connect" => Err(error),
                other => other,
            },
            other => other,
        }
    }

    async fn describe_as(&self, role: Role, statement: &Statement) -> Result<Described, Error> {
        let (name, text) = (self.pool.name.clone(), Arc::clone(&statement.text));
        self.ask("prepare", role, move |link| {
            run::describe(link, Place { connection: &name, attempted: "prepare" }, &text)
        })
        .await
    }

    async fn ask<T: Send + 'static>(
        &self,
        attempted: &'static str,
        role: Role,
        work: impl FnOnce(&mut connection::Link) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let deadline = Instant::now() + ASK_TIMEOUT;
        self.pool.with(Bounds { attempted, role, deadline, cancel: CancellationToken::new() }, work).await
    }

    pub(crate) async fn run(&self, query: &Query<'_>, out: &mut Vec<u8>) -> Result<Answer, Error> {
        let bounds = Bounds {
            attempted: "query",
            role: if query.write { Role::Write } else { Role::Read },
            deadline: query.deadline(),
            cancel: query.cancel.clone(),
        };
        let (job, name) = (Job::new(query), self.pool.name.clone());
        let work = move |link: &mut connection::Link| job.run(link, Place { connection: &name, attempted: "query" });
        let (answer, rows) = self.pool.with(bounds, work).await?;
        if out.is_empty() {
            *out = rows;
        } else {
            out.extend_from_slice(&rows);
        }
        Ok(answer)
    }

    pub(crate) async fn close(&self) {
        let pool = Arc::clone(&self.pool);
        // Closing may write the last pages of a journal.
        let _ = tokio::task::spawn_blocking(move || pool.close()).await;
    }
}
