//! Texts with parts of a request between braces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha512};

use super::Signed;

/// Fills texts in.
pub(super) struct Fill<'a> {
    signed: &'a Signed<'a>,
    nonce: String,
    pub(super) canonical: Option<Vec<u8>>,
    pub(super) signature: Option<String>,
}

impl<'a> Fill<'a> {
    pub(super) fn new(signed: &'a Signed<'a>) -> Result<Self, String> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| format!("no randomness: {error}"))?;
        Ok(Self { signed, nonce: hex(&random), canonical: None, signature: None })
    }

    /// The bytes that a text stands for.
    pub(super) fn text(&self, text: &str) -> Result<Vec<u8>, String> {
        let mut out = Vec::with_capacity(text.len() + self.signed.body.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.extend_from_slice(before.as_bytes());
            let (name, after) = after.split_once('}').ok_or_else(|| format!("a `{{` is not closed in `{text}`"))?;
            let value = self.part(name).ok_or_else(|| format!("`{{{name}}}` is not known in `{text}`"))?;
            out.extend_from_slice(&value);
            rest = after;
        }
        out.extend_from_slice(rest.as_bytes());
        Ok(out)
    }

    fn part(&self, name: &str) -> Option<Vec<u8>> {
        let Signed { time, method, url, headers, body } = self.signed;
        let text = match name {
            "timestamp" => time.timestamp().to_string(),
            "timestamp_ms" => time.timestamp_millis().to_string(),
            "timestamp_iso" => time.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "timestamp_basic" => time.format("%Y%m%dT%H%M%SZ").to_string(),
            "date" => time.format("%Y%m%d").to_string(),
            "nonce" => self.nonce.clone(),
            "method" => (*method).to_owned(),
            "url" => url.to_string(),
            "host" => match (url.host_str().unwrap_or_default(), url.port()) {
                (host, Some(port)) => format!("{host}:{port}"),
                (host, None) => host.to_owned(),
            },
            "path" => url.path().to_owned(),
            "query" => url.query().unwrap_or_default().to_owned(),
            "query_sorted" => {
                let mut pairs: Vec<_> = url.query().unwrap_or_default().split('&').collect();
                pairs.sort_unstable();
                pairs.join("&")
            }
            "body" => return Some(body.to_vec()),
            "body_sha256" => hex(&Sha256::digest(body)),
            "body_sha512" => hex(&Sha512::digest(body)),
            "body_base64" => STANDARD.encode(body),
            "canonical" => return self.canonical.clone(),
            "canonical_sha256" => hex(&Sha256::digest(self.canonical.as_ref()?)),
            "canonical_sha512" => hex(&Sha512::digest(self.canonical.as_ref()?)),
            "signature" => self.signature.clone()?,
            _ => {
                let value = headers.get(name.strip_prefix("header:")?.trim());
                return Some(value.map_or(Vec::new(), |value| value.as_bytes().trim_ascii().to_vec()));
            }
        };
        Some(text.into_bytes())
    }
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing into a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The bytes that hexadecimal digits stand for.
pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
