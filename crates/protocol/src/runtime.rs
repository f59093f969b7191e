//! What all endpoints of a process share: limits, sessions, tasks, the sealing key.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::cuts::Cuts;
use crate::seal::Sealer;
use crate::session::{SessionLimits, Sessions};
use crate::tasks::{MemoryTasks, TaskLimits, TaskStore, Tasks};

/// Settings of a [`Runtime`].
pub struct RuntimeOptions {
    /// Largest body of a request, in bytes.
    pub max_body: usize,
    /// How long a client may take to send a body.
    pub body_timeout: Duration,
    /// Largest line on stdio, in bytes.
    pub max_line: usize,
    /// Messages in one batch.
    pub max_batch: usize,
    /// `subscriptions/listen` streams open at a time.
    pub max_listens: usize,
    /// How long a request may be silent before its answer becomes a stream with keep-alives.
    pub stream_after: Duration,
    /// Time between keep-alive comments on streams.
    pub keep_alive: Duration,
    /// How long a client may take to answer a question of the server (session-based revisions).
    pub ask_timeout: Duration,
    /// Sessions.
    pub sessions: SessionLimits,
    /// Tasks.
    pub tasks: TaskLimits,
    /// Where tasks are kept; in memory if `None`.
    pub task_store: Option<Arc<dyn TaskStore>>,
    /// Key for request state, shared by processes that serve the same clients; random if `None`.
    pub state_key: Option<Vec<u8>>,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            max_body: 4 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            max_line: 10 * 1024 * 1024,
            max_batch: 100,
            max_listens: 1_000,
            stream_after: Duration::from_secs(2),
            keep_alive: Duration::from_secs(15),
            ask_timeout: Duration::from_secs(10 * 60),
            sessions: SessionLimits::default(),
            tasks: TaskLimits::default(),
            task_store: None,
            state_key: None,
        }
    }
}

/// Shared by all endpoints of a process.
pub struct Runtime {
    pub(crate) options: RuntimeOptions,
    pub(crate) sessions: Sessions,
    pub(crate) sealer: Sealer,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) shutdown: CancellationToken,
    pub(crate) cuts: Cuts,
    listens: AtomicUsize,
    next_endpoint: AtomicU64,
}

impl Runtime {
    /// Makes a runtime.
    ///
    /// # Errors
    /// No key was given and the operating system has no randomness for one.
    pub fn new(options: RuntimeOptions) -> Result<Arc<Self>, getrandom::Error> {
        let sealer = match &options.state_key {
            Some(key) => Sealer::with_key(key),
            None => Sealer::random()?,
        };
        let store = options.task_store.clone().unwrap_or_else(|| Arc::new(MemoryTasks::default()));
        Ok(Arc::new(Self {
            sessions: Sessions::new(options.sessions.clone()),
            sealer,
            tasks: Arc::new(Tasks::new(store, options.tasks.clone())),
            shutdown: CancellationToken::new(),
            cuts: Cuts::default(),
            listens: AtomicUsize::new(0),
            next_endpoint: AtomicU64::new(1),
            options,
        }))
    }

    /// Sessions that are open now.
    pub fn session_count(&self) -> usize {
        self.sessions.count()
    }

    /// Ends all long streams gracefully: subscriptions are completed, session streams end.
    pub fn shut_down(&self) {
        self.shutdown.cancel();
    }

    /// Ends the sessions and the open streams of a caller, by its id: it lost its access.
    pub fn cut_off(&self, principal: &str) {
        self.sessions.remove_principal(principal);
        self.cuts.cut(principal);
    }

    pub(crate) fn endpoint_number(&self) -> u64 {
        self.next_endpoint.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes one of the places for listening streams.
    pub(crate) fn enter_listen(self: &Arc<Self>) -> Option<ListenPlace> {
        let taken = self.listens.fetch_add(1, Ordering::Relaxed);
        let place = ListenPlace(self.clone());
        (taken < self.options.max_listens).then_some(place)
    }
}

/// One of the places for listening streams.
pub(crate) struct ListenPlace(Arc<Runtime>);

impl Drop for ListenPlace {
    fn drop(&mut self) {
        self.0.listens.fetch_sub(1, Ordering::Relaxed);
    }
}
