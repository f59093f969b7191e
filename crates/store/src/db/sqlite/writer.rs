//! Group commit: changes that wait for the disk at the same time share one transaction and one flush. Each has a savepoint
//! of its own, so one that is refused leaves nothing and does not disturb the others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::explain;
use super::watch::Watch;
use crate::Error;
use crate::db::Session;

/// Most changes of one transaction.
const GROUP_MAX: usize = 256;

/// A change that waits, without its type.
struct Work {
    attempted: &'static str,
    run: Box<dyn Fn(&Session<'_>) -> Ran + Send>,
    refuse: Box<dyn Fn(Error) + Send>,
}

/// What became of a change within a transaction.
enum Ran {
    /// It is to be kept; to be called once it is on the disk.
    Keep(Box<dyn FnOnce()>),
    /// It is to be undone; to be called then.
    Undo(Box<dyn FnOnce()>),
}

/// The thread that writes.
pub(super) struct Writer {
    queue: Option<Sender<Work>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection, watch: Arc<Watch>, commits: Arc<AtomicU64>) -> Result<Self, String> {
        let (queue, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || write(&connection, &watch, &waiting, &commits))
            .map_err(|error| format!("no thread can be started: {error}"))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub(super) fn change<T: Send + 'static>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered): (SyncSender<Result<T, Error>>, _) = sync_channel(1);
        let refusal = answer.clone();
        // Who asked waits for the answer below, so that sending it cannot fail for want of a listener that matters.
        let run = move |session: &Session<'_>| {
            let answer = answer.clone();
            match run(session) {
                Ok(value) => Ran::Keep(Box::new(move || drop(answer.try_send(Ok(value))))),
                Err(error) => Ran::Undo(Box::new(move || drop(answer.try_send(Err(error))))),
            }
        };
        let refuse = Box::new(move |error| drop(refusal.try_send(Err(error))));
        let gone = || Error::Failed { attempted, reason: "the writer has ended".to_owned() };
        let work = Work { attempted, run: Box::new(run), refuse };
        self.queue.as_ref().ok_or_else(gone)?.send(work).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends when nothing can be sent any more; then the file is closed.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn write(connection: &Connection, watch: &Watch, waiting: &Receiver<Work>, commits: &AtomicU64) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP_MAX - 1));
        // What is written into a file that is not at its path any more is lost.
        if let Some(became) = watch.became() {
            group.iter().for_each(|work| (work.refuse)(watch.gone(work.attempted, became)));
            continue;
        }
        if let Err(error) = together(connection, &group, commits) {
            // What one of them did keeps the others from the disk: each is tried alone and told its own reason.
            match &group[..] {
                [only] => (only.refuse)(explain(only.attempted, error)),
                _ => group.iter().for_each(|work| {
                    if let Err(error) = together(connection, std::slice::from_ref(work), commits) {
                        (work.refuse)(explain(work.attempted, error));
                    }
                }),
            }
        }
    }
}

/// One transaction over a group. An error means that nothing of it was kept and nobody was told.
fn together(connection: &Connection, group: &[Work], commits: &AtomicU64) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let told = run(connection, group).and_then(|told| connection.execute_batch("COMMIT").map(|()| told));
    match told {
        Ok(told) => {
            commits.fetch_add(1, Ordering::Relaxed);
            told.into_iter().for_each(|tell| tell());
            Ok(())
        }
        Err(error) => {
            // After some failures, a full disk among them, SQLite has rolled back by itself.
            if !connection.is_autocommit() {
                drop(connection.execute_batch("ROLLBACK"));
            }
            Err(error)
        }
    }
}

fn run(connection: &Connection, group: &[Work]) -> rusqlite::Result<Vec<Box<dyn FnOnce()>>> {
    let mut told = Vec::with_capacity(group.len());
    for work in group {
        connection.execute_batch("SAVEPOINT change")?;
        // A fault of ours in one change must not end the writing of all others.
        let ran = catch_unwind(AssertUnwindSafe(|| (work.run)(&Session::Sqlite(connection))));
        let ran = ran.unwrap_or_else(|_| {
            (work.refuse)(Error::Failed { attempted: work.attempted, reason: "the change panicked".to_owned() });
            Ran::Undo(Box::new(|| ()))
        });
        match ran {
            Ran::Keep(tell) => {
                connection.execute_batch("RELEASE change")?;
                told.push(tell);
            }
            Ran::Undo(tell) => {
                connection.execute_batch("ROLLBACK TO change; RELEASE change")?;
                told.push(tell);
            }
        }
    }
    Ok(told)
}
