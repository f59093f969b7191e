//! Sessions of the revisions that are opened by `initialize`.

mod stream;
mod table;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub(crate) use stream::{Read, Stream};
pub use table::SessionLimits;
pub(crate) use table::Sessions;

use crate::clock;
use crate::context::{ClientInfo, Flags, LogLevel};
use crate::revision::Revision;

/// Resources that one session may watch.
pub const MAX_WATCHED: usize = 1_000;
/// Requests that one session or connection may have running at a time.
pub const MAX_RUNNING: usize = 256;
/// Streams with unread or replayable events that one session keeps.
const MAX_STREAMS: usize = 64;
/// Finished streams that one session keeps for clients that come back.
const MAX_FINISHED_STREAMS: usize = 8;

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    /// Unguessable; empty for a session that is its connection.
    pub(crate) id: Box<str>,
    pub(crate) endpoint: u64,
    pub(crate) revision: Revision,
    pub(crate) principal: Option<Arc<str>>,
    client: Option<Bytes>,
    flags: Flags,
    log_level: AtomicU8,
    created_ms: u64,
    used_ms: AtomicU64,
    next_ask: AtomicU64,
    /// Ends with the session.
    pub(crate) closed: CancellationToken,
    pub(crate) running: Running,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    asks: HashMap<u64, oneshot::Sender<Result<Bytes, Bytes>>>,
    watched: HashSet<Arc<str>>,
    streams: Vec<Arc<Stream>>,
    standalone: Option<Arc<Stream>>,
    next_stream: u32,
}

/// What opens a session.
pub(crate) struct Opening {
    pub(crate) id: Box<str>,
    pub(crate) endpoint: u64,
    pub(crate) revision: Revision,
    pub(crate) principal: Option<Arc<str>>,
    pub(crate) client: Option<Bytes>,
    pub(crate) flags: Flags,
}

impl Session {
    pub(crate) fn open(opening: Opening) -> Self {
        let Opening { id, endpoint, revision, principal, client, flags } = opening;
        let now = clock::uptime_ms();
        Self {
            id,
            endpoint,
            revision,
            principal,
            client,
            flags,
            log_level: AtomicU8::new(LogLevel::Debug as u8),
            created_ms: now,
            used_ms: AtomicU64::new(now),
            next_ask: AtomicU64::new(1),
            closed: CancellationToken::new(),
            running: Running::default(),
            state: Mutex::default(),
        }
    }

    pub(crate) fn flags(&self) -> Flags {
        self.flags
    }

    pub(crate) fn client_info(&self) -> Option<ClientInfo> {
        serde_json::from_slice(self.client.as_deref()?).ok()
    }

    pub(crate) fn log_level(&self) -> LogLevel {
        LogLevel::from_index(self.log_level.load(Ordering::Relaxed))
    }

    pub(crate) fn set_log_level(&self, level: LogLevel) {
        self.log_level.store(level as u8, Ordering::Relaxed);
    }

    pub(crate) fn touch(&self) {
        self.used_ms.store(clock::uptime_ms(), Ordering::Relaxed);
    }

    /// Registers a question to the client: its id, and where the answer arrives.
    pub(crate) fn expect_answer(&self) -> (u64, oneshot::Receiver<Result<Bytes, Bytes>>) {
        let id = self.next_ask.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        self.state.lock().asks.insert(id, sender);
        (id, receiver)
    }

    pub(crate) fn forget_ask(&self, id: u64) {
        self.state.lock().asks.remove(&id);
    }

    /// Hands on an answer of the client; answers that nobody waits for are ignored.
    pub(crate) fn answer(&self, id: &str, outcome: Result<Bytes, Bytes>) {
        let Ok(id) = id.trim_matches('"').parse::<u64>() else { return };
        let waiting = self.state.lock().asks.remove(&id);
        if let Some(sender) = waiting {
            let _ = sender.send(outcome);
        }
    }

