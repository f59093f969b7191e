//! The connections of one database: opened when needed, shared, bounded, closed when idle.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::Place;
use super::guard::After;
use super::session::{Role, Session};
use super::url::Target;
use crate::{Config, Error, ErrorKind};

/// A pool. Sessions that read and sessions that write are kept apart.
pub(super) struct Pool {
    config: Config,
    target: Target,
    permits: Arc<Semaphore>,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    sessions: Vec<Session>,
    swept: bool,
    closed: bool,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("name", &self.config.name)
            .field("max", &self.config.pool_max)
            .finish_non_exhaustive()
    }
}

/// A session in use. Without [`Taken::give_back`] it is closed when dropped.
pub(super) struct Taken {
    session: Option<Session>,
    pool: Arc<Pool>,
    /// Whether it was idle before: it may have broken unnoticed.
    pub(super) reused: bool,
    _permit: OwnedSemaphorePermit,
}

impl std::ops::Deref for Taken {
    type Target = Session;

    #[expect(clippy::expect_used, reason = "the session leaves only with the value itself")]
    fn deref(&self) -> &Session {
        self.session.as_ref().expect("a taken session is there until it is given back")
    }
}

impl std::ops::DerefMut for Taken {
    #[expect(clippy::expect_used, reason = "the session leaves only with the value itself")]
    fn deref_mut(&mut self) -> &mut Session {
        self.session.as_mut().expect("a taken session is there until it is given back")
    }
}

impl Taken {
    /// Lets others use it, once it is as it was.
    pub(super) fn give_back(mut self) {
        if !self.is_whole() {
            return;
        }
        match self.after() {
            After::Keep => self.put(),
            // The caller has the answer already; whoever waits for a connection waits for this.
            After::Reset => drop(tokio::spawn(async move {
                if self.reset().await {
                    self.put();
                }
            })),
            After::Close => {}
        }
    }

    fn put(mut self) {
        if let Some(mut session) = self.session.take() {
            session.idle_since = Instant::now();
            let mut idle = self.pool.idle.lock();
            if !idle.closed {
                idle.sessions.push(session);
            }
        }
    }
}

impl Pool {
    pub(super) fn new(config: Config, target: Target) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(config.pool_max.clamp(1, Semaphore::MAX_PERMITS)));
        Arc::new(Self { config, target, permits, idle: Mutex::default() })
    }

    pub(super) fn name(&self) -> &str {
        &self.config.name
    }

    /// The database schema that the catalogue is read from.
    pub(super) fn schema(&self) -> Option<&str> {
        self.config.schema.as_deref()
    }

    /// A session of a role: the one that was used last, or a new one. `timeout` is the server's limit for a new one.
    pub(super) async fn acquire(
        self: &Arc<Self>,
        role: Role,
        timeout: Duration,
        place: Place<'_>,
    ) -> Result<Taken, Error> {
        let permit = self.permit(place).await?;
        if let Some(session) = self.take_idle(role, place)? {
            return Ok(Taken { session: Some(session), pool: Arc::clone(self), reused: true, _permit: permit });
        }
        let session = self.connect(role, timeout, Place { attempted: "connect", ..place }).await?;
        self.sweep();
        Ok(Taken { session: Some(session), pool: Arc::clone(self), reused: false, _permit: permit })
    }

    async fn connect(&self, role: Role, timeout: Duration, place: Place<'_>) -> Result<Session, Error> {
        let config = crate::tls::client(self.target.tls, self.target.ca_file.as_deref(), None)
            .map_err(|why| place.error(ErrorKind::Config, why, "check `tls.caFile`"))?;
        let tls = MakeRustlsConnect::new(config);
        let connecting = async {
            let checked = match &self.config.gate {
                Some(gate) => Some(self.target.checked(gate).await.map_err(|closed| {
                    let (kind, why) = closed.parts();
                    place.error(kind, why, "")
                })?),
                None => None,
            };
            let config = checked.as_ref().unwrap_or(&self.target.config);
            let session = Session::connect(config, tls, role, timeout, self.config.schema.as_deref());
            session.await.map_err(|error| place.engine(&error))
        };
        // The driver bounds the wait for TCP alone; a server may also accept and then say nothing.
        let limit = self.target.connect_timeout.min(timeout);
        match tokio::time::timeout(limit, connecting).await {
            Ok(done) => done,
            Err(_) => Err(place.error(
                ErrorKind::Unreachable,
                format!("the server did not let us in within {} ms", limit.as_millis()),
                "is the server running, and are host and port right?",
            )),
        }
    }

    /// Closes the idle sessions: when one was found broken, the others are likely to be.
    pub(super) fn drop_idle(&self) {
        self.idle.lock().sessions.clear();
    }

    async fn permit(&self, place: Place<'_>) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.config.acquire_timeout, waiting).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(place.error(ErrorKind::Other, "the connection was closed", "")),
            Err(_) => Err(place.error(
                ErrorKind::PoolTimeout,
                format!(
                    "all {} connections were in use for {} ms",
                    self.config.pool_max,
                    self.config.acquire_timeout.as_millis()
                ),
                "try again, or raise `pool.max`",
            )),
        }
    }

    fn take_idle(&self, role: Role, place: Place<'_>) -> Result<Option<Session>, Error> {
        let mut idle = self.idle.lock();
        if idle.closed {
            return Err(place.error(ErrorKind::Other, "the connection was closed", ""));
        }
        while let Some(at) = idle.sessions.iter().rposition(|session| session.role() == role) {
            let mut session = idle.sessions.remove(at);
            if session.is_alive() {
                return Ok(Some(session));
            }
        }
        // A new one will be opened: idle ones of the other role make room for it.
        let busy = self.config.pool_max.saturating_sub(self.permits.available_permits());
        if busy + idle.sessions.len() > self.config.pool_max && !idle.sessions.is_empty() {
            idle.sessions.remove(0);
        }
        Ok(None)
    }

    /// Starts, once, the task that closes sessions which nobody used for a while.
    fn sweep(self: &Arc<Self>) {
        if std::mem::replace(&mut self.idle.lock().swept, true) {
            return;
        }
        let limit = self.config.idle_timeout;
        let pool: Weak<Self> = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep((limit / 2).max(Duration::from_millis(100))).await;
                let Some(pool) = pool.upgrade() else { return };
                let mut idle = pool.idle.lock();
                if idle.closed {
                    return;
                }
                idle.sessions.retain(|session| session.idle_since.elapsed() < limit);
            }
        });
    }

    /// Closes idle sessions and refuses further requests.
    pub(super) fn close(&self) {
        self.permits.close();
        let mut idle = self.idle.lock();
        idle.closed = true;
        idle.sessions.clear();
    }
}
