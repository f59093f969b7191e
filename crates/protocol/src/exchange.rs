//! The way out of a running request: notifications and questions that it sends before its answer.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::session::Session;

/// Notifications that wait for a slow reader; more are dropped, oldest progress first being of no use to anybody.
const MAX_WAITING: usize = 256;

/// Something that a running request sends before its answer.
#[derive(Debug)]
pub(crate) enum Event {
    /// A complete JSON-RPC message.
    Message(Bytes),
    /// End the SSE stream; the client comes back for the rest after so many milliseconds.
    Disconnect { retry_ms: u64 },
}

/// Shared between the running request, its context and the transport.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    queue: Mutex<Queue>,
    /// Fires when nobody wants the answer any more.
    pub(crate) cancel: CancellationToken,
    /// The session, as soon as it is known.
    pub(crate) session: OnceLock<Arc<Session>>,
    /// The request goes on when the connection goes (session-based revisions).
    outlives: AtomicBool,
    /// The client takes SSE, so that notifications and questions can be sent.
    streams: AtomicBool,
    /// Where the request comes from.
    pub(crate) address: Option<IpAddr>,
}

#[derive(Debug, Default)]
struct Queue {
    events: VecDeque<Event>,
    dropped: u64,
    waker: Option<Waker>,
}

impl Exchange {
    pub(crate) fn new(streams: bool) -> Arc<Self> {
        Self::from(streams, None)
    }

    /// The same for a request from an address.
    pub(crate) fn from(streams: bool, address: Option<IpAddr>) -> Arc<Self> {
        Arc::new(Self { streams: AtomicBool::new(streams), address, ..Self::default() })
    }

    pub(crate) fn streams(&self) -> bool {
        self.streams.load(Ordering::Relaxed)
    }

    pub(crate) fn outlive_connection(&self) {
        self.outlives.store(true, Ordering::Relaxed);
    }

    pub(crate) fn outlives(&self) -> bool {
        self.outlives.load(Ordering::Relaxed)
    }

    /// Sends a notification; false when it was dropped because the reader is too slow or cannot receive any.
    pub(crate) fn notify(&self, message: Bytes) -> bool {
        if !self.streams() {
            return false;
        }
        self.push(Event::Message(message), MAX_WAITING)
    }

    /// Sends what must not be dropped.
    pub(crate) fn must_send(&self, event: Event) {
        self.push(event, usize::MAX);
    }

    fn push(&self, event: Event, limit: usize) -> bool {
        let waker = {
            let mut queue = self.queue.lock();
            if queue.events.len() >= limit {
                queue.dropped += 1;
                return false;
            }
            queue.events.push_back(event);
            queue.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The next event; registers the task to be woken by the next one.
    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Event> {
        let mut queue = self.queue.lock();
        if let Some(event) = queue.events.pop_front() {
            return Poll::Ready(event);
        }
        match &mut queue.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// The next event if there is one.
    pub(crate) fn try_next(&self) -> Option<Event> {
        self.queue.lock().events.pop_front()
    }
}
