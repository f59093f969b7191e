//! Statements on one connection to PostgreSQL.

use std::borrow::Cow;
use std::cell::Cell;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use super::pool::Link;
use crate::db::{Fault, Param};

/// What went wrong with a connection or a transaction as a whole, whatever the room made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing.
    None,
    /// Another transaction came first.
    GaveWay,
    /// The connection is gone.
    Gone {
        /// Whether the server had been told to keep the change: then nobody knows whether it did.
        committing: bool,
    },
}

impl Trouble {
    pub(super) fn is_gone(self) -> bool {
        matches!(self, Self::Gone { .. })
    }
}

/// One connection in use.
pub(crate) struct Wire<'a> {
    link: &'a Link,
    trouble: Cell<Trouble>,
    committing: Cell<bool>,
}

impl<'a> Wire<'a> {
    pub(super) fn new(link: &'a Link) -> Self {
        Self { link, trouble: Cell::new(Trouble::None), committing: Cell::new(false) }
    }

    pub(super) fn trouble(&self) -> Trouble {
        self.trouble.get()
    }

    pub(super) fn commit(&self) -> Result<(), Fault> {
        self.committing.set(true);
        self.batch("COMMIT")
    }

    /// Runs statements without values.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), Fault> {
        self.noted(self.link.runtime.block_on(self.link.client.batch_execute(sql)))
    }

    pub(crate) fn execute(&self, sql: &str, params: &[Param<'_>]) -> Result<usize, Fault> {
        let statement = self.statement(sql)?;
        let values = values(params);
        let changed = self.noted(self.link.runtime.block_on(self.link.client.execute(&statement, &values)))?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    pub(crate) fn rows(&self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, Fault> {
        let statement = self.statement(sql)?;
        let values = values(params);
        self.noted(self.link.runtime.block_on(self.link.client.query(&statement, &values)))
    }

    fn statement(&self, sql: &str) -> Result<Statement, Fault> {
        if let Some(known) = self.link.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let made = self.noted(self.link.runtime.block_on(self.link.client.prepare(&numbered(sql))))?;
        self.link.statements.borrow_mut().insert(sql.to_owned(), made.clone());
        Ok(made)
    }

    fn noted<T>(&self, result: Result<T, tokio_postgres::Error>) -> Result<T, Fault> {
        result.map_err(|error| {
            let fault = Fault::from(error);
            if fault.is_gone() {
                self.trouble.set(Trouble::Gone { committing: self.committing.get() });
            } else if fault.gave_way() {
                self.trouble.set(Trouble::GaveWay);
            }
            fault
        })
    }
}

fn values<'a>(params: &'a [Param<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

/// `?1` as PostgreSQL writes it, `$1`. Texts of the store's statements hold no other question mark.
fn numbered(sql: &str) -> Cow<'_, str> {
    if sql.contains('?') { Cow::Owned(sql.replace('?', "$")) } else { Cow::Borrowed(sql) }
}
