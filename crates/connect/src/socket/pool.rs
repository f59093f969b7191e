//! A bounded number of connections, kept for the next request and closed when idle.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, ErrorKind};

/// How often idle connections are looked at, as a part of the time that they may be idle.
const SWEEPS: u32 = 2;

/// Connections of one kind. `C` is whole while it is in the pool: what broke is dropped instead of given back.
pub(crate) struct Pool<C> {
    permits: Arc<Semaphore>,
    idle: Mutex<Idle<C>>,
    timeout: Duration,
    size: usize,
}

struct Idle<C> {
    connections: Vec<(C, Instant)>,
    swept: bool,
    closed: bool,
    /// Connections of an earlier generation are not taken back.
    generation: u64,
}

/// A connection in use, or the right to open one. Dropping it closes the connection.
pub(crate) struct Taken<C: Send + 'static> {
    /// The connection, once there is one.
    pub(crate) connection: Option<C>,
    pool: Arc<Pool<C>>,
    generation: u64,
    _permit: OwnedSemaphorePermit,
}

impl<C: Send + 'static> Pool<C> {
    pub(crate) fn new(size: usize, idle: Duration) -> Arc<Self> {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        let state = Idle { connections: Vec::new(), swept: false, closed: false, generation: 0 };
        Arc::new(Self { permits: Arc::new(Semaphore::new(size)), idle: Mutex::new(state), timeout: idle, size })
    }

    /// Waits for a free place. The connection that was used last comes with it, if one is idle.
    pub(crate) async fn take(self: &Arc<Self>) -> Option<Taken<C>> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok()?;
        let mut idle = self.idle.lock();
        let connection = idle.connections.pop().map(|(connection, _)| connection);
        Some(Taken { connection, pool: Arc::clone(self), generation: idle.generation, _permit: permit })
    }

    /// The same for the connection of this name, with an error when no place is free in time.
    pub(crate) async fn take_within(self: &Arc<Self>, wait: Duration, name: &str) -> Result<Taken<C>, Error> {
        match tokio::time::timeout(wait, self.take()).await {
            Ok(Some(taken)) => Ok(taken),
            Ok(None) => Err(Error::of(ErrorKind::Unreachable, name, "connect", "the connection is closed", "")),
            Err(_) => {
                let message = format!("none of {} connections was free within {wait:?}", self.size);
                let hint = "try again, or allow more connections";
                Err(Error::of(ErrorKind::PoolTimeout, name, "connect", message, hint))
            }
        }
    }

    /// Closes what is idle; what is in use closes instead of coming back.
    pub(crate) fn forget(&self) {
        let mut idle = self.idle.lock();
        idle.generation += 1;
        idle.connections.clear();
    }

    /// Closes everything, for good.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle.lock().closed = true;
        self.forget();
    }

    async fn sweep(pool: Weak<Self>, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            let Some(pool) = pool.upgrade() else { return };
            let mut idle = pool.idle.lock();
            idle.connections.retain(|(_, since)| since.elapsed() < pool.timeout);
            if idle.connections.is_empty() {
                idle.swept = false;
                return;
            }
        }
    }
}

impl<C: Send + 'static> Taken<C> {
    /// Lets others use the connection.
    pub(crate) fn give_back(mut self) {
        let Some(connection) = self.connection.take() else { return };
        let mut idle = self.pool.idle.lock();
        if idle.closed || idle.generation != self.generation {
            return;
        }
        idle.connections.push((connection, Instant::now()));
        if !idle.swept {
            idle.swept = true;
            let every = (self.pool.timeout / SWEEPS).max(Duration::from_millis(10));
            drop(tokio::spawn(Pool::sweep(Arc::downgrade(&self.pool), every)));
        }
    }
}
