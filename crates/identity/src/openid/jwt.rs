//! A signed token in its compact form (RFC 7515, RFC 7519), taken apart. Nothing in it is believed here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// Longest token that is looked at, bytes.
pub const TOKEN_BYTES_MAX: usize = 32 * 1024;
/// Longest name of a key, bytes.
const KEY_NAME_BYTES_MAX: usize = 500;

/// How a token may be signed: with a key of which only the issuer has the secret half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Ps256,
    Es256,
    Ed25519,
}

impl Algorithm {
    /// The algorithm of a header or a key (RFC 7518, RFC 8037, RFC 9864).
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "RS256" => Self::Rs256,
            "PS256" => Self::Ps256,
            "ES256" => Self::Es256,
            "EdDSA" | "Ed25519" => Self::Ed25519,
            _ => return None,
        })
    }
}

/// A token, taken apart.
#[derive(Debug)]
pub(super) struct Jwt<'a> {
    pub(super) algorithm: Algorithm,
    /// The name of the key.
    pub(super) key: Option<String>,
    /// What is signed.
    pub(super) signed: &'a [u8],
    pub(super) signature: Vec<u8>,
    pub(super) claims: Map<String, Value>,
}

impl<'a> Jwt<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// It is none, it is not signed, or signed in a way that is not taken.
    pub(super) fn parse(text: &'a str) -> Result<Self, String> {
        let none = || "it is no signed token in compact form".to_owned();
        if text.len() > TOKEN_BYTES_MAX {
            return Err(format!("it is longer than {TOKEN_BYTES_MAX} bytes"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or_else(none)?;
        let (head, claims) = signed.split_once('.').ok_or_else(none)?;
        let header = object(head).ok_or_else(none)?;
        let word = |name: &str| header.get(name).and_then(Value::as_str);
        let named = word("alg").unwrap_or_default();
        let algorithm = Algorithm::of_word(named).ok_or_else(|| {
            let shown = super::failure::quoted(named);
            format!("it is signed by `{shown}`, and only RS256, PS256, ES256 and EdDSA are taken")
        })?;
        if header.contains_key("crit") {
            return Err("its header holds `crit`, and nothing is understood beside what every token has".to_owned());
        }
        // Tokens of another kind, such as access tokens, are signed with the same keys.
        if header.contains_key("typ") && !word("typ").is_some_and(|kind| kind.eq_ignore_ascii_case("JWT")) {
            return Err("its header says that it is another kind of token".to_owned());
        }
        let key = word("kid").map(str::to_owned);
        if key.as_ref().is_some_and(|key| key.len() > KEY_NAME_BYTES_MAX)
            || (header.contains_key("kid") && key.is_none())
        {
            return Err(format!("the name of its key is no text of at most {KEY_NAME_BYTES_MAX} bytes"));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok().filter(|bytes| !bytes.is_empty()).ok_or_else(none)?;
        let claims = object(claims).ok_or_else(none)?;
        Ok(Self { algorithm, key, signed: signed.as_bytes(), signature, claims })
    }
}

/// A JSON object in base64url.
fn object(text: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{Algorithm, Jwt, TOKEN_BYTES_MAX};

    fn token(header: &str, claims: &str) -> String {
        format!(
            "{}.{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims),
            URL_SAFE_NO_PAD.encode("signed")
        )
    }

    #[test]
    fn a_token_is_taken_apart() {
        let text = token(r#"{"alg":"ES256","kid":"a","typ":"jwt","jwk":{}}"#, r#"{"sub":"1"}"#);
        let jwt = Jwt::parse(&text).unwrap();
        assert_eq!(
            (jwt.algorithm, jwt.key.as_deref(), jwt.claims["sub"].as_str()),
            (Algorithm::Es256, Some("a"), Some("1"))
        );
        assert_eq!(std::str::from_utf8(jwt.signed).unwrap(), text.rsplit_once('.').unwrap().0);
        assert_eq!(jwt.signature, b"signed");
    }

    #[test]
    fn what_is_no_signed_token_is_refused() {
        let good = token(r#"{"alg":"RS256"}"#, "{}");
        assert!(Jwt::parse(&good).is_ok());
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"None"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"rs256"}"#,
            r#"{"alg":"RS1"}"#,
            r#"{"alg":["RS256"]}"#,
            "{}",
            "[]",
            r#"{"alg":"RS256","crit":["exp"]}"#,
            r#"{"alg":"RS256","typ":"at+jwt"}"#,
            r#"{"alg":"RS256","typ":7}"#,
            r#"{"alg":"RS256","kid":7}"#,
        ] {
            assert!(Jwt::parse(&token(header, "{}")).is_err(), "{header}");
        }
        for text in [
            "",
            ".",
            "..",
            "a.b",
            "a.b.c.d.e",
            &format!("{good}.x"),
            &format!(" {good}"),
            &format!("{good}="),
            good.rsplit_once('.').unwrap().0,
            &format!("{}.", good.rsplit_once('.').unwrap().0),
            &token(r#"{"alg":"RS256"}"#, "[]"),
            &token(r#"{"alg":"RS256"}"#, &"[".repeat(10_000)),
            &token(r#"{"alg":"RS256"}"#, &format!("{{\"a\":\"{}\"}}", "x".repeat(TOKEN_BYTES_MAX))),
        ] {
            assert!(Jwt::parse(text).is_err(), "{text:.80}");
        }
    }

    /// Bytes that look random and are the same each time.
    fn noise(seed: &mut u64) -> u8 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed.to_be_bytes()[0]
    }

    #[test]
    fn whatever_comes_nothing_breaks_and_what_is_taken_is_what_was_written() {
        let good = token(r#"{"alg":"ES256","kid":"a"}"#, r#"{"sub":"1","aud":["a","b"],"exp":1.5e3,"deep":[[[{}]]]}"#);
        let letters = b"ABCz09-_.=+/\" {}\\\n\0\xc3";
        let mut seed = 7;
        for round in 0..20_000 {
            let mut bytes = good.as_bytes().to_vec();
            for _ in 0..=round % 4 {
                let at = (usize::from(noise(&mut seed)) * 256 + usize::from(noise(&mut seed))) % bytes.len().max(1);
                match noise(&mut seed) % 4 {
                    _ if bytes.is_empty() => {}
                    0 => bytes[at] = letters[usize::from(noise(&mut seed)) % letters.len()],
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, noise(&mut seed)),
                    _ => bytes.truncate(at.max(1)),
                }
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Ok(jwt) = Jwt::parse(&text) {
                // One text for one token: no second spelling of the same bytes is taken.
                let again =
                    format!("{}.{}", std::str::from_utf8(jwt.signed).unwrap(), URL_SAFE_NO_PAD.encode(&jwt.signature));
                assert_eq!(again, text);
            }
        }
    }
}
