//! Entries of the log that share rows: calls.

use crate::audit::{self, AuditEntry, AuditNote, AuditQuery, Block};
use crate::db::{Fault, Param, Session, params};

/// Rows that are read at once.
const ROWS_AT_ONCE: usize = 8;

/// Calls, newest first, of those that are newer than the entry `oldest`.
pub(super) fn find(
    session: &Session<'_>,
    query: &AuditQuery,
    limit: usize,
    oldest: i64,
) -> Result<Vec<AuditEntry>, Fault> {
    let word = word(query);
    let sql = statement(word.is_some(), query.since.is_some());
    let (mut found, mut before) = (Vec::new(), query.before.unwrap_or(i64::MAX));
    loop {
        // No row is longer, so the walk begins near the page.
        let near = before.saturating_add(audit::ENTRIES_MAX as i64);
        let mut values: Vec<Param<'_>> = params![before, near, oldest].to_vec();
        values.extend(word.as_deref().map(Param::from));
        values.extend(query.since.as_deref().map(Param::from));
        let rows = session.rows(&sql, &values, Block::read)?;
        let is_last = rows.len() < ROWS_AT_ONCE;
        for block in rows {
            before = block.first;
            take(&block, query, limit, &mut found);
        }
        if is_last || found.len() >= limit {
            return Ok(found);
        }
    }
}

/// The entry of this number.
pub(super) fn entry(session: &Session<'_>, seq: i64) -> Result<Option<AuditEntry>, Fault> {
    let sql = format!("SELECT {} FROM audit_calls WHERE last_seq >= ?1 ORDER BY last_seq LIMIT 1", Block::COLUMNS);
    let block = session.row(&sql, params![seq], Block::read)?;
    let entries = block.and_then(|block| Some(block.entries(block.notes()?))).unwrap_or_default();
    Ok(entries.into_iter().find(|entry| entry.seq == seq))
}

/// The word that leads to the fewest rows.
fn word(query: &AuditQuery) -> Option<String> {
    let subject = query.subject.as_deref().map(audit::subject_word);
    let caller = query.caller.as_deref().map(audit::caller_word);
    let failed = query.outcome.as_deref().filter(|outcome| *outcome != "ok").map(|_| audit::FAILED.to_owned());
    caller.or(subject).or(failed)
}

fn statement(has_word: bool, has_since: bool) -> String {
    let from = if has_word { "audit_calls_of JOIN audit_calls USING (last_seq)" } else { "audit_calls" };
    let mut wheres = vec!["first_seq < ?1", "last_seq < ?2", "last_seq > ?3"];
    wheres.extend(has_word.then_some("word = ?4"));
    wheres.extend(has_since.then_some(if has_word { "ended >= ?5" } else { "ended >= ?4" }));
    let (columns, wheres) = (Block::COLUMNS, wheres.join(" AND "));
    format!("SELECT {columns} FROM {from} WHERE {wheres} ORDER BY last_seq DESC LIMIT {ROWS_AT_ONCE}")
}

/// Takes what is asked for from a row, newest first.
fn take(block: &Block, query: &AuditQuery, limit: usize, found: &mut Vec<AuditEntry>) {
    // What was meddled with says so when the log is checked.
    let Some(notes) = block.notes() else { return };
    let is_wanted = |seq: i64, note: &AuditNote| query.before.is_none_or(|before| seq < before) && wanted(query, note);
    // Hashes are reckoned for rows alone in which something was found.
    if !(block.first..).zip(&notes).any(|(seq, note)| is_wanted(seq, note)) {
        return;
    }
    let entries = block.entries(notes).into_iter().rev();
    found.extend(entries.filter(|entry| is_wanted(entry.seq, &entry.note)).take(limit));
}

fn wanted(query: &AuditQuery, note: &AuditNote) -> bool {
    let is = |wanted: &Option<String>, word: &str| wanted.as_deref().is_none_or(|wanted| wanted == word);
    is(&query.caller, &note.caller)
        && is(&query.subject, &note.subject)
        && is(&query.operation, &note.operation)
        && match query.outcome.as_deref() {
            Some("failed") => note.outcome != "ok",
            _ => is(&query.outcome, &note.outcome),
        }
        && query.since.as_deref().is_none_or(|since| note.time.as_deref().is_some_and(|time| time >= since))
}
