//! Requests that change what the authorization server keeps, but for exchanges.

use super::read::hash;
use super::{Client, Code, Grant, Hash, NewToken};
use crate::db::{Attempted as _, Fault, Session, params};
use crate::error::Error;
use crate::store::Store;

impl Store {
    /// A key of this store for a purpose; `fresh` is stored when there is none yet.
    pub fn sealing_key(&self, purpose: &str, fresh: &Hash) -> Result<Hash, Error> {
        const WHAT: &str = "read a sealing key";
        let (purpose, fresh) = (purpose.to_owned(), *fresh);
        // It is made on the way to a change, and is not the change that somebody asked for.
        self.db.without_note().change(WHAT, move |session| {
            let known = "SELECT key FROM sealing_keys WHERE purpose = ?1";
            let known = session.row(known, params![&purpose], |row| hash(row.get(0)?)).attempted(WHAT)?;
            if let Some(key) = known {
                return Ok(key);
            }
            let add = "INSERT INTO sealing_keys (purpose, key) VALUES (?1, ?2)";
            session.execute(add, params![&purpose, fresh.as_slice()]).attempted(WHAT)?;
            Ok(fresh)
        })
    }

    /// Registers a program, at most `most` in its realm: those that nobody ever let in and that are older than `stale`
    /// make way. `false` when there is no place.
    pub fn oauth_add_client(&self, client: &Client, most: usize, stale: i64) -> Result<bool, Error> {
        const WHAT: &str = "register a client";
        let client = client.clone();
        self.db.change(WHAT, move |session| {
            let count = "SELECT count(*) FROM oauth_clients WHERE realm = ?1";
            let count = session.row(count, params![&client.realm], |row| row.count(0)).attempted(WHAT)?;
            let excess = (count.unwrap_or_default() + 1).saturating_sub(most);
            if excess > 0 {
                let make_way = "DELETE FROM oauth_clients WHERE id IN (SELECT id FROM oauth_clients
                                 WHERE realm = ?1 AND used_at IS NULL AND created_at < ?2 ORDER BY created_at LIMIT ?3)";
                if session.execute(make_way, params![&client.realm, stale, excess]).attempted(WHAT)? < excess {
                    return Ok(false);
                }
            }
            let add = "INSERT INTO oauth_clients (id, realm, document, secret, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
            let secret = client.secret.as_ref().map(Hash::as_slice);
            let values = params![&client.id, &client.realm, &client.document, secret, client.created_at];
            session.execute(add, values).attempted(WHAT)?;
            Ok(true)
        })
    }

    /// Stores a code with its grant, and notes that its program was let in.
    pub fn oauth_add_code(&self, hash: &Hash, code: &Code) -> Result<(), Error> {
        const WHAT: &str = "store an authorization code";
        let (hash, code) = (*hash, code.clone());
        self.db.change(WHAT, move |session| {
            add_grant(session, &code.grant).attempted(WHAT)?;
            let add = "INSERT INTO oauth_codes (hash, grant_id, redirect_uri, challenge, expires_at)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let values = params![hash.as_slice(), &code.grant.id, &code.redirect_uri, &code.challenge, code.expires_at];
            session.execute(add, values).attempted(WHAT)?;
            let used = "UPDATE oauth_clients SET used_at = ?2 WHERE id = ?1";
            session.execute(used, params![&code.grant.client, code.grant.created_at]).attempted(WHAT)?;
            Ok(())
        })
    }

    /// Ends the grant that a token of this program hangs on, with everything else that hangs on it. The grant's id, when
    /// there was one with force.
    pub fn oauth_revoke_token(&self, hash: &Hash, client: &str, now: i64) -> Result<Option<String>, Error> {
        const WHAT: &str = "revoke a token";
        let (hash, client) = (*hash, client.to_owned());
        self.db.change(WHAT, move |session| {
            let found = "SELECT g.id FROM oauth_tokens t JOIN oauth_grants g ON g.id = t.grant_id
                          WHERE t.hash = ?1 AND g.client = ?2 AND g.revoked_at IS NULL";
            let values = params![hash.as_slice(), &client];
            let grant: Option<String> = session.row(found, values, |row| row.get(0)).attempted(WHAT)?;
            if let Some(grant) = &grant {
                revoke(session, grant, now).attempted(WHAT)?;
            }
            Ok(grant)
        })
    }

    /// Ends a grant with everything that hangs on it; `false` when there is none with force.
    pub fn oauth_revoke_grant(&self, grant: &str, now: i64) -> Result<bool, Error> {
        const WHAT: &str = "revoke what a program may do";
        let grant = grant.to_owned();
        self.db.change_if(WHAT, move |session| {
            let found = "SELECT id FROM oauth_grants WHERE id = ?1 AND revoked_at IS NULL";
            let found = session.row(found, params![&grant], |row| row.get::<String>(0)).attempted(WHAT)?;
            if found.is_some() {
                revoke(session, &grant, now).attempted(WHAT)?;
            }
            Ok(found.is_some())
        })
    }

    /// Forgets what ended before `before`. Gives the number of grants forgotten.
    pub fn oauth_purge(&self, before: i64) -> Result<usize, Error> {
        const WHAT: &str = "forget what has expired";
        self.db.change(WHAT, move |session| {
            session.execute("DELETE FROM oauth_tokens WHERE expires_at < ?1", params![before]).attempted(WHAT)?;
            session.execute("DELETE FROM oauth_grants WHERE expires_at < ?1", params![before]).attempted(WHAT)
        })
    }
}

fn add_grant(session: &Session<'_>, grant: &Grant) -> Result<(), Fault> {
    let add = "INSERT INTO oauth_grants (id, realm, client, owner, scope, resource, created_at, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![
        &grant.id,
        &grant.realm,
        &grant.client,
        &grant.owner,
        &grant.scope,
        &grant.resource,
        grant.created_at,
        grant.expires_at,
    ];
    session.execute(add, values).map(drop)
}

pub(super) fn add_token(session: &Session<'_>, grant: &str, token: &NewToken, now: i64) -> Result<(), Fault> {
    let add = "INSERT INTO oauth_tokens (hash, kind, grant_id, scope, created_at, expires_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let values = params![token.hash.as_slice(), token.kind.as_str(), grant, &token.scope, now, token.expires_at];
    session.execute(add, values).map(drop)
}

/// Ends a grant: its access tokens are gone; its codes stay, so that they cannot be taken again.
pub(super) fn revoke(session: &Session<'_>, grant: &str, now: i64) -> Result<(), Fault> {
    session.execute("UPDATE oauth_grants SET revoked_at = ?2 WHERE id = ?1", params![grant, now])?;
    session.execute("DELETE FROM oauth_tokens WHERE grant_id = ?1 AND kind = 'access'", params![grant])?;
    count_revocation(session)
}

/// Lets other processes hear that something lost its force.
pub(crate) fn count_revocation(session: &Session<'_>) -> Result<(), Fault> {
    session.execute("UPDATE counters SET value = value + 1 WHERE name = 'revocations'", &[]).map(drop)
}
