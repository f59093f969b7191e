//! What callers must show.

use base::Span;

use super::Check;
use crate::codes;
use crate::model::Auth;
use crate::structure::clip;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>) {
    let Some(node) = check.tree.get("auth") else { return };
    if let Some(variable) = node.get("envVar") {
        env_var(check, variable.as_str().unwrap_or_default(), variable.span);
    }
    keys(check, node);
    match &check.spec.auth {
        Auth::ApiKey { header, .. } => header_name(check, header, node.span_of("header")),
        Auth::Oauth2 { issuer, scopes, .. } => {
            if let Some(issuer) = issuer {
                check_issuer(check, issuer, node.span_of("issuer"));
            }
            let nodes = node.get("scopes").map(Node::items).unwrap_or_default();
            for (scope, node) in scopes.iter().zip(nodes) {
                // RFC 6749, 3.3.
                if scope.is_empty() || !scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
                    let message = format!("`{}` is not a scope", clip(scope));
                    check.error(
                        codes::AUTH,
                        node.span,
                        message,
                        "a scope has visible ASCII characters without quotes and backslashes",
                    );
                }
            }
        }
        Auth::Bearer { .. } | Auth::None => {}
    }
}

/// Keys one by one: each is in one place, and none in two.
fn keys(check: &mut Check<'_, '_>, node: &Node) {
    let nodes = node.get("keys").map(Node::items).unwrap_or_default();
    let mut places: Vec<&str> = Vec::new();
    for (key, at) in check.spec.auth.keys().iter().zip(nodes) {
        if let (Some(variable), Some(at)) = (&key.env, at.get("env")) {
            env_var(check, variable, at.span);
        }
        let place = match (&key.env, &key.file) {
            (Some(place), None) | (None, Some(place)) => place.as_str(),
            _ => {
                let help = "write `{env: NAME, subject: …}` or `{file: /run/secrets/name, subject: …}`";
                check.error(codes::SECRET_PLACE, at.span, "a key needs exactly one place", help);
                continue;
            }
        };
        if key.file.is_some() && (!place.starts_with('/') || place.split('/').any(|part| part == "..")) {
            let help = "write `file: /run/secrets/name`";
            check.error(codes::SECRET_PLACE, at.span_of("file"), "the file of a key needs an absolute path", help);
        }
        if places.contains(&place) {
            let message = format!("two keys are in `{}`", clip(place));
            check.error(codes::AUTH, at.span, message, "give each caller a key of its own");
        }
        places.push(place);
        if key.subject.as_ref().is_some_and(|subject| subject.trim().is_empty()) {
            check.error(codes::AUTH, at.span_of("subject"), "the caller's name is empty", "give a name, or none");
        }
        for reserved in ["sub", "subject"] {
            if key.claims.contains_key(reserved) {
                let message = format!("`{reserved}` is no claim of a key");
                check.error(codes::AUTH, at.span_of("claims"), message, "write `subject` beside `claims`");
            }
        }
    }
}

/// The name of an environment variable, as POSIX has it.
pub(super) fn env_var(check: &mut Check<'_, '_>, name: &str, span: Span) {
    if is_env_var(name) {
        return;
    }
    let message = format!("`{}` is not the name of an environment variable", clip(name));
    let help = match name.strip_prefix('$').map(|name| name.trim_matches(|c| matches!(c, '{' | '}'))) {
        Some(bare) if is_env_var(bare) => format!("write the name alone: `{bare}`"),
        _ => "use letters, digits and `_`, no digit first: `DATABASE_URL`".to_owned(),
    };
    check.error(codes::ENV_VAR, span, message, help);
}

pub(super) fn is_env_var(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= 128
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A field name of RFC 9110 that is free for a key.
pub(super) fn header_name(check: &mut Check<'_, '_>, name: &str, span: Span) {
    const TAKEN: [&str; 12] = [
        "host",
        "content-length",
        "content-type",
        "transfer-encoding",
        "connection",
        "accept",
        "origin",
        "cookie",
        "upgrade",
        "mcp-session-id",
        "mcp-protocol-version",
        "authorization",
    ];
    let is_token = !name.is_empty()
        && name.len() <= 128
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b));
    if !is_token {
        let message = format!("`{}` is not the name of a header", clip(name));
        check.error(codes::AUTH, span, message, "use letters, digits and `-`: `X-API-Key`");
    } else if name.eq_ignore_ascii_case("authorization") {
        check.error(
            codes::AUTH,
            span,
            "`Authorization` does not carry an API key",
            "use `type: bearer`, or another header",
        );
    } else if TAKEN.contains(&name.to_ascii_lowercase().as_str()) {
        check.error(
            codes::AUTH,
            span,
            format!("the header `{name}` has another meaning"),
            "use a header such as `X-API-Key`",
        );
    }
}

fn check_issuer(check: &mut Check<'_, '_>, issuer: &str, span: Span) {
    let is_good = url::Url::parse(issuer).is_ok_and(|url| {
        let is_local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        (url.scheme() == "https" || url.scheme() == "http" && is_local)
            && url.query().is_none()
            && url.fragment().is_none()
    });
    if !is_good {
        let message = format!("`{}` is not the URL of an issuer", clip(issuer));
        check.error(codes::AUTH, span, message, "write an `https://` URL without query and fragment");
    }
}
