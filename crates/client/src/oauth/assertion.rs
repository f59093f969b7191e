//! Proving who we are by a signature (RFC 7523, section 2.2).

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};

use super::{now, random};

/// Life of a proof, seconds.
const LIFE: i64 = 60;

/// A signed text for an authorization server (RFC 7519, ES256). The key is PEM (PKCS #8) of the curve P-256.
pub(super) fn sign(client: &str, issuer: &str, key: &Secret) -> Result<String, String> {
    let wrong = || "the key is no PEM text with a `PRIVATE KEY` of the curve P-256 in PKCS #8".to_owned();
    let (_, rest) = key.expose().split_once("-----BEGIN PRIVATE KEY-----").ok_or_else(wrong)?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----").ok_or_else(wrong)?;
    let body: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(body).map_err(|_| wrong())?;
    let system = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes, &system).map_err(|_| wrong())?;
    let now = now();
    let id = random("").map_err(|error| error.message)?;
    let claims = json!({"iss": client, "sub": client, "aud": issuer, "jti": id, "iat": now, "exp": now + LIFE});
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", encode(&json!({"alg": "ES256", "typ": "JWT"})), encode(&claims));
    let signature = pair.sign(&system, text.as_bytes()).map_err(|_| "the key cannot sign".to_owned())?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
