//! Where tokens come from and how they are kept: one request for many callers, and tokens of each user apart.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::Secret;
use bytes::Bytes;
use http::{HeaderMap, Method};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};
use tokio::time::Instant;

use super::{Code, OAuth, Tokens, UserToken, Users};
use crate::egress::Policy;
use crate::http::body::Body;
use crate::http::retry;
use crate::http::wire::{ReadAs, Wire};
use crate::{Error, ErrorKind};

/// Longest wait for the token endpoint.
const FETCH: Duration = Duration::from_secs(30);
/// Most users whose tokens are remembered; the one that was not seen for longest goes first.
const SUBJECTS_MAX: usize = 1024;

type Slot = Arc<AsyncMutex<Tokens>>;

/// The tokens of a connection.
pub(in crate::http) struct Source {
    oauth: OAuth,
    policy: Arc<Policy>,
    wire: Arc<Wire>,
    own: Slot,
    subjects: Mutex<Subjects>,
}

#[derive(Default)]
struct Subjects {
    slots: HashMap<[u8; 32], (Slot, u64)>,
    clock: u64,
}

impl Source {
    pub(in crate::http) fn new(oauth: OAuth, policy: Arc<Policy>, wire: Arc<Wire>) -> Self {
        Self { oauth, policy, wire, own: Slot::default(), subjects: Mutex::default() }
    }

    /// A token, fetched when there is none; callers that come meanwhile wait for the same one, and for the same failure.
    pub(in crate::http) async fn token(self: &Arc<Self>, subject: Option<&Secret>) -> Result<Secret, Error> {
        let asked = Instant::now();
        let tokens = self.slot(subject)?.lock_owned().await;
        if let Some(token) = tokens.fresh() {
            return Ok(token);
        }
        if let Some((error, _)) = tokens.failed.as_ref().filter(|(_, at)| *at >= asked) {
            return Err(error.clone());
        }
        // In a task of its own: a caller that goes away must not lose a refresh token that the server has just replaced.
        let (this, subject) = (Arc::clone(self), subject.cloned());
        let task = tokio::spawn(async move { this.renew(tokens, subject).await });
        task.await.map_err(|_| self.wire.error(ErrorKind::Other, "the request for a token was given up"))?
    }

    async fn renew(&self, mut tokens: OwnedMutexGuard<Tokens>, subject: Option<Secret>) -> Result<Secret, Error> {
        let late =
            || self.wire.error(ErrorKind::Timeout, format!("the token endpoint gave no answer within {FETCH:?}"));
        let outcome = tokio::time::timeout(FETCH, self.fetch(&mut tokens, subject.as_ref())).await;
        let outcome = outcome.unwrap_or_else(|_| Err(late()));
        tokens.failed = outcome.as_ref().err().map(|error| (error.clone(), Instant::now()));
        outcome
    }

    async fn fetch(&self, tokens: &mut Tokens, subject: Option<&Secret>) -> Result<Secret, Error> {
        let wire = &self.wire;
        if let (Some(users), Some(user)) = (&self.oauth.users, subject) {
            return self.of_user(users, user, tokens).await;
        }
        let refresh = tokens.refresh.clone().or_else(|| self.oauth.refresh_token.clone());
        let form = self.oauth.form(refresh.as_ref(), subject).map_err(|why| wire.error(ErrorKind::Config, why))?;
        let asked = self.ask(form, subject).await;
        if asked.as_ref().is_err_and(|error| error.kind == ErrorKind::Denied) {
            // A refresh token that came with an earlier answer has run out: the next attempt starts anew.
            tokens.refresh = None;
        }
        let (token, _) = self.keep(tokens, &asked?, subject.is_some())?;
        if subject.is_none() {
            wire.mask.add_token(&token);
            tokens.refresh.iter().for_each(|refresh| wire.mask.add_token(refresh));
        }
        Ok(token)
    }

    fn keep(&self, tokens: &mut Tokens, body: &[u8], exchanged: bool) -> Result<(Secret, Duration), Error> {
        tokens.keep(body, exchanged).map_err(|why| self.wire.error(ErrorKind::Other, format!("no token: {why}")))
    }

