//! Whether an ID token is for this control plane, for this sign-in, and for now (OpenID Connect Core, section 3.1.3.7).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, SHA512, digest};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use super::LEEWAY;
use super::failure::quoted;
use super::jwt::{Algorithm, Jwt};

/// What a token must say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    /// The access token that came with it.
    pub(super) access: Option<&'a str>,
    /// Seconds since 1970.
    pub(super) now: i64,
}

/// Checks a token whose signature was checked.
pub(super) fn check(jwt: &Jwt<'_>, expected: &Expected<'_>) -> Result<(), String> {
    let claims = &jwt.claims;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        let shown = quoted(text("iss").unwrap_or_default());
        return Err(format!("`iss` is `{shown}`, not {}", expected.issuer));
    }
    audience(claims, expected.client)?;
    times(claims, expected.now)?;
    let nonce = text("nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err("`nonce` is not the one of this sign-in".to_owned());
    }
    if let Some(said) = claims.get("at_hash") {
        let access = expected.access.ok_or("`at_hash` is there, and no access token")?;
        if said.as_str() != Some(half_hash(jwt.algorithm, access).as_str()) {
            return Err("`at_hash` is not the hash of the access token".to_owned());
        }
    }
    Ok(())
}

fn audience(claims: &Map<String, Value>, client: &str) -> Result<(), String> {
    let several = match claims.get("aud") {
        Some(Value::String(one)) if one == client => false,
        Some(Value::Array(all)) if all.iter().any(|one| one.as_str() == Some(client)) => all.len() > 1,
        _ => return Err(format!("`aud` is not {client}: it is for somebody else")),
    };
    match claims.get("azp") {
        Some(party) if party.as_str() == Some(client) => Ok(()),
        Some(_) => Err(format!("`azp` is not {client}: it was given to somebody else")),
        None if several => Err("`aud` has several, and `azp` does not say to whom it was given".to_owned()),
        None => Ok(()),
    }
}

fn times(claims: &Map<String, Value>, now: i64) -> Result<(), String> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        // Some providers write parts of seconds. What is beyond the numbers of years is cut, and no time of ours.
        Some(value) => {
            value.as_f64().map(|seconds| Some(seconds as i64)).ok_or_else(|| format!("`{name}` is no number"))
        }
    };
    let end = time("exp")?.ok_or("`exp` is missing")?;
    if end.saturating_add(LEEWAY) <= now {
        return Err(format!("`exp` was {} s ago", now.saturating_sub(end)));
    }
    let made = time("iat")?.ok_or("`iat` is missing")?;
    for (name, from) in [("iat", Some(made)), ("nbf", time("nbf")?)] {
        if let Some(from) = from.filter(|from| from.saturating_sub(LEEWAY) > now) {
            return Err(format!("`{name}` is {} s ahead; do the clocks agree?", from.saturating_sub(now)));
        }
    }
    Ok(())
}

/// The left half of the hash of an access token, by the hash that the algorithm of the token has.
fn half_hash(algorithm: Algorithm, access: &str) -> String {
    let with = if algorithm == Algorithm::Ed25519 { &SHA512 } else { &SHA256 };
    let made = digest(with, access.as_bytes());
    let (left, _) = made.as_ref().split_at(made.as_ref().len() / 2);
    URL_SAFE_NO_PAD.encode(left)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::jwt::{Algorithm, Jwt};
    use super::{Expected, check, half_hash};

    const NOW: i64 = 1_700_000_000;

    fn checked(changes: &Value) -> Result<(), String> {
        let mut claims = json!({"iss": "https://id.example.com", "aud": "me", "exp": NOW + 300, "iat": NOW, "nonce": "n", "sub": "1"});
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        let claims = claims.as_object().cloned().unwrap();
        let jwt = Jwt { algorithm: Algorithm::Es256, key: None, signed: b"", signature: Vec::new(), claims };
        let issuer = "https://id.example.com";
        check(&jwt, &Expected { issuer, client: "me", nonce: "n", access: Some("secret"), now: NOW })
    }

    #[test]
    fn a_token_says_whose_it_is_for_whom_and_when() {
        let hash = half_hash(Algorithm::Es256, "secret");
        for good in [
            json!({}),
            json!({"aud": ["me"]}),
            json!({"aud": ["me", "other"], "azp": "me"}),
            json!({"exp": NOW - 59}),
            json!({"exp": NOW as f64 + 0.5}),
            json!({"iat": NOW + 60, "nbf": NOW + 60}),
            json!({"at_hash": hash}),
        ] {
            assert_eq!(checked(&good), Ok(()), "{good}");
        }
        for (bad, why) in [
            (json!({"iss": "https://id.example.com/"}), "`iss`"),
            (json!({"iss": null}), "`iss`"),
            (json!({"aud": "other"}), "`aud`"),
            (json!({"aud": ["other"]}), "`aud`"),
            (json!({"aud": null}), "`aud`"),
            (json!({"aud": ["me", "other"]}), "`azp`"),
            (json!({"aud": ["me", "other"], "azp": "other"}), "`azp`"),
            (json!({"azp": "other"}), "`azp`"),
            (json!({"exp": NOW - 60}), "`exp`"),
            (json!({"exp": null}), "`exp`"),
            (json!({"exp": "2999-01-01"}), "`exp`"),
            (json!({"exp": -1e300}), "`exp`"),
            (json!({"iat": NOW + 61}), "`iat`"),
            (json!({"iat": null}), "`iat`"),
            (json!({"nbf": NOW + 61}), "`nbf`"),
            (json!({"nbf": 1e300}), "`nbf`"),
            (json!({"nonce": "m"}), "`nonce`"),
            (json!({"nonce": null}), "`nonce`"),
            (json!({"at_hash": "x"}), "`at_hash`"),
            (json!({"at_hash": 7}), "`at_hash`"),
        ] {
            assert!(checked(&bad).is_err_and(|said| said.contains(why)), "{bad}");
        }
    }

    #[test]
    fn hashes_of_access_tokens_are_those_of_the_standard() {
        // OpenID Connect Core, appendix A.3.
        assert_eq!(
            half_hash(Algorithm::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
        assert_eq!(half_hash(Algorithm::Ed25519, "x").len(), 43);
    }
}
