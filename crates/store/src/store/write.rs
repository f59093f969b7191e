//! Requests that change the catalogue. Each is one transaction that takes the write lock at its
//! start, so what it read is still true when it writes.

use super::read::{no_server, no_version};
use super::{Store, now};
use crate::db::{Attempted as _, Fault, Session, params};
use crate::error::Error;
use crate::model::{By, Outcome, PlanRevision, Release};

impl Store {
    /// Stores a version and makes it the current one.
    ///
    /// The same name and version with another digest is [`Error::Conflict`], unless `force` says
    /// to replace what is stored. The same digest changes nothing but the plan, where that differs.
    pub fn put(&self, release: &Release, force: bool) -> Result<Outcome, Error> {
        self.put_by(&By::operator(), release, force)
    }

    /// The same for an owner: a new server is theirs, and a server keeps its owner. That of somebody else is
    /// [`Error::Taken`], unless `by` may change those too.
    pub fn put_by(&self, by: &By, release: &Release, force: bool) -> Result<Outcome, Error> {
        let (by, release) = (by.clone(), release.clone());
        self.db.change("store a version", move |session| put(session, &by, &release, force))
    }

    /// Makes a version that is stored the current one. Gives whether another one was.
    pub fn make_current(&self, name: &str, version: &str) -> Result<bool, Error> {
        const WHAT: &str = "make a version the current one";
        let (name, version) = (name.to_owned(), version.to_owned());
        self.db.change(WHAT, move |session| {
            if stored_digest(session, &name, &version).attempted(WHAT)?.is_none() {
                return Err(no_version(session, &name, &version));
            }
            match current_version(session, &name).attempted(WHAT)? {
                Some((current, _)) if current == version => Ok(false),
                _ => touch(session, &name, &version, &now()).attempted(WHAT).map(|()| true),
            }
        })
    }

    /// Stores a plan for a version. Earlier revisions are kept; the newest is what runs.
    pub fn put_plan(&self, name: &str, version: &str, plan: &str, dev: bool) -> Result<PlanRevision, Error> {
        const WHAT: &str = "store a plan";
        let (name, version, plan) = (name.to_owned(), version.to_owned(), plan.to_owned());
        self.db.change(WHAT, move |session| {
            if stored_digest(session, &name, &version).attempted(WHAT)?.is_none() {
                return Err(no_version(session, &name, &version));
            }
            let at = now();
            let stored = add_plan(session, &name, &version, &plan, dev, &at).attempted(WHAT)?;
            if stored.changed {
                touch(session, &name, &version, &at).attempted(WHAT)?;
            }
            Ok(stored)
        })
    }

    /// Removes a server with all its versions and plans, and what was counted of it. Gives the number of versions removed.
    pub fn remove(&self, name: &str) -> Result<usize, Error> {
        const WHAT: &str = "remove a server";
        let name = name.to_owned();
        self.db.change(WHAT, move |session| {
            let count = "SELECT count(*) FROM versions WHERE name = ?1";
            let versions = session.row(count, params![&name], |row| row.count(0)).attempted(WHAT)?;
            match session.execute("DELETE FROM servers WHERE name = ?1", params![&name]).attempted(WHAT)? {
                0 => Err(no_server(session, &name)),
                _ => {
                    super::usage::forget(session, &name).attempted(WHAT)?;
                    Ok(versions.unwrap_or_default())
                }
            }
        })
    }
}

pub(super) fn put(session: &Session<'_>, by: &By, release: &Release, force: bool) -> Result<Outcome, Error> {
    const WHAT: &str = "store a version";
    let at = now();
    let known = current_version(session, &release.name).attempted(WHAT)?;
    let known = match known {
        Some((_, owner)) if !by.others && owner != by.owner => return Err(Error::Taken { name: release.name.clone() }),
        Some((version, _)) => Some(version),
        None => None,
    };
    if known.is_none() {
        may_have_more(session, by)?;
        add_server(session, &by.owner, release, &at).attempted(WHAT)?;
    } else if release.template.is_some() {
        let sql = "UPDATE servers SET template = ?2 WHERE name = ?1";
        session.execute(sql, params![&release.name, &release.template]).attempted(WHAT)?;
    }
    match stored_digest(session, &release.name, &release.version).attempted(WHAT)? {
        Some(stored) if stored == release.digest.as_str() => return keep(session, release, known.as_deref(), &at),
        Some(stored) if !force => return Err(conflict(release, stored)),
        Some(_) => {
            let gone = "DELETE FROM versions WHERE name = ?1 AND version = ?2";
            session.execute(gone, params![&release.name, &release.version]).attempted(WHAT)?;
        }
        None => {}
    }
    add_version(session, release, &at).attempted(WHAT)?;
    add_plan(session, &release.name, &release.version, &release.plan, release.dev, &at).attempted(WHAT)?;
    touch(session, &release.name, &release.version, &at).attempted(WHAT)?;
    Ok(if known.is_none() { Outcome::Created } else { Outcome::Updated })
}

