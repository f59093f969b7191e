//! Whether a token lets somebody in: asked on every request, answered from memory.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use ahash::HashMap;
use store::oauth::{Grant, Hash, Token};

use super::Authority;
use super::refusal::Refusal;
use crate::Fault;
use crate::buckets::Taken;
use crate::expiry::{self, Lasts};
use crate::principal::{Kind, Principal};
use crate::scopes::Scopes;

/// Longest token that is looked at, bytes.
const TOKEN_BYTES_MAX: usize = 512;

/// What showing a token gave.
#[derive(Clone, Debug, PartialEq)]
pub enum Bearer {
    /// It lets its caller in.
    Good(Arc<Principal>),
    /// It is not known, has expired, was revoked, or is for another resource.
    Invalid,
    /// It is good, and does not do for this.
    Insufficient,
    /// Its address showed too many that are not known.
    Slow(Refusal),
}

/// A token as it was shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The token.
    pub token: &'a str,
    /// The path that is asked for.
    pub path: &'a str,
    /// Where it comes from.
    pub address: IpAddr,
}

/// The tokens that have force.
#[derive(Debug, Default)]
pub(super) struct Live {
    tokens: HashMap<Hash, Access>,
    /// The number of revocations that the store counted when this was read.
    revocations: i64,
    /// Callers that lost their access, and whose streams are still to be cut.
    lost: Vec<Arc<str>>,
}

#[derive(Clone, Debug)]
struct Access {
    expires_at: i64,
    grant: Arc<str>,
    origin: Box<str>,
    /// The path of the resource that it is for.
    place: Box<str>,
    principal: Arc<Principal>,
}

impl Lasts for Access {
    fn end(&self) -> i64 {
        self.expires_at
    }

    fn caller(&self) -> &Arc<str> {
        &self.principal.id
    }
}

impl Live {
    fn callers(&self) -> impl Iterator<Item = Arc<str>> {
        self.tokens.values().map(|access| access.principal.id.clone())
    }

    /// Forgets what has expired. Callers who have no other token, such as a refreshed one, are lost.
    pub(super) fn purge(&mut self, now: i64) {
        let mut gone = expiry::take(&mut self.tokens, now);
        for access in self.tokens.values() {
            gone.remove(&access.principal.id);
        }
        self.lost.extend(gone);
    }

    fn insert(&mut self, hash: Hash, access: Access, most: usize, now: i64) {
        if self.tokens.len() >= most {
            self.purge(now);
        }
        // A token that has no place in memory is found in the store.
        if self.tokens.len() < most {
            self.tokens.insert(hash, access);
        }
    }
}

impl Authority {
    /// Looks at a token in memory alone; `None` when it is not there, and the store has to be asked with [`Self::look_up`].
    pub fn known(&self, shown: Shown<'_>) -> Option<Bearer> {
        if shown.token.len() > TOKEN_BYTES_MAX {
            return Some(Bearer::Invalid);
        }
        let hash = self.token_hash(shown.token);
        let live = self.live.read();
        let access = live.tokens.get(&hash)?;
        Some(self.judge(access, shown.path))
    }

    /// Looks a token up in the store: another process may have given it. Blocks for a read.
    pub fn look_up(&self, shown: Shown<'_>) -> Bearer {
        if let Taken::No { wait } = self.failures.look(&shown.address) {
            return Bearer::Slow(Refusal::too_many(
                "tokens that are not known",
                self.settings.limits.failures.spent("failures", wait),
            ));
        }
        let hash = self.token_hash(shown.token);
        let now = self.clock.now();
        let found = self.store.oauth_token(&hash, now);
        let found = found.map(|token| token.filter(|token| token.grant.realm == self.settings.realm));
        match found {
            Ok(Some(token)) if token.kind == store::oauth::TokenKind::Access => {
                let access = access(&token);
                let judged = self.judge(&access, shown.path);
                self.live.write().insert(hash, access, self.settings.limits.live_tokens, now);
                judged
            }
            Ok(_) => {
                self.failures.take(&shown.address);
                Bearer::Invalid
            }
            Err(error) => Bearer::Slow(error.into()),
        }
    }

    fn judge(&self, access: &Access, path: &str) -> Bearer {
        let places = &self.settings.places;
        let here = places.resource(path).is_some_and(|place| places.covers(&access.place, &place));
        let audience = self.settings.public_origin.as_ref().is_none_or(|origin| *access.origin == **origin);
        if access.expires_at <= self.clock.now() || !here || !audience {
            return Bearer::Invalid;
        }
        if !access.principal.scopes.cover(&self.settings.required) {
            return Bearer::Insufficient;
        }
        Bearer::Good(access.principal.clone())
    }

    /// Notes a token that was just stored.
    pub(super) fn note(&self, hash: Hash, expires_at: i64, scope: &str, grant: &Grant) {
        let access = access_of(expires_at, scope, grant);
        self.live.write().insert(hash, access, self.settings.limits.live_tokens, self.clock.now());
    }

    /// Forgets the tokens of a grant.
    pub(super) fn end(&self, grant: &str) {
        let mut live = self.live.write();
        live.tokens.retain(|_, access| *access.grant != *grant);
        live.lost.push(caller(grant).into());
    }

    /// Reads all tokens that have force from the store. Blocks.
    pub(super) fn reload(&self) -> Result<(), Fault> {
        let (realm, most) = (&self.settings.realm, self.settings.limits.live_tokens);
        let revocations = self.store.revocations()?;
        let tokens = self.store.oauth_access_tokens(realm, self.clock.now(), most)?;
        let tokens = tokens.iter().map(|token| (token.hash, access(token))).collect();
        let mut live = self.live.write();
        // What has expired since the last time is in memory still, and lost as what was revoked is.
        let before: HashSet<Arc<str>> = live.callers().collect();
        live.tokens = tokens;
        live.revocations = revocations;
        let after: HashSet<Arc<str>> = live.callers().collect();
        live.lost.extend(before.difference(&after).cloned());
        Ok(())
    }

    /// Follows what this and other processes revoked, and what expired: gives the ids of callers that lost their access since the
    /// last time. Blocks for a read; worth asking several times in a second.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn follow(&self) -> Result<Vec<Arc<str>>, Fault> {
        if self.store.revocations()? != self.live.read().revocations {
            self.reload()?;
        }
        let now = self.clock.now();
        if expiry::is_due(&self.live.read().tokens, now) {
            self.live.write().purge(now);
        }
        // A request may have read the store anew before this did: what was lost then is here too.
        let mut lost = std::mem::take(&mut self.live.write().lost);
        lost.sort();
        lost.dedup();
        Ok(lost)
    }
}

/// The id of the caller that a grant lets in.
pub(crate) fn caller(grant: &str) -> String {
    format!("client:{grant}")
}

fn access(token: &Token) -> Access {
    access_of(token.expires_at, &token.scope, &token.grant)
}

fn access_of(expires_at: i64, scope: &str, grant: &Grant) -> Access {
    let scopes = Scopes::parse(scope).unwrap_or_default();
    let after_scheme = grant.resource.find("://").map_or(0, |at| at + 3);
    let path = grant.resource[after_scheme..].find('/').map_or(grant.resource.len(), |at| at + after_scheme);
    let (origin, place) = grant.resource.split_at(path);
    // A refreshed token is the same caller: its sessions go on.
    let principal = Principal::new(Kind::Client, caller(&grant.id), scopes).owned_by(grant.owner.as_str());
    Access {
        expires_at,
        grant: grant.id.as_str().into(),
        origin: origin.into(),
        place: place.into(),
        principal: Arc::new(principal),
    }
}
