//! Requests that change nothing.

use base::Digest;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::{PAGE_SIZE_MAX, Store, texts};
use crate::error::{Attempted as _, Error};
use crate::model::{Format, Listing, Page, Release, Server, Version, VersionSummary};

const SERVER: &str = "SELECT s.name, v.title, v.description, s.current, v.digest, v.transport, v.tools,
       (SELECT count(*) FROM versions o WHERE o.name = s.name), s.created_at, s.updated_at
  FROM servers s JOIN versions v ON v.name = s.name AND v.version = s.current";

const VERSION: &str = "SELECT v.name, v.version, v.digest, v.title, v.description, v.transport, v.tools, v.source,
       v.format, v.canonical, p.plan, p.dev, p.revision, v.created_at, p.created_at, s.current = v.version
  FROM versions v
  JOIN servers s ON s.name = v.name
  JOIN plans p ON p.name = v.name AND p.version = v.version
 WHERE v.name = ?1 AND v.version = coalesce(?2, s.current)
 ORDER BY p.revision DESC LIMIT 1";

impl Store {
    /// The server of this name.
    pub fn server(&self, name: &str) -> Result<Server, Error> {
        let connection = self.connection.lock();
        let found = connection
            .prepare_cached(&format!("{SERVER} WHERE s.name = ?1"))
            .and_then(|mut statement| statement.query_row([name], server_row).optional())
            .attempted("read a server")?;
        found.map_or_else(|| Err(no_server(&connection, name)), Ok)
    }

    /// A version of a server with its documents; the current one when `version` is absent.
    pub fn version(&self, name: &str, version: Option<&str>) -> Result<Version, Error> {
        let connection = self.connection.lock();
        let found = connection
            .prepare_cached(VERSION)
            .and_then(|mut statement| statement.query_row((name, version), version_row).optional())
            .attempted("read a version")?;
        match (found, version) {
            (Some(found), _) => Ok(found),
            (None, Some(version)) => Err(no_version(&connection, name, version)),
            (None, None) => Err(no_server(&connection, name)),
        }
    }

    /// The versions of a server, newest first.
    pub fn versions(&self, name: &str) -> Result<Vec<VersionSummary>, Error> {
        let connection = self.connection.lock();
        let found = version_rows(&connection, name).attempted("list versions")?;
        if found.is_empty() { Err(no_server(&connection, name)) } else { Ok(found) }
    }

    /// A page of the list of servers, in name order. Servers that are made or removed between two
    /// pages cause no other server to be skipped or repeated.
    pub fn list(&self, page: &Page) -> Result<Listing, Error> {
        let limit = page.limit.unwrap_or(PAGE_SIZE_MAX).clamp(1, PAGE_SIZE_MAX);
        let after = page.cursor.as_deref().map(open_cursor).transpose()?.unwrap_or_default();
        let connection = self.connection.lock();
        let mut servers = server_rows(&connection, &after, limit + 1).attempted("list servers")?;
        let more = servers.len() > limit;
        servers.truncate(limit);
        let next = servers.last().filter(|_| more).map(|last| cursor_after(&last.name));
        Ok(Listing { servers, next })
    }

    /// The names of all servers, at most [`PAGE_SIZE_MAX`] of them.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        names(&self.connection.lock()).attempted("list names")
    }
}

fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    texts(connection, &format!("SELECT name FROM servers ORDER BY name LIMIT {PAGE_SIZE_MAX}"))
}

/// The error for a name that is not there, with the names that are.
pub(super) fn no_server(connection: &Connection, name: &str) -> Error {
    Error::NoServer { name: name.to_owned(), known: names(connection).unwrap_or_default() }
}

/// The error for a version that is not there.
pub(super) fn no_version(connection: &Connection, name: &str, version: &str) -> Error {
    let known: Vec<String> =
        version_rows(connection, name).unwrap_or_default().into_iter().map(|one| one.version).collect();
    if known.is_empty() {
        return no_server(connection, name);
    }
    Error::NoVersion { name: name.to_owned(), version: version.to_owned(), known }
}

fn server_rows(connection: &Connection, after: &str, limit: usize) -> rusqlite::Result<Vec<Server>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&format!("{SERVER} WHERE s.name > ?1 ORDER BY s.name LIMIT ?2"))?;
    let rows = statement.query_map((after, limit), server_row)?;
    rows.collect()
}

fn version_rows(connection: &Connection, name: &str) -> rusqlite::Result<Vec<VersionSummary>> {
    let mut statement = connection.prepare_cached(
        "SELECT v.version, v.digest, v.created_at, s.current = v.version
           FROM versions v JOIN servers s ON s.name = v.name
          WHERE v.name = ?1 ORDER BY v.created_at DESC, v.version DESC",
    )?;
    let rows = statement.query_map([name], |row| {
        Ok(VersionSummary {
            version: row.get(0)?,
            digest: digest(row, 1)?,
            created_at: row.get(2)?,
            current: row.get(3)?,
        })
    })?;
    rows.collect()
}

fn server_row(row: &Row<'_>) -> rusqlite::Result<Server> {
    Ok(Server {
        name: row.get(0)?,
        title: row.get(1)?,
        description: row.get(2)?,
        version: row.get(3)?,
        digest: digest(row, 4)?,
        transport: row.get(5)?,
        tools: count(row, 6)?,
        versions: count(row, 7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
    })
}

fn version_row(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        release: Release {
            name: row.get(0)?,
            version: row.get(1)?,
            digest: digest(row, 2)?,
            title: row.get(3)?,
            description: row.get(4)?,
            transport: row.get(5)?,
            tools: count(row, 6)?,
            source: row.get(7)?,
            format: Format::of_word(&row.get::<_, String>(8)?),
            canonical: row.get(9)?,
            plan: row.get(10)?,
            dev: row.get(11)?,
        },
        plan_revision: row.get(12)?,
        created_at: row.get(13)?,
        planned_at: row.get(14)?,
        current: row.get(15)?,
    })
}

fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<usize> {
    Ok(usize::try_from(row.get::<_, i64>(index)?).unwrap_or_default())
}

/// A stored digest. Only this crate writes the column, from a [`Digest`].
fn digest(row: &Row<'_>, index: usize) -> rusqlite::Result<Digest> {
    let text: String = row.get(index)?;
    serde_json::from_value(serde_json::Value::String(text))
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.into()))
}

/// Cursors are opaque to callers: a version digit and the last name of the page.
fn cursor_after(name: &str) -> String {
    format!("1.{name}")
}

fn open_cursor(cursor: &str) -> Result<String, Error> {
    let name = cursor.strip_prefix("1.").filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| Error::Cursor { cursor: cursor.to_owned() })
}
