//! What a database answers instead of rows.

use crate::Error;

/// A refusal of one statement, before it is known what was attempted with it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite's words.
    Sqlite(rusqlite::Error),
    /// PostgreSQL's words, or those of the connection to it.
    Postgres(tokio_postgres::Error),
    /// A value is not what its column promises.
    Shape(String),
    /// Somebody else needs the whole store.
    Held(&'static str),
}

impl Fault {
    /// Whether PostgreSQL gave way to another transaction: the same again may go through.
    pub(crate) fn gave_way(&self) -> bool {
        use tokio_postgres::error::SqlState;
        let Self::Postgres(error) = self else { return false };
        matches!(error.code(), Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
    }

    /// Whether the connection is gone, so that a new one may do better.
    pub(crate) fn is_gone(&self) -> bool {
        use tokio_postgres::error::SqlState;
        let Self::Postgres(error) = self else { return false };
        error.is_closed()
            || (error.as_db_error().is_none()
                && std::error::Error::source(error).is_some_and(|it| it.is::<std::io::Error>()))
            || matches!(
                error.code(),
                Some(&SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::CANNOT_CONNECT_NOW)
            )
    }

    /// Sorts it by who has to act.
    pub(crate) fn explain(&self, attempted: &'static str) -> Error {
        use rusqlite::ErrorCode;
        use tokio_postgres::error::SqlState;
        match self {
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy { attempted },
                Some(ErrorCode::DiskFull) => Error::Full { attempted },
                _ => Error::Failed { attempted, reason: error.to_string() },
            },
            Self::Postgres(error) => match error.code() {
                _ if self.is_gone() => Error::Away { attempted, reason: words(error) },
                Some(&SqlState::DISK_FULL) => Error::Full { attempted },
                Some(&SqlState::QUERY_CANCELED | &SqlState::LOCK_NOT_AVAILABLE) => Error::Busy { attempted },
                _ if self.gave_way() => Error::Busy { attempted },
                Some(&SqlState::CHARACTER_NOT_IN_REPERTOIRE | &SqlState::UNTRANSLATABLE_CHARACTER) => {
                    Error::Unkeepable { attempted }
                }
                _ => Error::Failed { attempted, reason: words(error) },
            },
            Self::Shape(reason) => Error::Failed { attempted, reason: reason.clone() },
            Self::Held(why) => Error::Held { attempted, why },
        }
    }
}

/// What PostgreSQL said, or why it could not say anything.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(cause)) => cause.to_string(),
        (None, None) => error.to_string(),
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

/// Adds what was attempted to a refusal.
pub(crate) trait Attempted<T> {
    /// Adds what was attempted.
    fn attempted(self, what: &'static str) -> Result<T, Error>;
}

impl<T, F: Into<Fault>> Attempted<T> for Result<T, F> {
    fn attempted(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|fault| fault.into().explain(what))
    }
}
