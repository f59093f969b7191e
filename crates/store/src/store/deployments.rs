//! What is wanted of deployed servers, and what was made of it.

use super::read::{no_server, no_version};
use super::{Store, now};
use crate::db::{Attempted as _, Fault, Row, Session, params};
use crate::error::Error;
use crate::model::{Deployment, Seen, Wanted};

const DEPLOYMENT: &str = "SELECT d.name, d.target, d.version, d.previous, d.wanted, d.generation, d.seen, d.state,
       d.serves, d.reason, d.created_at, d.changed_at, d.seen_at,
       (SELECT v.digest || ' ' || v.created_at || ' ' ||
               (SELECT CAST(max(p.revision) AS TEXT) || ' ' || max(p.created_at)
                  FROM plans p WHERE p.name = v.name AND p.version = v.version)
          FROM versions v WHERE v.name = d.name AND v.version = coalesce(d.version, s.current)),
       s.owner
  FROM deployments d JOIN servers s ON s.name = d.name";

/// A text that differs whenever what is stored of servers or deployments does.
const CHANGES: &str =
    "SELECT (SELECT CAST(count(*) AS TEXT) || ' ' || coalesce(max(updated_at), '') FROM servers) || ' ' ||
       (SELECT CAST(count(*) AS TEXT) FROM plans) || ' ' ||
       (SELECT CAST(count(*) AS TEXT) || ' ' || CAST(coalesce(sum(generation), 0) AS TEXT) FROM deployments)";

impl Store {
    /// The deployment of a server; `None` when it was never deployed.
    pub fn deployment(&self, name: &str) -> Result<Option<Deployment>, Error> {
        const WHAT: &str = "read a deployment";
        self.db.read(WHAT, |session| {
            let found = read(session, name).attempted(WHAT)?;
            if found.is_none() && !exists(session, name).attempted(WHAT)? {
                return Err(no_server(session, name));
            }
            Ok(found)
        })
    }

    /// Every deployment, by name.
    pub fn deployments(&self) -> Result<Vec<Deployment>, Error> {
        const WHAT: &str = "list deployments";
        let sql = format!("{DEPLOYMENT} ORDER BY d.name");
        self.db.read(WHAT, |session| session.rows(&sql, &[], row).attempted(WHAT))
    }

    /// Wants a server to run on a target: a version of it, or whichever is current.
    pub fn deploy(&self, name: &str, target: &str, version: Option<&str>) -> Result<Deployment, Error> {
        const WHAT: &str = "store a deployment";
        let (name, target, version) = (name.to_owned(), target.to_owned(), version.map(str::to_owned));
        self.db.change(WHAT, move |session| {
            if !exists(session, &name).attempted(WHAT)? {
                return Err(no_server(session, &name));
            }
            if let Some(version) = &version {
                let sql = "SELECT name FROM versions WHERE name = ?1 AND version = ?2";
                let known = session.row(sql, params![&name, version], |row| row.get::<String>(0)).attempted(WHAT)?;
                known.ok_or_else(|| no_version(session, &name, version))?;
            }
            let sql =
                "INSERT INTO deployments (name, target, version, wanted, generation, state, created_at, changed_at)
                       VALUES (?1, ?2, ?3, 'running', 1, 'starting', ?4, ?4)
                       ON CONFLICT (name) DO UPDATE SET
                         target = excluded.target, version = excluded.version, wanted = 'running',
                         generation = deployments.generation + 1, changed_at = excluded.changed_at";
            session.execute(sql, params![&name, &target, &version, &now()]).attempted(WHAT)?;
            deployment(session, &name, WHAT)
        })
    }

    /// Wants a deployed server to run, or not to; `None` when it was never deployed.
    pub fn want(&self, name: &str, wanted: Wanted) -> Result<Option<Deployment>, Error> {
        const WHAT: &str = "store a deployment";
        let name = name.to_owned();
        self.db.change_some(WHAT, move |session| {
            let sql =
                "UPDATE deployments SET wanted = ?2, generation = generation + 1, changed_at = ?3 WHERE name = ?1";
            match session.execute(sql, params![&name, wanted.as_str(), &now()]).attempted(WHAT)? {
                0 if exists(session, &name).attempted(WHAT)? => Ok(None),
                0 => Err(no_server(session, &name)),
                _ => deployment(session, &name, WHAT).map(Some),
            }
        })
    }

    /// Says what became of what was wanted in a generation.
    pub fn saw(&self, name: &str, seen: &Seen) -> Result<(), Error> {
        const WHAT: &str = "store the state of a deployment";
        let (name, seen) = (name.to_owned(), seen.clone());
        self.db.change(WHAT, move |session| {
            let sql = "UPDATE deployments SET seen = CASE WHEN ?2 > seen THEN ?2 ELSE seen END, state = ?3,
                              serves = coalesce(?4, serves),
                              previous = CASE WHEN serves <> ?4 THEN serves ELSE previous END,
                              reason = ?5, seen_at = ?6 WHERE name = ?1";
            let at = now();
            let values = params![&name, seen.generation, &seen.state, &seen.serves, &seen.reason, &at];
            session.execute(sql, values).attempted(WHAT).map(drop)
        })
    }

    /// A text that is another one whenever servers or deployments were changed, by this process or another one.
    pub fn changes(&self) -> Result<String, Error> {
        const WHAT: &str = "look for changes";
        let found = self.db.read(WHAT, |session| session.row(CHANGES, &[], |row| row.get(0)).attempted(WHAT))?;
        Ok(found.unwrap_or_default())
    }
}

fn exists(session: &Session<'_>, name: &str) -> Result<bool, Fault> {
    let sql = "SELECT name FROM servers WHERE name = ?1";
    Ok(session.row(sql, params![name], |row| row.get::<String>(0))?.is_some())
}

fn deployment(session: &Session<'_>, name: &str, what: &'static str) -> Result<Deployment, Error> {
    read(session, name).attempted(what)?.ok_or_else(|| no_server(session, name))
}

fn read(session: &Session<'_>, name: &str) -> Result<Option<Deployment>, Fault> {
    session.row(&format!("{DEPLOYMENT} WHERE d.name = ?1"), params![name], row)
}

fn row(row: &Row<'_>) -> Result<Deployment, Fault> {
    Ok(Deployment {
        name: row.get(0)?,
        target: row.get(1)?,
        version: row.get(2)?,
        previous: row.get(3)?,
        wanted: Wanted::of_word(&row.get::<String>(4)?),
        generation: row.get(5)?,
        seen: row.get(6)?,
        state: row.get(7)?,
        serves: row.get(8)?,
        reason: row.get(9)?,
        created_at: row.get(10)?,
        changed_at: row.get(11)?,
        seen_at: row.get(12)?,
        stamp: row.get::<Option<String>>(13)?.unwrap_or_default(),
        owner: row.get(14)?,
    })
}
