//! Looking through the whole audit log.

use super::{ENTRY, Store, row};
use crate::audit::{self, AuditCheck, AuditEntry, Block, End};
use crate::db::{Attempted as _, Fault, Session, params};
use crate::error::Error;

/// Entries with rows of their own that are read at once.
const ROWS_AT_ONCE: usize = 2_000;
/// Rows of calls that are read at once.
const BLOCKS_AT_ONCE: usize = 16;

impl Store {
    /// Looks through the whole log: whether an entry was changed, removed, or put in between.
    pub fn check_audit(&self) -> Result<AuditCheck, Error> {
        const WHAT: &str = "check the audit log";
        let (mut at, mut bytes): (Option<End>, _) = (None, Vec::new());
        let mut check = AuditCheck { entries: 0, first: 0, last: 0, head: String::new(), problem: None };
        loop {
            let known = at.clone();
            let (begin, newest, page) = self.db.read(WHAT, |session| {
                session.at_one_moment(WHAT, || {
                    let begin = match &known {
                        Some(end) => end.clone(),
                        None => audit::start(session).attempted(WHAT)?,
                    };
                    let newest = audit::newest(session).attempted(WHAT)?;
                    let page = page(session, begin.seq).attempted(WHAT)?;
                    Ok((begin, newest, page))
                })
            })?;
            if at.is_none() {
                check.first = begin.seq + 1;
                (check.last, check.head) = (begin.seq, begin.hash.clone());
            }
            if page.is_empty() {
                if newest > check.last {
                    let why = format!("it is missing, and so are all up to {newest}: the newest entries were removed");
                    check.problem = Some((check.last + 1, why));
                }
                return Ok(check);
            }
            let mut end = begin;
            for part in page {
                let before = end.seq;
                match part.follow(end, &mut bytes) {
                    Ok(next) => end = next,
                    Err(problem) => {
                        check.problem = Some(problem);
                        return Ok(check);
                    }
                }
                check.entries += u64::try_from(end.seq - before).unwrap_or_default();
                (check.last, check.head) = (end.seq, end.hash.clone());
            }
            at = Some(end);
        }
    }
}

/// A row of the log.
enum Part {
    One(AuditEntry),
    Calls(Block),
}

/// Rows after the entry of this number, in order.
fn page(session: &Session<'_>, after: i64) -> Result<Vec<Part>, Fault> {
    let sql = format!("{ENTRY} WHERE seq > ?1 ORDER BY seq LIMIT {ROWS_AT_ONCE}");
    let ones = session.rows(&sql, params![after], row)?;
    let columns = Block::COLUMNS;
    let sql = format!("SELECT {columns} FROM audit_calls WHERE last_seq > ?1 ORDER BY last_seq LIMIT {BLOCKS_AT_ONCE}");
    let blocks = session.rows(&sql, params![after], Block::read)?;
    // Behind the end of a page that is full, nothing is known of its kind.
    let full_ones = ones.last().filter(|_| ones.len() == ROWS_AT_ONCE).map(|one| one.seq);
    let full_blocks = blocks.last().filter(|_| blocks.len() == BLOCKS_AT_ONCE).map(|block| block.last);
    let known = full_ones.into_iter().chain(full_blocks).min().unwrap_or(i64::MAX);
    let ones = ones.into_iter().map(|one| (one.seq, Part::One(one)));
    let blocks = blocks.into_iter().map(|block| (block.last, Part::Calls(block)));
    let mut parts: Vec<(i64, Part)> = ones.chain(blocks).filter(|(last, _)| *last <= known).collect();
    parts.sort_by_key(|(last, _)| *last);
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

/// An entry at which the chain breaks, and why.
type Problem = (i64, String);

impl Part {
    /// The end of the chain behind this row, when it follows the one before it.
    fn follow(self, before: End, bytes: &mut Vec<u8>) -> Result<End, Problem> {
        let (first, last) = match &self {
            Self::One(entry) => (entry.seq, entry.seq),
            Self::Calls(block) => (block.first, block.last),
        };
        if first != before.seq + 1 {
            return Err((first, format!("entry {} is missing", before.seq + 1)));
        }
        match self {
            Self::One(entry) => {
                let time = entry.note.time.as_deref().unwrap_or_default();
                let wanted = audit::hash(&before.hash, entry.seq, time, &entry.note, bytes);
                let why = "it was changed after it was written, or the one before it was";
                if wanted == entry.hash { Ok(End { seq: last, hash: wanted }) } else { Err((last, why.to_owned())) }
            }
            Self::Calls(block) => {
                let notes = block.notes().filter(|_| block.follows == before.hash);
                let hash = notes.and_then(|notes| block.entries(notes).pop()).map(|entry| entry.hash);
                let why = || format!("it or one of the calls up to {last} was changed after it was written");
                hash.filter(|hash| *hash == block.hash)
                    .map(|hash| End { seq: last, hash })
                    .ok_or_else(|| (first, why()))
            }
        }
    }
}
