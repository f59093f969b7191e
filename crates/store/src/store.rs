//! The open catalogue.

mod audit;
mod deployments;
mod dump;
mod import;
mod jobs;
mod read;
mod registry;
mod replies;
mod usage;
mod write;

use std::path::Path;

use crate::db::{Attempted as _, Db, Remote};
use crate::error::Error;
use crate::migrations;
use crate::model::Check;

pub use crate::db::BUSY_TIMEOUT;
pub use audit::AUDIT_PAGE_MAX;
pub use dump::{DUMP_FORMAT, Dumped, check_dump};
pub use read::cursor_after;
pub use replies::REPLY_KEPT_HOURS;
pub use usage::{DAYS_KEPT, HOURS_KEPT, USAGE_PAGE};

/// Name of the file in the home folder.
pub const FILE_NAME: &str = "catalogue.db";
/// Most entries of one page of a list.
pub const PAGE_SIZE_MAX: usize = 1_000;

/// The catalogue. Share it behind an `Arc`. Readers do not wait for each other, nor for who changes something.
#[derive(Debug)]
pub struct Store {
    pub(crate) db: Db,
}

impl Store {
    /// Opens the catalogue in `home`, and makes the folder and the file when they are absent.
    pub fn open(home: &Path) -> Result<Self, Error> {
        let path = home.join(FILE_NAME);
        make_private_folder(home).map_err(|error| Error::Open { path: path.clone(), reason: error.to_string() })?;
        Ok(Self { db: Db::open(&path)? })
    }

    /// Uses the catalogue on a PostgreSQL server, where several processes share it, and makes its tables when they
    /// are absent.
    pub fn connect(remote: Remote) -> Result<Self, Error> {
        Ok(Self { db: Db::connect(remote)? })
    }

    /// Whether `home` holds a catalogue. Nothing is opened or made. Where it cannot be seen whether
    /// it does, the answer is yes, so that opening it says what is wrong.
    pub fn exists(home: &Path) -> bool {
        home.join(FILE_NAME).try_exists().unwrap_or(true)
    }

    /// Where it is, for people: the file, or host and database.
    pub fn place(&self) -> String {
        self.db.place()
    }

    /// Looks whether the file of the catalogue is still the one that was opened.
    ///
    /// # Errors
    /// [`Error::Gone`] when it was removed, replaced or emptied, which does not mend itself.
    pub fn look(&self) -> Result<(), Error> {
        self.db.look("use the catalogue")
    }

    /// How many transactions this process has had acknowledged. Changes that waited together share one.
    pub fn commits(&self) -> u64 {
        self.db.commits()
    }

    /// Runs the database's own checks over the whole catalogue.
    pub fn check(&self) -> Result<Check, Error> {
        const WHAT: &str = "check the catalogue";
        let problems = self.db.problems()?;
        let servers = self.db.read(WHAT, |session| {
            session.row("SELECT count(*) FROM servers", &[], |row| row.count(0)).attempted(WHAT)
        })?;
        Ok(Check { format: migrations::NEWEST, servers: servers.unwrap_or_default(), problems })
    }
}

/// The home folder holds specs and plans of its owner: nobody else reads it.
fn make_private_folder(home: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(home)
}

/// This moment, RFC 3339 in UTC with milliseconds.
pub(crate) fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
