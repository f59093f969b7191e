//! HTTP APIs: their headers and credentials.

use super::super::{Check, auth};
use super::references;
use crate::codes;
use crate::model::{Credentials, HttpConnection, HttpTls, SecretRef};
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
    if api.optional && api.env_var.is_none() {
        let help = "name the variable that holds its URL with `envVar`, or remove `optional`";
        let message = "an optional connection needs a variable that says whether it is there";
        check.error(codes::OTHER_SETTING, node.span_of("optional"), message, help);
    }
    places(check, api, node);
    if let Some(at) = node.get("credentials") {
        credentials(check, &api.credentials, at);
    }
    if let Some(at) = node.get("tls") {
        certificate(check, &api.tls, at);
    }
    if let Some(at) = node.get("hosts") {
        super::super::hosts::all(check, at);
    }
}

/// How many requests may be under way at once is for requests that have one answer.
fn places(check: &mut Check<'_, '_>, api: &HttpConnection, node: &Node) {
    let Some(limits) = node.get("limits") else { return };
    let is_known = matches!(node.str_of("type"), Some("http" | "graphql"));
    if api.limits.concurrency.is_some() && !is_known {
        let message = "requests of this kind of connection are not counted";
        let help = "remove `concurrency`; it is for `http` and `graphql`";
        check.error(codes::OTHER_SETTING, limits.span_of("concurrency"), message, help);
    } else if api.limits.waiting.is_some() && api.limits.concurrency.is_none() {
        let message = "nothing waits where nothing says how many requests may be under way";
        let help = "add `concurrency`, or remove `waiting`";
        check.error(codes::OTHER_SETTING, limits.span_of("waiting"), message, help);
    }
}

/// A connection whose requests name their whole URLs has nobody to show credentials to; one with a URL says itself whether
/// TLS is spoken.
pub(super) fn anywhere(check: &mut Check<'_, '_>, api: &HttpConnection, node: &Node) {
    if !api.is_anywhere() {
        if api.plain {
            let help = "remove `plain`: the URL says whether requests go without TLS";
            check.error(codes::OTHER_SETTING, node.span_of("plain"), "the connection has a URL of its own", help);
        }
        return;
    }
    if api.credentials != Credentials::None {
        let message = "credentials are shown to the connection's own URL alone, and it has none";
        let help = "give the connection the `url` of the API that they are for, or remove `credentials`";
        check.error(codes::WHOLE_URL, node.span_of("credentials"), message, help);
    }
}

/// A certificate and its key come together.
fn certificate(check: &mut Check<'_, '_>, tls: &HttpTls, at: &Node) {
    for (key, secret) in [("certificate", &tls.certificate), ("key", &tls.key)] {
        if let (Some(secret), Some(at)) = (secret, at.get(key)) {
            secret_place(check, secret, at);
        }
    }
    let message = match (&tls.certificate, &tls.key) {
        (Some(_), None) => "the certificate has no key",
        (None, Some(_)) => "the key has no certificate",
        _ => return,
    };
    if !check.is_damaged(at) {
        let help =
            "write both: `certificate: {file: /run/secrets/client.pem}` and `key: {file: /run/secrets/client.key}`";
        check.error(codes::CREDENTIALS, at.span, message, help);
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
        Credentials::Oauth2 { client_secret, refresh_token, token_url, assertion, exchange, .. } => {
            client_secret.iter().for_each(|secret| place("clientSecret", secret));
            refresh_token.iter().for_each(|secret| place("refreshToken", secret));
            if let (Some(assertion), Some(at)) = (assertion, at.get("assertion").and_then(|at| at.get("key"))) {
                secret_place(check, &assertion.key, at);
            }
            let grants = [
                ("refreshToken", refresh_token.is_some()),
                ("assertion", assertion.is_some()),
                ("exchange", exchange.is_some()),
            ];
            let grants: Vec<&str> = grants.iter().filter(|(_, is)| *is).map(|(key, _)| *key).collect();
            if client_secret.is_none() && grants.is_empty() && !check.is_damaged(at) {
                let help = "add `clientSecret: ${env:NAME}`, or a `refreshToken`";
                check.error(codes::CREDENTIALS, at.span, "nothing says who the client is", help);
            }
            if let [first, second, ..] = grants.as_slice() {
                let message = format!("a token is got by `{first}` and by `{second}`");
                check.error(codes::CREDENTIALS, at.span_of(second), message, "keep one of them");
            }
            endpoint(check, token_url, "tokenUrl", at);
        }
        Credentials::Oauth2User { authorization_url, token_url, client_secret, parameters, .. } => {
            client_secret.iter().for_each(|secret| place("clientSecret", secret));
            endpoint(check, authorization_url, "authorizationUrl", at);
            endpoint(check, token_url, "tokenUrl", at);
            const OURS: [&str; 7] = [
                "response_type",
                "client_id",
                "redirect_uri",
                "scope",
                "state",
                "code_challenge",
                "code_challenge_method",
            ];
            if let Some(taken) = parameters.keys().find(|key| OURS.contains(&key.as_str())) {
                let message = format!("the parameter `{taken}` is written by the connection itself");
                check.error(codes::CREDENTIALS, at.span_of("parameters"), message, "remove it");
            }
        }
        Credentials::Sigv4 { key_id, secret, session_token, region, service } => {
            place("secret", secret);
            session_token.iter().for_each(|secret| place("sessionToken", secret));
            for (key, text) in [("keyId", key_id), ("region", region), ("service", service)] {
                let is_good = !text.is_empty()
                    && (text.contains("${") || text.bytes().all(|b| b.is_ascii_graphic() && !b"/,".contains(&b)));
                if !is_good {
                    let message = format!("`{key}` is empty or no such name");
                    check.error(codes::CREDENTIALS, at.span_of(key), message, "write it as your provider shows it");
                }
            }
        }
        Credentials::Hmac { key, message, headers, canonical, .. } => {
            place("key", key);
            signature(check, message, canonical.as_deref(), headers.iter(), at);
        }
    }
}

