//! API keys. The keys themselves come as hashes; times are seconds since 1970.

use crate::db::{Attempted as _, Fault, Row, params};
use crate::error::Error;
use crate::oauth::{Hash, count_revocation, hash};
use crate::store::Store;

/// An API key, but for the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// Hash of the key.
    pub hash: Hash,
    /// Whose things it may use.
    pub owner: String,
    /// What its owner calls it.
    pub name: String,
    /// How the key begins, so that people know it again.
    pub start: String,
    /// Its scopes, separated by spaces.
    pub scope: String,
    /// When it was made.
    pub created_at: i64,
    /// Its end, if it has one.
    pub expires_at: Option<i64>,
}

const COLUMNS: &str = "id, hash, owner, name, start, scope, created_at, expires_at";

impl Store {
    /// Stores a new key; `false` when its owner has `most` already.
    pub fn add_key(&self, key: &Key, most: usize) -> Result<bool, Error> {
        const WHAT: &str = "store a key";
        let key = key.clone();
        self.db.about(&key.id);
        self.db.change_if(WHAT, move |session| {
            let count = "SELECT count(*) FROM api_keys WHERE owner = ?1";
            let count = session.row(count, params![&key.owner], |row| row.count(0)).attempted(WHAT)?;
            if count.unwrap_or_default() >= most {
                return Ok(false);
            }
            let add = format!("INSERT INTO api_keys ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
            let values = params![
                &key.id,
                key.hash.as_slice(),
                &key.owner,
                &key.name,
                &key.start,
                &key.scope,
                key.created_at,
                key.expires_at,
            ];
            session.execute(&add, values).attempted(WHAT)?;
            Ok(true)
        })
    }

    /// The keys of an owner, or all of them, in the order in which they were made; at most so many.
    pub fn keys(&self, owner: Option<&str>, limit: usize) -> Result<Vec<Key>, Error> {
        const WHAT: &str = "list the keys";
        let of_one = format!("SELECT {COLUMNS} FROM api_keys WHERE owner = ?2 ORDER BY created_at, id LIMIT ?1");
        let of_all = format!("SELECT {COLUMNS} FROM api_keys ORDER BY created_at, id LIMIT ?1");
        self.db.read(WHAT, |session| match owner {
            Some(owner) => session.rows(&of_one, params![limit, owner], key).attempted(WHAT),
            None => session.rows(&of_all, params![limit], key).attempted(WHAT),
        })
    }

    /// The key of this hash.
    pub fn key(&self, hash: &Hash) -> Result<Option<Key>, Error> {
        const WHAT: &str = "read a key";
        let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE hash = ?1");
        self.db.read(WHAT, |session| session.row(&sql, params![hash.as_slice()], key).attempted(WHAT))
    }

    /// Takes a key away; of this owner alone, if one is named. What it was, if it was there.
    pub fn remove_key(&self, id: &str, owner: Option<&str>) -> Result<Option<Key>, Error> {
        const WHAT: &str = "revoke a key";
        let (id, owner) = (id.to_owned(), owner.map(str::to_owned));
        self.db.change_some(WHAT, move |session| {
            let sql = format!("SELECT {COLUMNS} FROM api_keys WHERE id = ?1");
            let found = session.row(&sql, params![&id], key).attempted(WHAT)?;
            let found = found.filter(|key| owner.as_ref().is_none_or(|owner| key.owner == *owner));
            if found.is_some() {
                session.execute("DELETE FROM api_keys WHERE id = ?1", params![&id]).attempted(WHAT)?;
                count_revocation(session).attempted(WHAT)?;
            }
            Ok(found)
        })
    }
}

fn key(row: &Row<'_>) -> Result<Key, Fault> {
    Ok(Key {
        id: row.get(0)?,
        hash: hash(row.get(1)?)?,
        owner: row.get(2)?,
        name: row.get(3)?,
        start: row.get(4)?,
        scope: row.get(5)?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
    })
}
