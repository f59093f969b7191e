//! What a server remembers: values by key with versions and expiry, and timers. One SQLite file.
//!
//! What was acknowledged survives the end of the process, however it comes. After a loss of power the last moments may be
//! missing; what is there is whole. Several processes may share a file.

mod changes;
mod timers;
mod together;
mod values;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use tokio::sync::{Notify, Semaphore};

pub use changes::Change;
pub use timers::{Set as SetTimer, Timer, TimerPage};
pub use together::{Done, Step};
pub use values::{Entry, Only, Page};

/// How long a request waits for other processes.
const BUSY: Duration = Duration::from_secs(5);
/// Size of a page of the file, bytes.
const PAGE_BYTES: u64 = 4096;

/// Milliseconds since 1970.
pub type Moment = i64;

/// The clock of this machine.
pub fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Bounds of what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest key, and longest name of a timer, bytes.
    pub key_bytes: usize,
    /// Largest value, bytes of JSON.
    pub value_bytes: usize,
    /// Largest file, bytes.
    pub file_bytes: u64,
    /// Most timers that are set at once.
    pub timers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { key_bytes: 512, value_bytes: 1 << 20, file_bytes: 256 << 20, timers: 10_000 }
    }
}

/// Why nothing was remembered, or nothing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The value has another version than was asked for: this one, or none.
    Conflict(Option<i64>),
    /// A limit, in words.
    Limit(String),
    /// Another process holds the file.
    Busy,
    /// The file cannot be used.
    Broken(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Conflict(None) => f.write_str("there is no value of this key any more"),
            Self::Conflict(Some(version)) => write!(f, "the value was changed meanwhile; its version is {version}"),
            Self::Limit(what) => f.write_str(what),
            Self::Busy => f.write_str("another process holds the state of this server; try again"),
            Self::Broken(why) => write!(f, "the state of this server cannot be used: {why}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => {
                Self::Limit("the state of this server is full; delete what is not needed any more".to_owned())
            }
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// The memory of one server. Share it behind an `Arc`; its methods block for a moment.
#[derive(Debug)]
pub struct State {
    connection: Mutex<Connection>,
    limits: Limits,
    path: PathBuf,
    woken: Notify,
    changes: changes::Changes,
    elsewhere: changes::Elsewhere,
    /// Whose turn it is: see [`State::work`].
    turn: Arc<Semaphore>,
}

impl State {
    /// Opens a file; makes it and its folder when they are absent. Only this user can read them.
    ///
    /// # Errors
    /// It cannot be made, or is no such file.
    pub fn open(path: &Path, limits: Limits) -> Result<Self, Fault> {
        let broken = |error: std::io::Error| Fault::Broken(format!("{}: {error}", path.display()));
        if let Some(folder) = path.parent() {
            use std::os::unix::fs::DirBuilderExt as _;
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(broken)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let pages = i64::try_from(limits.file_bytes / PAGE_BYTES).unwrap_or(i64::MAX).max(16);
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL, expires INTEGER) WITHOUT ROWID;
             CREATE INDEX IF NOT EXISTS entries_expire ON entries (expires) WHERE expires IS NOT NULL;
             CREATE TABLE IF NOT EXISTS timers (name TEXT PRIMARY KEY, due INTEGER NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL,
                 made INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, held INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS counter (only INTEGER PRIMARY KEY CHECK (only = 1), last INTEGER NOT NULL);
             INSERT OR IGNORE INTO counter VALUES (1, 0);",
        )?;
        Ok(Self {
            connection: Mutex::new(connection),
            limits,
            path: path.to_owned(),
            woken: Notify::new(),
            changes: changes::Changes::default(),
            elsewhere: changes::Elsewhere::default(),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// Works with it on a thread that may block. One piece of work goes after the other, in order: the file takes one at a time
    /// anyhow, and a thread for each that waits would cost memory for as long as there are such. Nothing comes of work that panics.
    pub async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let state = Arc::clone(self);
        // It is never closed. Work that is begun is ended, whoever waits for it; the next one begins then.
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work(&state)
        });
        done.await.unwrap_or_else(|_| Err(Fault::Broken("its thread failed".to_owned())))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Ends when a timer was set in this process.
    pub async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Runs a change as one transaction.
    fn change<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut connection = self.connection.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }

    fn check_key(&self, key: &str) -> Result<(), Fault> {
        match key.len() {
            0 => Err(Fault::Limit("a key is not empty".to_owned())),
            len if len > self.limits.key_bytes => {
                Err(Fault::Limit(format!("the key has {len} bytes, and {} are the most", self.limits.key_bytes)))
            }
            _ => Ok(()),
        }
    }

    fn check_value(&self, value: &str) -> Result<(), Fault> {
        if value.len() <= self.limits.value_bytes {
            return Ok(());
        }
        let (len, most) = (value.len(), self.limits.value_bytes);
        Err(Fault::Limit(format!("the value has {len} bytes of JSON, and {most} are the most")))
    }
}

/// A number that was never given before.
fn next(connection: &Connection) -> Result<i64, Fault> {
    Ok(connection.query_row("UPDATE counter SET last = last + 1 RETURNING last", [], |row| row.get(0))?)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The least text that is greater than every text with this prefix; none when there is no such text.
fn behind(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests;
