//! Timers: at a moment a tool is called. A timer is held for a while by whoever runs it, and is tried again when that one ends
//! without having said how it went.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Fault, Moment, State, behind, count, next};

/// A timer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// Its name; there is one timer of a name.
    pub name: String,
    /// When it is due.
    pub due: Moment,
    /// The tool that is called.
    pub tool: String,
    /// Its arguments, a JSON object.
    pub arguments: String,
    /// Which setting of this name it is.
    pub made: i64,
    /// How often it was tried, this time included.
    pub attempts: u32,
}

/// Timers in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimerPage {
    /// The timers.
    pub timers: Vec<Timer>,
    /// Whether there are further ones.
    pub more: bool,
}

/// What a timer is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name; one of the same name is replaced.
    pub name: String,
    /// When it is due.
    pub due: Moment,
    /// The tool that is called.
    pub tool: String,
    /// Its arguments, a JSON object.
    pub arguments: String,
    /// Whether one of the same name that is due before, and that nobody runs, stays as it is.
    pub sooner: bool,
}

impl Set {
    /// Within a transaction.
    pub(super) fn put(&self, connection: &Connection, most: usize, now: Moment) -> Result<(), Fault> {
        let others: i64 =
            connection
                .query_row("SELECT count(*) FROM timers WHERE name <> ?1", params![self.name], |row| row.get(0))?;
        if usize::try_from(others).unwrap_or(usize::MAX) >= most {
            return Err(Fault::Limit(format!("{others} timers are set, and {most} are the most")));
        }
        if self.sooner {
            let known = "SELECT 1 FROM timers WHERE name = ?1 AND due <= ?2 AND held <= ?3";
            if connection.prepare_cached(known)?.exists(params![self.name, self.due, now])? {
                return Ok(());
            }
        }
        let made = next(connection)?;
        let sql = "INSERT OR REPLACE INTO timers (name, due, tool, arguments, made) VALUES (?1, ?2, ?3, ?4, ?5)";
        connection.prepare_cached(sql)?.execute(params![self.name, self.due, self.tool, self.arguments, made])?;
        Ok(())
    }

    pub(super) fn check(&self, state: &State) -> Result<(), Fault> {
        state.check_key(&self.name)?;
        state.check_value(&self.arguments)
    }
}

const FIELDS: &str = "name, due, tool, arguments, made, attempts";

fn timer(row: &Row<'_>) -> rusqlite::Result<Timer> {
    Ok(Timer {
        name: row.get(0)?,
        due: row.get(1)?,
        tool: row.get(2)?,
        arguments: row.get(3)?,
        made: row.get(4)?,
        attempts: row.get(5)?,
    })
}

impl State {
    /// Sets a timer.
    ///
    /// # Errors
    /// A limit, or the file cannot be used.
    pub fn set_timer(&self, set: &Set, now: Moment) -> Result<(), Fault> {
        set.check(self)?;
        self.change(|connection| set.put(connection, self.limits.timers, now))?;
        self.woken.notify_one();
        Ok(())
    }

    /// Drops a timer; gives whether there was one.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn cancel_timer(&self, name: &str) -> Result<bool, Fault> {
        self.change(|connection| Ok(connection.execute("DELETE FROM timers WHERE name = ?1", params![name])? > 0))
    }

    /// The timers whose names begin with `prefix`.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn timers(&self, prefix: &str, limit: usize) -> Result<TimerPage, Fault> {
        let limit = limit.clamp(1, super::values::ENTRIES_MAX);
        let connection = self.connection.lock();
        let sql = format!(
            "SELECT {FIELDS} FROM timers WHERE name >= ?1 AND (?2 IS NULL OR name < ?2) ORDER BY name LIMIT ?3"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![prefix, behind(prefix), count(limit + 1)], timer)?;
        let mut timers = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let more = timers.len() > limit;
        timers.truncate(limit);
        Ok(TimerPage { timers, more })
    }

    /// Takes a timer that is due and that nobody holds, and holds it until `held`.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn take_timer(&self, now: Moment, held: Moment) -> Result<Option<Timer>, Fault> {
        self.change(|connection| {
            let sql = format!(
                "UPDATE timers SET held = ?2, attempts = attempts + 1
                 WHERE name = (SELECT name FROM timers WHERE due <= ?1 AND held <= ?1 ORDER BY due LIMIT 1) RETURNING {FIELDS}"
            );
            Ok(connection.prepare_cached(&sql)?.query_row(params![now, held], timer).optional()?)
        })
    }

    /// Holds a timer for longer; `false` when it was set again or dropped meanwhile.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn hold_timer(&self, timer: &Timer, held: Moment) -> Result<bool, Fault> {
        self.change(|connection| {
            let sql = "UPDATE timers SET held = ?3 WHERE name = ?1 AND made = ?2";
            Ok(connection.prepare_cached(sql)?.execute(params![timer.name, timer.made, held])? > 0)
        })
    }

    /// A timer has done its work, unless it was set again meanwhile; or it is tried again at `again`.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn end_timer(&self, timer: &Timer, again: Option<Moment>) -> Result<(), Fault> {
        self.change(|connection| {
            match again {
                None => connection
                    .execute("DELETE FROM timers WHERE name = ?1 AND made = ?2", params![timer.name, timer.made])?,
                Some(due) => connection.execute(
                    "UPDATE timers SET due = ?3, held = 0 WHERE name = ?1 AND made = ?2",
                    params![timer.name, timer.made, due],
                )?,
            };
            Ok(())
        })
    }

    /// When the next timer can be taken.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn next_timer(&self) -> Result<Option<Moment>, Fault> {
        let connection = self.connection.lock();
        Ok(connection.query_row("SELECT min(max(due, held)) FROM timers", [], |row| row.get(0))?)
    }
}
