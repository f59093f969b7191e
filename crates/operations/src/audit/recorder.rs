//! Writing behind: calls and refusals go into the audit log in batches. Who puts them waits for nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use store::{AuditKind, AuditNote, Store};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::context::blocking;
use crate::{Context, Error};

/// Most entries of the log; the oldest go.
pub const ENTRIES_KEPT: usize = 1_000_000;
/// Entries that wait to be written; more are counted, and the count is written.
const WAITING_MAX: usize = 10_000;
/// Most entries of one transaction.
const BATCH_MAX: usize = 4_000;
/// How long entries gather before they are written: a transaction and its flush cost more than many entries.
const GATHERED: Duration = Duration::from_millis(100);
/// After how many entries is looked whether the log is too long.
const PRUNE_EVERY: usize = 20_000;

enum Message {
    Note(AuditNote),
    Written(oneshot::Sender<()>),
}

/// Takes entries without waiting.
#[derive(Debug)]
pub struct Recorder {
    sender: mpsc::Sender<Message>,
    lost: Arc<AtomicU64>,
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
        let (lost, hurry) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        tokio::spawn(write(store, receiver, Arc::clone(&lost), Arc::clone(&hurry)));
        Ok(Arc::new(Self { sender, lost, hurry }))
    }

    /// Records something. When the disk is too slow it is counted as lost, and the count is recorded.
    pub fn put(&self, mut note: AuditNote) {
        note.time.get_or_insert_with(now);
        let waits = note.kind == AuditKind::Call;
        if self.sender.try_send(Message::Note(note)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        // Calls are many. What else there is, another process may look for at once.
        if !waits {
            self.hurry.notify_one();
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

async fn write(store: Arc<Store>, mut receiver: mpsc::Receiver<Message>, lost: Arc<AtomicU64>, hurry: Arc<Notify>) {
    let (mut messages, mut since_pruned) = (Vec::new(), PRUNE_EVERY);
    while receiver.recv_many(&mut messages, BATCH_MAX).await > 0 {
        gather(&mut receiver, &mut messages, &hurry).await;
        let (mut notes, mut waiting) = (Vec::new(), Vec::new());
        for message in messages.drain(..) {
            match message {
                Message::Note(note) => notes.push(note),
                Message::Written(told) => waiting.push(told),
            }
        }
        let gone = lost.swap(0, Ordering::Relaxed);
        if gone > 0 {
            notes.push(lost_note(gone));
        }
        if !notes.is_empty() {
            since_pruned += notes.len();
            let lacking = append(&store, notes, gone).await;
            lost.fetch_add(lacking, Ordering::Relaxed);
        }
        if since_pruned > PRUNE_EVERY {
            prune(&store).await;
            since_pruned = 0;
        }
        for told in waiting {
            let _ = told.send(());
        }
    }
}

/// Takes what comes right after the first entries with them, until somebody waits.
async fn gather(receiver: &mut mpsc::Receiver<Message>, messages: &mut Vec<Message>, hurry: &Notify) {
    if messages.iter().all(|message| matches!(message, Message::Note(_))) {
        let _ = tokio::time::timeout(GATHERED, hurry.notified()).await;
        while messages.len() < BATCH_MAX
            && let Ok(message) = receiver.try_recv()
        {
            messages.push(message);
        }
    }
}

/// Writes entries, the last of which tells of those that are `gone` already. How many are to be told as lost with the next
/// entry that can be written: none, or all of them.
async fn append(store: &Arc<Store>, notes: Vec<AuditNote>, gone: u64) -> u64 {
    // The note about those that are gone is none of them.
    let lacking = gone + notes.len() as u64 - u64::from(gone > 0);
    let store = Arc::clone(store);
    match blocking(move || Ok(store.append_audit(notes)?)).await {
        Ok(()) => 0,
        Err(error) => {
            tracing::error!(%error, lacking, "entries of the audit log could not be written");
            lacking
        }
    }
}

/// Bounds the log. Nothing is lost when that fails; it is tried again.
async fn prune(store: &Arc<Store>) {
    let store = Arc::clone(store);
    if let Err(error) = blocking(move || Ok(store.prune_audit(ENTRIES_KEPT)?)).await {
        tracing::warn!(%error, "old entries of the audit log could not be removed");
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
