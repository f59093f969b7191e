//! People: accounts, links that are used once, and who signed in. Secrets come as hashes; times are seconds since 1970.

mod identities;
mod ways;

use crate::db::{Attempted as _, Fault, Row, Session, params};
use crate::error::Error;
use crate::oauth::{Hash, count_revocation, hash};
use crate::store::Store;
use ways::ready;

pub use identities::{Arrived, Identity, Tied};
pub use ways::Ways;

/// Sessions of one account; the oldest makes way.
const SESSIONS_PER_ACCOUNT_MAX: usize = 20;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id, which owns what the person makes.
    pub id: String,
    /// What the person signs in with.
    pub name: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// Hash of the password; `None` until the person has chosen one.
    pub password: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// When the person last signed in.
    pub signed_in_at: Option<i64>,
    /// The OpenID Connect identity that it is tied to; the first by its issuer where there are several.
    pub tied: Option<Tied>,
}

/// A link that is used once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose password it sets; `None` makes the first account.
    pub account: Option<String>,
    /// Its end.
    pub expires_at: i64,
}

/// Somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Hash of what the browser or the program shows.
    pub hash: Hash,
    /// Who it is.
    pub account: Account,
    /// Its end.
    pub expires_at: i64,
    /// How: `password`, `link` or `openid`.
    pub way: String,
}

const COLUMNS: &str = "a.id, a.name, a.role, a.password, a.created_at, a.signed_in_at,
    (SELECT t.issuer FROM account_identities t WHERE t.account = a.id ORDER BY t.issuer LIMIT 1),
    (SELECT t.subject FROM account_identities t WHERE t.account = a.id ORDER BY t.issuer LIMIT 1),
    (SELECT t.called FROM account_identities t WHERE t.account = a.id ORDER BY t.issuer LIMIT 1)";

impl Store {
    /// Whether there is an account that somebody can sign in to.
    pub fn has_accounts(&self) -> Result<bool, Error> {
        const WHAT: &str = "look for accounts";
        let found = self.db.read(WHAT, |session| ready(session).attempted(WHAT))?;
        Ok(found > 0)
    }

    /// Every account, by name; at most so many.
    pub fn accounts(&self, limit: usize) -> Result<Vec<Account>, Error> {
        const WHAT: &str = "list accounts";
        let sql = format!("SELECT {COLUMNS} FROM accounts a ORDER BY a.name LIMIT ?1");
        self.db.read(WHAT, |session| session.rows(&sql, params![limit], account).attempted(WHAT))
    }

    /// The account of this name.
    pub fn account_named(&self, name: &str) -> Result<Option<Account>, Error> {
        const WHAT: &str = "read an account";
        let sql = format!("SELECT {COLUMNS} FROM accounts a WHERE a.name = ?1");
        self.db.read(WHAT, |session| session.row(&sql, params![name], account).attempted(WHAT))
    }

    /// Stores a new account, at most `most` in all; `false` when its name is taken or there is no place.
    pub fn add_account(&self, account: &Account, most: usize) -> Result<bool, Error> {
        const WHAT: &str = "store an account";
        let account = account.clone();
        self.db.change_if(WHAT, move |session| {
            let known = "SELECT id FROM accounts WHERE name = ?1";
            let known = session.row(known, params![&account.name], |row| row.get::<String>(0)).attempted(WHAT)?;
            if known.is_some() || count(session).attempted(WHAT)? >= most {
                return Ok(false);
            }
            insert(session, &account).attempted(WHAT)?;
            Ok(true)
        })
    }

    /// Removes an account with its sessions, links and keys, and ends what it let programs do. What it owns stays. The last
    /// account with the role `keep` that somebody can sign in to is not removed, in any way, or in one of those that are on
    /// where they are known: the answer is then `false`.
    pub fn remove_account(&self, id: &str, keep: &str, on: Option<&Ways>, now: i64) -> Result<bool, Error> {
        const WHAT: &str = "remove an account";
        let (id, keep, on) = (id.to_owned(), keep.to_owned(), on.cloned());
        self.db.change_if(WHAT, move |session| {
            for ways in [on.as_ref(), None] {
                let keepers = ways::ready_in_role(session, &keep, ways).attempted(WHAT)?;
                if keepers.len() == 1 && keepers[0] == id {
                    return Ok(false);
                }
            }
            if session.execute("DELETE FROM accounts WHERE id = ?1", params![&id]).attempted(WHAT)? == 0 {
                return Ok(false);
            }
            session.execute("DELETE FROM api_keys WHERE owner = ?1", params![&id]).attempted(WHAT)?;
            let end = "UPDATE oauth_grants SET revoked_at = ?2 WHERE owner = ?1 AND revoked_at IS NULL";
            session.execute(end, params![&id, now]).attempted(WHAT)?;
            count_revocation(session).attempted(WHAT)?;
            Ok(true)
        })
    }

