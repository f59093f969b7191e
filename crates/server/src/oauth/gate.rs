//! Lets callers with a token in.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use identity::oauth::{Authority, Bearer, Refusal, Shown};
use protocol::Principal;
use protocol::http::{AuthOutcome, Authenticator, Challenge, Guard, Peer};

use super::{AskedAs, OAuth, RESOURCE, address, issuer, respond};

/// Asks every request for an access token.
pub(crate) struct Gate {
    oauth: OAuth,
    guard: Arc<Guard>,
}

impl Gate {
    pub(crate) fn new(oauth: OAuth, guard: Arc<Guard>) -> Self {
        Self { oauth, guard }
    }
}

impl Authenticator for Gate {
    fn authenticate(&self, head: &Parts, peer: &Peer) -> AuthOutcome {
        let authority = &self.oauth.authority;
        let door = || Door::of(authority, &self.guard, head);
        if let Err(challenge) = crate::keys::shows_one(&head.headers) {
            return AuthOutcome::Ready(Err(challenge));
        }
        let Some(token) = bearer(head) else {
            return AuthOutcome::Ready(Err(door().challenge(None)));
        };
        let path = head.uri.path();
        let address = address(&self.oauth.proxies, head, peer);
        if let Some(known) = authority.known(Shown { token, path, address }) {
            return AuthOutcome::Ready(entered(known, door));
        }
        let (authority, token, path) = (authority.clone(), token.to_owned(), path.to_owned());
        let door = door();
        AuthOutcome::Later(Box::pin(async move {
            let work = move || authority.look_up(Shown { token: &token, path: &path, address });
            let found = tokio::task::spawn_blocking(work).await;
            entered(found.unwrap_or_else(|error| Bearer::Slow(respond::internal(&error.to_string()))), || door)
        }))
    }
}

fn entered(found: Bearer, door: impl FnOnce() -> Door) -> Result<Principal, Challenge> {
    match found {
        Bearer::Good(principal) => Ok(Principal::new(principal.id.clone()).with_facts(principal)),
        Bearer::Invalid => Err(door().challenge(Some((StatusCode::UNAUTHORIZED, "invalid_token", INVALID)))),
        Bearer::Insufficient => Err(door().challenge(Some((StatusCode::FORBIDDEN, "insufficient_scope", NARROW)))),
        Bearer::Slow(refusal) => Err(slow(&refusal)),
    }
}

const MISSING: &str = "an access token is needed: `Authorization: Bearer …`";
const INVALID: &str = "the access token is not known, has expired, was revoked, or is for another resource";
const NARROW: &str = "the access token does not cover the scope that is needed";

/// How a caller is told which scope a token lacks (RFC 6750, section 3.1): a program can ask for it.
pub(super) fn insufficient(authority: &Authority, guard: &Guard, head: &Parts, scope: &str) -> Option<HeaderValue> {
    let door = Door { scope: scope.to_owned(), ..Door::of(authority, guard, head) };
    door.challenge(Some((StatusCode::FORBIDDEN, "insufficient_scope", NARROW))).www_authenticate
}

/// What a challenge says.
struct Door {
    metadata: String,
    scope: String,
}

impl Door {
    fn of(authority: &Authority, guard: &Guard, head: &Parts) -> Self {
        let settings = authority.settings();
        let issuer = issuer(authority, guard, &head.headers).unwrap_or_default();
        let path = head.extensions.get::<AskedAs>().map_or(head.uri.path(), |asked| asked.0.path());
        let place = settings.places.resource(path);
        let named = place.as_deref().map_or(settings.places.main(), |place| settings.places.named(path, place));
        let scope = settings.scopes_at(place.as_deref().unwrap_or(settings.places.main())).to_string();
        Self { metadata: format!("{issuer}{RESOURCE}{named}"), scope }
    }

    /// RFC 6750, section 3: who showed nothing is not told of an error, only how to come in.
    fn challenge(&self, wrong: Option<(StatusCode, &'static str, &'static str)>) -> Challenge {
        let (status, error, description) = wrong.unwrap_or((StatusCode::UNAUTHORIZED, "invalid_token", MISSING));
        let mut text = String::from("Bearer ");
        if wrong.is_some() {
            text.push_str(&format!("error=\"{error}\", error_description=\"{description}\", "));
        }
        text.push_str(&format!("resource_metadata=\"{}\", scope=\"{}\"", self.metadata, self.scope));
        let header = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"));
        let body = serde_json::json!({ "error": error, "error_description": description });
        Challenge {
            status,
            www_authenticate: Some(header),
            body: body.to_string().into(),
            headers: vec![(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))],
        }
    }
}

fn slow(refusal: &Refusal) -> Challenge {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let wait = refusal.retry_after.map(|wait| (header::RETRY_AFTER, respond::retry_after(wait)));
    let headers = refusal.spent.as_ref().map_or_else(|| wait.into_iter().collect(), crate::keys::spent);
    Challenge { status, www_authenticate: None, body: refusal.body().to_string().into(), headers }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(head: &Parts) -> Option<&str> {
    let value = head.headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked(7)?;
    // Asked several times for each request: what is ASCII is seen by words, not by letters.
    let is_token = scheme.eq_ignore_ascii_case(b"bearer ") && token.is_ascii();
    is_token.then(|| std::str::from_utf8(token).ok()).flatten().map(str::trim)
}
