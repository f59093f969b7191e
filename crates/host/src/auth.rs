//! Keys of callers on HTTP transports.

use std::sync::{Arc, OnceLock};

use base::{Diagnostic, Secret};
use engine::Known as _;
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use protocol::Principal;
use protocol::http::{AuthOutcome, Authenticator, Challenge, Peer};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use spec::Spec;
use spec::model::Auth;
use subtle::{Choice, ConstantTimeEq as _};

use crate::codes;
use crate::limits::KEY_BYTES_MAX;
use crate::resolve::{Lookup, Missing, file, variable};

/// The accepted keys of a server. Only their digests are kept; a shown key is compared with all of them in a time that
/// does not depend on where it differs.
#[derive(Debug)]
pub struct Keys {
    place: Place,
    digests: Vec<[u8; 32]>,
    /// Who shows each of them.
    callers: Vec<Principal>,
    challenge: HeaderValue,
}

/// Where a caller shows its key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Header(HeaderName),
    Bearer,
}

/// What is known of a caller: `subject` and `claims`. The facts of a [`Principal`].
#[derive(Clone, Debug)]
pub struct Caller {
    subject: Arc<str>,
    claims: Map<String, Value>,
    /// Both, when somebody asked.
    known: OnceLock<Map<String, Value>>,
    pub(crate) token: Option<Secret>,
}

impl engine::Known for Caller {
    fn known(&self) -> &Map<String, Value> {
        self.known.get_or_init(|| {
            let claims = Value::Object(self.claims.clone());
            Map::from_iter([("subject".to_owned(), Value::from(&*self.subject)), ("claims".to_owned(), claims)])
        })
    }
}

impl Caller {
    /// A caller with these claims.
    pub fn new(subject: impl Into<Arc<str>>, claims: Map<String, Value>) -> Self {
        Self { subject: subject.into(), claims, known: OnceLock::new(), token: None }
    }

    /// With the access token that the caller showed, for connections that exchange it for one of their own (RFC 8693). It is for
    /// tokens of an authorisation server alone: a key of this server means nothing to anybody else, and stays here.
    #[must_use]
    pub fn with_token(mut self, token: Secret) -> Self {
        self.token = Some(token);
        self
    }

    /// What is kept of it with a task: its claims, without the token that it showed.
    pub(crate) fn kept(&self) -> Option<String> {
        Some(Value::Object(self.claims.clone()).to_string())
    }

    /// The caller of a task that goes on.
    pub(crate) fn again(id: &Arc<str>, kept: Option<&str>) -> Principal {
        let claims = kept.and_then(|kept| serde_json::from_str(kept).ok()).unwrap_or_default();
        Principal::new(id.clone()).with_facts(Arc::new(Self::new(id.clone(), claims)))
    }

    /// What is known of whoever makes a request; nothing when nobody had to show anything.
    pub(crate) fn of(principal: Option<&Principal>) -> Option<std::borrow::Cow<'_, Self>> {
        let principal = principal?;
        Some(match principal.facts::<Self>() {
            Some(known) => std::borrow::Cow::Borrowed(known),
            None => std::borrow::Cow::Owned(Self::new(principal.shared_id(), Map::new())),
        })
    }
}

/// The environment variable of the accepted keys, and where in the spec it is named; `None` where no key is asked for.
pub fn auth_variable(spec: &Spec) -> Option<(String, &'static str)> {
    let default = |suffix: &str| format!("{}{suffix}", spec.name.replace('-', "_").to_uppercase());
    let (named, suffix) = match &spec.auth {
        Auth::ApiKey { env_var, .. } => (env_var, "_API_KEY"),
        Auth::Bearer { env_var, .. } => (env_var, "_TOKEN"),
        Auth::None | Auth::Oauth2 { .. } => return None,
    };
    let name = named.clone().or_else(|| spec.auth.keys().is_empty().then(|| default(suffix)))?;
    Some((name, "/auth/envVar"))
}

/// The accepted keys with what is known of who shows them, in the order of the spec.
fn accepted(spec: &Spec, lookup: Lookup<'_>) -> Result<Vec<(String, Principal)>, (String, Missing)> {
    let mut found = Vec::new();
    if let Some((name, path)) = auth_variable(spec) {
        let keys = variable(&name, lookup, "a long random text").map_err(|missing| (path.to_owned(), missing))?;
        let keys: Vec<&str> = keys.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
        if keys.is_empty() {
            let what = format!("environment variable {name} holds none");
            return Err((path.to_owned(), Missing { what, help: "set it to a long random text".to_owned() }));
        }
        found.extend(
            keys.into_iter()
                .enumerate()
                .map(|(index, key)| (key.to_owned(), known(&format!("key-{}", index + 1), Map::new()))),
        );
    }
    for (index, key) in spec.auth.keys().iter().enumerate() {
        let missing = |missing: Missing| (format!("/auth/keys/{index}"), missing);
        let text = match (&key.env, &key.file) {
            (Some(name), _) => variable(name, lookup, "a long random text").map_err(missing)?,
            (None, Some(path)) => file(path).map_err(missing)?,
            (None, None) => continue,
        };
        let subject = key.subject.clone().unwrap_or_else(|| format!("key-{}", found.len() + 1));
        let twice = found.iter().any(|(other, _)| *other == text);
        if twice || text.is_empty() {
            let what = if twice { "two callers have the same key" } else { "a key is empty" };
            let help = "give each caller a long random text of its own".to_owned();
            return Err(missing(Missing { what: what.to_owned(), help }));
        }
        found.push((text, known(&subject, key.claims.clone())));
    }
    Ok(found)
}

