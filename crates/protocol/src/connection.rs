//! A two-way connection that carries messages in both directions: stdio, or a legacy SSE pair.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::session::{Running, Session};

/// Messages that wait to be written.
pub(crate) const OUTBOX: usize = 256;

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    /// Messages to be written, each one JSON text.
    pub(crate) out: mpsc::Sender<Bytes>,
    /// Ends with the connection.
    pub(crate) closed: CancellationToken,
    /// Requests of stateless revisions that are running.
    pub(crate) running: Running,
    /// The session that `initialize` opened.
    session: Mutex<Option<Arc<Session>>>,
}

impl Connection {
    pub(crate) fn new() -> (Arc<Self>, mpsc::Receiver<Bytes>) {
        let (out, outbox) = mpsc::channel(OUTBOX);
        let connection =
            Self { out, closed: CancellationToken::new(), running: Running::default(), session: Mutex::default() };
        (Arc::new(connection), outbox)
    }

    pub(crate) fn session(&self) -> Option<Arc<Session>> {
        self.session.lock().clone()
    }

    /// Opens a session, ending the one before.
    pub(crate) fn set_session(&self, session: Arc<Session>) {
        let before = self.session.lock().replace(session);
        if let Some(before) = before {
            before.close();
        }
    }

    /// Cancels a running request of either era.
    pub(crate) fn cancel(&self, id: &str) {
        self.running.cancel(id);
        if let Some(session) = self.session() {
            session.running.cancel(id);
        }
    }

    /// Ends everything that runs for the connection.
    pub(crate) fn close(&self) {
        self.closed.cancel();
        self.running.cancel_all();
        let session = self.session.lock().take();
        if let Some(session) = session {
            session.close();
        }
    }
}
