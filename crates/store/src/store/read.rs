//! Requests that change nothing.

use base::Digest;

use super::{PAGE_SIZE_MAX, Store};
use crate::db::{Attempted as _, Fault, Row, Session, params};
use crate::error::Error;
use crate::model::{Format, Listing, Page, Release, Server, Version, VersionSummary};

const SERVER: &str = "SELECT s.name, v.title, v.description, s.current, v.digest, v.transport, v.tools,
       (SELECT count(*) FROM versions o WHERE o.name = s.name), s.created_at, s.updated_at, s.owner
  FROM servers s JOIN versions v ON v.name = s.name AND v.version = s.current";

const VERSION: &str = "SELECT v.name, v.version, v.digest, v.title, v.description, v.transport, v.tools, v.source,
       v.format, v.canonical, p.plan, p.dev, p.revision, v.created_at, p.created_at, s.current = v.version, s.template
  FROM versions v
  JOIN servers s ON s.name = v.name
  JOIN plans p ON p.name = v.name AND p.version = v.version
 WHERE v.name = ?1 AND v.version = coalesce(?2, s.current)
 ORDER BY p.revision DESC LIMIT 1";

impl Store {
    /// The server of this name.
    pub fn server(&self, name: &str) -> Result<Server, Error> {
        const WHAT: &str = "read a server";
        self.db.read(WHAT, |session| {
            let sql = format!("{SERVER} WHERE s.name = ?1");
            let found = session.row(&sql, params![name], server_row).attempted(WHAT)?;
            found.map_or_else(|| Err(no_server(session, name)), Ok)
        })
    }

    /// A version of a server with its documents; the current one when `version` is absent.
    pub fn version(&self, name: &str, version: Option<&str>) -> Result<Version, Error> {
        const WHAT: &str = "read a version";
        self.db.read(WHAT, |session| {
            let found = session.row(VERSION, params![name, version], version_row).attempted(WHAT)?;
            match (found, version) {
                (Some(found), _) => Ok(found),
                (None, Some(version)) => Err(no_version(session, name, version)),
                (None, None) => Err(no_server(session, name)),
            }
        })
    }

    /// The same for whom it is no failure when there is none; the names that exist are not looked up for that.
    pub fn find_version(&self, name: &str, version: Option<&str>) -> Result<Option<Version>, Error> {
        const WHAT: &str = "read a version";
        self.db.read(WHAT, |session| session.row(VERSION, params![name, version], version_row).attempted(WHAT))
    }

    /// The versions of a server, newest first.
    pub fn versions(&self, name: &str) -> Result<Vec<VersionSummary>, Error> {
        const WHAT: &str = "list versions";
        self.db.read(WHAT, |session| {
            let found = version_rows(session, name).attempted(WHAT)?;
            if found.is_empty() { Err(no_server(session, name)) } else { Ok(found) }
        })
    }

    /// A page of the list of servers, in name order. Servers that are made or removed between two
    /// pages cause no other server to be skipped or repeated.
    pub fn list(&self, page: &Page) -> Result<Listing, Error> {
        self.list_of(None, page)
    }

    /// The same for the servers of one owner, if one is named.
    pub fn list_of(&self, owner: Option<&str>, page: &Page) -> Result<Listing, Error> {
        const WHAT: &str = "list servers";
        let limit = page.limit.unwrap_or(PAGE_SIZE_MAX).clamp(1, PAGE_SIZE_MAX);
        let after = page.cursor.as_deref().map(open_cursor).transpose()?.unwrap_or_default();
        let of_all = format!("{SERVER} WHERE s.name > ?1 ORDER BY s.name LIMIT ?2");
        let of_one = format!("{SERVER} WHERE s.name > ?1 AND s.owner = ?3 ORDER BY s.name LIMIT ?2");
        let mut servers = self.db.read(WHAT, |session| match owner {
            None => session.rows(&of_all, params![&after, limit + 1], server_row).attempted(WHAT),
            Some(owner) => session.rows(&of_one, params![&after, limit + 1, owner], server_row).attempted(WHAT),
        })?;
        let more = servers.len() > limit;
        servers.truncate(limit);
        let next = servers.last().filter(|_| more).map(|last| cursor_after(&last.name));
        Ok(Listing { servers, next })
    }

    /// Whose a server is; `None` when there is none of this name.
    pub fn owner(&self, name: &str) -> Result<Option<String>, Error> {
        const WHAT: &str = "read the owner of a server";
        let sql = "SELECT owner FROM servers WHERE name = ?1";
        self.db.read(WHAT, |session| session.row(sql, params![name], |row| row.get(0)).attempted(WHAT))
    }

    /// When a server was made; `None` when there is none of this name.
    pub fn made_at(&self, name: &str) -> Result<Option<String>, Error> {
        const WHAT: &str = "read when a server was made";
        let sql = "SELECT created_at FROM servers WHERE name = ?1";
        self.db.read(WHAT, |session| session.row(sql, params![name], |row| row.get(0)).attempted(WHAT))
    }

