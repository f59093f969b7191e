//! Reading and bounding the audit log.

mod calls;
mod check;

use std::sync::Arc;

use super::Store;
use crate::audit::{self, AuditEntry, AuditKind, AuditNote, AuditNotes, AuditQuery, End, Pending};
use crate::db::{Attempted as _, Fault, Param, Row, Session, params};
use crate::error::Error;

/// Most entries of one answer.
pub const AUDIT_PAGE_MAX: usize = 1_000;

const ENTRY: &str =
    "SELECT seq, time, kind, operation, caller, owner, subject, request, outcome, details, hash FROM audit";

impl Store {
    /// The same store for one operation: its first change and the note about it are one transaction.
    #[must_use]
    pub fn on_behalf(&self, pending: Arc<Pending>) -> Self {
        Self { db: self.db.with_note(pending) }
    }

    /// The same store for trying: changes give what they would, and nothing is changed.
    #[must_use]
    pub fn trying(&self) -> Self {
        Self { db: self.db.trying() }
    }

    /// Records what was done.
    pub fn append_audit(&self, notes: impl AuditNotes) -> Result<(), Error> {
        const WHAT: &str = "write the audit log";
        self.db.change(WHAT, move |session| {
            session.take_turn(audit::TABLE).attempted(WHAT)?;
            audit::append(session, &notes, WHAT)
        })
    }

    /// Entries, newest first.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, Error> {
        const WHAT: &str = "read the audit log";
        let limit = query.limit.clamp(1, AUDIT_PAGE_MAX + 1);
        self.db.read(WHAT, |session| {
            session.at_one_moment(WHAT, || {
                let mut found = rows(session, query, limit).attempted(WHAT)?;
                if matches!(query.kind, None | Some(AuditKind::Call)) {
                    // What is older than all that was found is on no page of this size.
                    let oldest = found.get(limit - 1).map_or(0, |entry| entry.seq);
                    found.extend(calls::find(session, query, limit, oldest).attempted(WHAT)?);
                    found.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.seq));
                    found.truncate(limit);
                }
                Ok(found)
            })
        })
    }

    /// The entry of this number.
    pub fn audit_entry(&self, seq: i64) -> Result<Option<AuditEntry>, Error> {
        const WHAT: &str = "read the audit log";
        let sql = format!("{ENTRY} WHERE seq = ?1");
        self.db.read(WHAT, |session| {
            let found = session.row(&sql, params![seq], row).attempted(WHAT)?;
            found.map_or_else(|| calls::entry(session, seq).attempted(WHAT), |entry| Ok(Some(entry)))
        })
    }

    /// Removes the oldest entries until this many are left; the rest can still be checked. Gives how many went.
    pub fn prune_audit(&self, kept: usize) -> Result<usize, Error> {
        const WHAT: &str = "bound the audit log";
        let kept = i64::try_from(kept).unwrap_or(i64::MAX);
        self.db.change(WHAT, move |session| {
            session.take_turn(audit::TABLE).attempted(WHAT)?;
            let (start, end) = (audit::start(session).attempted(WHAT)?, audit::end(session).attempted(WHAT)?);
            let before = start.seq;
            let Some(cut) = cut(session, start, end.seq.saturating_sub(kept)).attempted(WHAT)? else { return Ok(0) };
            let begin = "UPDATE audit_start SET seq = ?1, hash = ?2";
            session.execute(begin, params![cut.seq, &cut.hash]).attempted(WHAT)?;
            for sql in [
                "DELETE FROM audit WHERE seq <= ?1",
                "DELETE FROM audit_calls WHERE last_seq <= ?1",
                "DELETE FROM audit_calls_of WHERE last_seq <= ?1",
            ] {
                session.execute(sql, params![cut.seq]).attempted(WHAT)?;
            }
            Ok(usize::try_from(cut.seq - before).unwrap_or_default())
        })
    }
}

/// The newest entry up to number `last` behind which the log can be cut; `None` when there is nothing to cut off.
fn cut(session: &Session<'_>, start: End, last: i64) -> Result<Option<End>, Fault> {
    // A row of calls goes as a whole.
    let holding = "SELECT first_seq FROM audit_calls WHERE last_seq > ?1 AND first_seq <= ?1 ORDER BY last_seq LIMIT 1";
    let held: Option<i64> = session.row(holding, params![last], |row| row.get(0))?;
    let last = held.map_or(last, |first| first - 1);
    if last <= start.seq {
        return Ok(None);
    }
    let hash = "SELECT hash FROM audit WHERE seq = ?1 UNION ALL SELECT hash FROM audit_calls WHERE last_seq = ?1";
    let hash: Option<String> = session.row(hash, params![last], |row| row.get(0))?;
    Ok(hash.map(|hash| End { seq: last, hash }))
}

/// Entries that have a row of their own, newest first.
fn rows(session: &Session<'_>, query: &AuditQuery, limit: usize) -> Result<Vec<AuditEntry>, Fault> {
    let mut wheres: Vec<String> = Vec::new();
    let mut values: Vec<Param<'_>> = Vec::new();
    let equals = [
        ("kind", query.kind.map(AuditKind::as_str)),
        ("caller", query.caller.as_deref()),
        ("subject", query.subject.as_deref()),
        ("operation", query.operation.as_deref()),
        ("outcome", query.outcome.as_deref().filter(|outcome| *outcome != "failed")),
    ];
    for (column, value) in equals {
        if let Some(value) = value {
            values.push(value.into());
            wheres.push(format!("{column} = ?{}", values.len()));
        }
    }
    if query.outcome.as_deref() == Some("failed") {
        wheres.push("outcome <> 'ok'".to_owned());
    }
    if let Some(since) = &query.since {
        values.push(since.into());
        wheres.push(format!("time >= ?{}", values.len()));
    }
    if let Some(before) = query.before {
        values.push(before.into());
        wheres.push(format!("seq < ?{}", values.len()));
    }
    let wheres = if wheres.is_empty() { String::new() } else { format!(" WHERE {}", wheres.join(" AND ")) };
    let sql = format!("{ENTRY}{wheres} ORDER BY seq DESC LIMIT {limit}");
    session.rows(&sql, &values, row)
}

/// Reads an entry that has a row of its own.
fn row(row: &Row<'_>) -> Result<AuditEntry, Fault> {
    Ok(AuditEntry {
        seq: row.get(0)?,
        note: AuditNote {
            time: Some(row.get(1)?),
            kind: AuditKind::of_word(&row.get::<String>(2)?).unwrap_or(AuditKind::Note),
            operation: row.get::<String>(3)?.into(),
            caller: row.get::<String>(4)?.into(),
            owner: row.get::<String>(5)?.into(),
            subject: row.get::<String>(6)?.into(),
            request: row.get(7)?,
            outcome: row.get::<String>(8)?.into(),
            details: row.get(9)?,
        },
        hash: row.get(10)?,
    })
}
