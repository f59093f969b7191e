//! Keys of callers on HTTP transports.

use base::Diagnostic;
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use protocol::Principal;
use protocol::http::{AuthOutcome, Authenticator, Challenge, Peer};
use sha2::{Digest as _, Sha256};
use spec::Spec;
use spec::model::Auth;
use subtle::{Choice, ConstantTimeEq as _};

use crate::codes;
use crate::limits::KEY_BYTES_MAX;
use crate::resolve::{Lookup, variable};

/// The accepted keys of a server. Only their digests are kept; a shown key is compared with all of them in a time that
/// does not depend on where it differs.
#[derive(Debug)]
pub struct Keys {
    place: Place,
    digests: Vec<[u8; 32]>,
    challenge: HeaderValue,
}

/// Where a caller shows its key.
#[derive(Clone, Debug)]
enum Place {
    Header(HeaderName),
    Bearer,
}

/// The environment variable of the accepted keys, and where in the spec it is named; `None` where no key is asked for.
pub fn auth_variable(spec: &Spec) -> Option<(String, &'static str)> {
    let default = |suffix: &str| format!("{}{suffix}", spec.name.replace('-', "_").to_uppercase());
    match &spec.auth {
        Auth::ApiKey { env_var, .. } => Some((env_var.clone().unwrap_or_else(|| default("_API_KEY")), "/auth/envVar")),
        Auth::Bearer { env_var } => Some((env_var.clone().unwrap_or_else(|| default("_TOKEN")), "/auth/envVar")),
        Auth::None | Auth::Oauth2 { .. } => None,
    }
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
    let Some((name, path)) = auth_variable(spec) else { return Ok(None) };
    let missing = |what: String, help: String| {
        let message = format!("the server asks its callers for a key, but {what}");
        Err(Diagnostic::error(codes::NO_KEY, message).path(path).help(help))
    };
    let keys = match variable(&name, lookup, "a long random text") {
        Ok(keys) => keys,
        Err(found) => return missing(found.what, found.help),
    };
    let digests: Vec<[u8; 32]> =
        keys.split(',').map(str::trim).filter(|key| !key.is_empty()).map(|key| Sha256::digest(key).into()).collect();
    if digests.is_empty() {
        return missing(format!("environment variable {name} holds none"), "set it to a long random text".to_owned());
    }
    let challenge = challenge(&spec.name, &place);
    Ok(Some(Keys { place, digests, challenge }))
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
    /// The name under which a key's callers are known, `None` for a key that is not accepted.
    pub fn accept(&self, shown: &[u8]) -> Option<String> {
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
        bool::from(accepted).then(|| format!("key-{number}"))
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
        AuthOutcome::Ready(caller.map(Principal::new).ok_or_else(|| self.refuse(shown.is_some())))
    }
}
