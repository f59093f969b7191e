//! Requests signed with a shared key (HMAC, RFC 2104).

mod text;
mod v4;

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::{Sha256, Sha512};
use url::Url;

use text::Fill;

pub use v4::SigV4;

/// How requests are signed. Each text may hold, between braces:
///
/// - `timestamp` (seconds since 1970), `timestamp_ms`, `timestamp_iso` (`2026-01-31T12:00:00Z`), `timestamp_basic`
///   (`20260131T120000Z`), `date` (`20260131`);
/// - `method`, `url`, `host` (with its port when that is not the usual one), `path`, `query` as it is sent, `query_sorted`;
/// - `header:NAME`: a header of the request, trimmed, empty when there is none;
/// - `body`, `body_sha256`, `body_sha512`, `body_base64`; `nonce` (16 random bytes in hexadecimal digits, the same in all texts);
/// - in `message` and `headers`, `canonical`, `canonical_sha256` and `canonical_sha512`; in `headers`, `signature`.
///
/// Stripe: `message` is `{timestamp}.{body}` and the header `Stripe-Signature` is `t={timestamp},v1={signature}`. GitHub: `{body}`,
/// and `X-Hub-Signature-256` is `sha256={signature}`. Canonical requests as clouds have them: `canonical` lists the parts line by line,
/// and `message` holds `{canonical_sha256}`.
#[derive(Clone, Debug)]
pub struct Signing {
    /// The shared key.
    pub key: Secret,
    /// How the key is written.
    pub key_form: KeyForm,
    /// The hash.
    pub hash: Hash,
    /// How the signature is written.
    pub encoding: Encoding,
    /// A text to refer to in `message`, often by its hash.
    pub canonical: Option<String>,
    /// What is signed.
    pub message: String,
    /// The headers that are added, by name.
    pub headers: Vec<(String, String)>,
}

impl Signing {
    /// HMAC-SHA-256 of the body in hexadecimal digits; the headers are still to be named.
    pub fn new(key: Secret) -> Self {
        Self {
            key,
            key_form: KeyForm::Text,
            hash: Hash::Sha256,
            encoding: Encoding::Hex,
            canonical: None,
            message: "{body}".to_owned(),
            headers: Vec::new(),
        }
    }
}

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Lower-case hexadecimal digits.
    Hex,
    /// Base64 with padding.
    Base64,
    /// Base64 for URLs, without padding.
    Base64Url,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyForm {
    /// Its characters are its bytes.
    #[default]
    Text,
    /// Base64.
    Base64,
    /// Hexadecimal digits.
    Hex,
}

/// What a signature covers.
pub(super) struct Signed<'a> {
    pub(super) time: DateTime<Utc>,
    pub(super) method: &'a str,
    pub(super) url: &'a Url,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl Signing {
    /// Checks the key and the texts; the error names what is not known.
    pub fn check(&self) -> Result<(), String> {
        let url = Url::parse("https://host/").map_err(|error| error.to_string())?;
        let (time, headers) = (DateTime::UNIX_EPOCH, HeaderMap::new());
        let signed = Signed { time, method: "", url: &url, headers: &headers, body: b"" };
        self.sign(&signed).map(drop)
    }

    /// The headers of one request.
    pub(super) fn sign(&self, signed: &Signed<'_>) -> Result<Vec<(&str, String)>, String> {
        let mut fill = Fill::new(signed)?;
        if let Some(canonical) = &self.canonical {
            fill.canonical = Some(fill.text(canonical)?);
        }
        let digest = self.digest(&fill.text(&self.message)?)?;
        fill.signature = Some(match self.encoding {
            Encoding::Hex => text::hex(&digest),
            Encoding::Base64 => STANDARD.encode(&digest),
            Encoding::Base64Url => URL_SAFE_NO_PAD.encode(&digest),
        });
        let value = |(name, text): &'_ (String, String)| -> Result<String, String> {
            String::from_utf8(fill.text(text)?)
                .map_err(|_| format!("the header `{name}` would hold bytes that are not text"))
        };
        self.headers.iter().map(|header| Ok((header.0.as_str(), value(header)?))).collect()
    }

    fn digest(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let text = self.key.expose();
        let key = match self.key_form {
            KeyForm::Text => text.as_bytes().to_vec(),
            KeyForm::Base64 => STANDARD.decode(text.trim()).map_err(|_| "the key is not base64")?,
            KeyForm::Hex => text::unhex(text.trim()).ok_or("the key is not written in hexadecimal digits")?,
        };
        macro_rules! mac {
            ($hash:ident) => {{
                let mut mac = Hmac::<$hash>::new_from_slice(&key).map_err(|error| error.to_string())?;
                mac.update(message);
                mac.finalize().into_bytes().to_vec()
            }};
        }
        Ok(match self.hash {
            Hash::Sha256 => mac!(Sha256),
            Hash::Sha512 => mac!(Sha512),
        })
    }
}