    /// Watches a resource; false when there are too many.
    pub(crate) fn watch(&self, uri: &str) -> bool {
        let mut state = self.state.lock();
        if state.watched.len() >= MAX_WATCHED && !state.watched.contains(uri) {
            return false;
        }
        state.watched.insert(uri.into());
        true
    }

    pub(crate) fn unwatch(&self, uri: &str) {
        self.state.lock().watched.remove(uri);
    }

    pub(crate) fn watches(&self, uri: &str) -> bool {
        self.state.lock().watched.contains(uri)
    }

    /// A new stream for the answer of one request.
    pub(crate) fn new_stream(&self) -> Arc<Stream> {
        let mut state = self.state.lock();
        state.next_stream += 1;
        let stream = Arc::new(Stream::new(state.next_stream));
        state.streams.push(stream.clone());
        state.forget_old_streams();
        stream
    }

    /// The stream for messages that belong to no request, made when first wanted.
    pub(crate) fn standalone(&self) -> (Arc<Stream>, bool) {
        let mut state = self.state.lock();
        if let Some(stream) = &state.standalone {
            return (stream.clone(), false);
        }
        let stream = Arc::new(Stream::new(0));
        state.standalone = Some(stream.clone());
        (stream, true)
    }

    /// Finds a stream to which a client comes back.
    pub(crate) fn stream(&self, id: u32) -> Option<Arc<Stream>> {
        let state = self.state.lock();
        if id == 0 {
            return state.standalone.clone();
        }
        state.streams.iter().find(|stream| stream.id == id).cloned()
    }

    /// Ends everything that belongs to the session.
    pub(crate) fn close(&self) {
        self.closed.cancel();
        self.running.cancel_all();
        let mut state = self.state.lock();
        state.asks.clear();
        for stream in state.streams.drain(..) {
            stream.finish();
        }
        if let Some(stream) = state.standalone.take() {
            stream.finish();
        }
    }

    fn expired(&self, limits: &SessionLimits, now_ms: u64) -> bool {
        let idle = now_ms.saturating_sub(self.used_ms.load(Ordering::Relaxed));
        let age = now_ms.saturating_sub(self.created_ms);
        u128::from(idle) > limits.idle.as_millis() || u128::from(age) > limits.lifetime.as_millis()
    }
}

impl State {
    fn forget_old_streams(&mut self) {
        let mut finished = self.streams.iter().filter(|stream| stream.is_finished()).count();
        let mut total = self.streams.len();
        self.streams.retain(|stream| {
            let excess = (finished > MAX_FINISHED_STREAMS && stream.is_finished()) || total > MAX_STREAMS;
            if excess {
                finished -= usize::from(stream.is_finished());
                total -= 1;
            }
            !excess
        });
    }
}

/// Requests that are running, so that they can be cancelled by id.
#[derive(Debug, Default)]
pub(crate) struct Running(Mutex<HashMap<Box<str>, CancellationToken>>);

impl Running {
    /// Registers a request until the guard is dropped; `None` when too many run already.
    pub(crate) fn enter(&self, id: &str, cancel: &CancellationToken) -> Option<Entered<'_>> {
        let mut running = self.0.lock();
        if running.len() >= MAX_RUNNING {
            return None;
        }
        running.insert(id.into(), cancel.clone());
        Some(Entered { running: self, id: id.into() })
    }

    pub(crate) fn cancel(&self, id: &str) {
        let found = self.0.lock().get(id).cloned();
        if let Some(token) = found {
            token.cancel();
        }
    }

    pub(crate) fn cancel_all(&self) {
        let tokens: Vec<_> = self.0.lock().values().cloned().collect();
        for token in tokens {
            token.cancel();
        }
    }
}

/// A registered request.
pub(crate) struct Entered<'a> {
    running: &'a Running,
    id: Box<str>,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.running.0.lock().remove(&self.id);
    }
}