    /// Stores a link. Earlier ones for the same have no force any more.
    pub fn add_link(&self, hash: &Hash, account: Option<&str>, now: i64, expires_at: i64) -> Result<(), Error> {
        const WHAT: &str = "store a link";
        let (hash, account) = (*hash, account.map(str::to_owned));
        self.db.change(WHAT, move |session| {
            let earlier = "DELETE FROM account_links WHERE coalesce(account, '') = ?1 OR expires_at <= ?2";
            session.execute(earlier, params![account.as_deref().unwrap_or_default(), now]).attempted(WHAT)?;
            let add = "INSERT INTO account_links (hash, account, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";
            session.execute(add, params![hash.as_slice(), &account, now, expires_at]).attempted(WHAT).map(drop)
        })
    }

    /// The link of this hash, if it has force.
    pub fn link(&self, hash: &Hash, now: i64) -> Result<Option<Link>, Error> {
        const WHAT: &str = "read a link";
        self.db.read(WHAT, |session| link(session, hash, now).attempted(WHAT))
    }

    /// Uses a link that makes the first account; `false` when it has no force or there is an account already.
    pub fn set_up(&self, hash: &Hash, first: &Account, now: i64) -> Result<bool, Error> {
        const WHAT: &str = "make the first account";
        let (hash, first) = (*hash, first.clone());
        self.db.change(WHAT, move |session| {
            let found = link(session, &hash, now).attempted(WHAT)?;
            if found.is_none_or(|found| found.account.is_some()) || ready(session).attempted(WHAT)? > 0 {
                return Ok(false);
            }
            // Somebody may have been invited under this name, and has not answered.
            session.execute("DELETE FROM accounts WHERE name = ?1", params![&first.name]).attempted(WHAT)?;
            session.execute("DELETE FROM account_links WHERE account IS NULL", &[]).attempted(WHAT)?;
            insert(session, &first).attempted(WHAT)?;
            // What was let in as long as there was none is looked at again.
            count_revocation(session).attempted(WHAT)?;
            Ok(true)
        })
    }

    /// Uses a link that sets a password. Whoever had signed in has to do so again. The account; `None` when the link has
    /// no force.
    pub fn set_password(&self, hash: &Hash, password: &str, now: i64) -> Result<Option<Account>, Error> {
        const WHAT: &str = "set a password";
        let (hash, password) = (*hash, password.to_owned());
        self.db.change(WHAT, move |session| {
            let Some(Link { account: Some(id), .. }) = link(session, &hash, now).attempted(WHAT)? else {
                return Ok(None);
            };
            let set = "UPDATE accounts SET password = ?2 WHERE id = ?1";
            session.execute(set, params![&id, &password]).attempted(WHAT)?;
            session.execute("DELETE FROM account_links WHERE account = ?1", params![&id]).attempted(WHAT)?;
            session.execute("DELETE FROM account_sessions WHERE account = ?1", params![&id]).attempted(WHAT)?;
            count_revocation(session).attempted(WHAT)?;
            let sql = format!("SELECT {COLUMNS} FROM accounts a WHERE a.id = ?1");
            session.row(&sql, params![&id], account).attempted(WHAT)
        })
    }

