//! Service accounts: tokens, and URLs signed with their key (V4 signing with RSA).
//!
//! <https://cloud.google.com/storage/docs/access-control/signing-urls-manually>

use std::time::Duration;

use base::Secret;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::http::{Assertion, OAuth};

/// What a token may be used for: reading and writing objects.
const SCOPE: &str = "https://www.googleapis.com/auth/devstorage.read_write";
/// The name of the signature.
const ALGORITHM: &str = "GOOG4-RSA-SHA256";

/// A service account.
pub(super) struct Account {
    token_url: String,
    assertion: Assertion,
}

/// Its key file, as far as it is used.
#[derive(Deserialize)]
struct File {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
    #[serde(default = "token_uri")]
    token_uri: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

impl Account {
    pub(super) fn parse(text: &Secret) -> Result<Self, String> {
        // The parser's own words could show a part of the key.
        let file: File = serde_json::from_str(text.expose()).map_err(|_| {
            "the key of the service account is no JSON file with `client_email` and `private_key`".to_owned()
        })?;
        let assertion = Assertion {
            issuer: file.client_email,
            subject: None,
            audience: file.token_uri.clone(),
            key_id: file.private_key_id,
            key: Secret::new(file.private_key),
        };
        assertion.check()?;
        Ok(Self { token_url: file.token_uri, assertion })
    }

    pub(super) fn oauth(&self) -> OAuth {
        OAuth {
            token_url: self.token_url.clone(),
            client_id: String::new(),
            client_secret: None,
            refresh_token: None,
            scopes: vec![SCOPE.to_owned()],
            audience: None,
            secret_in_form: false,
            exchange: None,
            assertion: Some(Box::new(self.assertion.clone())),
            form: Vec::new(),
            users: None,
        }
    }

    /// A URL for whoever holds it. `path` is encoded.
    pub(super) fn presign(
        &self,
        time: DateTime<Utc>,
        method: &str,
        endpoint: &str,
        path: &str,
        expires: Duration,
    ) -> Result<String, String> {
        let encode = |text: &str| crate::percent::encode(text.as_bytes(), b"");
        let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
        let stamp = time.format("%Y%m%dT%H%M%SZ").to_string();
        let scope = format!("{}/auto/storage/goog4_request", time.format("%Y%m%d"));
        let credential = encode(&format!("{}/{scope}", self.assertion.issuer));
        // In the order of the names.
        let query = format!(
            "X-Goog-Algorithm={ALGORITHM}&X-Goog-Credential={credential}&X-Goog-Date={stamp}&X-Goog-Expires={}&X-Goog-SignedHeaders=host",
            expires.as_secs()
        );
        let canonical = format!("{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let text = format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let signature = hex(&self.assertion.signature(text.as_bytes())?);
        Ok(format!("{endpoint}{path}?{query}&X-Goog-Signature={signature}"))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
