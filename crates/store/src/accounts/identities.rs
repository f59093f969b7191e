//! Who the people of accounts are at a provider of OpenID Connect: what an account is tied to is the issuer's name for a person,
//! which is never given to anybody else.

use super::{Account, COLUMNS, account, count, insert, ready};
use crate::db::{Attempted as _, Fault, Session, params};
use crate::error::Error;
use crate::oauth::count_revocation;
use crate::store::Store;

/// What an issuer calls a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The issuer.
    pub issuer: String,
    /// Its name for the person.
    pub subject: String,
}

/// An identity that an account is tied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tied {
    /// The issuer.
    pub issuer: String,
    /// Its name for the person.
    pub subject: String,
    /// What it last called the person. Nobody has to have verified it.
    pub called: Option<String>,
}

/// What became of somebody who came from an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrived {
    /// The account that is tied to the identity.
    Known(Account),
    /// The account of the name, which is tied to it from now on.
    Tied(Account),
    /// A new account.
    Made(Account),
    /// There is another account of the name.
    Taken,
    /// The account of the name is tied to another person of this issuer.
    Others,
    /// Only an owner can be the first who is let in.
    NoOwner,
    /// There is no place for another account.
    Full,
}

impl Store {
    /// The account that is tied to an identity.
    pub fn account_of(&self, identity: &Identity) -> Result<Option<Account>, Error> {
        const WHAT: &str = "read whose an identity is";
        self.db.read(WHAT, |session| known(session, identity).attempted(WHAT))
    }

    /// Keeps what an issuer calls a person whom it named.
    pub fn call(&self, identity: &Identity, called: &str) -> Result<(), Error> {
        const WHAT: &str = "keep what somebody is called";
        let (identity, called) = (identity.clone(), called.to_owned());
        self.db.change(WHAT, move |session| {
            let set = "UPDATE account_identities SET called = ?3 WHERE issuer = ?1 AND subject = ?2";
            session.execute(set, params![&identity.issuer, &identity.subject, &called]).attempted(WHAT).map(drop)
        })
    }

    /// Ties an identity to an account: to the one that it is tied to, to the one of the same name as `new` where `ties` says
    /// so, else to `new` itself, which is made. There are at most `most` accounts; the first has the role `first`, and whoever
    /// is to have it gets it also where they were invited in another one.
    pub fn arrive(
        &self,
        identity: &Identity,
        new: &Account,
        ties: bool,
        first: &str,
        most: usize,
    ) -> Result<Arrived, Error> {
        const WHAT: &str = "tie an account to an identity";
        let (identity, new, first) = (identity.clone(), new.clone(), first.to_owned());
        self.db.change(WHAT, move |session| arrive(session, &identity, &new, ties, &first, most).attempted(WHAT))
    }
}

fn arrive(
    session: &Session<'_>,
    identity: &Identity,
    new: &Account,
    ties: bool,
    first: &str,
    most: usize,
) -> Result<Arrived, Fault> {
    // Another request of the same person may have come first.
    if let Some(known) = known(session, identity)? {
        return Ok(Arrived::Known(known));
    }
    let is_first = ready(session)? == 0;
    let sql = format!("SELECT {COLUMNS} FROM accounts a WHERE a.name = ?1");
    let of_name = session.row(&sql, params![&new.name], account)?;
    // Somebody who was invited before, and is to be the first, is what the first has to be.
    let role = of_name.as_ref().filter(|_| new.role != first).map_or(&new.role, |found| &found.role);
    let arrived = match of_name {
        Some(_) if !ties => return Ok(Arrived::Taken),
        _ if is_first && *role != first => return Ok(Arrived::NoOwner),
        Some(mut found) => {
            let others = "SELECT subject FROM account_identities WHERE account = ?1 AND issuer = ?2";
            let others = session.row(others, params![&found.id, &identity.issuer], |row| row.get::<String>(0))?;
            if others.is_some() {
                return Ok(Arrived::Others);
            }
            tie(session, identity, &found.id, new.created_at)?;
            if is_first && found.role != first {
                session.execute("UPDATE accounts SET role = ?2 WHERE id = ?1", params![&found.id, first])?;
                first.clone_into(&mut found.role);
            }
            found.tied = tied(identity);
            Arrived::Tied(found)
        }
        None if count(session)? >= most => return Ok(Arrived::Full),
        None => {
            insert(session, new)?;
            tie(session, identity, &new.id, new.created_at)?;
            Arrived::Made(Account { tied: tied(identity), ..new.clone() })
        }
    };
    if is_first {
        session.execute("DELETE FROM account_links WHERE account IS NULL", &[])?;
        // What was let in as long as there was none is looked at again.
        count_revocation(session)?;
    }
    Ok(arrived)
}

fn known(session: &Session<'_>, identity: &Identity) -> Result<Option<Account>, Fault> {
    let sql = format!(
        "SELECT {COLUMNS} FROM accounts a JOIN account_identities i ON i.account = a.id
          WHERE i.issuer = ?1 AND i.subject = ?2"
    );
    session.row(&sql, params![&identity.issuer, &identity.subject], account)
}

fn tie(session: &Session<'_>, identity: &Identity, account: &str, now: i64) -> Result<(), Fault> {
    let add = "INSERT INTO account_identities (issuer, subject, account, created_at) VALUES (?1, ?2, ?3, ?4)";
    session.execute(add, params![&identity.issuer, &identity.subject, account, now])?;
    // A link that was given out before would let somebody else choose a password for the account.
    session.execute("DELETE FROM account_links WHERE account = ?1", params![account]).map(drop)
}

fn tied(identity: &Identity) -> Option<Tied> {
    let Identity { issuer, subject } = identity.clone();
    Some(Tied { issuer, subject, called: None })
}
