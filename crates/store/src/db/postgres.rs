//! PostgreSQL, for several processes that share one store. Calls block, as those of the file do: the driver runs on a
//! thread of the store's own.

mod pool;
mod wire;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Attempted as _, Session};
use crate::{Error, migrations};
pub(crate) use pool::PRESENCE;
use pool::Pool;
use wire::Trouble;
pub(crate) use wire::Wire;

/// How long a change is tried while other transactions get in its way.
const GIVES_WAY_FOR: Duration = Duration::from_secs(5);
/// Longest pause before it is tried again.
const PAUSE_MAX: Duration = Duration::from_millis(64);
/// The schema that holds the tables, made when it is absent.
pub(crate) const SCHEMA: &str = "mcp_factory";

/// Where a server is, and how to prove who it is.
#[derive(Clone)]
pub struct Remote {
    /// Host, database, user, password.
    pub config: tokio_postgres::Config,
    /// Transport security as the operator wants it.
    pub tls: MakeRustlsConnect,
}

/// A server that several processes share.
pub(crate) struct Postgres {
    place: String,
    pool: Pool,
    commits: AtomicU64,
    /// Taken out only when the store is closed.
    runtime: Option<Runtime>,
}

impl Postgres {
    /// Connects, and brings the tables to the newest format.
    pub(super) fn connect(remote: Remote) -> Result<Self, Error> {
        const WHAT: &str = "connect to the store";
        let place = place(&remote.config);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("store-postgres")
            .enable_all()
            .build()
            .map_err(|error| Error::Failed { attempted: WHAT, reason: error.to_string() })?;
        let pool = Pool::new(remote, runtime.handle().clone());
        pool.give_back(pool.take(WHAT, false)?);
        let store = Self { place, pool, commits: AtomicU64::new(0), runtime: Some(runtime) };
        migrations::bring_server(&store, &store.place)?;
        Ok(store)
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// From now on every connection holds a lock with others, which whoever replaces everything takes alone. One that is made
    /// again after the server was away takes it again.
    pub(super) fn attend(&self, attempted: &'static str) -> Result<(), Error> {
        self.pool.attend();
        let link = self.pool.take(attempted, true)?;
        self.pool.give_back(link);
        Ok(())
    }

    pub(super) fn read<T>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // A pooled connection may have died while it lay there; a second one is new.
        for fresh in [false, true] {
            let link = self.pool.take(attempted, fresh)?;
            let wire = Wire::new(&link);
            let found = run(&Session::Postgres(&wire));
            if !wire.trouble().is_gone() {
                self.pool.give_back(link);
                return found;
            }
            self.pool.gone();
            if fresh {
                return found;
            }
        }
        unreachable!("the second round returns")
    }

    /// Serializable transactions: a change sees and leaves the store as if it were alone. What gets in its way is
    /// somebody else's change that came first, so it is tried again.
    pub(crate) fn change<T>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut fresh = false;
        let start = Instant::now();
        for round in 0.. {
            let link = self.pool.take(attempted, fresh)?;
            let wire = Wire::new(&link);
            let tried = self.transaction(attempted, &wire, &run);
            match wire.trouble() {
                Trouble::GaveWay if start.elapsed() < GIVES_WAY_FOR => {
                    self.pool.give_back(link);
                    std::thread::park_timeout(pause(round));
                }
                // Nothing was sent to be kept yet, so nothing can happen twice.
                Trouble::Gone { committing: false } if !fresh => {
                    self.pool.gone();
                    fresh = true;
                }
                Trouble::Gone { .. } => {
                    self.pool.gone();
                    return tried;
                }
                _ => {
                    self.pool.give_back(link);
                    return tried;
                }
            }
        }
        unreachable!("the last round returns")
    }

    fn transaction<T>(
        &self,
        attempted: &'static str,
        wire: &Wire<'_>,
        run: &impl Fn(&Session<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        wire.batch("BEGIN ISOLATION LEVEL SERIALIZABLE").attempted(attempted)?;
        match run(&Session::Postgres(wire)) {
            Ok(value) => {
                wire.commit().attempted(attempted)?;
                self.commits.fetch_add(1, Ordering::Relaxed);
                Ok(value)
            }
            Err(error) => {
                if !wire.trouble().is_gone() {
                    wire.batch("ROLLBACK").attempted(attempted)?;
                }
                Err(error)
            }
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.pool.close();
        // A runtime must not be waited for where other tasks run.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// How long to wait before a change is tried again: longer each time, and not as long as others do who gave way to the same one.
fn pause(round: u32) -> Duration {
    let most = PAUSE_MAX.min(Duration::from_millis(1 << round.min(10)));
    let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), round);
    let share = u32::try_from(random >> 32).unwrap_or_default();
    most.mul_f64(0.25 + 0.75 * f64::from(share) / f64::from(u32::MAX))
}

/// Host and database, without user and password.
fn place(config: &tokio_postgres::Config) -> String {
    use tokio_postgres::config::Host;
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgresql://{host}:{port}/{}", config.get_dbname().unwrap_or("postgres"))
}