    /// The names of all servers with when each was made.
    pub fn all_made_at(&self) -> Result<Vec<(String, String)>, Error> {
        const WHAT: &str = "read when servers were made";
        let sql = "SELECT name, created_at FROM servers ORDER BY name";
        self.db.read(WHAT, |session| session.rows(sql, &[], |row| Ok((row.get(0)?, row.get(1)?))).attempted(WHAT))
    }

    /// The names of all servers with their owners.
    pub fn owners(&self) -> Result<Vec<(String, String)>, Error> {
        const WHAT: &str = "read the owners of servers";
        let sql = "SELECT name, owner FROM servers ORDER BY name";
        self.db.read(WHAT, |session| session.rows(sql, &[], |row| Ok((row.get(0)?, row.get(1)?))).attempted(WHAT))
    }

    /// How many servers an owner has.
    pub fn servers_of(&self, owner: &str) -> Result<usize, Error> {
        const WHAT: &str = "count servers";
        let sql = "SELECT count(*) FROM servers WHERE owner = ?1";
        let found = self.db.read(WHAT, |session| session.row(sql, params![owner], |row| row.count(0)).attempted(WHAT));
        Ok(found?.unwrap_or_default())
    }

    /// The names of all servers, at most [`PAGE_SIZE_MAX`] of them.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        const WHAT: &str = "list names";
        self.db.read(WHAT, |session| names(session).attempted(WHAT))
    }
}

fn names(session: &Session<'_>) -> Result<Vec<String>, Fault> {
    session.rows("SELECT name FROM servers ORDER BY name LIMIT ?1", params![PAGE_SIZE_MAX], |row| row.get(0))
}

/// The error for a name that is not there, with the names that are.
pub(super) fn no_server(session: &Session<'_>, name: &str) -> Error {
    Error::NoServer { name: name.to_owned(), known: names(session).unwrap_or_default() }
}

/// The error for a version that is not there.
pub(super) fn no_version(session: &Session<'_>, name: &str, version: &str) -> Error {
    let known: Vec<String> =
        version_rows(session, name).unwrap_or_default().into_iter().map(|one| one.version).collect();
    if known.is_empty() {
        return no_server(session, name);
    }
    Error::NoVersion { name: name.to_owned(), version: version.to_owned(), known }
}

fn version_rows(session: &Session<'_>, name: &str) -> Result<Vec<VersionSummary>, Fault> {
    let sql = "SELECT v.version, v.digest, v.created_at, s.current = v.version
           FROM versions v JOIN servers s ON s.name = v.name
          WHERE v.name = ?1 ORDER BY v.created_at DESC, v.version DESC";
    session.rows(sql, params![name], |row| {
        Ok(VersionSummary {
            version: row.get(0)?,
            digest: digest(row, 1)?,
            created_at: row.get(2)?,
            current: row.get(3)?,
        })
    })
}

fn server_row(row: &Row<'_>) -> Result<Server, Fault> {
    Ok(Server {
        name: row.get(0)?,
        title: row.get(1)?,
        description: row.get(2)?,
        version: row.get(3)?,
        digest: digest(row, 4)?,
        transport: row.get(5)?,
        tools: row.count(6)?,
        versions: row.count(7)?,
        created_at: row.get(8)?,
        updated_at: row.get(9)?,
        owner: row.get(10)?,
    })
}

fn version_row(row: &Row<'_>) -> Result<Version, Fault> {
    Ok(Version {
        release: Release {
            name: row.get(0)?,
            version: row.get(1)?,
            digest: digest(row, 2)?,
            title: row.get(3)?,
            description: row.get(4)?,
            transport: row.get(5)?,
            tools: row.count(6)?,
            source: row.get(7)?,
            format: Format::of_word(&row.get::<String>(8)?),
            canonical: row.get(9)?,
            plan: row.get(10)?,
            dev: row.get(11)?,
            template: row.get(16)?,
        },
        plan_revision: row.get(12)?,
        created_at: row.get(13)?,
        planned_at: row.get(14)?,
        current: row.get(15)?,
    })
}

/// A stored digest. Only this crate writes the column, from a [`Digest`].
fn digest(row: &Row<'_>, column: usize) -> Result<Digest, Fault> {
    let text: String = row.get(column)?;
    serde_json::from_value(text.into()).map_err(|error| Fault::Shape(format!("a stored digest is none: {error}")))
}

/// Cursors are opaque to callers: a version digit and the last name of the page.
pub fn cursor_after(name: &str) -> String {
    format!("1.{name}")
}

fn open_cursor(cursor: &str) -> Result<String, Error> {
    let name = cursor.strip_prefix("1.").filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| Error::Cursor { cursor: cursor.to_owned() })
}
