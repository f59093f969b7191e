//! Assertions that a key of our own signs, as a grant (RFC 7523): how service accounts get tokens.

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

/// Life of an assertion; servers take no longer one.
const LIFE_SECONDS: i64 = 3600;

/// Who asks for a token, and the key that proves it.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// The issuer, such as the address of a service account.
    pub issuer: String,
    /// Whom it speaks for, when that is another one.
    pub subject: Option<String>,
    /// Who is meant to read it, usually the token endpoint.
    pub audience: String,
    /// The identifier of the key, when servers want to be told.
    pub key_id: Option<String>,
    /// The RSA key, PEM (PKCS #8).
    pub key: Secret,
}

impl Assertion {
    /// The grant.
    pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    /// Checks the key.
    pub fn check(&self) -> Result<(), String> {
        self.pair().map(drop)
    }

    /// The signed text (RFC 7519, RS256).
    pub(super) fn sign(&self, scopes: &[String], now: i64) -> Result<String, String> {
        let mut head = serde_json::json!({"alg": "RS256", "typ": "JWT"});
        if let Some(id) = &self.key_id {
            head["kid"] = id.as_str().into();
        }
        let mut claims =
            serde_json::json!({"iss": self.issuer, "aud": self.audience, "iat": now, "exp": now + LIFE_SECONDS});
        if let Some(subject) = &self.subject {
            claims["sub"] = subject.as_str().into();
        }
        if !scopes.is_empty() {
            claims["scope"] = scopes.join(" ").into();
        }
        let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", encode(head), encode(claims));
        let signature = self.signature(text.as_bytes())?;
        Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Signs bytes with the key (RSASSA-PKCS1-v1_5 with SHA-256).
    pub(crate) fn signature(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let pair = self.pair()?;
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), bytes, &mut signature)
            .map_err(|_| "the key cannot sign".to_owned())?;
        Ok(signature)
    }

    fn pair(&self) -> Result<RsaKeyPair, String> {
        let text = self.key.expose();
        let body = text
            .split_once("-----BEGIN PRIVATE KEY-----")
            .and_then(|(_, rest)| rest.split_once("-----END PRIVATE KEY-----"))
            .ok_or("the key is no PEM text with a `PRIVATE KEY`")?
            .0;
        let body: String = body.split_whitespace().collect();
        let bytes = STANDARD.decode(body).map_err(|_| "the key is no PEM text")?;
        RsaKeyPair::from_pkcs8(&bytes).map_err(|_| "the key is no RSA key of 2048 bits or more in PKCS #8".to_owned())
    }
}
