//! The audit log: what was done, by whom, with what outcome. Each entry holds a hash over itself and the hash of the one
//! before it, so an entry that was changed, removed or put in between shows.

mod append;
mod block;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use base::Digest;

use crate::db::{Fault, Row, Session};

pub(crate) use append::append;
pub(crate) use block::{Block, ENTRIES_MAX, FAILED, caller_word, subject_word};

/// Stands before everything that is hashed, so that no hash of something else can be one of this chain.
const DOMAIN: &[u8] = b"mcp-factory audit 1\n";

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditKind {
    /// Something was changed, or was to be.
    Change,
    /// A tool was called.
    Call,
    /// Something about the log itself.
    Note,
}

impl AuditKind {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Call => "call",
            Self::Note => "note",
        }
    }

    /// The kind of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Change, Self::Call, Self::Note].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditNote {
    /// What it is about.
    pub kind: AuditKind,
    /// When it happened, RFC 3339; when it is stored, if absent.
    pub time: Option<String>,
    /// Name of the operation.
    pub operation: Cow<'static, str>,
    /// Who asked.
    pub caller: Arc<str>,
    /// Whose things were used.
    pub owner: Arc<str>,
    /// What was changed or called; may be empty.
    pub subject: Arc<str>,
    /// Names the request.
    pub request: String,
    /// `ok`, `error`, or the code of a failure.
    pub outcome: Cow<'static, str>,
    /// More about it, JSON. Holds no arguments and no secrets.
    pub details: String,
}

impl AuditNote {
    /// What is kept of it beside its time and its kind, in the order in which it is hashed.
    fn texts(&self) -> [&str; 7] {
        [&self.operation, &self.caller, &self.owner, &self.subject, &self.request, &self.outcome, &self.details]
    }
}

/// Notes that are made when they are written, and not before: many calls are kept in less room as what they are.
pub trait AuditNotes: Send + 'static {
    /// Gives each note, in order. May be called more than once.
    fn each(&self, take: &mut dyn FnMut(&AuditNote));
}

impl AuditNotes for Vec<AuditNote> {
    fn each(&self, take: &mut dyn FnMut(&AuditNote)) {
        self.iter().for_each(take);
    }
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number; there are no gaps.
    pub seq: i64,
    /// What was recorded, with its time.
    pub note: AuditNote,
    /// SHA-256 over the hash of the entry before it and everything in this one.
    pub hash: String,
}

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// Of this kind.
    pub kind: Option<AuditKind>,
    /// Of this caller.
    pub caller: Option<String>,
    /// About this subject.
    pub subject: Option<String>,
    /// Of this operation.
    pub operation: Option<String>,
    /// With this outcome; `failed` stands for all but `ok`.
    pub outcome: Option<String>,
    /// Not older than this, RFC 3339 in UTC with milliseconds.
    pub since: Option<String>,
    /// Older than the entry of this number.
    pub before: Option<i64>,
    /// Most entries.
    pub limit: usize,
}

/// What looking through the whole log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// How many entries there are.
    pub entries: u64,
    /// Number of the oldest one.
    pub first: i64,
    /// Number of the newest one.
    pub last: i64,
    /// Hash of the newest one: who notes it can later prove that nothing before it was changed.
    pub head: String,
    /// The entry at which the chain breaks, and why.
    pub problem: Option<(i64, String)>,
}

/// A note that is stored with the first change that is made on its behalf.
#[derive(Debug)]
pub struct Pending {
    note: AuditNote,
    /// What has an id only when it is made.
    subject: OnceLock<Arc<str>>,
    kept: AtomicBool,
}

impl Pending {
    /// A note that is not stored yet.
    pub fn new(note: AuditNote) -> Self {
        Self { note, subject: OnceLock::new(), kept: AtomicBool::new(false) }
    }

    /// Whether it was stored with a change.
    pub fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Acquire)
    }

    /// The note as it is stored.
    pub(crate) fn note(&self) -> AuditNote {
        let subject = self.subject.get().unwrap_or(&self.note.subject).clone();
        AuditNote { subject, ..self.note.clone() }
    }

    pub(crate) fn about(&self, subject: &str) {
        // The first change names it.
        let _ = self.subject.set(subject.into());
    }

    pub(crate) fn keep(&self) {
        self.kept.store(true, Ordering::Release);
    }
}

/// Where the chain stands.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) seq: i64,
    pub(crate) hash: String,
}

/// Whose turn appenders wait for: this table stands for both kinds of rows.
pub(crate) const TABLE: &str = "audit";

/// Number of the newest entry that was ever written, which is kept beside the log: an end that was cut off leaves no gap in it.
pub(crate) fn newest(session: &Session<'_>) -> Result<i64, Fault> {
    let found = session.row("SELECT value FROM counters WHERE name = 'audit'", &[], |row| row.get(0))?;
    Ok(found.unwrap_or_default())
}

/// The newest entry, or what the first one is to follow.
pub(crate) fn end(session: &Session<'_>) -> Result<End, Fault> {
    let read = |row: &Row<'_>| Ok(End { seq: row.get(0)?, hash: row.get(1)? });
    let row = session.row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", &[], read)?;
    let calls = session.row("SELECT last_seq, hash FROM audit_calls ORDER BY last_seq DESC LIMIT 1", &[], read)?;
    let end = match row.into_iter().chain(calls).max_by_key(|end| end.seq) {
        Some(end) => end,
        None => start(session)?,
    };
    // A number is given once: where the end was cut off, the gap stays.
    Ok(End { seq: end.seq.max(newest(session)?), ..end })
}

/// What the oldest entry that is kept follows.
pub(crate) fn start(session: &Session<'_>) -> Result<End, Fault> {
    let read = |row: &Row<'_>| Ok(End { seq: row.get(0)?, hash: row.get(1)? });
    let found = session.row("SELECT seq, hash FROM audit_start", &[], read)?;
    Ok(found.unwrap_or(End { seq: 0, hash: String::new() }))
}

/// The hash of an entry. Each part stands behind its length, so that no two entries are the same bytes.
///
/// `bytes` is room for what is hashed.
pub(crate) fn hash(before: &str, seq: i64, time: &str, note: &AuditNote, bytes: &mut Vec<u8>) -> String {
    let parts = [before, time, note.kind.as_str()].into_iter().chain(note.texts());
    bytes.clear();
    bytes.extend(DOMAIN);
    bytes.extend(seq.to_be_bytes());
    for part in parts {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    Digest::of(bytes).as_str().to_owned()
}
