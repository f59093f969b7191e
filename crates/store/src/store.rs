//! The open catalogue.

mod read;
mod write;

use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Attempted as _, Error};
use crate::migrations;
use crate::model::Check;

/// Name of the file in the home folder.
pub const FILE_NAME: &str = "catalogue.db";
/// How long a request waits for other processes.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Most entries of one page of a list.
pub const PAGE_SIZE_MAX: usize = 1_000;

/// The catalogue of one home folder. Share it behind an `Arc`; requests take turns on one
/// connection, and each is short.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the catalogue in `home`, and makes the folder and the file when they are absent.
    pub fn open(home: &Path) -> Result<Self, Error> {
        let path = home.join(FILE_NAME);
        let refuse = |reason: String| Error::Open { path: path.clone(), reason };
        make_private_folder(home).map_err(|error| refuse(error.to_string()))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags).map_err(|error| refuse(error.to_string()))?;
        configure(&connection).map_err(|error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => refuse("the file is not an SQLite database".to_owned()),
            _ => refuse(error.to_string()),
        })?;
        match migrations::format(&connection)? {
            migrations::NEWEST => {}
            found if found > migrations::NEWEST => {
                return Err(Error::TooNew { path, found, known: migrations::NEWEST });
            }
            _ => migrations::migrate(&mut connection, &now())?,
        }
        Ok(Self { path, connection: Mutex::new(connection) })
    }

    /// Whether `home` holds a catalogue. Nothing is opened or made. Where it cannot be seen whether
    /// it does, the answer is yes, so that opening it says what is wrong.
    pub fn exists(home: &Path) -> bool {
        home.join(FILE_NAME).try_exists().unwrap_or(true)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs SQLite's integrity and foreign key checks over the whole file.
    pub fn check(&self) -> Result<Check, Error> {
        const WHAT: &str = "check the catalogue";
        let connection = self.connection.lock();
        let mut problems = texts(&connection, "PRAGMA integrity_check(20)").attempted(WHAT)?;
        problems.retain(|line| line != "ok");
        let orphans = texts(&connection, "SELECT \"table\" FROM pragma_foreign_key_check LIMIT 20").attempted(WHAT)?;
        problems.extend(orphans.into_iter().map(|table| format!("a row of `{table}` refers to nothing")));
        let servers =
            connection.query_row("SELECT count(*) FROM servers", [], |row| row.get::<_, i64>(0)).attempted(WHAT)?;
        let format = migrations::format(&connection)?;
        Ok(Check { format, servers: usize::try_from(servers).unwrap_or_default(), problems })
    }
}

/// The settings that the promises of this crate rest on.
fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// The home folder holds specs and plans of its owner: nobody else reads it.
fn make_private_folder(home: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(home)
}

fn texts(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.collect()
}

/// This moment, RFC 3339 in UTC with milliseconds.
fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
