//! Lets callers in by API key, by the name of a guest, or by their address.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use identity::address::Proxies;
use identity::buckets::Spent;
use identity::callers::{Callers, Entry, Shown, Slow};
use identity::keys::PREFIX;
use protocol::http::{AuthOutcome, Authenticator, Challenge, Peer};
use protocol::{Limit, Principal, limit};

use crate::oauth::{address, bearer};

/// The header by which guests name themselves.
pub(crate) const GUEST: HeaderName = HeaderName::from_static("x-guest-id");

/// Who is known, and which proxies are believed.
#[derive(Clone)]
pub struct KnownCallers {
    /// What decides.
    pub callers: Arc<Callers>,
    /// Proxies that say truly whom they speak for.
    pub proxies: Proxies,
}

/// Looks at every request.
pub(crate) struct Gate {
    known: KnownCallers,
    /// Lets callers in that show another token than a key.
    beyond: Option<Arc<dyn Authenticator>>,
    realm: String,
}

impl Gate {
    pub(crate) fn new(realm: &str, known: KnownCallers, beyond: Option<Arc<dyn Authenticator>>) -> Self {
        Self { known, beyond, realm: realm.to_owned() }
    }
}

impl Authenticator for Gate {
    fn authenticate(&self, head: &Parts, peer: &Peer) -> AuthOutcome {
        if let Err(challenge) = shows_one(&head.headers) {
            return AuthOutcome::Ready(Err(challenge));
        }
        let key = bearer(head);
        if let (Some(beyond), Some(token)) = (&self.beyond, key)
            && !token.starts_with(PREFIX)
        {
            return beyond.authenticate(head, peer);
        }
        // Another scheme than `Bearer` is a bad key, not a guest.
        let bearer = key.or_else(|| head.headers.contains_key(header::AUTHORIZATION).then_some(""));
        let guest = head.headers.get(&GUEST).map(|value| value.to_str().unwrap_or_default());
        let address = address(&self.known.proxies, head, peer);
        match self.known.callers.enter(Shown { bearer, guest }, address) {
            Entry::Ask => {
                let (callers, key, realm) =
                    (self.known.callers.clone(), key.unwrap_or_default().to_owned(), self.realm.clone());
                AuthOutcome::Later(Box::pin(async move {
                    let found = tokio::task::spawn_blocking(move || callers.look_up(&key, address)).await;
                    match found {
                        Ok(Ok(entry)) => entered(entry, &realm),
                        Ok(Err(fault)) => Err(unavailable(&fault.to_string())),
                        Err(fault) => Err(unavailable(&fault.to_string())),
                    }
                }))
            }
            Entry::Nobody if self.beyond.is_some() => match &self.beyond {
                Some(beyond) => beyond.authenticate(head, peer),
                None => AuthOutcome::Ready(entered(Entry::Nobody, &self.realm)),
            },
            entry => AuthOutcome::Ready(entered(entry, &self.realm)),
        }
    }
}

pub(crate) fn entered(entry: Entry, realm: &str) -> Result<Principal, Challenge> {
    match entry {
        Entry::In(principal, left) => {
            let limit = left.map(|left| Limit {
                policy: left.policy,
                left: left.left,
                quota: left.quota,
                window: left.window.as_secs(),
            });
            Ok(Principal::new(principal.id.clone()).with_facts(principal).within(limit))
        }
        Entry::BadKey | Entry::Ask => {
            let why =
                "invalid API key: it is not known, was revoked or has expired; make a new one, or send no key header";
            Err(unauthorized(
                &format!("Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{why}\""),
                why,
            ))
        }
        Entry::Nobody => Err(unauthorized(
            &format!("Bearer realm=\"{realm}\""),
            "an API key is needed: `Authorization: Bearer of_mcp_…`",
        )),
        Entry::BadGuest => {
            let why = "`X-Guest-Id` is not a name of at most 128 visible ASCII characters";
            Err(unauthorized(&format!("Bearer realm=\"{realm}\""), why))
        }
        Entry::Slow(slow) => Err(self::slow(&slow)),
    }
}

fn unauthorized(challenge: &str, why: &str) -> Challenge {
    let header = HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Bearer"));
    refusal(StatusCode::UNAUTHORIZED, Some(header), "invalid_token", why, Vec::new())
}

fn slow(slow: &Slow) -> Challenge {
    let Slow { policy, quota, window, wait, ref message } = *slow;
    let headers = spent(&Spent { policy, quota, window, wait });
    let why = format!("{message}; try again in {} s", whole_seconds(wait));
    refusal(StatusCode::TOO_MANY_REQUESTS, None, "too_many_requests", &why, headers)
}

/// How a limit that is used up is told: when to come back, and what the limit is.
pub(crate) fn spent(spent: &Spent) -> Vec<(HeaderName, HeaderValue)> {
    let (name, seconds, window) = (spent.policy, whole_seconds(spent.wait), spent.window.as_secs());
    let mut headers = vec![(header::RETRY_AFTER, HeaderValue::from(seconds))];
    let limit = HeaderValue::try_from(format!("\"{name}\";r=0;t={seconds}"));
    let policy = HeaderValue::try_from(format!("\"{name}\";q={};w={window}", spent.quota));
    headers.extend(limit.ok().map(|value| (limit::RATE, value)));
    headers.extend(policy.ok().map(|value| (limit::POLICY, value)));
    headers
}

/// Whole seconds, at least one.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs_f64().ceil().max(1.0) as u64
}

/// Checks that a request shows one thing of each kind: whoever stands between may have looked at another one than is taken here.
///
/// # Errors
/// How whoever shows two is turned away.
pub(crate) fn shows_one(headers: &HeaderMap) -> Result<(), Challenge> {
    let twice = |name: &HeaderName| headers.get_all(name).iter().nth(1).is_some();
    match [&header::AUTHORIZATION, &GUEST].into_iter().find(|name| twice(name)) {
        None => Ok(()),
        Some(name) => {
            let why = format!("the header `{name}` is there more than once; send it once");
            Err(refusal(StatusCode::BAD_REQUEST, None, "invalid_request", &why, Vec::new()))
        }
    }
}

pub(crate) fn unavailable(why: &str) -> Challenge {
    tracing::error!(why, "a key could not be looked up");
    let retry = vec![(header::RETRY_AFTER, HeaderValue::from_static("5"))];
    refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        None,
        "temporarily_unavailable",
        "keys cannot be looked up at the moment",
        retry,
    )
}

fn refusal(
    status: StatusCode,
    www_authenticate: Option<HeaderValue>,
    error: &str,
    why: &str,
    mut headers: Vec<(HeaderName, HeaderValue)>,
) -> Challenge {
    headers.push((header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    let body = serde_json::json!({ "error": error, "error_description": why });
    Challenge { status, www_authenticate, body: body.to_string().into(), headers }
}
