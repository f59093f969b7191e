//! Who may use what, and how much of it was used.

use crate::db::{Attempted as _, Fault, Row, Session, params};
use crate::error::Error;
use crate::store::{Store, now};

/// What a document says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Who may use which servers.
    Rule,
    /// How much somebody may use.
    Quota,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Quota => "quota",
        }
    }
}

/// A rule or a quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What it says.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Who set it.
    pub owner: String,
    /// The document, JSON.
    pub document: String,
    /// When it was set, RFC 3339.
    pub changed_at: String,
}

/// What an owner used of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The owner.
    pub owner: String,
    /// Calls of tools.
    pub calls: u64,
    /// Bytes of answers.
    pub bytes: u64,
}

/// Tells other processes that something was set.
const COUNTER: &str = "UPDATE counters SET value = value + 1 WHERE name = 'policies'";

impl Store {
    /// Counts changes of rules and quotas, by this and other processes.
    pub fn policy_changes(&self) -> Result<i64, Error> {
        const WHAT: &str = "look for changed policies";
        let sql = "SELECT value FROM counters WHERE name = 'policies'";
        let found = self.db.read(WHAT, |session| session.row(sql, &[], |row| row.get(0)).attempted(WHAT))?;
        Ok(found.unwrap_or_default())
    }

    /// Every rule and quota, by kind and name.
    pub fn policies(&self) -> Result<Vec<Policy>, Error> {
        const WHAT: &str = "list policies";
        let sql = "SELECT kind, name, owner, document, changed_at FROM policies ORDER BY kind, name";
        self.db.read(WHAT, |session| session.rows(sql, &[], policy).attempted(WHAT))
    }

    /// Sets a rule or a quota, at most `most` of an owner in all. One of this name that somebody else set stays as it is; the
    /// answer is then `false`, as it is when there is no place.
    pub fn set_policy(&self, policy: &Policy, most: usize) -> Result<bool, Error> {
        const WHAT: &str = "set a policy";
        let policy = policy.clone();
        self.db.change_if(WHAT, move |session| {
            let Policy { kind, name, owner, document, .. } = &policy;
            match owner_of(session, *kind, name).attempted(WHAT)? {
                Some(known) if known != *owner => return Ok(false),
                Some(_) => {}
                None => {
                    let count = "SELECT count(*) FROM policies WHERE owner = ?1";
                    let count = session.row(count, params![owner], |row| row.count(0)).attempted(WHAT)?;
                    if count.unwrap_or_default() >= most {
                        return Ok(false);
                    }
                }
            }
            let set = "INSERT INTO policies (kind, name, owner, document, changed_at) VALUES (?1, ?2, ?3, ?4, ?5)
                       ON CONFLICT (kind, name) DO UPDATE SET document = excluded.document, changed_at = excluded.changed_at";
            let at = now();
            session.execute(set, params![kind.as_str(), name, owner, document, &at]).attempted(WHAT)?;
            session.execute(COUNTER, &[]).attempted(WHAT)?;
            Ok(true)
        })
    }

    /// Removes a rule or a quota; of this owner alone, if one is named. `false` when there was none.
    pub fn remove_policy(&self, kind: Kind, name: &str, owner: Option<&str>) -> Result<bool, Error> {
        const WHAT: &str = "remove a policy";
        let (name, owner) = (name.to_owned(), owner.map(str::to_owned));
        self.db.change_if(WHAT, move |session| {
            let known = owner_of(session, kind, &name).attempted(WHAT)?;
            let Some(known) = known else { return Ok(false) };
            if owner.as_ref().is_some_and(|owner| *owner != known) {
                return Ok(false);
            }
            let gone = "DELETE FROM policies WHERE kind = ?1 AND name = ?2";
            session.execute(gone, params![kind.as_str(), &name]).attempted(WHAT)?;
            session.execute(COUNTER, &[]).attempted(WHAT)?;
            Ok(true)
        })
    }

    /// What every owner used of a day.
    pub fn spent(&self, day: &str) -> Result<Vec<Spent>, Error> {
        const WHAT: &str = "read what was used";
        let sql = "SELECT owner, calls, bytes FROM spent WHERE day = ?1";
        self.db.read(WHAT, |session| {
            let read = |row: &Row<'_>| {
                let count =
                    |column: usize| Ok::<u64, Fault>(u64::try_from(row.get::<i64>(column)?).unwrap_or_default());
                Ok(Spent { owner: row.get(0)?, calls: count(1)?, bytes: count(2)? })
            };
            session.rows(sql, params![day], read).attempted(WHAT)
        })
    }

    /// Adds what owners used of a day; what was used on days before `forget` goes.
    pub fn spend(&self, day: &str, more: &[Spent], forget: &str) -> Result<(), Error> {
        const WHAT: &str = "store what was used";
        let (day, more, forget) = (day.to_owned(), more.to_vec(), forget.to_owned());
        self.db.change(WHAT, move |session| {
            let add = "INSERT INTO spent (owner, day, calls, bytes) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (owner, day) DO UPDATE SET
                         calls = spent.calls + excluded.calls, bytes = spent.bytes + excluded.bytes";
            for one in &more {
                let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
                let values = params![&one.owner, &day, count(one.calls), count(one.bytes)];
                session.execute(add, values).attempted(WHAT)?;
            }
            session.execute("DELETE FROM spent WHERE day < ?1", params![&forget]).attempted(WHAT).map(drop)
        })
    }
}

fn owner_of(session: &Session<'_>, kind: Kind, name: &str) -> Result<Option<String>, Fault> {
    let sql = "SELECT owner FROM policies WHERE kind = ?1 AND name = ?2";
    session.row(sql, params![kind.as_str(), name], |row| row.get(0))
}

fn policy(row: &Row<'_>) -> Result<Policy, Fault> {
    let kind = if row.get::<String>(0)? == "quota" { Kind::Quota } else { Kind::Rule };
    Ok(Policy { kind, name: row.get(1)?, owner: row.get(2)?, document: row.get(3)?, changed_at: row.get(4)? })
}
