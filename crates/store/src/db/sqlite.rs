//! One SQLite file in WAL mode. Readers have connections of their own and wait for nobody; changes go through one
//! writer, which puts what waits together into one transaction, so that many acknowledged changes cost one flush.

mod watch;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rusqlite::{Connection, OpenFlags};

use super::{Attempted as _, Fault, Session};
use crate::{Error, migrations};
use watch::Watch;
use writer::Writer;

/// How long a request waits for other processes.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long until the settings of a connection are tried again.
const SETTLE_AGAIN: Duration = Duration::from_millis(5);
/// Connections kept for readers; more are opened while more read at once.
const READERS_KEPT: usize = 4;
/// Prepared statements kept with each connection.
const STATEMENTS_KEPT: usize = 64;

/// An open file.
pub(crate) struct Sqlite {
    path: PathBuf,
    watch: Arc<Watch>,
    readers: Mutex<Vec<Connection>>,
    /// Started with the first change: most processes only read.
    writer: RwLock<Option<Writer>>,
    commits: Arc<AtomicU64>,
}

impl Sqlite {
    /// Opens the file, makes it when it is absent, and brings it to the newest format.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_CREATE).map_err(|error| Error::Open {
            path: path.to_owned(),
            reason: match error.sqlite_error_code() {
                Some(rusqlite::ErrorCode::NotADatabase) => "the file is not an SQLite database".to_owned(),
                _ => error.to_string(),
            },
        })?;
        migrations::bring_file(&mut connection, path)?;
        Ok(Self {
            path: path.to_owned(),
            watch: Arc::new(Watch::new(path)),
            readers: Mutex::new(vec![connection]),
            writer: RwLock::default(),
            commits: Arc::default(),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub(super) fn read<T>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.watch.glance(attempted)?;
        // Taken out of the lock first: a reader never waits for another one.
        let kept = self.readers.lock().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.another(attempted)?,
        };
        let found = run(&Session::Sqlite(&connection));
        let mut readers = self.readers.lock();
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        found
    }

    pub(super) fn change<T: Send + 'static>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if let Some(writer) = &*self.writer.read() {
            return writer.change(attempted, run);
        }
        let mut slot = self.writer.write();
        if slot.is_none() {
            let connection = self.another(attempted)?;
            *slot = Some(
                Writer::start(connection, Arc::clone(&self.watch), Arc::clone(&self.commits))
                    .map_err(|reason| Error::Failed { attempted, reason })?,
            );
        }
        drop(slot);
        match &*self.writer.read() {
            Some(writer) => writer.change(attempted, run),
            None => Err(Error::Failed { attempted, reason: "the writer has ended".to_owned() }),
        }
    }

    /// Whether the file is still the one that was opened.
    pub(super) fn look(&self, attempted: &'static str) -> Result<(), Error> {
        self.watch.look(attempted)
    }

    /// One more connection to the file that was opened, and to no other one.
    fn another(&self, attempted: &'static str) -> Result<Connection, Error> {
        self.watch.look(attempted)?;
        let connection = connect(&self.path, OpenFlags::empty()).attempted(attempted)?;
        self.watch.look(attempted)?;
        Ok(connection)
    }

    /// Runs SQLite's integrity and foreign key checks over the whole file.
    pub(super) fn problems(&self) -> Result<Vec<String>, Error> {
        const WHAT: &str = "check the catalogue";
        self.read(WHAT, |session| {
            let texts = |sql: &str| session.rows(sql, &[], |row| row.get::<String>(0)).attempted(WHAT);
            let mut problems = texts("PRAGMA integrity_check(20)")?;
            problems.retain(|line| line != "ok");
            let orphans = texts("SELECT \"table\" FROM pragma_foreign_key_check LIMIT 20")?;
            problems.extend(orphans.into_iter().map(|table| format!("a row of `{table}` refers to nothing")));
            Ok(problems)
        })
    }
}

/// A connection with the settings that the promises of this crate rest on.
fn connect(path: &Path, more: OpenFlags) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    settle(&connection)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(connection)
}

/// Sets what holds for a connection. On the way to a write-ahead log SQLite does not wait for another process that makes the same
/// file at the same time, so this does.
fn settle(connection: &Connection) -> Result<(), rusqlite::Error> {
    let begun = std::time::Instant::now();
    loop {
        let set = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON";
        match connection.execute_batch(set) {
            Err(rusqlite::Error::SqliteFailure(error, _))
                if error.code == rusqlite::ErrorCode::DatabaseBusy && begun.elapsed() < BUSY_TIMEOUT =>
            {
                std::thread::park_timeout(SETTLE_AGAIN);
            }
            settled => return settled,
        }
    }
}

/// A refusal of SQLite with what was attempted.
fn explain(attempted: &'static str, error: rusqlite::Error) -> Error {
    Fault::Sqlite(error).explain(attempted)
}