/// The version is stored already: a new plan is all that can change. It does not become the current one again: whoever sends an
/// older spec once more goes back by nothing but that.
fn keep(session: &Session<'_>, release: &Release, known: Option<&str>, at: &str) -> Result<Outcome, Error> {
    const WHAT: &str = "store a version";
    let stored = add_plan(session, &release.name, &release.version, &release.plan, release.dev, at);
    if !stored.attempted(WHAT)?.changed {
        return Ok(Outcome::Unchanged);
    }
    touch(session, &release.name, known.unwrap_or(&release.version), at).attempted(WHAT)?;
    Ok(Outcome::Updated)
}

/// Whether an owner may have one more server.
fn may_have_more(session: &Session<'_>, by: &By) -> Result<(), Error> {
    const WHAT: &str = "count servers";
    let Some(most) = by.servers_max else { return Ok(()) };
    let sql = "SELECT count(*) FROM servers WHERE owner = ?1";
    let used = session.row(sql, params![&by.owner], |row| row.count(0)).attempted(WHAT)?.unwrap_or_default() as u64;
    if used >= most { Err(Error::TooMany { used, most }) } else { Ok(()) }
}

fn conflict(release: &Release, stored: String) -> Error {
    let stored = serde_json::from_value(stored.into()).unwrap_or_else(|_| release.digest.clone());
    Error::Conflict {
        name: release.name.clone(),
        version: release.version.clone(),
        stored,
        offered: release.digest.clone(),
    }
}

/// The current version of a server, and whose it is.
pub(super) fn current_version(session: &Session<'_>, name: &str) -> Result<Option<(String, String)>, Fault> {
    let sql = "SELECT current, owner FROM servers WHERE name = ?1";
    session.row(sql, params![name], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn stored_digest(session: &Session<'_>, name: &str, version: &str) -> Result<Option<String>, Fault> {
    let sql = "SELECT digest FROM versions WHERE name = ?1 AND version = ?2";
    session.row(sql, params![name, version], |row| row.get(0))
}

fn add_server(session: &Session<'_>, owner: &str, release: &Release, at: &str) -> Result<(), Fault> {
    let sql = "INSERT INTO servers (name, current, created_at, updated_at, owner, template)
               VALUES (?1, ?2, ?3, ?3, ?4, ?5)";
    session.execute(sql, params![&release.name, &release.version, at, owner, &release.template]).map(drop)
}

fn add_version(session: &Session<'_>, release: &Release, at: &str) -> Result<(), Fault> {
    let sql = "INSERT INTO versions (name, version, digest, title, description, transport, tools, source, format,
                                     canonical, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let values = params![
        &release.name,
        &release.version,
        release.digest.as_str(),
        &release.title,
        &release.description,
        &release.transport,
        release.tools,
        &release.source,
        release.format.as_str(),
        &release.canonical,
        at,
    ];
    session.execute(sql, values).map(drop)
}

/// Adds a revision unless the newest one is the same.
fn add_plan(
    session: &Session<'_>,
    name: &str,
    version: &str,
    plan: &str,
    dev: bool,
    at: &str,
) -> Result<PlanRevision, Fault> {
    let newest = session.row(
        "SELECT revision, plan, dev FROM plans WHERE name = ?1 AND version = ?2 ORDER BY revision DESC LIMIT 1",
        params![name, version],
        |row| Ok((row.get::<u32>(0)?, row.get::<String>(1)? == plan && row.get::<bool>(2)? == dev)),
    )?;
    let revision = match newest {
        Some((revision, true)) => return Ok(PlanRevision { revision, changed: false }),
        Some((revision, false)) => revision + 1,
        None => 1,
    };
    session.execute(
        "INSERT INTO plans (name, version, revision, plan, dev, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![name, version, revision, plan, dev, at],
    )?;
    Ok(PlanRevision { revision, changed: true })
}

pub(super) fn touch(session: &Session<'_>, name: &str, version: &str, at: &str) -> Result<(), Fault> {
    let sql = "UPDATE servers SET current = ?2, updated_at = ?3 WHERE name = ?1";
    session.execute(sql, params![name, version, at]).map(drop)
}