fn known(subject: &str, claims: Map<String, Value>) -> Principal {
    Principal::new(subject).with_facts(Arc::new(Caller::new(subject, claims)))
}

/// The keys of callers, to be masked.
pub(crate) fn secrets(spec: &Spec, lookup: Lookup<'_>) -> Vec<Secret> {
    accepted(spec, lookup).unwrap_or_default().into_iter().map(|(key, _)| Secret::new(key)).collect()
}

/// What a caller of this server must show over HTTP; `None` when nothing.
///
/// # Errors
/// The keys are not known, or the kind of authentication is not enforced here: such a server must not be served over
/// HTTP.
#[expect(clippy::result_large_err, reason = "once at start")]
pub fn auth(spec: &Spec, lookup: Lookup<'_>) -> Result<Option<Keys>, Diagnostic> {
    let place = match &spec.auth {
        Auth::None => return Ok(None),
        Auth::Oauth2 { .. } => {
            return Err(Diagnostic::error(codes::OAUTH, "`auth: oauth2` is not enforced by `run`")
                .path("/auth")
                .help("use `bearer` or `api_key` for HTTP, or serve over stdio"));
        }
        Auth::Bearer { .. } => Place::Bearer,
        Auth::ApiKey { header, .. } => Place::Header(HeaderName::try_from(header.as_str()).map_err(|_| {
            Diagnostic::error(codes::NO_KEY, format!("`{header}` is no name of an HTTP header")).path("/auth/header")
        })?),
    };
    let keys = accepted(spec, lookup).map_err(|(path, Missing { what, help })| {
        let message = format!("the server asks its callers for a key, but {what}");
        Diagnostic::error(codes::NO_KEY, message).path(path).help(help)
    })?;
    let digests = keys.iter().map(|(key, _)| Sha256::digest(key).into()).collect();
    let callers = keys.into_iter().map(|(_, caller)| caller).collect();
    let challenge = challenge(&spec.name, &place);
    Ok(Some(Keys { place, digests, callers, challenge }))
}

/// RFC 9110 section 11.6.1; for `Bearer` RFC 6750 section 3.
fn challenge(server: &str, place: &Place) -> HeaderValue {
    let text = match place {
        Place::Bearer => format!("Bearer realm=\"{server}\""),
        Place::Header(name) => format!("ApiKey realm=\"{server}\", header=\"{name}\""),
    };
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"))
}

impl Keys {
    /// Whether the same callers show the same keys at the same place, so that whoever is known here is known there.
    pub fn is_same(&self, other: &Self) -> bool {
        let known = |keys: &Self| -> Vec<_> {
            let facts = |caller: &Principal| caller.facts::<Caller>().map(|caller| caller.known().clone());
            keys.callers.iter().map(|caller| (caller.id().to_owned(), facts(caller))).collect()
        };
        self.place == other.place && self.digests == other.digests && known(self) == known(other)
    }

    /// Who shows a key, `None` for a key that is not accepted.
    pub fn accept(&self, shown: &[u8]) -> Option<Principal> {
        if shown.is_empty() || shown.len() > KEY_BYTES_MAX {
            return None;
        }
        let digest: [u8; 32] = Sha256::digest(shown).into();
        // Every digest is compared, also after one was equal.
        let mut accepted = Choice::from(0);
        let mut number = 0_usize;
        for (index, known) in self.digests.iter().enumerate() {
            let equal = known.ct_eq(&digest);
            accepted |= equal;
            number += (index + 1) * usize::from(equal.unwrap_u8());
        }
        bool::from(accepted).then(|| self.callers.get(number.wrapping_sub(1)).cloned()).flatten()
    }

    fn shown<'a>(&self, head: &'a Parts) -> Option<&'a [u8]> {
        match &self.place {
            Place::Header(name) => head.headers.get(name).map(HeaderValue::as_bytes),
            Place::Bearer => {
                let value = head.headers.get(header::AUTHORIZATION)?.as_bytes();
                let (scheme, token) = value.split_at_checked(7)?;
                scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
            }
        }
    }

    /// RFC 6750, 3.1: who showed a token is told that it is not valid; who showed none, only how to show one.
    fn refuse(&self, showed: bool) -> Challenge {
        let how = match &self.place {
            Place::Header(name) => format!("send the server's key in the header `{name}`"),
            Place::Bearer => "send the server's token as `Authorization: Bearer …`".to_owned(),
        };
        let body = serde_json::json!({ "error": "unauthorized", "message": how });
        let invalid = match &self.place {
            Place::Bearer if showed => {
                self.challenge.to_str().ok().map(|text| format!("{text}, error=\"invalid_token\""))
            }
            _ => None,
        };
        let challenge =
            invalid.and_then(|text| HeaderValue::try_from(text).ok()).unwrap_or_else(|| self.challenge.clone());
        Challenge { body: body.to_string().into(), ..Challenge::unauthorized(challenge) }
    }
}

impl Authenticator for Keys {
    fn authenticate(&self, head: &Parts, _peer: &Peer) -> AuthOutcome {
        let shown = self.shown(head);
        let caller = shown.and_then(|shown| self.accept(shown));
        AuthOutcome::Ready(caller.ok_or_else(|| self.refuse(shown.is_some())))
    }
}
