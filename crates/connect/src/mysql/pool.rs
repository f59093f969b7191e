//! Sessions at one server. A session whose statement had to stop is killed at the server and never
//! used again.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Error as Native, Opts};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::error::Place;
use super::guard::Verdicts;
use super::session::{JsonColumns, Role, Session, options};
use super::traces::Suspects;
use super::url::Location;
use crate::egress::{Closed, Gate};
use crate::{Config, Error, ErrorKind, Tls};

/// A session that reads and was unused for longer is asked whether it is alive before it is used again.
const PING_AFTER: Duration = Duration::from_secs(5);
/// Longest that resetting a session may take.
const RESET_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest that killing a statement may take.
const KILL_TIMEOUT: Duration = Duration::from_secs(5);

/// Sessions at one server.
pub(super) struct Pool {
    pub(super) name: String,
    location: Location,
    gate: Option<Gate>,
    /// The server turned TLS down once, and `prefer` allows to go without.
    plain: AtomicBool,
    permits: Arc<Semaphore>,
    size: usize,
    acquire_timeout: Duration,
    idle_timeout: Duration,
    idle: Mutex<Vec<(Session, Instant)>>,
    /// Whether a task waits to close idle sessions.
    reaping: AtomicBool,
    pub(super) known: Known,
}

/// What is known of the server's tables and of the statements that ran.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) json: JsonColumns,
    pub(super) suspects: Suspects,
    pub(super) verdicts: Verdicts,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("name", &self.name).field("host", &self.location.host).finish_non_exhaustive()
    }
}

/// What one use of a session is bounded by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds<'a> {
    pub(super) attempted: &'static str,
    pub(super) role: Role,
    pub(super) deadline: Instant,
    pub(super) cancel: &'a CancellationToken,
}

/// What a use came to.
pub(super) enum Use<T> {
    /// The session can be used again.
    Clean(Result<T, Error>),
    /// The session can be used again when it was reset.
    Traces(Result<T, Error>),
    /// Something is left over at the session; it is not used again.
    Dirty(Result<T, Error>),
    /// The connection broke.
    Broken(Error),
}

impl Pool {
    pub(super) fn new(config: &Config, location: Location) -> Arc<Self> {
        let size = config.pool_max.clamp(1, Semaphore::MAX_PERMITS);
        Arc::new(Self {
            name: config.name.clone(),
            location,
            gate: config.gate.clone(),
            plain: AtomicBool::new(false),
            permits: Arc::new(Semaphore::new(size)),
            size,
            acquire_timeout: config.acquire_timeout,
            idle_timeout: config.idle_timeout,
            idle: Mutex::default(),
            reaping: AtomicBool::new(false),
            known: Known::default(),
        })
    }

