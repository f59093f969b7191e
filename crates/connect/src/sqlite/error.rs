//! SQLite's errors in the words of [`crate::Error`].

use rusqlite::ErrorCode;
use rusqlite::ffi;

use super::connection::OpenError;
use super::watch::Stop;
use crate::{Error, ErrorKind};

/// Where an error happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) connection: &'a str,
    pub(super) attempted: &'static str,
}

impl Place<'_> {
    /// An error of the connector's own making.
    pub(super) fn error(self, kind: ErrorKind, message: impl Into<String>, hint: &str) -> Error {
        Error::of(kind, self.connection, self.attempted, message, hint)
    }

    /// The statement had to stop.
    pub(super) fn stopped(self, stop: Stop) -> Error {
        match stop {
            Stop::Timeout => self.error(
                ErrorKind::Timeout,
                "the statement passed its time limit and was interrupted",
                "ask for less (a filter, an index, a smaller page) or raise `timeoutMs`",
            ),
            Stop::Cancelled => {
                self.error(ErrorKind::Cancelled, "the call was cancelled and the statement interrupted", "")
            }
        }
    }

    /// A connection that could not be opened.
    pub(super) fn open(self, error: OpenError) -> Error {
        match error {
            OpenError::Missing(path) => self.error(
                ErrorKind::Config,
                format!("there is no file `{}`", path.display()),
                "check the path (it is relative to the working directory), or add `?mode=rwc` to the URL to create the file",
            ),
            OpenError::Folder(path) => self.error(
                ErrorKind::Config,
                format!("`{}` is a folder", path.display()),
                "name the database's file in the URL",
            ),
            OpenError::ReadOnly => self.error(
                ErrorKind::Denied,
                "the URL opens the database read-only",
                "remove `mode=ro` or `immutable=1` from the URL to let tools write",
            ),
            OpenError::Engine(error) => {
                let mut error = self.engine(&error, None);
                if error.kind == ErrorKind::Other {
                    error.kind = ErrorKind::Config;
                }
                error
            }
        }
    }

    /// An error of SQLite. `stop` says whether the statement had to stop just now.
    pub(super) fn engine(self, error: &rusqlite::Error, stop: Option<Stop>) -> Error {
        let (failure, message, position) = match error {
            rusqlite::Error::SqliteFailure(failure, message) => (failure, message.as_deref(), None),
            rusqlite::Error::SqlInputError { error, msg, offset, .. } => {
                (error, Some(msg.as_str()), usize::try_from(*offset).ok())
            }
            rusqlite::Error::MultipleStatement => {
                return self.error(
                    ErrorKind::Statement,
                    "the text has more than one statement",
                    "write one statement per entry",
                );
            }
            other => return self.error(ErrorKind::Other, other.to_string(), ""),
        };
        if failure.code == ErrorCode::OperationInterrupted {
            return self.stopped(stop.unwrap_or(Stop::Timeout));
        }
        let (kind, hint) = self.kind(failure.code, stop);
        let message = match message {
            Some(message) => message.to_owned(),
            None => failure.to_string(),
        };
        Error { code: Some(code(failure.extended_code)), position, ..self.error(kind, message, hint) }
    }

    fn kind(self, code: ErrorCode, stop: Option<Stop>) -> (ErrorKind, &'static str) {
        match code {
            ErrorCode::ConstraintViolation => (ErrorKind::Constraint, ""),
            ErrorCode::AuthorizationForStatementDenied => (
                ErrorKind::Denied,
                "a tool that reads may only read, and no tool may attach files, change settings or make transactions of its own",
            ),
            ErrorCode::ReadOnly => (ErrorKind::Denied, "the database or its file may not be written"),
            ErrorCode::DatabaseBusy if stop == Some(Stop::Cancelled) => (ErrorKind::Cancelled, ""),
            ErrorCode::DatabaseBusy if stop.is_some() => {
                (ErrorKind::PoolTimeout, "another connection kept the database locked until the time limit; try again")
            }
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SchemaChanged
            | ErrorCode::FileLockingProtocolFailed => (ErrorKind::Transient, "try again"),
            ErrorCode::TypeMismatch => (ErrorKind::Value, "the value does not fit the column"),
            ErrorCode::TooBig => (ErrorKind::Limit, "ask for less at once"),
            ErrorCode::CannotOpen | ErrorCode::NotADatabase | ErrorCode::PermissionDenied => {
                (ErrorKind::Config, "check the URL's path, the file and its permissions")
            }
            ErrorCode::ParameterOutOfRange => (ErrorKind::Statement, ""),
            // SQLITE_ERROR: a wrong text when it is compiled, a wrong value when it runs.
            ErrorCode::Unknown if self.attempted == "query" => (ErrorKind::Value, ""),
            ErrorCode::Unknown => (ErrorKind::Statement, ""),
            _ => (ErrorKind::Other, ""),
        }
    }
}

/// The name of a result code (<https://sqlite.org/rescode.html>), for the codes that people meet.
fn code(extended: i32) -> String {
    let known = match extended {
        ffi::SQLITE_CONSTRAINT_CHECK => "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_TRIGGER => "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CONSTRAINT_DATATYPE => "SQLITE_CONSTRAINT_DATATYPE",
        other => match other & 0xff {
            ffi::SQLITE_ERROR => "SQLITE_ERROR",
            ffi::SQLITE_PERM => "SQLITE_PERM",
            ffi::SQLITE_BUSY => "SQLITE_BUSY",
            ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
            ffi::SQLITE_READONLY => "SQLITE_READONLY",
            ffi::SQLITE_IOERR => "SQLITE_IOERR",
            ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
            ffi::SQLITE_FULL => "SQLITE_FULL",
            ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
            ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
            ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
            ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
            ffi::SQLITE_AUTH => "SQLITE_AUTH",
            ffi::SQLITE_NOTADB => "SQLITE_NOTADB",
            _ => return format!("SQLITE_{other}"),
        },
    };
    known.to_owned()
}
