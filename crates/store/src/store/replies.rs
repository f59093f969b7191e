//! Answers that are given again to a request with the same key.

use super::{Store, now};
use crate::db::{Attempted as _, params};
use crate::error::Error;
use crate::model::{Claim, Claimant, Lease, Reply};

/// How long an answer is kept, hours.
pub const REPLY_KEPT_HOURS: i64 = 24;

/// Who runs a request, as its row says it in the place of the headers that its answer will have.
fn held(lease: &Lease) -> String {
    format!("{} {}", lease.holder, lease.until)
}

impl Claimant {
    /// Whether the control plane that a row names still runs its request.
    fn lives(&self, held: &str) -> bool {
        let Some((holder, until)) = held.split_once(' ') else { return false };
        holder == self.lease.holder || (!self.alone && until.parse().is_ok_and(|until: i64| until >= self.lease.now))
    }
}

impl Store {
    /// Claims a key for a request, whose digest is `request`; or says what became of the key before.
    pub fn claim_reply(&self, owner: &str, key: &str, request: &str, by: &Claimant) -> Result<Claim, Error> {
        const WHAT: &str = "claim an idempotency key";
        let (owner, key, request, by) = (owner.to_owned(), key.to_owned(), request.to_owned(), by.clone());
        self.db.change(WHAT, move |session| {
            let oldest = chrono::Utc::now() - chrono::Duration::hours(REPLY_KEPT_HOURS);
            let oldest = oldest.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            session.execute("DELETE FROM replies WHERE created_at < ?1", params![&oldest]).attempted(WHAT)?;
            let sql = "SELECT request, status, headers, body FROM replies WHERE owner = ?1 AND key = ?2";
            let known = session.row(sql, params![&owner, &key], |row| {
                let (request, headers): (String, String) = (row.get(0)?, row.get(2)?);
                Ok((request, row.get::<Option<i64>>(1)?, headers, row.get::<Option<Vec<u8>>>(3)?))
            });
            match known.attempted(WHAT)? {
                Some((known, ..)) if known != request => Ok(Claim::Other),
                Some((_, None, held, _)) if by.lives(&held) => Ok(Claim::Running),
                Some((_, None, ..)) if !by.repeats => Ok(Claim::CutOff),
                Some((_, None, ..)) => {
                    let sql = "UPDATE replies SET headers = ?3, created_at = ?4 WHERE owner = ?1 AND key = ?2";
                    session.execute(sql, params![&owner, &key, &held(&by.lease), &now()]).attempted(WHAT)?;
                    Ok(Claim::Yours)
                }
                Some((_, Some(status), headers, body)) => Ok(Claim::Answered(Reply {
                    status: u16::try_from(status).unwrap_or_default(),
                    headers,
                    body: body.unwrap_or_default(),
                })),
                None => {
                    let sql = "INSERT INTO replies (owner, key, request, headers, created_at)
                               VALUES (?1, ?2, ?3, ?4, ?5)";
                    let held = held(&by.lease);
                    session.execute(sql, params![&owner, &key, &request, &held, &now()]).attempted(WHAT)?;
                    Ok(Claim::Yours)
                }
            }
        })
    }

    /// Says that a control plane lives: its requests are still running.
    pub fn keep_claims(&self, lease: &Lease) -> Result<(), Error> {
        const WHAT: &str = "keep idempotency keys";
        const MINE: &str = "status IS NULL AND substr(headers, 1, length(?1)) = ?1";
        let mine = format!("{} ", lease.holder);
        let sql = format!("SELECT count(*) FROM replies WHERE {MINE}");
        let open =
            self.db.read(WHAT, |session| session.row(&sql, params![&mine], |row| row.count(0)).attempted(WHAT))?;
        if open.unwrap_or_default() == 0 {
            return Ok(());
        }
        let held = held(lease);
        self.db.change(WHAT, move |session| {
            let sql = format!("UPDATE replies SET headers = ?2 WHERE {MINE}");
            session.execute(&sql, params![&mine, &held]).attempted(WHAT).map(drop)
        })
    }

    /// Keeps the answer to a request whose key was claimed.
    pub fn keep_reply(&self, owner: &str, key: &str, reply: &Reply) -> Result<(), Error> {
        const WHAT: &str = "store an answer";
        let (owner, key, reply) = (owner.to_owned(), key.to_owned(), reply.clone());
        self.db.change(WHAT, move |session| {
            let sql = "UPDATE replies SET status = ?3, headers = ?4, body = ?5 WHERE owner = ?1 AND key = ?2";
            let values = params![&owner, &key, i64::from(reply.status), &reply.headers, &reply.body];
            session.execute(sql, values).attempted(WHAT).map(drop)
        })
    }

    /// Gives a key back whose request was not answered.
    pub fn drop_reply(&self, owner: &str, key: &str) -> Result<(), Error> {
        const WHAT: &str = "give an idempotency key back";
        let (owner, key) = (owner.to_owned(), key.to_owned());
        self.db.change(WHAT, move |session| {
            let sql = "DELETE FROM replies WHERE owner = ?1 AND key = ?2 AND status IS NULL";
            session.execute(sql, params![&owner, &key]).attempted(WHAT).map(drop)
        })
    }
}
