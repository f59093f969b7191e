//! Many calls in one row: their notes one after another, each part behind its length, with the hashes at both ends. The hash
//! of each entry is the one that it would have in a row of its own, and is reckoned when it is read.

use std::collections::BTreeSet;

use super::{AuditEntry, AuditKind, AuditNote, End, hash};
use crate::db::{Fault, Row, Session, params};
use crate::store::now;

/// Most entries of a row.
pub(crate) const ENTRIES_MAX: usize = 128;
/// Parts of a note that are written: its time and its texts.
const PARTS: usize = 8;
/// The word of rows with a call that failed.
pub(crate) const FAILED: &str = "failed";

/// The word of rows with a call of this caller.
pub(crate) fn caller_word(caller: &str) -> String {
    format!("caller {caller}")
}

/// The word of rows with a call of this server.
pub(crate) fn subject_word(subject: &str) -> String {
    format!("subject {subject}")
}

/// Calls that are one row.
#[derive(Debug, Default)]
pub(crate) struct Block {
    /// Number of its first entry.
    pub(crate) first: i64,
    /// Number of its last entry.
    pub(crate) last: i64,
    /// The hash of the entry before its first one.
    pub(crate) follows: String,
    /// The hash of its last entry.
    pub(crate) hash: String,
    /// Time of its newest entry.
    ended: String,
    entries: String,
    callers: BTreeSet<String>,
    subjects: BTreeSet<String>,
    failed: bool,
}

impl Block {
    /// An empty one that follows this entry.
    pub(super) fn after(end: &End) -> Self {
        Self { first: end.seq + 1, last: end.seq, follows: end.hash.clone(), ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.last < self.first
    }

    pub(super) fn is_full(&self) -> bool {
        self.last - self.first + 1 >= ENTRIES_MAX as i64
    }

    /// Puts an entry behind `end`, which is the newest one. Gives the new end.
    pub(super) fn put(&mut self, end: &End, note: &AuditNote, bytes: &mut Vec<u8>) -> End {
        let stored;
        let time = match &note.time {
            Some(time) => time,
            None => {
                stored = now();
                &stored
            }
        };
        let seq = end.seq + 1;
        let hash = hash(&end.hash, seq, time, note, bytes);
        for part in std::iter::once(time.as_str()).chain(note.texts()) {
            self.entries.push_str(itoa::Buffer::new().format(part.len()));
            self.entries.push(':');
            self.entries.push_str(part);
        }
        for (words, word) in [(&mut self.callers, &note.caller), (&mut self.subjects, &note.subject)] {
            if !words.contains(&**word) {
                words.insert(word.to_string());
            }
        }
        self.failed |= note.outcome != "ok";
        self.last = seq;
        if *time > self.ended {
            self.ended.clone_from(time);
        }
        End { seq, hash }
    }

    /// Writes the row; `end` is its last entry.
    pub(super) fn insert(&self, session: &Session<'_>, end: &End) -> Result<(), Fault> {
        let sql = "INSERT INTO audit_calls (last_seq, first_seq, ended, follows, hash, entries)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        session.execute(sql, params![self.last, self.first, &self.ended, &self.follows, &end.hash, &self.entries])?;
        let callers = self.callers.iter().map(|caller| caller_word(caller));
        let subjects = self.subjects.iter().map(|subject| subject_word(subject));
        for word in callers.chain(subjects).chain(self.failed.then(|| FAILED.to_owned())) {
            session
                .execute("INSERT INTO audit_calls_of (word, last_seq) VALUES (?1, ?2)", params![&word, self.last])?;
        }
        Ok(())
    }

    /// The columns that [`Block::read`] reads.
    pub(crate) const COLUMNS: &str = "last_seq, first_seq, follows, hash, entries";

    /// Reads a row.
    pub(crate) fn read(row: &Row<'_>) -> Result<Self, Fault> {
        Ok(Self {
            last: row.get(0)?,
            first: row.get(1)?,
            follows: row.get(2)?,
            hash: row.get(3)?,
            entries: row.get(4)?,
            ..Self::default()
        })
    }

    /// Its notes in order; `None` when they are not what was written.
    pub(crate) fn notes(&self) -> Option<Vec<AuditNote>> {
        let (mut rest, mut notes) = (self.entries.as_str(), Vec::new());
        while !rest.is_empty() {
            let mut parts = [""; PARTS];
            for part in &mut parts {
                let (length, behind) = rest.split_once(':')?;
                (*part, rest) = behind.split_at_checked(length.parse().ok()?)?;
            }
            let [time, operation, caller, owner, subject, request, outcome, details] = parts;
            notes.push(AuditNote {
                kind: AuditKind::Call,
                time: Some(time.to_owned()),
                operation: operation.to_owned().into(),
                caller: caller.into(),
                owner: owner.into(),
                subject: subject.into(),
                request: request.to_owned(),
                outcome: outcome.to_owned().into(),
                details: details.to_owned(),
            });
        }
        (notes.len() as i64 == self.last - self.first + 1).then_some(notes)
    }

    /// Its notes as entries, each with its number and its hash.
    pub(crate) fn entries(&self, notes: Vec<AuditNote>) -> Vec<AuditEntry> {
        let (mut before, mut bytes) = (self.follows.clone(), Vec::new());
        let entries = (self.first..).zip(notes).map(|(seq, note)| {
            let hash = hash(&before, seq, note.time.as_deref().unwrap_or_default(), &note, &mut bytes);
            before.clone_from(&hash);
            AuditEntry { seq, note, hash }
        });
        entries.collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::End;
    use super::{AuditKind, AuditNote, Block, ENTRIES_MAX};

    fn note(parts: &[String]) -> AuditNote {
        AuditNote {
            kind: AuditKind::Call,
            time: Some(parts[0].clone()),
            operation: parts[1].clone().into(),
            caller: parts[2].as_str().into(),
            owner: parts[3].as_str().into(),
            subject: parts[4].as_str().into(),
            request: parts[5].clone(),
            outcome: parts[6].clone().into(),
            details: parts[7].clone(),
        }
    }

    proptest! {
        /// Whatever texts are put in come out again, with the hashes that they were given.
        #[test]
        fn what_is_put_in_comes_out(texts in prop::collection::vec(prop::collection::vec(".{0,12}", 8), 1..ENTRIES_MAX)) {
            let notes: Vec<AuditNote> = texts.iter().map(|parts| note(parts)).collect();
            let mut end = End { seq: 7, hash: "sha256:before".to_owned() };
            let mut block = Block::after(&end);
            let mut hashes = Vec::new();
            for note in &notes {
                end = block.put(&end, note, &mut Vec::new());
                hashes.push(end.hash.clone());
            }
            let read = block.notes().expect("it is whole");
            prop_assert_eq!(&read, &notes);
            let entries = block.entries(read);
            prop_assert_eq!(entries.iter().map(|entry| entry.hash.clone()).collect::<Vec<_>>(), hashes);
            prop_assert_eq!(entries.last().map(|entry| entry.seq), Some(block.last));
        }

        /// What is no row of calls is none, and never a panic.
        #[test]
        fn anything_may_stand_there(entries in ".{0,60}|([0-9]{1,2}:[a-zä]{0,9}){0,20}", last in 0_i64..4) {
            let block = Block { first: 1, last, entries, ..Block::default() };
            let _ = block.notes();
        }
    }
}
