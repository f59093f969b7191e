//! Whether somebody can sign in to an account.

use crate::db::{Attempted as _, Fault, Session, params};
use crate::error::Error;
use crate::store::Store;

/// The ways to sign in that a control plane has on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ways {
    /// Whether passwords are taken.
    pub passwords: bool,
    /// The issuer at which people sign in by OpenID Connect.
    pub issuer: Option<String>,
}

/// In any way: by a password, or at a provider of OpenID Connect.
const READY: &str = "(password IS NOT NULL OR id IN (SELECT account FROM account_identities))";

impl Store {
    /// Whether somebody can sign in to an account of this role, in one of these ways.
    pub fn can_come(&self, role: &str, on: &Ways) -> Result<bool, Error> {
        const WHAT: &str = "look who can sign in";
        let found = self.db.read(WHAT, |session| ready_in_role(session, role, Some(on)).attempted(WHAT))?;
        Ok(!found.is_empty())
    }
}

/// How many accounts somebody can sign in to.
pub(super) fn ready(session: &Session<'_>) -> Result<usize, Fault> {
    let sql = format!("SELECT count(*) FROM accounts WHERE {READY}");
    Ok(session.row(&sql, &[], |row| row.count(0))?.unwrap_or_default())
}

/// Accounts of a role that somebody can sign in to in one of these ways, or in any: two of them at most.
pub(super) fn ready_in_role(session: &Session<'_>, role: &str, on: Option<&Ways>) -> Result<Vec<String>, Fault> {
    let id = |row: &crate::db::Row<'_>| row.get::<String>(0);
    let Some(Ways { passwords, issuer }) = on else {
        let sql = format!("SELECT id FROM accounts WHERE role = ?1 AND {READY} LIMIT 2");
        return session.rows(&sql, params![role], id);
    };
    let sql = "SELECT id FROM accounts
                WHERE role = ?1 AND ((password IS NOT NULL AND 1 = ?3)
                   OR id IN (SELECT account FROM account_identities WHERE issuer = ?2)) LIMIT 2";
    // No issuer has this name.
    let issuer = issuer.as_deref().unwrap_or_default();
    session.rows(sql, params![role, issuer, i64::from(*passwords)], id)
}