    /// The token of a user who authorised us: the stored one while it is good, else a new one, which is stored.
    async fn of_user(&self, users: &Users, user: &Secret, tokens: &mut Tokens) -> Result<Secret, Error> {
        let wire = &self.wire;
        let load = || users.0.load(user.expose()).map_err(|why| wire.error(ErrorKind::Other, why));
        let again = |why: &str| {
            let mut error = wire.error(ErrorKind::Denied, format!("{why} for the calling user `{}`", user.expose()));
            error.hint = Some(users.0.advice(user.expose()));
            error
        };
        let mut stored = load()?.ok_or_else(|| again("this connection has no authorisation"))?;
        // Another process may have renewed the tokens meanwhile, and the refresh token with them: then its are used.
        for attempt in 0..2 {
            if let Some(token) = tokens.take(&stored) {
                return Ok(token);
            }
            let refresh = stored.refresh.clone().ok_or_else(|| again("the authorisation has ended"))?;
            let form = self.oauth.form(Some(&refresh), None).map_err(|why| wire.error(ErrorKind::Config, why))?;
            let body = match self.ask(form, Some(&refresh)).await {
                Ok(body) => body,
                Err(error) if error.kind == ErrorKind::Denied => {
                    let now = load()?.filter(|now| attempt == 0 && *now != stored);
                    stored = now.ok_or_else(|| again("the authorisation is not valid any more"))?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let (access, life) = self.keep(tokens, &body, false)?;
            let renewed = new_token(access, tokens.refresh.take().or(Some(refresh)), life);
            users.0.save(user.expose(), &renewed).map_err(|why| wire.error(ErrorKind::Other, why))?;
            return Ok(renewed.access);
        }
        Err(again("the authorisation is not valid any more"))
    }

    /// Turns a user's authorisation into tokens.
    pub(in crate::http) async fn redeem(&self, code: &Code) -> Result<UserToken, Error> {
        let body = self.ask(self.oauth.code_form(code), Some(&code.code)).await?;
        let mut tokens = Tokens::default();
        let (access, life) = self.keep(&mut tokens, &body, false)?;
        Ok(new_token(access, tokens.refresh, life))
    }

    /// Sends a form to the token endpoint. The answer is not masked: a server may give the same tokens again. Nothing of it
    /// but a token leaves this module.
    async fn ask(&self, form: Vec<(String, String)>, hidden: Option<&Secret>) -> Result<Bytes, Error> {
        let wire = &self.wire;
        let url = self
            .policy
            .check(&self.oauth.token_url)
            .map_err(|refused| wire.error(ErrorKind::Denied, format!("the token URL {refused}")))?;
        let (bytes, kind) = Body::Form(form).encode().map_err(|why| wire.error(ErrorKind::Value, why))?;
        let mut headers = HeaderMap::new();
        wire.insert(&mut headers, "accept", "application/json")?;
        wire.insert(&mut headers, "content-type", &kind.unwrap_or_default())?;
        if let Some(value) = self.oauth.authorization() {
            wire.insert(&mut headers, "authorization", &value)?;
        }
        let reply = wire.once(&Method::POST, &url, headers, bytes, ReadAs::default()).await?;
        if reply.status.is_success() {
            return Ok(reply.body);
        }
        let answer = serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap_or_default();
        let why = answer.get("error").and_then(serde_json::Value::as_str).unwrap_or("no reason");
        let why = wire.mask.text_without(why, hidden);
        let status = reply.status;
        let kind = if retry::is_transient(status) { ErrorKind::Transient } else { ErrorKind::Denied };
        let mut error = wire.error(kind, format!("the token endpoint answered {status}: {why}"));
        error.code = Some(why);
        Err(error)
    }

    /// Drops a token that the upstream refused, unless a newer one has taken its place.
    pub(in crate::http) async fn forget(&self, subject: Option<&Secret>, token: &Secret) {
        let Ok(slot) = self.slot(subject) else { return };
        let mut tokens = slot.lock().await;
        if tokens.access.as_ref().is_some_and(|(kept, _)| kept == token) {
            tokens.access = None;
            tokens.refused = Some(token.clone());
        }
    }

    fn slot(&self, subject: Option<&Secret>) -> Result<Slot, Error> {
        let for_user = self.oauth.exchange.is_some() || self.oauth.users.is_some();
        let Some(subject) = subject.filter(|_| for_user) else {
            if for_user {
                let message = "the connection acts for the calling user, and nothing is known of who calls";
                return Err(self.wire.error(ErrorKind::Denied, message));
            }
            return Ok(Arc::clone(&self.own));
        };
        let mut subjects = self.subjects.lock();
        subjects.clock += 1;
        let now = subjects.clock;
        let key: [u8; 32] = Sha256::digest(subject.expose().as_bytes()).into();
        if !subjects.slots.contains_key(&key) && subjects.slots.len() >= SUBJECTS_MAX {
            let oldest = subjects.slots.iter().min_by_key(|(_, (_, seen))| *seen).map(|(key, _)| *key);
            oldest.and_then(|key| subjects.slots.remove(&key));
        }
        let (slot, seen) = subjects.slots.entry(key).or_default();
        *seen = now;
        Ok(Arc::clone(slot))
    }
}

fn new_token(access: Secret, refresh: Option<Secret>, life: Duration) -> UserToken {
    let life = i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
    UserToken { access, refresh, expires_at: chrono::Utc::now().timestamp().saturating_add(life) }
}
