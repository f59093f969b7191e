//! The catalogue as a whole, for what is derived from all servers at once.

use super::Store;
use crate::db::{Attempted as _, params};
use crate::error::Error;
use crate::model::{Documents, Head};

/// A text that is another one whenever a server was made, changed or removed.
const STAMP: &str = "SELECT CAST(count(*) AS TEXT) || ' ' || coalesce(max(updated_at), '') FROM servers";

impl Store {
    /// A text that differs whenever servers do. Changes within the same millisecond may share one.
    pub fn servers_stamp(&self) -> Result<String, Error> {
        const WHAT: &str = "look for changes";
        let found = self.db.read(WHAT, |session| session.row(STAMP, &[], |row| row.get(0)).attempted(WHAT))?;
        Ok(found.unwrap_or_default())
    }

    /// Every server with when it was last changed, by name.
    pub fn heads(&self) -> Result<Vec<Head>, Error> {
        const WHAT: &str = "list servers";
        let sql = "SELECT name, updated_at FROM servers ORDER BY name";
        self.db.read(WHAT, |session| {
            let head =
                |row: &crate::db::Row<'_>| Ok(Head { name: row.get::<String>(0)?, updated_at: row.get::<String>(1)? });
            session.rows(sql, &[], head).attempted(WHAT)
        })
    }

    /// The current versions of these servers. Servers that are not there any more are left out.
    pub fn documents(&self, names: &[String]) -> Result<Vec<Documents>, Error> {
        const WHAT: &str = "read servers";
        let sql = "SELECT s.name, s.current, s.updated_at, v.digest, v.canonical,
                          (SELECT p.plan FROM plans p WHERE p.name = v.name AND p.version = v.version
                            ORDER BY p.revision DESC LIMIT 1), s.owner, s.template
                     FROM servers s JOIN versions v ON v.name = s.name AND v.version = s.current WHERE s.name = ?1";
        self.db.read(WHAT, |session| {
            let mut found = Vec::with_capacity(names.len());
            for name in names {
                let row = session.row(sql, params![name], |row| {
                    Ok(Documents {
                        name: row.get(0)?,
                        version: row.get(1)?,
                        updated_at: row.get(2)?,
                        digest: row.get(3)?,
                        canonical: row.get(4)?,
                        plan: row.get::<Option<String>>(5)?.unwrap_or_default(),
                        owner: row.get(6)?,
                        template: row.get(7)?,
                    })
                });
                found.extend(row.attempted(WHAT)?);
            }
            Ok(found)
        })
    }
}
