//! Reading, checking and bounding the audit log.

use std::sync::Arc;

use super::Store;
use crate::audit::{self, AuditCheck, AuditEntry, AuditKind, AuditNote, AuditQuery, End, Pending};
use crate::db::{Attempted as _, Fault, Param, Row, params};
use crate::error::Error;

/// Entries that are read at once when the chain is checked.
const CHECKED_AT_ONCE: usize = 2_000;
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
    pub fn append_audit(&self, notes: Vec<AuditNote>) -> Result<(), Error> {
        const WHAT: &str = "write the audit log";
        self.db.change(WHAT, move |session| {
            audit::take_turn(session, WHAT)?;
            audit::append(session, &notes, WHAT)
        })
    }

    /// Entries, newest first.
    pub fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, Error> {
        const WHAT: &str = "read the audit log";
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
        let limit = query.limit.clamp(1, AUDIT_PAGE_MAX + 1);
        let sql = format!("{ENTRY}{wheres} ORDER BY seq DESC LIMIT {limit}");
        self.db.read(WHAT, |session| session.rows(&sql, &values, row).attempted(WHAT))
    }

    /// The entry of this number.
    pub fn audit_entry(&self, seq: i64) -> Result<Option<AuditEntry>, Error> {
        const WHAT: &str = "read the audit log";
        let sql = format!("{ENTRY} WHERE seq = ?1");
        self.db.read(WHAT, |session| session.row(&sql, params![seq], row).attempted(WHAT))
    }

    /// Looks through the whole log: whether an entry was changed, removed, or put in between.
    pub fn check_audit(&self) -> Result<AuditCheck, Error> {
        const WHAT: &str = "check the audit log";
        let sql = format!("{ENTRY} WHERE seq > ?1 ORDER BY seq LIMIT {CHECKED_AT_ONCE}");
        let (mut at, mut bytes): (Option<End>, _) = (None, Vec::new());
        let mut check = AuditCheck { entries: 0, first: 0, last: 0, head: String::new(), problem: None };
        loop {
            let known = at.clone();
            let (begin, newest, page) = self.db.read(WHAT, |session| {
                let begin = match &known {
                    Some(end) => end.clone(),
                    None => audit::start(session).attempted(WHAT)?,
                };
                // Before the entries: what is written meanwhile is among them.
                let newest = audit::newest(session).attempted(WHAT)?;
                let page = session.rows(&sql, params![begin.seq], row).attempted(WHAT)?;
                Ok((begin, newest, page))
            })?;
            if at.is_none() {
                check.first = begin.seq + 1;
                (check.last, check.head) = (begin.seq, begin.hash.clone());
            }
            let mut end = begin;
            if page.is_empty() {
                if newest > check.last {
                    let why = format!("it is missing, and so are all up to {newest}: the newest entries were removed");
                    check.problem = Some((check.last + 1, why));
                }
                return Ok(check);
            }
            for entry in page {
                if let Some(problem) = broken(&end, &entry, &mut bytes) {
                    check.problem = Some((entry.seq, problem));
                    return Ok(check);
                }
                check.entries += 1;
                (check.last, check.head) = (entry.seq, entry.hash.clone());
                end = End { seq: entry.seq, hash: entry.hash };
            }
            at = Some(end);
        }
    }

    /// Removes the oldest entries until this many are left; the rest can still be checked. Gives how many went.
    pub fn prune_audit(&self, kept: usize) -> Result<usize, Error> {
        const WHAT: &str = "bound the audit log";
        let kept = i64::try_from(kept).unwrap_or(i64::MAX);
        self.db.change(WHAT, move |session| {
            audit::take_turn(session, WHAT)?;
            let (start, end) = (audit::start(session).attempted(WHAT)?, audit::end(session).attempted(WHAT)?);
            let last = end.seq.saturating_sub(kept);
            if last <= start.seq {
                return Ok(0);
            }
            let hash = "SELECT hash FROM audit WHERE seq = ?1";
            let hash: Option<String> = session.row(hash, params![last], |row| row.get(0)).attempted(WHAT)?;
            let Some(hash) = hash else { return Ok(0) };
            let begin = "UPDATE audit_start SET seq = ?1, hash = ?2";
            session.execute(begin, params![last, &hash]).attempted(WHAT)?;
            session.execute("DELETE FROM audit WHERE seq <= ?1", params![last]).attempted(WHAT)
        })
    }
}

/// Why an entry does not follow the one before it.
fn broken(before: &End, entry: &AuditEntry, bytes: &mut Vec<u8>) -> Option<String> {
    if entry.seq != before.seq + 1 {
        return Some(format!("entry {} is missing", before.seq + 1));
    }
    let time = entry.note.time.as_deref().unwrap_or_default();
    let wanted = audit::hash(&before.hash, entry.seq, time, &entry.note, bytes);
    (wanted != entry.hash).then(|| "it was changed after it was written, or the one before it was".to_owned())
}

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
