//! A connection, or a transaction on it, that rooms of the store give statements to.

use super::postgres::{PRESENCE, Wire};
use super::{Attempted as _, Fault, Param, Row, params};
use crate::Error;

/// Where statements go.
pub(crate) enum Session<'a> {
    /// SQLite.
    Sqlite(&'a rusqlite::Connection),
    /// PostgreSQL.
    Postgres(&'a Wire<'a>),
}

impl Session<'_> {
    /// Runs a statement that gives no rows. Gives how many rows it changed.
    pub(crate) fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, Fault> {
        match self {
            Self::Sqlite(connection) => {
                Ok(connection.prepare_cached(sql)?.execute(rusqlite::params_from_iter(params))?)
            }
            Self::Postgres(wire) => wire.execute(sql, params),
        }
    }

    /// Has other transactions that change this table wait until this one ends. To be called before anything is read: what this
    /// transaction sees is then what the one before it left.
    pub(crate) fn take_turn(&self, table: &'static str) -> Result<(), Fault> {
        match self {
            // The writer of a file is alone.
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(wire) => wire.batch(&format!("LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")),
        }
    }

    /// Runs several statements without values.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), Fault> {
        match self {
            Self::Sqlite(connection) => Ok(connection.execute_batch(sql)?),
            Self::Postgres(wire) => wire.batch(sql),
        }
    }

    /// All rows of an answer.
    pub(crate) fn rows<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(rusqlite::params_from_iter(params))?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    found.push(read(&Row::Sqlite(row))?);
                }
                Ok(found)
            }
            Self::Postgres(wire) => wire.rows(sql, params)?.iter().map(|row| read(&Row::Postgres(row))).collect(),
        }
    }

    /// The first row of an answer.
    pub(crate) fn row<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.rows(sql, params, read)?.into_iter().next())
    }

    /// Runs statements that read, all of which see the same moment.
    pub(crate) fn at_one_moment<T>(
        &self,
        attempted: &'static str,
        run: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let begin = match self {
            Self::Sqlite(_) => "BEGIN",
            Self::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.batch(begin).attempted(attempted)?;
        let value = run();
        let ended = self.batch("COMMIT").attempted(attempted);
        value.and_then(|value| ended.map(|()| value))
    }

    /// Refuses a transaction while control planes are there, and keeps them out until it ends.
    pub(crate) fn be_alone(&self, attempted: &'static str) -> Result<(), Error> {
        // Whoever holds the home folder of a file is the only one there.
        let Self::Postgres(_) = self else { return Ok(()) };
        let sql = "SELECT CAST(pg_try_advisory_xact_lock(?1)::int AS BIGINT)";
        let held = self.row(sql, params![PRESENCE], |row| row.get::<i64>(0)).attempted(attempted)?;
        match held {
            Some(1) => Ok(()),
            _ => Err(Fault::Held("a control plane uses this database").explain(attempted)),
        }
    }
}
