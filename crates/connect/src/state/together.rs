//! Several changes as one: all of them are made, or none.

use super::{Fault, Moment, Only, SetTimer, State, values};

/// Most changes that are made together.
pub(super) const STEPS_MAX: usize = 100;

/// One change among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Remembers a value.
    Set {
        /// Its key.
        key: String,
        /// JSON.
        value: String,
        /// When it is forgotten.
        expires: Option<Moment>,
        /// When it is made.
        only: Option<Only>,
    },
    /// Forgets a value.
    Delete {
        /// Its key.
        key: String,
        /// When it is made.
        only: Option<Only>,
    },
    /// Sets a timer.
    Timer(SetTimer),
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// The version of the value.
    Version(i64),
    /// Whether there was one.
    Deleted(bool),
    /// When the timer was to be due.
    Due(Moment),
}

impl State {
    /// Makes all of these changes, in one transaction, in their order.
    ///
    /// # Errors
    /// One of them cannot be made, and so none was: a value was changed meanwhile, a limit, or the file cannot be used.
    pub fn together(&self, steps: &[Step], now: Moment) -> Result<Vec<Done>, Fault> {
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        if steps.len() > STEPS_MAX {
            return Err(Fault::Limit(format!("{} changes at once, and {STEPS_MAX} are the most", steps.len())));
        }
        for step in steps {
            match step {
                Step::Set { key, value, .. } => self.check_key(key).and_then(|()| self.check_value(value))?,
                Step::Delete { .. } => {}
                Step::Timer(set) => set.check(self)?,
            }
        }
        let done = self.change(|connection| {
            let each = steps.iter().map(|step| match step {
                Step::Set { key, value, expires, only } => {
                    values::put(connection, key, value, *expires, *only, now).map(Done::Version)
                }
                Step::Delete { key, only } => values::remove(connection, key, *only, now).map(Done::Deleted),
                Step::Timer(set) => set.put(connection, self.limits.timers, now).map(|()| Done::Due(set.due)),
            });
            each.collect::<Result<Vec<_>, Fault>>()
        })?;
        for step in steps {
            match step {
                Step::Set { key, .. } | Step::Delete { key, .. } => self.changes.tell(key),
                Step::Timer(_) => self.woken.notify_one(),
            }
        }
        Ok(done)
    }
}
