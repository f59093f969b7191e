//! Requests signed with a shared key (HMAC, RFC 2104).

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};

/// How requests are signed. Texts hold `{timestamp}` (seconds since 1970), `{method}`, `{host}`, `{path}`, `{query}`, `{body}`,
/// `{body_sha256}` and, in headers, `{signature}`.
///
/// Stripe: `message` is `{timestamp}.{body}` and the header `Stripe-Signature` is `t={timestamp},v1={signature}`. GitHub: `{body}`,
/// and `X-Hub-Signature-256` is `sha256={signature}`.
#[derive(Clone, Debug)]
pub struct Signing {
    /// The shared key.
    pub key: Secret,
    /// The hash.
    pub hash: Hash,
    /// How the signature is written.
    pub encoding: Encoding,
    /// What is signed.
    pub message: String,
    /// The headers that are added, by name.
    pub headers: Vec<(String, String)>,
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
}

/// What a signature covers.
pub(super) struct Signed<'a> {
    pub(super) timestamp: i64,
    pub(super) method: &'a str,
    pub(super) host: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
}

impl Signing {
    /// Checks the texts; the error names what is not known.
    pub fn check(&self) -> Result<(), String> {
        let signed = Signed { timestamp: 0, method: "", host: "", path: "", query: "", body: b"" };
        fill(&self.message, &signed, None)?;
        self.headers.iter().try_for_each(|(_, value)| fill(value, &signed, Some("")).map(drop))
    }

    /// The headers of one request.
    pub(super) fn sign(&self, signed: &Signed<'_>) -> Result<Vec<(&str, String)>, String> {
        let message = fill(&self.message, signed, None)?;
        let key = self.key.expose().as_bytes();
        let digest = match self.hash {
            Hash::Sha256 => {
                let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| error.to_string())?;
                mac.update(&message);
                mac.finalize().into_bytes().to_vec()
            }
            Hash::Sha512 => {
                let mut mac = Hmac::<Sha512>::new_from_slice(key).map_err(|error| error.to_string())?;
                mac.update(&message);
                mac.finalize().into_bytes().to_vec()
            }
        };
        let signature = match self.encoding {
            Encoding::Hex => hex(&digest),
            Encoding::Base64 => STANDARD.encode(&digest),
        };
        let value = |(name, text): &'_ (String, String)| -> Result<String, String> {
            let bytes = fill(text, signed, Some(&signature))?;
            String::from_utf8(bytes).map_err(|_| format!("the header `{name}` would hold bytes that are not text"))
        };
        self.headers.iter().map(|header| Ok((header.0.as_str(), value(header)?))).collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing into a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn fill(text: &str, signed: &Signed<'_>, signature: Option<&str>) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len() + signed.body.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.extend_from_slice(before.as_bytes());
        let (name, after) = after.split_once('}').ok_or_else(|| format!("a `{{` is not closed in `{text}`"))?;
        match (name, signature) {
            ("timestamp", _) => out.extend_from_slice(signed.timestamp.to_string().as_bytes()),
            ("method", _) => out.extend_from_slice(signed.method.as_bytes()),
            ("host", _) => out.extend_from_slice(signed.host.as_bytes()),
            ("path", _) => out.extend_from_slice(signed.path.as_bytes()),
            ("query", _) => out.extend_from_slice(signed.query.as_bytes()),
            ("body", _) => out.extend_from_slice(signed.body),
            ("body_sha256", _) => out.extend_from_slice(hex(&Sha256::digest(signed.body)).as_bytes()),
            ("signature", Some(signature)) => out.extend_from_slice(signature.as_bytes()),
            _ => return Err(format!("`{{{name}}}` is not known in `{text}`")),
        }
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}
