//! The format of the file, as steps from each format to the next. A step that was released is
//! never edited.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::{Attempted as _, Error};

/// Step `n` leads from format `n` to format `n + 1`.
const STEPS: [&str; 1] = [include_str!("migrations/0001.sql")];

/// The newest format that this program knows.
pub(crate) const NEWEST: u32 = STEPS.len() as u32;

/// Format of an open file; 0 when it is empty.
pub(crate) fn format(connection: &Connection) -> Result<u32, Error> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).attempted("read the catalogue's format")
}

/// Brings the file to the newest format. `now` is RFC 3339.
pub(crate) fn migrate(connection: &mut Connection, now: &str) -> Result<(), Error> {
    const WHAT: &str = "bring the catalogue to the newest format";
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).attempted(WHAT)?;
    // Read again under the lock: another process may have done it meanwhile.
    let from = format(&transaction)?;
    for (number, step) in (1u32..).zip(STEPS).skip(from as usize) {
        transaction.execute_batch(step).attempted(WHAT)?;
        transaction
            .execute("INSERT INTO migrations (number, applied_at) VALUES (?1, ?2)", (number, now))
            .attempted(WHAT)?;
    }
    transaction.pragma_update(None, "user_version", NEWEST).attempted(WHAT)?;
    transaction.commit().attempted(WHAT)
}
