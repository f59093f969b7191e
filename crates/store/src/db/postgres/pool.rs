//! Connections to PostgreSQL that wait to be used.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::runtime::Handle;
use tokio_postgres::{Client, Statement};

use super::{Remote, SCHEMA};
use crate::Error;
use crate::db::Fault;

/// Most connections of one process.
const LINKS_MAX: usize = 8;
/// Longest wait for a connection that others use.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Longest time that one statement may take, and longest wait for a lock.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// The lock of a database (`pg_locks`) that control planes hold with each other, and a restore alone: "mcp_fact".
pub(crate) const PRESENCE: i64 = 0x6d63_705f_6661_6374;

/// One connection with the statements that it knows.
pub(super) struct Link {
    pub(super) client: Client,
    pub(super) statements: RefCell<HashMap<String, Statement>>,
    pub(super) runtime: Handle,
}

/// The connections.
pub(super) struct Pool {
    remote: Remote,
    runtime: Handle,
    state: Mutex<State>,
    freed: Condvar,
    attends: AtomicBool,
}

#[derive(Default)]
struct State {
    idle: Vec<Link>,
    open: usize,
}

impl Pool {
    pub(super) fn new(remote: Remote, runtime: Handle) -> Self {
        Self { remote, runtime, state: Mutex::default(), freed: Condvar::new(), attends: AtomicBool::new(false) }
    }

    /// Has connections that are made from now on hold [`PRESENCE`].
    pub(super) fn attend(&self) {
        self.attends.store(true, Ordering::Relaxed);
    }

    /// A connection that nobody else uses; a new one with `fresh`, because those that lay idle may all be dead.
    pub(super) fn take(&self, attempted: &'static str, fresh: bool) -> Result<Link, Error> {
        let until = Instant::now() + WAIT_MAX;
        let mut state = self.state.lock();
        if fresh {
            let dead = state.idle.drain(..).count();
            state.open -= dead;
        }
        loop {
            while let Some(link) = state.idle.pop() {
                if !link.client.is_closed() {
                    return Ok(link);
                }
                state.open -= 1;
            }
            if state.open < LINKS_MAX {
                state.open += 1;
                drop(state);
                return self.dial().map_err(|fault| {
                    self.gone();
                    fault.explain(attempted)
                });
            }
            if self.freed.wait_until(&mut state, until).timed_out() {
                return Err(Error::Busy { attempted });
            }
        }
    }

    pub(super) fn give_back(&self, link: Link) {
        let mut state = self.state.lock();
        if link.client.is_closed() {
            state.open -= 1;
        } else {
            state.idle.push(link);
        }
        self.freed.notify_one();
    }

    /// Counts a connection out that is not given back.
    pub(super) fn gone(&self) {
        self.state.lock().open -= 1;
        self.freed.notify_one();
    }

    /// Ends the connections that lie idle.
    pub(super) fn close(&self) {
        self.state.lock().idle.clear();
    }

    fn dial(&self) -> Result<Link, Fault> {
        let Remote { config, tls } = self.remote.clone();
        let attends = self.attends.load(Ordering::Relaxed);
        let client = self.runtime.block_on(async move {
            let (client, connection) = config.connect(tls).await?;
            // It ends when the client is dropped; what goes wrong with it, the next statement says.
            tokio::spawn(connection);
            let ms = STATEMENT_TIMEOUT.as_millis();
            let setting = format!(
                "SET search_path TO {SCHEMA}; SET statement_timeout TO {ms}; SET lock_timeout TO {ms};
                 SET idle_in_transaction_session_timeout TO {ms}; SET synchronous_commit TO on"
            );
            client.batch_execute(&setting).await?;
            if attends {
                let held = client.query_one("SELECT pg_try_advisory_lock_shared($1)", &[&PRESENCE]).await?;
                if !held.try_get::<_, bool>(0)? {
                    return Err(Fault::Held("what is stored is being replaced by a backup"));
                }
            }
            Ok::<_, Fault>(client)
        })?;
        Ok(Link { client, statements: RefCell::default(), runtime: self.runtime.clone() })
    }
}
