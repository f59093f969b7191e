//! What PostgreSQL and the driver report, in our words.

use tokio_postgres::error::{DbError, ErrorPosition, SqlState};

use crate::{Error, ErrorKind};

/// Which connection, and what was attempted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) connection: &'a str,
    pub(super) attempted: &'static str,
}

/// Why work was stopped from our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The deadline passed.
    Late,
    /// The caller went away.
    Cancelled,
}

impl Place<'_> {
    pub(super) fn error(self, kind: ErrorKind, message: impl Into<String>, hint: &str) -> Error {
        Error::of(kind, self.connection, self.attempted, message, hint)
    }

    pub(super) fn stopped(self, stop: Stop) -> Error {
        match stop {
            Stop::Late => self.error(
                ErrorKind::Timeout,
                "it took too long and was cancelled at the server",
                "narrow the request, add an index, or raise `timeoutMs`",
            ),
            Stop::Cancelled => self.error(ErrorKind::Cancelled, "the caller cancelled it", ""),
        }
    }

    /// An error of the driver or the server. Details that hold values of rows stay with the server.
    pub(super) fn engine(self, error: &tokio_postgres::Error) -> Error {
        match error.as_db_error() {
            Some(refused) => self.refused(refused, None),
            None if error.is_closed() => self.broken("the server closed the connection"),
            None => self.broken(&chain(error)),
        }
    }

    /// An error about a statement, whose text tells where a position is.
    pub(super) fn statement(self, error: &tokio_postgres::Error, text: &str) -> Error {
        match error.as_db_error() {
            Some(refused) => self.refused(refused, Some(text)),
            None => self.engine(error),
        }
    }

    fn broken(self, message: &str) -> Error {
        if self.attempted == "connect" {
            let hint = "is the server running, and are host, port and TLS mode right?";
            return self.error(ErrorKind::Unreachable, message, hint);
        }
        self.error(ErrorKind::Transient, message, "try again")
    }

    fn refused(self, refused: &DbError, text: Option<&str>) -> Error {
        let code = refused.code();
        let kind = if is_outdated(refused) { ErrorKind::Transient } else { kind(code) };
        let mut message = refused.message().to_owned();
        if let Some(constraint) = refused.constraint() {
            message.push_str(&format!(" [constraint {constraint}]"));
        }
        let hint = refused.hint().map(str::to_owned).or_else(|| hint(code, kind).map(str::to_owned));
        Error {
            kind,
            connection: self.connection.to_owned(),
            attempted: self.attempted,
            message,
            code: Some(code.code().to_owned()),
            position: text.and_then(|text| position(refused, text)),
            hint,
        }
    }
}

/// Whether the tables changed under a prepared statement ("cached plan must not change result type"; the words depend on
/// the server's language). Nothing of it has run.
fn is_outdated(refused: &DbError) -> bool {
    *refused.code() == SqlState::FEATURE_NOT_SUPPORTED && refused.routine() == Some("RevalidateCachedQuery")
}

/// Whether the statement has to be prepared again: it is outdated, or the session lost it.
pub(super) fn wants_preparing(error: &Error) -> bool {
    match error.code.as_deref() {
        // 42P10: columns of a table that a wrapped statement names went away.
        Some("26000" | "42P10") => true,
        Some("0A000") => error.kind == ErrorKind::Transient,
        _ => false,
    }
}

/// Whether the server ended the session (administrator, crash) or the connection broke.
pub(super) fn is_broken(error: &Error) -> bool {
    let code = error.code.as_deref().unwrap_or("08000");
    error.kind == ErrorKind::Transient && (code.starts_with("08") || matches!(code, "57P01" | "57P02" | "57P03"))
}

/// PostgreSQL counts characters from 1; we count bytes from 0.
fn position(refused: &DbError, text: &str) -> Option<usize> {
    let Some(ErrorPosition::Original(character)) = refused.position() else { return None };
    let character = usize::try_from(*character).ok()?.checked_sub(1)?;
    text.char_indices().nth(character).map(|(at, _)| at)
}

/// The words of an error and of what caused it, without repeats.
fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = cause.source();
    }
    text
}

/// SQLSTATE (PostgreSQL manual, appendix A) to our kinds.
fn kind(code: &SqlState) -> ErrorKind {
    let text = code.code();
    match text {
        "57014" => return ErrorKind::Timeout,
        "25006" | "42501" | "25P03" => return ErrorKind::Denied,
        "42804" | "42883" | "42P18" => return ErrorKind::Statement,
        "3D000" | "28000" | "28P01" | "53300" | "57P03" => return ErrorKind::Unreachable,
        "40001" | "40P01" | "55P03" | "57P01" | "57P02" => return ErrorKind::Transient,
        "53400" | "54000" | "54001" => return ErrorKind::Limit,
        _ => {}
    }
    match text.get(..2) {
        Some("08") => ErrorKind::Transient,
        Some("22") => ErrorKind::Value,
        Some("23" | "44") => ErrorKind::Constraint,
        Some("0A" | "26" | "34" | "42") => ErrorKind::Statement,
        Some("25") => ErrorKind::Denied,
        Some("28") => ErrorKind::Unreachable,
        Some("53") => ErrorKind::Transient,
        _ => ErrorKind::Other,
    }
}

fn hint(code: &SqlState, kind: ErrorKind) -> Option<&'static str> {
    match code.code() {
        "57014" => Some("narrow the request, add an index, or raise `timeoutMs`"),
        "25006" => Some("the tool may only read; a tool that changes data says `write: true`"),
        "42501" => Some("grant the database user what the tool needs"),
        "42P01" => Some("check the table's name, and the connection's `schema`"),
        "28P01" | "28000" => Some("check user and password in the URL"),
        "3D000" => Some("check the database's name in the URL"),
        "53300" => Some("the server has no free connection; lower `pool.max`"),
        "42P18" => Some("write `CAST(:name AS type)` so that the type is known"),
        _ if kind == ErrorKind::Value => Some("send a value of the parameter's type"),
        _ => None,
    }
}
