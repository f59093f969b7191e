//! The format of the tables, as steps from each format to the next. A step that was released is never edited. Each step is
//! written for both databases; what they make must answer the same statements.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::db::{Attempted as _, Postgres, SCHEMA, params};
use crate::error::Error;
use crate::store::now;

/// A step from format `n` to format `n + 1`.
struct Step {
    sqlite: &'static str,
    postgres: &'static str,
}

macro_rules! steps {
    ($($number:literal),*) => {
        &[$(Step {
            sqlite: include_str!(concat!("migrations/sqlite/", $number, ".sql")),
            postgres: include_str!(concat!("migrations/postgres/", $number, ".sql")),
        }),*]
    };
}

const STEPS: &[Step] =
    steps!["0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011", "0012"];

/// The newest format that this program knows.
pub(crate) const NEWEST: u32 = STEPS.len() as u32;

const WHAT: &str = "bring the catalogue to the newest format";

/// Brings a file to the newest format.
pub(crate) fn bring_file(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    match file_format(connection)? {
        NEWEST => return Ok(()),
        found if found > NEWEST => return Err(too_new(path.display().to_string(), found)),
        _ => {}
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).attempted(WHAT)?;
    // Read again under the lock: another process may have done it meanwhile.
    let from = file_format(&transaction)?;
    for (number, step) in (1u32..).zip(STEPS).skip(from as usize) {
        transaction.execute_batch(step.sqlite).attempted(WHAT)?;
        transaction
            .execute("INSERT INTO migrations (number, applied_at) VALUES (?1, ?2)", (number, now()))
            .attempted(WHAT)?;
    }
    transaction.pragma_update(None, "user_version", NEWEST).attempted(WHAT)?;
    transaction.commit().attempted(WHAT)
}

/// Format of an open file; 0 when it is empty.
fn file_format(connection: &Connection) -> Result<u32, Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).attempted("read the catalogue's format")
}

/// Brings a server's tables to the newest format.
pub(crate) fn bring_server(server: &Postgres, place: &str) -> Result<(), Error> {
    // Processes that start at the same time take turns; the number is only this program's.
    const LOCK: &str = "SELECT pg_advisory_xact_lock(7242051)";
    server.change(WHAT, |session| {
        session.execute(LOCK, &[]).attempted(WHAT)?;
        session.execute(&format!("CREATE SCHEMA IF NOT EXISTS {SCHEMA}"), &[]).attempted(WHAT)?;
        let known = "SELECT count(*) FROM pg_tables WHERE schemaname = ?1 AND tablename = 'migrations'";
        let has_tables = session.row(known, params![SCHEMA], |row| row.count(0)).attempted(WHAT)?;
        let from = match has_tables {
            Some(1..) => session
                .row("SELECT coalesce(max(number), 0) FROM migrations", &[], |row| row.get::<u32>(0))
                .attempted(WHAT)?
                .unwrap_or_default(),
            _ => 0,
        };
        if from > NEWEST {
            return Err(too_new(place.to_owned(), from));
        }
        for (number, step) in (1u32..).zip(STEPS).skip(from as usize) {
            session.batch(step.postgres).attempted(WHAT)?;
            let at = now();
            session
                .execute("INSERT INTO migrations (number, applied_at) VALUES (?1, ?2)", params![number, &at])
                .attempted(WHAT)?;
        }
        Ok(())
    })
}

fn too_new(place: String, found: u32) -> Error {
    Error::TooNew { place, found, known: NEWEST }
}
