//! Appending entries: calls many in a row, everything else a row for each.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::block::Block;
use super::{AuditKind, AuditNote, AuditNotes, End, end, hash};
use crate::db::{Attempted as _, Fault, Param, Session, params};
use crate::error::Error;
use crate::store::now;

/// The columns of an entry that has a row of its own, as they are written.
const COLUMNS: [&str; 11] =
    ["seq", "time", "kind", "operation", "caller", "owner", "subject", "request", "outcome", "details", "hash"];
/// Rows of one statement, where there are so many.
const ROWS_AT_ONCE: usize = 32;

/// Appends entries within a transaction that took its turn.
pub(crate) fn append(session: &Session<'_>, notes: &dyn AuditNotes, attempted: &'static str) -> Result<(), Error> {
    let mut appender = Appender::begin(session).attempted(attempted)?;
    let mut fault = None;
    notes.each(&mut |note| {
        if fault.is_none() {
            fault = appender.put(note).err();
        }
    });
    fault.map_or_else(|| appender.end(), Err).attempted(attempted)
}

struct Appender<'a> {
    session: &'a Session<'a>,
    /// What was written, and what is in `calls`.
    end: End,
    calls: Block,
    rows: Vec<AuditNote>,
    /// Room for what is hashed.
    bytes: Vec<u8>,
}

impl<'a> Appender<'a> {
    fn begin(session: &'a Session<'a>) -> Result<Self, Fault> {
        let end = end(session)?;
        Ok(Self { session, calls: Block::after(&end), end, rows: Vec::new(), bytes: Vec::new() })
    }

    fn put(&mut self, note: &AuditNote) -> Result<(), Fault> {
        if note.kind == AuditKind::Call {
            self.write_rows()?;
            self.end = self.calls.put(&self.end, note, &mut self.bytes);
            return if self.calls.is_full() { self.write_calls() } else { Ok(()) };
        }
        self.write_calls()?;
        self.rows.push(note.clone());
        if self.rows.len() == ROWS_AT_ONCE { self.write_rows() } else { Ok(()) }
    }

    fn end(mut self) -> Result<(), Fault> {
        self.write_calls()?;
        self.write_rows()?;
        let newest = "INSERT INTO counters (name, value) VALUES ('audit', ?1)
                      ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.session.execute(newest, params![self.end.seq]).map(drop)
    }

    fn write_calls(&mut self) -> Result<(), Fault> {
        if !self.calls.is_empty() {
            self.calls.insert(self.session, &self.end)?;
        }
        self.calls = Block::after(&self.end);
        Ok(())
    }

    fn write_rows(&mut self) -> Result<(), Fault> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let some = if rows.len() == ROWS_AT_ONCE { ROWS_AT_ONCE } else { 1 };
        for rows in rows.chunks(some) {
            self.end = insert(self.session, rows, &self.end, &mut self.bytes)?;
        }
        self.calls = Block::after(&self.end);
        Ok(())
    }
}

/// Appends entries by one statement. `bytes` is room for what is hashed.
fn insert(session: &Session<'_>, notes: &[AuditNote], end: &End, bytes: &mut Vec<u8>) -> Result<End, Fault> {
    static ONE: LazyLock<String> = LazyLock::new(|| statement(1));
    static MANY: LazyLock<String> = LazyLock::new(|| statement(ROWS_AT_ONCE));
    let times: Vec<Cow<'_, str>> =
        notes.iter().map(|note| note.time.as_deref().map_or_else(|| now().into(), Cow::Borrowed)).collect();
    let mut hashes: Vec<String> = Vec::with_capacity(notes.len());
    for (nth, note) in notes.iter().enumerate() {
        let before = hashes.last().unwrap_or(&end.hash);
        let hash = hash(before, end.seq + 1 + nth as i64, &times[nth], note, bytes);
        hashes.push(hash);
    }
    let mut values: Vec<Param<'_>> = Vec::with_capacity(notes.len() * COLUMNS.len());
    for (nth, ((note, time), hash)) in notes.iter().zip(&times).zip(&hashes).enumerate() {
        values.extend_from_slice(params![
            end.seq + 1 + nth as i64,
            &**time,
            note.kind.as_str(),
            &*note.operation,
            &*note.caller,
            &*note.owner,
            &*note.subject,
            &note.request,
            &*note.outcome,
            &note.details,
            hash,
        ]);
    }
    session.execute(if notes.len() == 1 { &ONE } else { &MANY }, &values)?;
    let hash = hashes.pop().unwrap_or_else(|| end.hash.clone());
    Ok(End { seq: end.seq + notes.len() as i64, hash })
}

/// The statement that inserts so many rows.
fn statement(rows: usize) -> String {
    let row = |nth: usize| {
        let marks: Vec<String> =
            (1..=COLUMNS.len()).map(|column| format!("?{}", nth * COLUMNS.len() + column)).collect();
        format!("({})", marks.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("INSERT INTO audit ({}) VALUES {}", COLUMNS.join(", "), rows.join(", "))
}
