//! Requests that change nothing.

use super::{Client, Code, Grant, Hash, Token, TokenKind};
use crate::db::{Attempted as _, Fault, Row, Session, params};
use crate::error::Error;
use crate::store::Store;

/// The columns of a grant, from its table as `g`.
const GRANT: &str = "g.id, g.realm, g.client, g.owner, g.scope, g.resource, g.created_at, g.expires_at, g.revoked_at";

impl Store {
    /// A registered program of this authorization server.
    pub fn oauth_client(&self, realm: &str, id: &str) -> Result<Option<Client>, Error> {
        const WHAT: &str = "read a client";
        const SQL: &str =
            "SELECT id, realm, document, secret, created_at FROM oauth_clients WHERE id = ?1 AND realm = ?2";
        let client = |row: &Row<'_>| {
            let secret: Option<Vec<u8>> = row.get(3)?;
            Ok(Client {
                id: row.get(0)?,
                realm: row.get(1)?,
                document: row.get(2)?,
                secret: secret.map(hash).transpose()?,
                created_at: row.get(4)?,
            })
        };
        self.db.read(WHAT, |session| session.row(SQL, params![id, realm], client).attempted(WHAT))
    }

    /// A token that has force: not expired, not used up, of a grant that was not revoked.
    pub fn oauth_token(&self, hash: &Hash, now: i64) -> Result<Option<Token>, Error> {
        const WHAT: &str = "read a token";
        let found = self.db.read(WHAT, |session| token(session, hash).attempted(WHAT))?;
        let has_force =
            |(token, revoked): &(Token, bool)| !revoked && token.used_at.is_none() && token.expires_at > now;
        Ok(found.filter(has_force).map(|(token, _)| token))
    }

    /// Every access token that has force, the newest first, at most so many.
    pub fn oauth_access_tokens(&self, realm: &str, now: i64, limit: usize) -> Result<Vec<Token>, Error> {
        const WHAT: &str = "read the tokens";
        let sql = format!(
            "SELECT t.hash, t.kind, t.scope, t.expires_at, t.used_at, {GRANT}
               FROM oauth_tokens t JOIN oauth_grants g ON g.id = t.grant_id
              WHERE t.kind = 'access' AND t.expires_at > ?2 AND g.realm = ?1 AND g.revoked_at IS NULL
              ORDER BY t.created_at DESC LIMIT ?3"
        );
        self.db.read(WHAT, |session| {
            session.rows(&sql, params![realm, now, limit], |row| Ok(token_row(row)?.0)).attempted(WHAT)
        })
    }

    /// What was given and still has force, in the order in which it was given, with what each program registered; at most
    /// so many.
    pub fn oauth_grants(&self, now: i64, limit: usize) -> Result<Vec<(Grant, Option<String>)>, Error> {
        const WHAT: &str = "list the connected programs";
        let sql = format!(
            "SELECT {GRANT}, c.document FROM oauth_grants g LEFT JOIN oauth_clients c ON c.id = g.client
              WHERE g.expires_at > ?1 AND g.revoked_at IS NULL
                AND EXISTS (SELECT t.hash FROM oauth_tokens t WHERE t.grant_id = g.id)
              ORDER BY g.created_at, g.id LIMIT ?2"
        );
        let row = |row: &Row<'_>| Ok((grant_row(row, 0)?.0, row.get(9)?));
        self.db.read(WHAT, |session| session.rows(&sql, params![now, limit], row).attempted(WHAT))
    }

    /// How often something lost its force. Differs when another process revoked something.
    pub fn revocations(&self) -> Result<i64, Error> {
        const WHAT: &str = "read the number of revocations";
        const SQL: &str = "SELECT value FROM counters WHERE name = 'revocations'";
        let count = self.db.read(WHAT, |session| session.row(SQL, &[], |row| row.get(0)).attempted(WHAT))?;
        Ok(count.unwrap_or_default())
    }
}

/// A code, when it was taken, and whether its grant was revoked.
pub(super) fn code(session: &Session<'_>, hash: &Hash) -> Result<Option<(Code, Option<i64>, bool)>, Fault> {
    let sql = format!(
        "SELECT c.redirect_uri, c.challenge, c.expires_at, c.taken_at, {GRANT}
           FROM oauth_codes c JOIN oauth_grants g ON g.id = c.grant_id WHERE c.hash = ?1"
    );
    session.row(&sql, params![hash.as_slice()], |row| {
        let (grant, revoked) = grant_row(row, 4)?;
        let code = Code { grant, redirect_uri: row.get(0)?, challenge: row.get(1)?, expires_at: row.get(2)? };
        Ok((code, row.get(3)?, revoked))
    })
}

/// A token, and whether its grant was revoked.
pub(super) fn token(session: &Session<'_>, hash: &Hash) -> Result<Option<(Token, bool)>, Fault> {
    let sql = format!(
        "SELECT t.hash, t.kind, t.scope, t.expires_at, t.used_at, {GRANT}
           FROM oauth_tokens t JOIN oauth_grants g ON g.id = t.grant_id WHERE t.hash = ?1"
    );
    session.row(&sql, params![hash.as_slice()], token_row)
}

fn token_row(row: &Row<'_>) -> Result<(Token, bool), Fault> {
    let (grant, revoked) = grant_row(row, 5)?;
    let refresh = row.get::<String>(1)? == TokenKind::Refresh.as_str();
    let token = Token {
        hash: hash(row.get(0)?)?,
        kind: if refresh { TokenKind::Refresh } else { TokenKind::Access },
        scope: row.get(2)?,
        expires_at: row.get(3)?,
        used_at: row.get(4)?,
        grant,
    };
    Ok((token, revoked))
}

fn grant_row(row: &Row<'_>, first: usize) -> Result<(Grant, bool), Fault> {
    let grant = Grant {
        id: row.get(first)?,
        realm: row.get(first + 1)?,
        client: row.get(first + 2)?,
        owner: row.get(first + 3)?,
        scope: row.get(first + 4)?,
        resource: row.get(first + 5)?,
        created_at: row.get(first + 6)?,
        expires_at: row.get(first + 7)?,
    };
    Ok((grant, row.get::<Option<i64>>(first + 8)?.is_some()))
}

/// A stored hash.
pub(crate) fn hash(bytes: Vec<u8>) -> Result<Hash, Fault> {
    bytes.try_into().map_err(|bytes: Vec<u8>| Fault::Shape(format!("{} bytes are no hash", bytes.len())))
}
