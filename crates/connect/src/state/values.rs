//! Values by key.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Fault, Moment, State, behind, count, next};

/// Most entries that a list gives at once.
pub(super) const ENTRIES_MAX: usize = 1_000;
/// Expired entries that a change takes away in passing.
const SWEPT: i64 = 100;

/// A value that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// JSON.
    pub value: String,
    /// Greater with each change; never given twice.
    pub version: i64,
    /// When it is forgotten.
    pub expires: Option<Moment>,
}

/// When a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// There is no value yet.
    Absent,
    /// The value has this version.
    Version(i64),
}

/// Entries in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether there are further ones.
    pub more: bool,
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry { key: row.get(0)?, value: row.get(1)?, version: row.get(2)?, expires: row.get(3)? })
}

fn found(connection: &Connection, key: &str, now: Moment) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT key, value, version, expires FROM entries WHERE key = ?1 AND (expires IS NULL OR expires > ?2)";
    Ok(connection.prepare_cached(sql)?.query_row(params![key, now], entry).optional()?)
}

fn check(found: Option<&Entry>, only: Option<Only>) -> Result<(), Fault> {
    let version = found.map(|entry| entry.version);
    match only {
        Some(Only::Absent) if version.is_some() => Err(Fault::Conflict(version)),
        Some(Only::Version(wanted)) if version != Some(wanted) => Err(Fault::Conflict(version)),
        _ => Ok(()),
    }
}

/// Remembers a value, within a transaction.
pub(super) fn put(
    connection: &Connection,
    key: &str,
    value: &str,
    expires: Option<Moment>,
    only: Option<Only>,
    now: Moment,
) -> Result<i64, Fault> {
    if only.is_some() {
        check(found(connection, key, now)?.as_ref(), only)?;
    }
    let sweep = "DELETE FROM entries WHERE key IN (SELECT key FROM entries WHERE expires <= ?1 LIMIT ?2)";
    connection.prepare_cached(sweep)?.execute(params![now, SWEPT])?;
    let version = next(connection)?;
    let sql = "INSERT INTO entries VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key) DO UPDATE SET value = ?2, version = ?3, expires = ?4";
    connection.prepare_cached(sql)?.execute(params![key, value, version, expires])?;
    Ok(version)
}

/// Forgets a value, within a transaction.
pub(super) fn remove(connection: &Connection, key: &str, only: Option<Only>, now: Moment) -> Result<bool, Fault> {
    let known = found(connection, key, now)?;
    check(known.as_ref(), only)?;
    connection.prepare_cached("DELETE FROM entries WHERE key = ?1")?.execute(params![key])?;
    Ok(known.is_some())
}

impl State {
    /// The value of a key.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn get(&self, key: &str, now: Moment) -> Result<Option<Entry>, Fault> {
        found(&self.connection.lock(), key, now)
    }

    /// Remembers a value and gives its version.
    ///
    /// # Errors
    /// It was changed meanwhile, a limit, or the file cannot be used.
    pub fn set(
        &self,
        key: &str,
        value: &str,
        expires: Option<Moment>,
        only: Option<Only>,
        now: Moment,
    ) -> Result<i64, Fault> {
        self.check_key(key)?;
        self.check_value(value)?;
        let version = self.change(|connection| put(connection, key, value, expires, only, now))?;
        self.changes.tell(key);
        Ok(version)
    }

    /// Forgets a value; gives whether there was one.
    ///
    /// # Errors
    /// It was changed meanwhile, or the file cannot be used.
    pub fn delete(&self, key: &str, only: Option<Only>, now: Moment) -> Result<bool, Fault> {
        let was_there = self.change(|connection| remove(connection, key, only, now))?;
        if was_there {
            self.changes.tell(key);
        }
        Ok(was_there)
    }

    /// How many entries have keys that begin with `prefix`.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn tally(&self, prefix: &str, now: Moment) -> Result<usize, Fault> {
        let connection = self.connection.lock();
        let sql = "SELECT count(*) FROM entries WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND (expires IS NULL OR expires > ?3)";
        let found: i64 =
            connection.prepare_cached(sql)?.query_row(params![prefix, behind(prefix), now], |row| row.get(0))?;
        Ok(usize::try_from(found).unwrap_or(0))
    }

    /// The entries whose keys begin with `prefix`, behind the key `after`.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn list(&self, prefix: &str, after: Option<&str>, limit: usize, now: Moment) -> Result<Page, Fault> {
        self.page(prefix, after, limit, false, now)
    }

    /// The same from the greatest key on; `after` is the key before which the page begins.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn list_back(&self, prefix: &str, after: Option<&str>, limit: usize, now: Moment) -> Result<Page, Fault> {
        self.page(prefix, after, limit, true, now)
    }

    fn page(&self, prefix: &str, after: Option<&str>, limit: usize, is_back: bool, now: Moment) -> Result<Page, Fault> {
        let limit = limit.clamp(1, ENTRIES_MAX);
        let connection = self.connection.lock();
        let sql = if is_back {
            "SELECT key, value, version, expires FROM entries
             WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND (?3 IS NULL OR key < ?3) AND (expires IS NULL OR expires > ?4)
             ORDER BY key DESC LIMIT ?5"
        } else {
            "SELECT key, value, version, expires FROM entries
             WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND (?3 IS NULL OR key > ?3) AND (expires IS NULL OR expires > ?4)
             ORDER BY key LIMIT ?5"
        };
        let mut statement = connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![prefix, behind(prefix), after, now, count(limit + 1)], entry)?;
        let mut entries = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        Ok(Page { entries, more })
    }
}