    /// Stores that somebody signed in.
    pub fn sign_in(&self, hash: &Hash, account: &str, way: &str, now: i64, expires_at: i64) -> Result<(), Error> {
        const WHAT: &str = "sign somebody in";
        let (hash, account, way) = (*hash, account.to_owned(), way.to_owned());
        self.db.change(WHAT, move |session| {
            // Those of one person touch the same rows: they come one after the other, rather than give way to each other.
            session.take_turn("account_sessions").attempted(WHAT)?;
            let ended = "DELETE FROM account_sessions WHERE expires_at <= ?1";
            session.execute(ended, params![now]).attempted(WHAT)?;
            let over = "DELETE FROM account_sessions WHERE hash IN (SELECT hash FROM account_sessions
                         WHERE account = ?1 ORDER BY created_at DESC LIMIT 1000 OFFSET ?2)";
            if session.execute(over, params![&account, SESSIONS_PER_ACCOUNT_MAX - 1]).attempted(WHAT)? > 0 {
                count_revocation(session).attempted(WHAT)?;
            }
            let add = "INSERT INTO account_sessions (hash, account, created_at, expires_at, way)
                        VALUES (?1, ?2, ?3, ?4, ?5)";
            session.execute(add, params![hash.as_slice(), &account, now, expires_at, &way]).attempted(WHAT)?;
            let seen = "UPDATE accounts SET signed_in_at = ?2 WHERE id = ?1";
            session.execute(seen, params![&account, now]).attempted(WHAT).map(drop)
        })
    }

    /// Whoever shows this hash, if they are signed in.
    pub fn signed_in(&self, hash: &Hash, now: i64) -> Result<Option<SignedIn>, Error> {
        const WHAT: &str = "look who is signed in";
        let sql = format!(
            "SELECT {COLUMNS}, s.hash, s.expires_at, s.way FROM account_sessions s JOIN accounts a ON a.id = s.account
              WHERE s.hash = ?1 AND s.expires_at > ?2"
        );
        self.db.read(WHAT, |session| session.row(&sql, params![hash.as_slice(), now], signed_in).attempted(WHAT))
    }

    /// Everybody who is signed in; at most so many.
    pub fn all_signed_in(&self, now: i64, limit: usize) -> Result<Vec<SignedIn>, Error> {
        const WHAT: &str = "look who is signed in";
        let sql = format!(
            "SELECT {COLUMNS}, s.hash, s.expires_at, s.way FROM account_sessions s JOIN accounts a ON a.id = s.account
              WHERE s.expires_at > ?1 ORDER BY s.created_at DESC LIMIT ?2"
        );
        self.db.read(WHAT, |session| session.rows(&sql, params![now, limit], signed_in).attempted(WHAT))
    }

    /// Signs somebody out; `false` when nobody shows this hash.
    pub fn sign_out(&self, hash: &Hash) -> Result<bool, Error> {
        const WHAT: &str = "sign somebody out";
        let hash = *hash;
        self.db.change(WHAT, move |session| {
            let sql = "DELETE FROM account_sessions WHERE hash = ?1";
            let gone = session.execute(sql, params![hash.as_slice()]).attempted(WHAT)? > 0;
            if gone {
                count_revocation(session).attempted(WHAT)?;
            }
            Ok(gone)
        })
    }
}

fn count(session: &Session<'_>) -> Result<usize, Fault> {
    Ok(session.row("SELECT count(*) FROM accounts", &[], |row| row.count(0))?.unwrap_or_default())
}

fn insert(session: &Session<'_>, account: &Account) -> Result<(), Fault> {
    let add = "INSERT INTO accounts (id, name, role, password, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
    let Account { id, name, role, password, created_at, .. } = account;
    session.execute(add, params![id, name, role, password, *created_at]).map(drop)
}

fn link(session: &Session<'_>, hash: &Hash, now: i64) -> Result<Option<Link>, Fault> {
    let sql = "SELECT account, expires_at FROM account_links WHERE hash = ?1 AND expires_at > ?2";
    session.row(sql, params![hash.as_slice(), now], |row| Ok(Link { account: row.get(0)?, expires_at: row.get(1)? }))
}

fn account(row: &Row<'_>) -> Result<Account, Fault> {
    Ok(Account {
        id: row.get(0)?,
        name: row.get(1)?,
        role: row.get(2)?,
        password: row.get(3)?,
        created_at: row.get(4)?,
        signed_in_at: row.get(5)?,
        tied: match (row.get::<Option<String>>(6)?, row.get::<Option<String>>(7)?) {
            (Some(issuer), Some(subject)) => Some(Tied { issuer, subject, called: row.get(8)? }),
            _ => None,
        },
    })
}

fn signed_in(row: &Row<'_>) -> Result<SignedIn, Fault> {
    Ok(SignedIn { account: account(row)?, hash: hash(row.get(9)?)?, expires_at: row.get(10)?, way: row.get(11)? })
}