fn endpoint(check: &mut Check<'_, '_>, url: &str, key: &str, at: &Node) {
    let is_url = url.starts_with("https://") || url.starts_with("http://") || url.starts_with("${");
    if !is_url {
        let message =
            if key == "tokenUrl" { "the token endpoint is no URL" } else { "the page to authorise is no URL" };
        check.error(codes::CREDENTIALS, at.span_of(key), message, "write `https://…`");
    }
}

fn signature<'a>(
    check: &mut Check<'_, '_>,
    message: &str,
    canonical: Option<&str>,
    headers: impl Iterator<Item = (&'a String, &'a String)>,
    at: &Node,
) {
    /// What is replaced in the message and the headers.
    const PARTS: [&str; 16] = [
        "timestamp",
        "timestamp_ms",
        "timestamp_iso",
        "timestamp_basic",
        "date",
        "method",
        "url",
        "host",
        "path",
        "query",
        "query_sorted",
        "body",
        "body_sha256",
        "body_sha512",
        "body_base64",
        "nonce",
    ];
    const CANONICAL: [&str; 3] = ["canonical", "canonical_sha256", "canonical_sha512"];
    let unknown = |text: &str, more: &[&str]| {
        let parts: Vec<String> =
            text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap_or_default().to_owned()).collect();
        parts.into_iter().find(|part| {
            !PARTS.contains(&part.as_str()) && !more.contains(&part.as_str()) && !part.starts_with("header:")
        })
    };
    let more: &[&str] = if canonical.is_some() { &CANONICAL } else { &[] };
    let in_headers: Vec<&str> = more.iter().copied().chain(["signature"]).collect();
    let help =
        format!("parts: {}, and `{{signature}}` in headers", PARTS.map(|part| format!("`{{{part}}}`")).join(", "));
    if let Some(part) = canonical.and_then(|text| unknown(text, &[])) {
        let what = format!("`{{{}}}` is no part of a canonical text", clip(&part));
        check.error(codes::CREDENTIALS, at.span_of("canonical"), what, help.as_str());
    }
    if canonical.is_some() && !CANONICAL.iter().any(|part| message.contains(&format!("{{{part}}}"))) {
        let what = "the canonical text is not signed";
        check.error(codes::CREDENTIALS, at.span_of("message"), what, "write `{canonical_sha256}` into `message`");
    }
    if let Some(part) = unknown(message, more) {
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
        if let Some(part) = unknown(value, &in_headers) {
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
    let places = [&secret.env, &secret.file, &secret.doppler];
    if places.iter().filter(|place| place.is_some()).count() != 1 && !check.is_damaged(at) {
        let help = "write `{env: NAME}`, `{file: /run/secrets/name}` or `{doppler: NAME}`";
        return check.error(codes::SECRET_PLACE, at.span, "a secret needs exactly one place", help);
    }
    if let (Some(name), Some(at)) = (&secret.env, at.get("env")) {
        auth::env_var(check, name, at.span);
    }
    if let (Some(name), Some(at)) = (&secret.doppler, at.get("doppler")) {
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
