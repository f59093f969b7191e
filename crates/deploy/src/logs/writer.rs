//! Writing behind: whoever puts a call waits for nothing, and calls gather until they are written together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use super::{Call, Logs};
use crate::usage::{Ended, Key, Usage};

/// Entries that wait to be written; more are counted and not kept.
const WAITING_MAX: usize = 10_000;
/// How long entries gather before they are written: a write costs more than an entry.
const GATHERED: Duration = Duration::from_millis(50);

/// Is handed entries after they were written, with how many were lost before them.
pub type Sink = Arc<dyn Fn(Vec<Call>, u64) + Send + Sync>;

/// A call that has just ended.
#[derive(Clone, Debug)]
pub struct Done<'a> {
    /// The server.
    pub server: &'a Arc<str>,
    /// The version that answered.
    pub version: &'a Arc<str>,
    /// The tool.
    pub tool: &'a str,
    /// Who called; nobody knows who when absent.
    pub caller: Option<&'a Arc<str>>,
    /// Whether it failed.
    pub is_error: bool,
    /// How long it took, microseconds.
    pub micros: u64,
    /// Size of the arguments, bytes.
    pub bytes_in: u64,
    /// Size of the answer, bytes.
    pub bytes: u64,
    /// What the failure says, with secrets masked.
    pub message: Option<Box<str>>,
}

/// Takes entries without waiting.
#[derive(Clone, Debug)]
pub struct Writer(Arc<Held>);

/// What all writers hold together; the last one ends the writing.
#[derive(Debug)]
struct Held {
    waiting: Arc<Waiting>,
    last: AtomicU64,
    usage: Usage,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: Mutex<Queue>,
    /// Told of the first entry that waits, and of whoever waits for all of them.
    told: Notify,
    lost: AtomicU64,
}

/// What waits. Entries lie side by side and point only to names that are shared: memory that is taken here and freed by
/// another thread later would be cold for everything else that is taken meanwhile.
#[derive(Debug, Default)]
struct Queue {
    calls: Vec<Call>,
    asked: Vec<oneshot::Sender<()>>,
    ended: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.waiting.queue.lock().ended = true;
        self.waiting.told.notify_one();
    }
}

impl Writer {
    pub(super) fn start(logs: Logs, sink: Option<Sink>) -> Self {
        let waiting = Arc::<Waiting>::default();
        tokio::spawn(follow(logs, Arc::clone(&waiting), sink));
        Self(Arc::new(Held { waiting, last: AtomicU64::new(0), usage: Usage::default() }))
    }

    /// Counts a call and keeps its entry, whose id is given here. When the disk is too slow the entry is counted as lost;
    /// the call is counted all the same.
    pub fn put(&self, done: Done<'_>) {
        let caller = done.caller.map_or(&**Call::anybody(), |caller| caller);
        let key = Key { server: done.server, version: done.version, tool: done.tool, caller };
        let counted =
            Ended { is_error: done.is_error, micros: done.micros, bytes_in: done.bytes_in, bytes_out: done.bytes };
        let tool = self.0.usage.add(key, counted);
        let micros = u64::try_from(chrono::Utc::now().timestamp_micros()).unwrap_or_default();
        let before = self.0.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(micros.max(last + 1)));
        let call = Call {
            id: micros.max(before.unwrap_or_default() + 1),
            server: Arc::clone(done.server),
            version: Arc::clone(done.version),
            tool,
            caller: done.caller.map(Arc::clone),
            is_error: done.is_error,
            micros: done.micros,
            bytes_in: done.bytes_in,
            bytes: done.bytes,
            message: done.message,
        };
        let waiting = &self.0.waiting;
        let mut queue = waiting.queue.lock();
        if queue.calls.len() >= WAITING_MAX {
            waiting.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let is_first = queue.calls.is_empty();
        queue.calls.push(call);
        drop(queue);
        if is_first {
            waiting.told.notify_one();
        }
    }

    /// What was called since it was last taken.
    pub fn usage(&self) -> &Usage {
        &self.0.usage
    }

    /// Waits until everything that was put before is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        self.0.waiting.queue.lock().asked.push(done);
        self.0.waiting.told.notify_one();
        let _ = written.await;
    }

    /// Entries that were not kept.
    pub fn lost(&self) -> u64 {
        self.0.waiting.lost.load(Ordering::Relaxed)
    }
}

async fn follow(logs: Logs, waiting: Arc<Waiting>, sink: Option<Sink>) {
    let mut told = 0;
    loop {
        waiting.told.notified().await;
        let is_hurried = |queue: &Queue| queue.ended || !queue.asked.is_empty();
        if !is_hurried(&waiting.queue.lock()) {
            // Whatever comes first: the time, or somebody who waits.
            let _ = timeout(GATHERED, waiting.told.notified()).await;
        }
        let (calls, asked, ended) = {
            let mut queue = waiting.queue.lock();
            (std::mem::take(&mut queue.calls), std::mem::take(&mut queue.asked), queue.ended)
        };
        if !calls.is_empty() {
            let gone = waiting.lost.load(Ordering::Relaxed);
            let since = gone - std::mem::replace(&mut told, gone);
            write(&logs, calls, since, sink.clone()).await;
        }
        for done in asked {
            let _ = done.send(());
        }
        if ended {
            return;
        }
    }
}

async fn write(logs: &Logs, calls: Vec<Call>, lost: u64, sink: Option<Sink>) {
    let logs = logs.clone();
    let written = tokio::task::spawn_blocking(move || {
        let written = logs.write(&calls);
        if let Some(sink) = sink {
            sink(calls, lost);
        }
        written
    });
    match written.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "calls could not be written to the log"),
        Err(error) => tracing::error!(%error, "calls could not be written to the log"),
    }
}
