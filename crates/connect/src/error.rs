//! What can go wrong with a database, in words for the person or model that has to act.

use std::fmt;

/// A failed request to a database. Its `Display` says what was attempted and what went wrong; it
/// never holds a URL's credentials or a bound value.
#[derive(Clone, Debug)]
pub struct Error {
    /// Which kind of failure.
    pub kind: ErrorKind,
    /// Connection by name.
    pub connection: String,
    /// What was attempted: `connect`, `prepare`, `query`, `read the catalogue`.
    pub attempted: &'static str,
    /// The engine's own message, made safe for callers.
    pub message: String,
    /// The engine's own code, such as SQLSTATE `42703`.
    pub code: Option<String>,
    /// Byte offset in the statement's native text that the engine points at.
    pub position: Option<usize>,
    /// What to do.
    pub hint: Option<String>,
}

/// Which kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The URL cannot be used: scheme, syntax, a file that is not there.
    Config,
    /// The server cannot be reached, or refused the login.
    Unreachable,
    /// No connection was free in time, or another one kept the data locked.
    PoolTimeout,
    /// The statement is wrong: syntax, unknown table or column, types.
    Statement,
    /// A value does not fit its parameter: `"abc"` for an integer.
    Value,
    /// A constraint was violated.
    Constraint,
    /// The statement tried to write in a read-only tool, or permission is missing.
    Denied,
    /// The statement ran too long and was cancelled at the server.
    Timeout,
    /// The caller went away; the statement was cancelled at the server.
    Cancelled,
    /// A limit was passed (rows, bytes).
    Limit,
    /// The connection broke, a deadlock, a serialization failure: trying again may help.
    Transient,
    /// Anything else.
    Other,
}

impl Error {
    /// A failure in the connector's own words. An empty hint is none.
    pub(crate) fn of(
        kind: ErrorKind,
        connection: &str,
        attempted: &'static str,
        message: impl Into<String>,
        hint: &str,
    ) -> Self {
        let hint = (!hint.is_empty()).then(|| hint.to_owned());
        let (connection, message) = (connection.to_owned(), message.into());
        Self { kind, connection, attempted, message, code: None, position: None, hint }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} on connection `{}`: {}", self.attempted, self.connection, self.message)?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
