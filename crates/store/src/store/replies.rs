//! Answers that are given again to a request with the same key.

use super::{Store, now};
use crate::db::{Attempted as _, params};
use crate::error::Error;
use crate::model::{Claim, Reply};

/// How long an answer is kept, hours.
pub const REPLY_KEPT_HOURS: i64 = 24;

impl Store {
    /// Claims a key for a request, whose digest is `request`; or says what became of the key before.
    pub fn claim_reply(&self, owner: &str, key: &str, request: &str) -> Result<Claim, Error> {
        const WHAT: &str = "claim an idempotency key";
        let (owner, key, request) = (owner.to_owned(), key.to_owned(), request.to_owned());
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
                Some((_, None, ..)) => Ok(Claim::Running),
                Some((_, Some(status), headers, body)) => Ok(Claim::Answered(Reply {
                    status: u16::try_from(status).unwrap_or_default(),
                    headers,
                    body: body.unwrap_or_default(),
                })),
                None => {
                    let sql = "INSERT INTO replies (owner, key, request, created_at) VALUES (?1, ?2, ?3, ?4)";
                    session.execute(sql, params![&owner, &key, &request, &now()]).attempted(WHAT)?;
                    Ok(Claim::Yours)
                }
            }
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

    /// Gives all keys back whose requests were cut off by the end of the process.
    pub fn drop_open_replies(&self) -> Result<usize, Error> {
        const WHAT: &str = "give idempotency keys back";
        self.db.change(WHAT, move |session| {
            session.execute("DELETE FROM replies WHERE status IS NULL", &[]).attempted(WHAT)
        })
    }
}
