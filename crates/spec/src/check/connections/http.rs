//! HTTP APIs: their headers and credentials.

use super::super::{Check, auth};
use super::references;
use crate::codes;
use crate::model::{Credentials, HttpConnection, SecretRef};
use crate::structure::clip;
use crate::syntax::Node;

/// Headers that the connection writes itself.
const RESERVED: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "proxy-connection",
];

/// Whether a header of this name can be set (RFC 9110, section 5.1).
pub(in crate::check) fn is_header(name: &str) -> bool {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(is_token) && !RESERVED.contains(&name.to_ascii_lowercase().as_str())
}

pub(super) fn all(check: &mut Check<'_, '_>, api: &HttpConnection, node: &Node) {
    for ((name, value), entry) in api.headers.iter().zip(sorted(node.get("headers"))) {
        header(check, name, entry.0);
        references(check, value, entry.1.span);
    }
    if let Some(at) = node.get("credentials") {
        credentials(check, &api.credentials, at);
    }
}

/// The entries of a map by key, as the model keeps them.
fn sorted(node: Option<&Node>) -> Vec<(&Node, &Node)> {
    let mut entries: Vec<_> = node.map(Node::entries).unwrap_or_default().iter().collect();
    entries.sort_by(|one, other| one.key.text.cmp(&other.key.text));
    entries.into_iter().map(|entry| (&entry.value, &entry.value)).collect()
}

fn header(check: &mut Check<'_, '_>, name: &str, at: &Node) {
    if !is_header(name) {
        let message = format!("`{}` is no name of a header that can be set", clip(name));
        let help = "use letters, digits and `-`; the connection writes `Host` and lengths itself";
        check.error(codes::HTTP, at.span, message, help);
    }
}

fn credentials(check: &mut Check<'_, '_>, credentials: &Credentials, at: &Node) {
    let mut place = |key: &str, secret: &SecretRef| {
        if let Some(at) = at.get(key) {
            secret_place(check, secret, at);
        }
    };
    match credentials {
        Credentials::None => {}
        Credentials::Basic { password, .. } => place("password", password),
        Credentials::Bearer { token } => place("token", token),
        Credentials::Header { header: name, value, .. } => {
            place("value", value);
            if let Some(at) = at.get("header") {
                header(check, name, at);
            }
        }
        Credentials::Query { value, .. } => place("value", value),
        Credentials::Oauth2 { client_secret, refresh_token, token_url, .. } => {
            client_secret.iter().for_each(|secret| place("clientSecret", secret));
            refresh_token.iter().for_each(|secret| place("refreshToken", secret));
            if client_secret.is_none() && refresh_token.is_none() && !check.is_damaged(at) {
                let help = "add `clientSecret: ${env:NAME}`, or a `refreshToken`";
                check.error(codes::CREDENTIALS, at.span, "nothing says who the client is", help);
            }
            let is_url =
                token_url.starts_with("https://") || token_url.starts_with("http://") || token_url.starts_with("${");
            if !is_url {
                let message = "the token endpoint is no URL";
                check.error(codes::CREDENTIALS, at.span_of("tokenUrl"), message, "write `https://…`");
            }
        }
        Credentials::Hmac { key, message, headers, .. } => {
            place("key", key);
            signature(check, message, headers.iter(), at);
        }
    }
}

fn signature<'a>(
    check: &mut Check<'_, '_>,
    message: &str,
    headers: impl Iterator<Item = (&'a String, &'a String)>,
    at: &Node,
) {
    /// What is replaced in the message and the headers.
    const PARTS: [&str; 7] = ["timestamp", "method", "host", "path", "query", "body", "body_sha256"];
    let unknown = |text: &str, more: &[&str]| {
        let parts: Vec<String> =
            text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default().to_owned()).collect();
        parts.into_iter().find(|part| !PARTS.contains(&part.as_str()) && !more.contains(&part.as_str()))
    };
    let help =
        format!("parts: {}, and `{{signature}}` in headers", PARTS.map(|part| format!("`{{{part}}}`")).join(", "));
    if let Some(part) = unknown(message, &[]) {
        let what = format!("`{{{}}}` is no part of a signed message", clip(&part));
        check.error(codes::CREDENTIALS, at.span_of("message"), what, help.as_str());
    }
    let mut shown = false;
    for (name, value) in headers {
        shown |= value.contains("{signature}");
        if !is_header(name) {
            let what = format!("`{}` is no name of a header that can be set", clip(name));
            check.error(codes::CREDENTIALS, at.span_of("headers"), what, "use letters, digits and `-`");
        }
        if let Some(part) = unknown(value, &["signature"]) {
            let what = format!("`{{{}}}` is no part of a signed header", clip(&part));
            check.error(codes::CREDENTIALS, at.span_of("headers"), what, help.as_str());
        }
    }
    if !shown && !check.is_damaged(at) {
        check.error(
            codes::CREDENTIALS,
            at.span_of("headers"),
            "no header shows the signature",
            "add `X-Signature: \"{signature}\"`",
        );
    }
}

/// Checks where a secret is: in exactly one place, which has a good name.
pub(in crate::check) fn secret_place(check: &mut Check<'_, '_>, secret: &SecretRef, at: &Node) {
    let places = [&secret.env, &secret.file];
    if places.iter().filter(|place| place.is_some()).count() != 1 && !check.is_damaged(at) {
        let help = "write `{env: NAME}` or `{file: /run/secrets/name}`";
        return check.error(codes::SECRET_PLACE, at.span, "a secret needs exactly one place", help);
    }
    if let (Some(name), Some(at)) = (&secret.env, at.get("env")) {
        auth::env_var(check, name, at.span);
    }
    if let (Some(path), Some(at)) = (&secret.file, at.get("file"))
        && (!path.starts_with('/') || path.split('/').any(|part| part == ".."))
    {
        check.error(
            codes::SECRET_PLACE,
            at.span,
            "the file of a secret needs an absolute path",
            "write `{file: /run/secrets/name}`",
        );
    }
}
