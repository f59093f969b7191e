//! One connection: opened, made safe, and watched.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::guard::{self, Own, Role};
use super::url::{Location, Mode};
use super::watch::Watch;

/// Prepared statements kept by one connection.
const STATEMENTS_KEPT: usize = 128;
/// Longest text, blob or row that SQLite itself makes or reads, bytes. Twice the largest answer.
const VALUE_BYTES_MAX: i32 = 128 * 1024 * 1024;
/// Instructions of SQLite's virtual machine between two looks at the watch: some ten microseconds.
const STEPS_PER_LOOK: i32 = 1_000;

/// A connection and what its hooks listen to.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) connection: Connection,
    pub(super) role: Role,
    pub(super) watch: Watch,
    pub(super) own: Own,
}

/// Why a connection could not be opened.
#[derive(Debug)]
pub(super) enum OpenError {
    /// There is no such file.
    Missing(PathBuf),
    /// A folder has the name.
    Folder(PathBuf),
    /// The URL says `mode=ro`.
    ReadOnly,
    /// SQLite's own words.
    Engine(rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(error)
    }
}

impl Link {
    /// Opens a connection of a role.
    pub(super) fn open(location: &Location, memory_name: &str, role: Role) -> Result<Self, OpenError> {
        let connection = match location {
            Location::Memory { .. } => memory(memory_name)?,
            Location::File { path, mode, immutable } => file(path, *mode, *immutable, role)?,
        };
        Ok(Self::secure(connection, role)?)
    }

    fn secure(mut connection: Connection, role: Role) -> rusqlite::Result<Self> {
        // The database comes from somewhere: its schema may not call unsafe functions, and nobody
        // may damage its file through SQL.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        // A misspelled "column" is an error, not a text.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        connection.pragma_update(None, "foreign_keys", true)?;
        if role == Role::Read {
            connection.pragma_update(None, "query_only", true)?;
        }
        #[cfg(feature = "vector")]
        super::vectors::add(&connection)?;
        let (watch, own) = (Watch::default(), Own::default());
        let looking = watch.clone();
        connection.progress_handler(STEPS_PER_LOOK, Some(move || looking.stop().is_some()))?;
        let waiting = watch.clone();
        connection.busy_handler(Some(move |tries| waiting.wait_for_lock(tries)))?;
        connection.authorizer(Some(guard::authorizer(role, own.clone())))?;
        Ok(Self { connection, role, watch, own })
    }

    /// Runs one of the connector's own statements.
    pub(super) fn command(&self, text: &str) -> rusqlite::Result<()> {
        self.own.during(|| self.connection.prepare_cached(text)?.execute([]).map(drop))
    }
}

/// A database in memory that the connections of this process share by its name, with locks like a
/// file's (<https://sqlite.org/src/file/src/memdb.c>).
pub(super) fn memory(name: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:/{}?vfs=memdb", encode(name)), flags)
}

fn file(path: &Path, mode: Mode, immutable: bool, role: Role) -> Result<Connection, OpenError> {
    let exists = path.exists();
    if !exists && mode != Mode::Create {
        return Err(OpenError::Missing(path.to_owned()));
    }
    if path.is_dir() {
        return Err(OpenError::Folder(path.to_owned()));
    }
    if role == Role::Write && (mode == Mode::ReadOnly || immutable) {
        return Err(OpenError::ReadOnly);
    }
    let write = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let access = match (role, mode) {
        (Role::Read, _) if exists => OpenFlags::SQLITE_OPEN_READ_ONLY,
        (_, Mode::Create) => write | OpenFlags::SQLITE_OPEN_CREATE,
        _ => write,
    };
    let connection = open(path, immutable, access)?;
    if access != OpenFlags::SQLITE_OPEN_READ_ONLY {
        return Ok(connection);
    }
    // A file that a crash left with a journal can only be read after somebody who may write has
    // rolled it back.
    match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Err(rusqlite::Error::SqliteFailure(error, _))
            if matches!(error.code, ErrorCode::ReadOnly | ErrorCode::CannotOpen) && mode != Mode::ReadOnly =>
        {
            Ok(open(path, immutable, write)?)
        }
        // A lock is waited for later, when there is a deadline.
        Err(error)
            if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) =>
        {
            Ok(connection)
        }
        other => other.map(|()| connection).map_err(OpenError::Engine),
    }
}

fn open(path: &Path, immutable: bool, access: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if immutable {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let uri = format!("file://{}?immutable=1", encode(&path.to_string_lossy()));
        return Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI);
    }
    // The bundled library reads every name that begins with `file:` as a URI.
    if path.is_relative() {
        Connection::open_with_flags(Path::new(".").join(path), flags)
    } else {
        Connection::open_with_flags(path, flags)
    }
}

/// Percent-encodes what has a meaning in a `file:` URI.
fn encode(path: &str) -> String {
    path.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}
