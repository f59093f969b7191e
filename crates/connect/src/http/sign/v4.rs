//! AWS Signature Version 4: requests signed in their headers or, for others to use, in their query.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::time::Duration;

use base::Secret;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::text::hex;

/// Its name in headers and queries.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// In place of the hash of a body that is not known yet.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Keys of an account of AWS, or of a service that speaks its protocol.
#[derive(Clone, Debug)]
pub struct SigV4 {
    /// The identifier of the key.
    pub key_id: String,
    /// The key.
    pub secret: Secret,
    /// The token of a temporary key.
    pub session_token: Option<Secret>,
    /// The region: `eu-central-1`.
    pub region: String,
    /// The service: `s3`, `dynamodb`, `execute-api`.
    pub service: String,
}

impl SigV4 {
    /// Checks that nothing is missing.
    pub fn check(&self) -> Result<(), String> {
        let plain =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b',');
        if !plain(&self.key_id) {
            return Err("the identifier of the key is empty or no such identifier".to_owned());
        }
        if self.secret.expose().is_empty() {
            return Err("the key is empty".to_owned());
        }
        if !plain(&self.region) || !plain(&self.service) {
            return Err("the region or the service is empty or no such name".to_owned());
        }
        Ok(())
    }

    /// The headers that sign a request. The query is written anew, in the form that was signed.
    pub fn sign(
        &self,
        time: DateTime<Utc>,
        method: &str,
        url: &mut Url,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Vec<(String, String)>, String> {
        let hash = hex(&Sha256::digest(body));
        let mut added = vec![("x-amz-date".to_owned(), stamp(time))];
        if self.is_s3() {
            added.push(("x-amz-content-sha256".to_owned(), hash.clone()));
        }
        if let Some(token) = &self.session_token {
            added.push(("x-amz-security-token".to_owned(), token.expose().to_owned()));
        }
        let mut signed: Vec<(String, String)> = vec![("host".to_owned(), host(url))];
        for (name, value) in headers {
            if is_signed(name.as_str()) {
                let value = value.to_str().map_err(|_| format!("the header `{name}` is not plain text"))?;
                signed.push((name.as_str().to_owned(), value.to_owned()));
            }
        }
        signed.extend(added.iter().cloned());
        let query = canonical_query(url);
        url.set_query((!query.is_empty()).then_some(query.as_str()));
        let authorization = self.authorization(time, method, &self.path(url), &query, signed, &hash)?;
        added.push(("authorization".to_owned(), authorization));
        Ok(added)
    }

    /// Signs the query of a URL, so that whoever holds it may send this one request until it expires.
    pub fn presign(&self, time: DateTime<Utc>, method: &str, url: &mut Url, expires: Duration) -> Result<(), String> {
        let scope = self.scope(time);
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("X-Amz-Algorithm", ALGORITHM);
            query.append_pair("X-Amz-Credential", &format!("{}/{scope}", self.key_id));
            query.append_pair("X-Amz-Date", &stamp(time));
            query.append_pair("X-Amz-Expires", &expires.as_secs().to_string());
            query.append_pair("X-Amz-SignedHeaders", "host");
            if let Some(token) = &self.session_token {
                query.append_pair("X-Amz-Security-Token", token.expose());
            }
        }
        let query = canonical_query(url);
        let headers = vec![("host".to_owned(), host(url))];
        let (_, signature) = self.signature(time, method, &self.path(url), &query, headers, UNSIGNED)?;
        url.set_query(Some(&format!("{query}&X-Amz-Signature={signature}")));
        Ok(())
    }

    /// The value of `Authorization`. All the headers are signed.
    pub(super) fn authorization(
        &self,
        time: DateTime<Utc>,
        method: &str,
        path: &str,
        query: &str,
        headers: Vec<(String, String)>,
        body_hash: &str,
    ) -> Result<String, String> {
        let (names, signature) = self.signature(time, method, path, query, headers, body_hash)?;
        let credential = format!("{}/{}", self.key_id, self.scope(time));
        Ok(format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"))
    }

    fn signature(
        &self,
        time: DateTime<Utc>,
        method: &str,
        path: &str,
        query: &str,
        mut headers: Vec<(String, String)>,
        body_hash: &str,
    ) -> Result<(String, String), String> {
        headers.iter_mut().for_each(|(name, _)| name.make_ascii_lowercase());
        // Stable: values of one name stay in their order.
        headers.sort_by(|a, b| a.0.cmp(&b.0));
        let mut merged: Vec<(String, String)> = Vec::new();
        for (name, value) in headers {
            let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            match merged.last_mut().filter(|last| last.0 == name) {
                Some(last) => last.1 = format!("{},{value}", last.1),
                None => merged.push((name, value)),
            }
        }
        let names = merged.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
        let lines: String = merged.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body_hash}");
        let hash = hex(&Sha256::digest(canonical.as_bytes()));
        let text = format!("{ALGORITHM}\n{}\n{}\n{hash}", stamp(time), self.scope(time));
        let secret = format!("AWS4{}", self.secret.expose());
        let date = time.format("%Y%m%d").to_string();
        let mut key = secret.into_bytes();
        for part in [date.as_str(), &self.region, &self.service, "aws4_request"] {
            key = mac(&key, part.as_bytes())?;
        }
        Ok((names, hex(&mac(&key, text.as_bytes())?)))
    }

    fn scope(&self, time: DateTime<Utc>) -> String {
        format!("{}/{}/{}/aws4_request", time.format("%Y%m%d"), self.region, self.service)
    }

    /// The path as it is signed: S3 takes it as it is, other services encode it once more.
    fn path(&self, url: &Url) -> String {
        if self.is_s3() {
            return crate::percent::encode(&decode(url.path()), b"/");
        }
        let mut path = String::new();
        for part in url.path().split('/').filter(|part| !part.is_empty()) {
            path.push('/');
            path.push_str(&crate::percent::encode(part.as_bytes(), b""));
        }
        if path.is_empty() || url.path().ends_with('/') {
            path.push('/');
        }
        path
    }

    fn is_s3(&self) -> bool {
        self.service == "s3" || self.service.starts_with("s3-")
    }
}

/// The headers of a request that are signed; others may be changed on the way.
fn is_signed(name: &str) -> bool {
    matches!(name, "content-type" | "content-md5" | "range" | "if-match" | "if-none-match")
        || name.starts_with("x-amz-")
}

fn stamp(time: DateTime<Utc>) -> String {
    time.format("%Y%m%dT%H%M%SZ").to_string()
}

/// As the client sends it: with the port when that is not the usual one.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn canonical_query(url: &Url) -> String {
    let encode = |text: &str| crate::percent::encode(text.as_bytes(), b"");
    let mut pairs: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (encode(&name), encode(&value))).collect();
    pairs.sort();
    pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn decode(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let code =
            code.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    out
}

fn mac(key: &[u8], text: &[u8]) -> Result<Vec<u8>, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|error| error.to_string())?;
    mac.update(text);
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests;
