//! Writing behind: calls and refusals go into the audit log in batches. Who puts them waits for nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use ::deploy::Call;
use serde_json::json;
use store::{AuditKind, AuditNote, Store};
use tokio::sync::{Notify, mpsc, oneshot};

use super::batch::{Batch, Part};
use crate::context::blocking;
use crate::{Context, Error};

/// Most entries of the log; the oldest go.
pub const ENTRIES_KEPT: usize = 1_000_000;
/// Notes that wait to be written, and calls beside them; more are counted, and the count is written.
const WAITING_MAX: usize = 10_000;
/// Most messages that are written together; one may hold many calls.
const BATCH_MAX: usize = 4_000;
/// How long entries gather before they are written: a transaction and its flush cost more than many entries.
const GATHERED: Duration = Duration::from_millis(100);
/// After how many entries is looked whether the log is too long.
const PRUNE_EVERY: usize = 20_000;

enum Message {
    Entry(Part),
    Written(oneshot::Sender<()>),
}

/// Takes entries without waiting.
#[derive(Debug)]
pub struct Recorder {
    sender: mpsc::Sender<Message>,
    lost: Arc<AtomicU64>,
    /// Calls that wait.
    calls: Arc<AtomicUsize>,
    /// Told when somebody waits for what gathers.
    hurry: Arc<Notify>,
}

impl Recorder {
    /// Begins to write. Ends when it is dropped.
    ///
    /// # Errors
    /// The catalogue cannot be opened.
    pub async fn start(context: &Context) -> Result<Arc<Self>, Error> {
        let store = context.shared_store().await?;
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        let (lost, calls, hurry) = <(Arc<AtomicU64>, Arc<AtomicUsize>, Arc<Notify>)>::default();
        let follower = Follower {
            store,
            receiver,
            lost: Arc::clone(&lost),
            calls: Arc::clone(&calls),
            hurry: Arc::clone(&hurry),
            since_pruned: PRUNE_EVERY,
        };
        tokio::spawn(follower.follow());
        Ok(Arc::new(Self { sender, lost, calls, hurry }))
    }

    /// Records something. When the disk is too slow it is counted as lost, and the count is recorded.
    pub fn put(&self, mut note: AuditNote) {
        note.time.get_or_insert_with(now);
        let waits = note.kind == AuditKind::Call;
        if self.sender.try_send(Message::Entry(Part::Note(note))).is_err() {
            self.lose(1);
        }
        // Calls are many. What else there is, another process may look for at once.
        if !waits {
            self.hurry.notify_one();
        }
    }

    /// Records calls, which become entries when they are written.
    pub fn put_calls(&self, calls: Vec<Call>) {
        let count = calls.len();
        let waiting = self.calls.fetch_add(count, Ordering::Relaxed);
        if waiting > WAITING_MAX || self.sender.try_send(Message::Entry(Part::Calls(calls))).is_err() {
            self.calls.fetch_sub(count, Ordering::Relaxed);
            self.lose(count as u64);
        }
    }

    /// Counts entries that were lost before they came here.
    pub fn lose(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// Waits until everything that was put before is written.
    pub async fn flush(&self) {
        let (told, written) = oneshot::channel();
        if self.sender.send(Message::Written(told)).await.is_ok() {
            self.hurry.notify_one();
            let _ = written.await;
        }
    }
}

/// Writes what comes.
struct Follower {
    store: Arc<Store>,
    receiver: mpsc::Receiver<Message>,
    lost: Arc<AtomicU64>,
    calls: Arc<AtomicUsize>,
    hurry: Arc<Notify>,
    /// Entries since the log was last bounded.
    since_pruned: usize,
}

impl Follower {
    async fn follow(mut self) {
        let mut messages = Vec::new();
        while self.receiver.recv_many(&mut messages, BATCH_MAX).await > 0 {
            self.gather(&mut messages).await;
            let (mut parts, mut waiting) = (Vec::new(), Vec::new());
            for message in messages.drain(..) {
                match message {
                    Message::Entry(part) => parts.push(part),
                    Message::Written(told) => waiting.push(told),
                }
            }
            self.write(parts).await;
            for told in waiting {
                let _ = told.send(());
            }
        }
    }

    /// Takes what comes right after the first entries with them, until somebody waits.
    async fn gather(&mut self, messages: &mut Vec<Message>) {
        if messages.iter().all(|message| matches!(message, Message::Entry(_))) {
            let _ = tokio::time::timeout(GATHERED, self.hurry.notified()).await;
            while messages.len() < BATCH_MAX
                && let Ok(message) = self.receiver.try_recv()
            {
                messages.push(message);
            }
        }
    }

    /// Writes entries, and how many were lost before them. Those that cannot be written are told as lost with the next ones
    /// that can.
    async fn write(&mut self, parts: Vec<Part>) {
        let mut batch = Batch(parts);
        let calls = batch.0.iter().map(|part| if let Part::Calls(calls) = part { calls.len() } else { 0 }).sum();
        self.calls.fetch_sub(calls, Ordering::Relaxed);
        let gone = self.lost.swap(0, Ordering::Relaxed);
        let entries = batch.entries();
        if gone > 0 {
            batch.0.push(Part::Note(lost_note(gone)));
        }
        if batch.0.is_empty() {
            return;
        }
        self.since_pruned += entries;
        let store = Arc::clone(&self.store);
        if let Err(error) = blocking(move || Ok(store.append_audit(batch)?)).await {
            let lacking = gone + entries as u64;
            tracing::error!(%error, lacking, "entries of the audit log could not be written");
            self.lost.fetch_add(lacking, Ordering::Relaxed);
        }
        if self.since_pruned > PRUNE_EVERY {
            self.prune().await;
            self.since_pruned = 0;
        }
    }

    /// Bounds the log. Nothing is lost when that fails; it is tried again.
    async fn prune(&self) {
        let store = Arc::clone(&self.store);
        if let Err(error) = blocking(move || Ok(store.prune_audit(ENTRIES_KEPT)?)).await {
            tracing::warn!(%error, "old entries of the audit log could not be removed");
        }
    }
}

fn lost_note(count: u64) -> AuditNote {
    AuditNote {
        kind: AuditKind::Note,
        time: Some(now()),
        operation: "audit.lost".into(),
        caller: "local".into(),
        owner: "local".into(),
        subject: "".into(),
        request: String::new(),
        outcome: "error".into(),
        details: json!({"entries": count}).to_string(),
    }
}

fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests;
