//! Requests that change the catalogue. Each is one transaction that takes the write lock at its
//! start, so what it read is still true when it writes.

use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::read::{no_server, no_version};
use super::{Store, now};
use crate::error::{Attempted as _, Error};
use crate::model::{Outcome, PlanRevision, Release};

impl Store {
    /// Stores a version and makes it the current one.
    ///
    /// The same name and version with another digest is [`Error::Conflict`], unless `force` says
    /// to replace what is stored. The same digest changes nothing but the plan, where that differs.
    pub fn put(&self, release: &Release, force: bool) -> Result<Outcome, Error> {
        self.change("store a version", |transaction| put(transaction, release, force))
    }

    /// Stores a plan for a version. Earlier revisions are kept; the newest is what runs.
    pub fn put_plan(&self, name: &str, version: &str, plan: &str, dev: bool) -> Result<PlanRevision, Error> {
        const WHAT: &str = "store a plan";
        self.change(WHAT, |transaction| {
            if stored_digest(transaction, name, version).attempted(WHAT)?.is_none() {
                return Err(no_version(transaction, name, version));
            }
            let at = now();
            let stored = add_plan(transaction, name, version, plan, dev, &at).attempted(WHAT)?;
            if stored.changed {
                touch(transaction, name, version, &at).attempted(WHAT)?;
            }
            Ok(stored)
        })
    }

    /// Removes a server with all its versions and plans. Gives the number of versions removed.
    pub fn remove(&self, name: &str) -> Result<usize, Error> {
        const WHAT: &str = "remove a server";
        self.change(WHAT, |transaction| {
            let versions: i64 = transaction
                .query_row("SELECT count(*) FROM versions WHERE name = ?1", [name], |row| row.get(0))
                .attempted(WHAT)?;
            match transaction.execute("DELETE FROM servers WHERE name = ?1", [name]).attempted(WHAT)? {
                0 => Err(no_server(transaction, name)),
                _ => Ok(usize::try_from(versions).unwrap_or_default()),
            }
        })
    }

    fn change<T>(
        &self,
        what: &'static str,
        run: impl FnOnce(&Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut connection = self.connection.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).attempted(what)?;
        let value = run(&transaction)?;
        transaction.commit().attempted(what)?;
        Ok(value)
    }
}

fn put(transaction: &Transaction<'_>, release: &Release, force: bool) -> Result<Outcome, Error> {
    const WHAT: &str = "store a version";
    let at = now();
    let known = current_version(transaction, &release.name).attempted(WHAT)?;
    if known.is_none() {
        add_server(transaction, release, &at).attempted(WHAT)?;
    }
    match stored_digest(transaction, &release.name, &release.version).attempted(WHAT)? {
        Some(stored) if stored == release.digest.as_str() => return keep(transaction, release, known.as_deref(), &at),
        Some(stored) if !force => return Err(conflict(release, stored)),
        Some(_) => {
            transaction
                .execute("DELETE FROM versions WHERE name = ?1 AND version = ?2", (&release.name, &release.version))
                .attempted(WHAT)?;
        }
        None => {}
    }
    add_version(transaction, release, &at).attempted(WHAT)?;
    add_plan(transaction, &release.name, &release.version, &release.plan, release.dev, &at).attempted(WHAT)?;
    touch(transaction, &release.name, &release.version, &at).attempted(WHAT)?;
    Ok(if known.is_none() { Outcome::Created } else { Outcome::Updated })
}

/// The version is stored already: a new plan or another current version is all that can change.
fn keep(transaction: &Transaction<'_>, release: &Release, known: Option<&str>, at: &str) -> Result<Outcome, Error> {
    const WHAT: &str = "store a version";
    let stored = add_plan(transaction, &release.name, &release.version, &release.plan, release.dev, at);
    if !stored.attempted(WHAT)?.changed && known == Some(release.version.as_str()) {
        return Ok(Outcome::Unchanged);
    }
    touch(transaction, &release.name, &release.version, at).attempted(WHAT)?;
    Ok(Outcome::Updated)
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

fn current_version(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection.query_row("SELECT current FROM servers WHERE name = ?1", [name], |row| row.get(0)).optional()
}

fn stored_digest(connection: &Connection, name: &str, version: &str) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT digest FROM versions WHERE name = ?1 AND version = ?2", (name, version), |row| row.get(0))
        .optional()
}

fn add_server(connection: &Connection, release: &Release, at: &str) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO servers (name, current, created_at, updated_at) VALUES (?1, ?2, ?3, ?3)",
            (&release.name, &release.version, at),
        )
        .map(drop)
}

fn add_version(connection: &Connection, release: &Release, at: &str) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO versions (name, version, digest, title, description, transport, tools, source, format,
                                   canonical, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            (
                &release.name,
                &release.version,
                release.digest.as_str(),
                &release.title,
                &release.description,
                &release.transport,
                i64::try_from(release.tools).unwrap_or(i64::MAX),
                &release.source,
                release.format.as_str(),
                &release.canonical,
                at,
            ),
        )
        .map(drop)
}

/// Adds a revision unless the newest one is the same.
fn add_plan(
    connection: &Connection,
    name: &str,
    version: &str,
    plan: &str,
    dev: bool,
    at: &str,
) -> rusqlite::Result<PlanRevision> {
    let newest = connection
        .query_row(
            "SELECT revision, plan = ?3 AND dev = ?4 FROM plans
              WHERE name = ?1 AND version = ?2 ORDER BY revision DESC LIMIT 1",
            (name, version, plan, dev),
            |row| Ok((row.get::<_, u32>(0)?, row.get::<_, bool>(1)?)),
        )
        .optional()?;
    let revision = match newest {
        Some((revision, true)) => return Ok(PlanRevision { revision, changed: false }),
        Some((revision, false)) => revision + 1,
        None => 1,
    };
    connection.execute(
        "INSERT INTO plans (name, version, revision, plan, dev, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (name, version, revision, plan, dev, at),
    )?;
    Ok(PlanRevision { revision, changed: true })
}

fn touch(connection: &Connection, name: &str, version: &str, at: &str) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE servers SET current = ?2, updated_at = ?3 WHERE name = ?1", (name, version, at))
        .map(drop)
}
