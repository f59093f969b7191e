//! Connections on blocking threads: SQLite's calls block, so they never run on the runtime's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::connection::{self, Link};
use super::error::Place;
use super::guard::Role;
use super::url::Location;
use crate::{Config, Error, ErrorKind};

/// Connections to one database. Each is used by one thread at a time.
#[derive(Debug)]
pub(super) struct Pool {
    pub(super) name: String,
    location: Location,
    /// Name of the database in memory, when it is one.
    memory: String,
    permits: Arc<Semaphore>,
    size: usize,
    acquire_timeout: Duration,
    idle_timeout: Duration,
    state: Mutex<State>,
    /// Whether a task waits to close idle connections.
    reaping: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// The one used last is at the end.
    idle: Vec<(Link, Instant)>,
    /// Keeps a database in memory alive while no connection is idle.
    anchor: Option<rusqlite::Connection>,
}

/// What one use of a connection is bounded by.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub(super) attempted: &'static str,
    pub(super) role: Role,
    pub(super) deadline: Instant,
    pub(super) cancel: CancellationToken,
}

impl Pool {
    pub(super) fn new(config: Config, location: Location) -> Arc<Self> {
        let memory = match &location {
            Location::Memory { name: Some(name) } => name.clone(),
            _ => uuid::Uuid::new_v4().to_string(),
        };
        let size = config.pool_max.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            name: config.name,
            location,
            memory,
            permits: Arc::new(Semaphore::new(size)),
            size,
            acquire_timeout: config.acquire_timeout,
            idle_timeout: config.idle_timeout,
            state: Mutex::default(),
            reaping: AtomicBool::new(false),
        })
    }

    /// Runs `work` with a connection on a blocking thread. When the caller is dropped, the statement
    /// that runs is interrupted.
    pub(super) async fn with<T, W>(self: &Arc<Self>, bounds: Bounds, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: FnOnce(&mut Link) -> Result<T, Error> + Send + 'static,
    {
        let pool = Arc::clone(self);
        let attempted = bounds.attempted;
        let place = Place { connection: &pool.name, attempted };
        let permit = tokio::select! {
            biased;
            () = bounds.cancel.cancelled() => return Err(place.stopped(super::watch::Stop::Cancelled)),
            permit = tokio::time::timeout(self.acquire_timeout, Arc::clone(&self.permits).acquire_owned()) => permit,
        };
        let permit = match permit {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => return Err(place.error(ErrorKind::Unreachable, "the connection was closed", "")),
            Err(_) => {
                let message =
                    format!("all {} connections stayed busy for {} ms", self.size, self.acquire_timeout.as_millis());
                return Err(place.error(ErrorKind::PoolTimeout, message, "try again, or raise `pool.max`"));
            }
        };
        let cancel = bounds.cancel.child_token();
        let interrupt = cancel.clone().drop_guard();
        let worker = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            // The permit is given back after the connection.
            let _permit = permit;
            worker.work(&Bounds { cancel, ..bounds }, work)
        });
        let out = done.await;
        interrupt.disarm();
        self.reap_later();
        out.unwrap_or_else(|panic| Err(place.error(ErrorKind::Other, format!("the connector failed: {panic}"), "")))
    }

    fn work<T>(&self, bounds: &Bounds, work: impl FnOnce(&mut Link) -> Result<T, Error>) -> Result<T, Error> {
        let place = Place { connection: &self.name, attempted: "connect" };
        let mut link = self.take(bounds.role).map_err(|error| place.open(error))?;
        link.watch.begin(bounds.deadline, bounds.cancel.clone());
        let out = work(&mut link);
        link.watch.end();
        // Whatever went wrong, the next user finds no transaction; else the connection goes.
        if link.connection.is_autocommit() || link.command("ROLLBACK").is_ok() {
            self.give(link);
        }
        out
    }

    fn take(&self, role: Role) -> Result<Link, connection::OpenError> {
        let mut state = self.state.lock();
        if let Some(at) = state.idle.iter().rposition(|(link, _)| link.role == role) {
            return Ok(state.idle.remove(at).0);
        }
        if matches!(self.location, Location::Memory { .. }) && state.anchor.is_none() {
            state.anchor = Some(connection::memory(&self.memory)?);
        }
        drop(state);
        Link::open(&self.location, &self.memory, role)
    }

    fn give(&self, link: Link) {
        let mut state = self.state.lock();
        if self.permits.is_closed() {
            return;
        }
        state.idle.push((link, Instant::now()));
        // Readers and writers share the limit: the one unused longest makes room.
        let closed = if state.idle.len() > self.size { Some(state.idle.remove(0)) } else { None };
        drop(state);
        drop(closed);
    }

    /// Closes connections that were idle too long, from a task that lives as long as there are any.
    fn reap_later(self: &Arc<Self>) {
        if self.reaping.swap(true, Ordering::AcqRel) {
            return;
        }
        let pool = Arc::downgrade(self);
        let pause = self.idle_timeout.max(Duration::from_millis(10));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let Some(pool) = pool.upgrade() else { return };
                if pool.reap() {
                    pool.reaping.store(false, Ordering::Release);
                    return;
                }
            }
        });
    }

    /// Closes what was idle too long; whether nothing is left.
    fn reap(&self) -> bool {
        let mut state = self.state.lock();
        let (old, kept) =
            std::mem::take(&mut state.idle).into_iter().partition(|(_, since)| since.elapsed() >= self.idle_timeout);
        state.idle = kept;
        let empty = state.idle.is_empty();
        drop(state);
        let old: Vec<(Link, Instant)> = old;
        drop(old);
        empty
    }

    /// Refuses further requests and closes what is idle. A database in memory is gone.
    pub(super) fn close(&self) {
        self.permits.close();
        let state = std::mem::take(&mut *self.state.lock());
        drop(state);
    }
}