    /// Does something with a session. When time is up or the caller goes away (or drops this
    /// future), what runs is killed at the server. `None`: the
    /// connection turned out to be closed already; ask again.
    pub(super) async fn with<T, W>(self: &Arc<Self>, bounds: Bounds<'_>, work: W) -> Option<Result<T, Error>>
    where
        W: AsyncFnOnce(&mut Session) -> Use<T>,
    {
        match self.once(bounds, work).await {
            Ok((Use::Broken(_), true)) if bounds.role == Role::Read => None,
            Ok((Use::Broken(error), _)) | Err(error) => Some(Err(error)),
            Ok((Use::Clean(out) | Use::Traces(out) | Use::Dirty(out), _)) => Some(out),
        }
    }

    /// What a use came to, and whether the session was used before.
    ///
    /// A connection that waited unused may have been closed by the server meanwhile. Reading is then done
    /// again on another one; sessions that write are asked before.
    async fn once<T, W>(self: &Arc<Self>, bounds: Bounds<'_>, work: W) -> Result<(Use<T>, bool), Error>
    where
        W: AsyncFnOnce(&mut Session) -> Use<T>,
    {
        let place = Place { connection: &self.name, attempted: bounds.attempted };
        let deadline = tokio::time::Instant::from_std(bounds.deadline);
        let mut lease = tokio::select! {
            biased;
            () = bounds.cancel.cancelled() => return Err(place.cancelled()),
            lease = self.lease(bounds.role, deadline) => lease?,
        };
        let reused = lease.reused;
        let Some(session) = lease.session.as_mut() else {
            return Err(place.error(ErrorKind::Other, "there is no session", ""));
        };
        let used = tokio::select! {
            biased;
            () = bounds.cancel.cancelled() => Err(place.cancelled()),
            used = work(session) => Ok(used),
            () = tokio::time::sleep_until(deadline) => Err(place.timeout()),
        };
        let keep = match &used {
            Ok(Use::Clean(_)) => true,
            Ok(Use::Traces(_)) => {
                matches!(tokio::time::timeout(RESET_TIMEOUT, session.reset()).await, Ok(Ok(true)))
            }
            Ok(Use::Broken(_)) => {
                // There is nothing to kill.
                lease.session = None;
                false
            }
            Ok(Use::Dirty(_)) | Err(_) => false,
        };
        if keep {
            lease.give()
        } else {
            lease.kill().await
        }
        used.map(|used| (used, reused))
    }

    async fn lease(self: &Arc<Self>, role: Role, deadline: tokio::time::Instant) -> Result<Lease, Error> {
        let place = Place { connection: &self.name, attempted: "connect" };
        let bounds_left = deadline.saturating_duration_since(tokio::time::Instant::now());
        let limit = deadline.min(tokio::time::Instant::now() + self.acquire_timeout);
        let permit = match tokio::time::timeout_at(limit, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => return Err(place.error(ErrorKind::Unreachable, "the connection was closed", "")),
            Err(_) => {
                let waited = self.acquire_timeout.min(bounds_left);
                let message = format!("all {} connections stayed busy for {} ms", self.size, waited.as_millis());
                return Err(place.error(ErrorKind::PoolTimeout, message, "try again, or raise `pool.max`"));
            }
        };
        while let Some((mut session, since)) = self.take(role) {
            let idle = since.elapsed();
            let fresh = role == Role::Read && idle < PING_AFTER;
            if fresh || matches!(tokio::time::timeout_at(deadline, session.conn.ping()).await, Ok(Ok(()))) {
                return Ok(Lease { pool: Arc::clone(self), session: Some(session), reused: true, _permit: permit });
            }
        }
        self.make_room();
        let limit = deadline.min(tokio::time::Instant::now() + self.acquire_timeout);
        let connected = tokio::time::timeout_at(limit, self.connect(role)).await;
        let session = match connected {
            Ok(session) => session?,
            Err(_) => {
                return Err(place.error(
                    ErrorKind::Unreachable,
                    "the server did not answer in time",
                    "check host and port",
                ));
            }
        };
        Ok(Lease { pool: Arc::clone(self), session: Some(session), reused: false, _permit: permit })
    }

    fn take(&self, role: Role) -> Option<(Session, Instant)> {
        let mut idle = self.idle.lock();
        let at = idle.iter().rposition(|(session, _)| session.role == role)?;
        Some(idle.remove(at))
    }

    /// Readers and writers share the limit: before one more session is opened, the one unused longest is
    /// closed when there are as many as may be.
    fn make_room(&self) {
        let mut idle = self.idle.lock();
        // The caller's own permit is among those in use and has no session yet.
        let in_use = self.size - self.permits.available_permits().min(self.size);
        let closed = if idle.len() + in_use > self.size { Some(idle.remove(0)) } else { None };
        drop(idle);
        if let Some((session, _)) = closed {
            tokio::spawn(session.conn.disconnect());
        }
    }

    async fn connect(&self, role: Role) -> Result<Session, Error> {
        let place = Place { connection: &self.name, attempted: "connect" };
        let found = self.addresses().await.map_err(|closed| {
            let (kind, why) = closed.parts();
            place.error(kind, why, "")
        })?;
        self.connect_to(role, &found).await.map_err(|error| place.native(&error, ""))
    }

    /// The addresses of the server, checked; none where nothing is checked.
    async fn addresses(&self) -> Result<Vec<IpAddr>, Closed> {
        let Some(gate) = &self.gate else { return Ok(Vec::new()) };
        match &self.location.socket {
            Some(path) => gate.local(path).map(|()| Vec::new()),
            None => gate.addresses(&self.location.host).await,
        }
    }

    async fn connect_to(&self, role: Role, addresses: &[IpAddr]) -> Result<Session, Native> {
        let opts = self.options(addresses);
        let tls = opts.ssl_opts().is_some();
        match Session::connect(opts, role).await {
            Err(Native::Driver(DriverError::NoClientSslFlagFromServer)) if tls && self.location.tls == Tls::Prefer => {
                self.plain.store(true, Ordering::Relaxed);
                Session::connect(self.options(addresses), role).await
            }
            other => other,
        }
    }

    fn options(&self, addresses: &[IpAddr]) -> Opts {
        let tls = self.location.tls != Tls::Disable && !self.plain.load(Ordering::Relaxed);
        options(&self.location, tls, addresses)
    }

    /// Ends a session at the server, whatever it does: its statement stops, its transaction is
    /// rolled back. The session's own number is not given again while this runs.
    async fn kill(&self, id: u32) {
        let kill = async {
            let Ok(addresses) = self.addresses().await else { return Ok(()) };
            let mut conn = Conn::new(self.options(&addresses)).await?;
            let killed = conn.query_drop(format!("KILL {id}")).await;
            // Dropped without a goodbye it would be a warning in the server's log.
            let _ = conn.disconnect().await;
            killed
        };
        match tokio::time::timeout(KILL_TIMEOUT, kill).await {
            Ok(Ok(())) => {}
            // 1094: it is gone already.
            Ok(Err(Native::Server(error))) if error.code == 1094 => {}
            Ok(Err(error)) => tracing::warn!(connection = self.name, %error, "a statement could not be killed"),
            Err(_) => tracing::warn!(connection = self.name, "a statement could not be killed in time"),
        }
    }

    /// Closes sessions that were idle too long, from a task that lives as long as there are any.
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
                let (old, empty) = pool.reap();
                for (session, _) in old {
                    let _ = session.conn.disconnect().await;
                }
                if empty {
                    pool.reaping.store(false, Ordering::Release);
                    return;
                }
            }
        });
    }

    fn reap(&self) -> (Vec<(Session, Instant)>, bool) {
        let mut idle = self.idle.lock();
        let (old, kept) =
            std::mem::take(&mut *idle).into_iter().partition(|(_, since)| since.elapsed() >= self.idle_timeout);
        *idle = kept;
        (old, idle.is_empty())
    }

    /// Refuses further requests and closes what is idle.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle.lock());
        for (session, _) in idle {
            let _ = session.conn.disconnect().await;
        }
    }
}

/// A session in use. Dropped with it, the session is killed in the background: the future that used
/// it was dropped.
struct Lease {
    pool: Arc<Pool>,
    session: Option<Session>,
    reused: bool,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    fn give(&mut self) {
        let Some(session) = self.session.take() else { return };
        if self.pool.permits.is_closed() {
            return;
        }
        let mut idle = self.pool.idle.lock();
        idle.push((session, Instant::now()));
        drop(idle);
        self.pool.reap_later();
    }

    async fn kill(&mut self) {
        // Taken after: when this future is dropped too, `drop` does it.
        if let Some(id) = self.session.as_ref().map(Session::id) {
            self.pool.kill(id).await;
        }
        self.session = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(session) = self.session.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let pool = Arc::clone(&self.pool);
            runtime.spawn(async move {
                pool.kill(session.id()).await;
                drop(session);
            });
        }
    }
}
