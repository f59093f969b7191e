//! The databases behind the store: one SQLite file, or PostgreSQL. Rooms of the store write their SQL once, in the part of
//! the language that both have, with `?1` for values and whole numbers for truth values; only the tables of
//! `migrations/` are written for each.

mod cell;
mod fault;
mod param;
mod postgres;
mod session;
mod sqlite;

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

pub(crate) use cell::Row;
pub(crate) use fault::{Attempted, Fault};
pub(crate) use param::Param;
pub use postgres::Remote;
pub(crate) use postgres::{Postgres, SCHEMA};
pub(crate) use session::Session;
pub use sqlite::BUSY_TIMEOUT;

use crate::Error;
use crate::audit::{self, Pending};
use sqlite::Sqlite;

/// The values of a statement, in the order of its `?1`, `?2` and so on.
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::db::Param::from($value)),*] };
}
pub(crate) use params;

/// An open database, and on whose behalf it is changed. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Db {
    place: Arc<Place>,
    note: Option<Arc<Pending>>,
    /// Whether changes are taken back.
    tries: bool,
}

enum Place {
    /// One file.
    Sqlite(Sqlite),
    /// A server that several processes share.
    Postgres(Box<Postgres>),
}

impl Db {
    /// Opens the file, and makes it when it is absent.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Sqlite::open(path).map(|file| Self { place: Arc::new(Place::Sqlite(file)), note: None, tries: false })
    }

    /// Connects to PostgreSQL.
    pub(crate) fn connect(remote: Remote) -> Result<Self, Error> {
        let server = Box::new(Postgres::connect(remote)?);
        Ok(Self { place: Arc::new(Place::Postgres(server)), note: None, tries: false })
    }

    /// The same database, whose next change stores a note in the same transaction.
    pub(crate) fn with_note(&self, note: Arc<Pending>) -> Self {
        Self { place: Arc::clone(&self.place), note: Some(note), tries: self.tries }
    }

    /// The same database for what is changed on nobody's behalf.
    pub(crate) fn without_note(&self) -> Self {
        Self { place: Arc::clone(&self.place), note: None, tries: self.tries }
    }

    /// Names what the next change is about, for the note that is stored with it.
    pub(crate) fn about(&self, subject: &str) {
        if let Some(note) = &self.note {
            note.about(subject);
        }
    }

    /// The same database, whose changes give what they would, and are taken back.
    pub(crate) fn trying(&self) -> Self {
        Self { place: Arc::clone(&self.place), note: None, tries: true }
    }

    /// Where it is, for people. Holds no password.
    pub(crate) fn place(&self) -> String {
        match &*self.place {
            Place::Sqlite(sqlite) => sqlite.path().display().to_string(),
            Place::Postgres(postgres) => postgres.place().to_owned(),
        }
    }

    /// How many transactions were acknowledged.
    pub(crate) fn commits(&self) -> u64 {
        match &*self.place {
            Place::Sqlite(sqlite) => sqlite.commits(),
            Place::Postgres(postgres) => postgres.commits(),
        }
    }

    /// Runs statements that change nothing. Each sees what was acknowledged before it began.
    pub(crate) fn read<T>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match &*self.place {
            Place::Sqlite(sqlite) => sqlite.read(attempted, run),
            Place::Postgres(postgres) => postgres.read(attempted, run),
        }
    }

    /// Runs statements as one transaction that nothing else comes between. What it gives back was acknowledged by the
    /// database: it is on the disk. `run` may run more than once, so it has no effect but through the session.
    pub(crate) fn change<T: Send + 'static>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        if self.tries {
            return self.tried(attempted, run);
        }
        let Some(note) = self.note.as_ref().filter(|note| !note.is_kept()) else {
            return self.changed(attempted, run);
        };
        let told = Arc::clone(note);
        let changed = self.changed(attempted, move |session| {
            session.take_turn(audit::TABLE).attempted(attempted)?;
            let value = run(session)?;
            audit::append(session, &vec![told.note()], attempted)?;
            Ok(value)
        })?;
        note.keep();
        Ok(changed)
    }

    /// The same for what may come to nothing: `None` is taken back with everything that was done on its way, and no note tells
    /// of a change.
    pub(crate) fn change_some<T: Send + 'static>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<Option<T>, Error> + Send + 'static,
    ) -> Result<Option<T>, Error> {
        match self.change(attempted, move |session| run(session)?.ok_or(Error::Tried)) {
            Ok(value) => Ok(Some(value)),
            Err(Error::Tried) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same for what is done or not.
    pub(crate) fn change_if(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<bool, Error> + Send + 'static,
    ) -> Result<bool, Error> {
        Ok(self.change_some(attempted, move |session| Ok(run(session)?.then_some(())))?.is_some())
    }

    /// Runs a change to its end and has the database take it back, as it does with one that fails.
    fn tried<T: Send + 'static>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let value = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&value);
        let ended = self.changed(attempted, move |session| {
            *slot.lock() = Some(run(session)?);
            Err::<(), _>(Error::Tried)
        });
        match (ended, value.lock().take()) {
            (Err(Error::Tried), Some(value)) => Ok(value),
            (Err(error), _) => Err(error),
            (Ok(()), _) => Err(Error::Tried),
        }
    }

    fn changed<T: Send + 'static>(
        &self,
        attempted: &'static str,
        run: impl Fn(&Session<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        match &*self.place {
            Place::Sqlite(sqlite) => sqlite.change(attempted, run),
            Place::Postgres(postgres) => postgres.change(attempted, run),
        }
    }

    /// Whether what was opened is still where it was: what does not come back by itself is an error. A server that is away is
    /// none.
    pub(crate) fn look(&self, attempted: &'static str) -> Result<(), Error> {
        match &*self.place {
            Place::Sqlite(sqlite) => sqlite.look(attempted),
            Place::Postgres(_) => Ok(()),
        }
    }

    /// Keeps others from replacing everything, for as long as this database is open.
    pub(crate) fn attend(&self, attempted: &'static str) -> Result<(), Error> {
        match &*self.place {
            // Whoever holds the home folder is the only control plane there.
            Place::Sqlite(_) => Ok(()),
            Place::Postgres(postgres) => postgres.attend(attempted),
        }
    }

    /// What the database's own checks find wrong with it; empty when it is sound.
    pub(crate) fn problems(&self) -> Result<Vec<String>, Error> {
        match &*self.place {
            Place::Sqlite(sqlite) => sqlite.problems(),
            Place::Postgres(_) => Ok(Vec::new()),
        }
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Db").field(&self.place()).finish()
    }
}
