//! Codes and refresh tokens become tokens: each exchange is one transaction, so that of two at once only one succeeds.

use super::read::{code, token};
use super::write::{add_token, revoke};
use super::{Code, Hash, NewToken, Token, TokenKind};
use crate::db::{Attempted as _, Fault, Session, params};
use crate::error::Error;
use crate::store::Store;

/// What became of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchanged<T, R> {
    /// The new tokens are stored.
    Done(T),
    /// Nothing is known of such a code or token, or it has lost its force.
    Unknown,
    /// It was exchanged before. All that hung on its grant was revoked.
    Replayed {
        /// The grant.
        grant: String,
    },
    /// The judge refused.
    Refused(R),
}

/// What a judge of an exchange says of it: the tokens to store and what to hand back, or why not.
pub type Judged<T, R> = Result<(Vec<NewToken>, T), R>;

impl Store {
    /// Takes a code. The judge looks at it; with its consent the tokens are stored and the code is taken. A judge that
    /// refuses with `true` beside its reason burns the code. It may be asked more than once.
    pub fn oauth_exchange_code<T: Send + 'static, R: Send + 'static>(
        &self,
        hash: &Hash,
        now: i64,
        judge: impl Fn(&Code) -> Judged<T, (R, bool)> + Send + 'static,
    ) -> Result<Exchanged<T, R>, Error> {
        const WHAT: &str = "exchange an authorization code";
        let hash = *hash;
        self.db.change(WHAT, move |session| {
            let Some((code, taken, revoked)) = code(session, &hash).attempted(WHAT)? else {
                return Ok(Exchanged::Unknown);
            };
            if taken.is_some() {
                return replayed(session, code.grant.id, revoked, now).attempted(WHAT);
            }
            if revoked {
                return Ok(Exchanged::Unknown);
            }
            let take = || {
                let take = "UPDATE oauth_codes SET taken_at = ?2 WHERE hash = ?1";
                session.execute(take, params![hash.as_slice(), now]).map(drop).attempted(WHAT)
            };
            match judge(&code) {
                Ok((tokens, answer)) => {
                    take()?;
                    issue(session, &code.grant.id, &tokens, now).attempted(WHAT)?;
                    Ok(Exchanged::Done(answer))
                }
                Err((refused, burn)) => {
                    if burn {
                        take()?;
                    }
                    Ok(Exchanged::Refused(refused))
                }
            }
        })
    }

    /// Takes a refresh token. One that was taken `forgiven` seconds ago or earlier is a replay; within that time it is
    /// exchanged again, for clients that lost an answer. The judge may be asked more than once.
    pub fn oauth_exchange_refresh<T: Send + 'static, R: Send + 'static>(
        &self,
        hash: &Hash,
        now: i64,
        forgiven: i64,
        judge: impl Fn(&Token) -> Judged<T, R> + Send + 'static,
    ) -> Result<Exchanged<T, R>, Error> {
        const WHAT: &str = "exchange a refresh token";
        let hash = *hash;
        self.db.change(WHAT, move |session| {
            let found = token(session, &hash).attempted(WHAT)?;
            let Some((token, false)) = found.filter(|(token, _)| token.kind == TokenKind::Refresh) else {
                return Ok(Exchanged::Unknown);
            };
            if token.used_at.is_some_and(|used| now - used >= forgiven) {
                return replayed(session, token.grant.id, false, now).attempted(WHAT);
            }
            match judge(&token) {
                Ok((tokens, answer)) => {
                    let take = "UPDATE oauth_tokens SET used_at = coalesce(used_at, ?2) WHERE hash = ?1";
                    session.execute(take, params![hash.as_slice(), now]).attempted(WHAT)?;
                    issue(session, &token.grant.id, &tokens, now).attempted(WHAT)?;
                    Ok(Exchanged::Done(answer))
                }
                Err(refused) => Ok(Exchanged::Refused(refused)),
            }
        })
    }
}

fn replayed<T, R>(session: &Session<'_>, grant: String, revoked: bool, now: i64) -> Result<Exchanged<T, R>, Fault> {
    if !revoked {
        revoke(session, &grant, now)?;
    }
    Ok(Exchanged::Replayed { grant })
}

/// Stores the tokens; their grant lives as long as they do.
fn issue(session: &Session<'_>, grant: &str, tokens: &[NewToken], now: i64) -> Result<(), Fault> {
    for token in tokens {
        add_token(session, grant, token, now)?;
    }
    let last = tokens.iter().map(|token| token.expires_at).max().unwrap_or(now);
    let lengthen = "UPDATE oauth_grants SET expires_at = ?2 WHERE id = ?1 AND expires_at < ?2";
    session.execute(lengthen, params![grant, last]).map(drop)
}
