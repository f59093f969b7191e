//! Connections: where their URL comes from, and what it says.

use base::{Diagnostic, Span};

use super::{Check, auth, secrets};

use crate::codes;
use crate::model::{Connection, ConnectionKind, Database, TlsMode, reference_name};
use crate::structure::clip;
use crate::syntax::Node;

mod act_as;
mod http;
mod mcp;
mod vector;

pub(in crate::check) use http::is_header;

pub(super) fn all(check: &mut Check<'_, '_>) {
    let spec = check.spec;
    for (connection, node) in spec.connections.iter().zip(check.list("connections")) {
        source(check, connection, node);
        if let (Some(variable), Some(at)) = (connection.env_var(), node.get("envVar")) {
            auth::env_var(check, variable, at.span);
        }
        if let (Some(url), Some(at)) = (connection.url(), node.get("url")) {
            check_url(check, connection.kind(), url, at.span);
        }
        match connection {
            Connection::Http(api) => {
                http::all(check, api, node);
                http::anywhere(check, api, node);
                if api.schema.is_some() {
                    let message = "an HTTP API has no `schema`";
                    check.error(codes::OTHER_SETTING, node.span_of("schema"), message, "remove it, or change `type`");
                }
            }
            Connection::Graphql(api) | Connection::Grpc(api) => {
                http::all(check, api, node);
                if api.plain {
                    let message = "requests of this kind of connection go to its own URL alone";
                    check.error(
                        codes::OTHER_SETTING,
                        node.span_of("plain"),
                        message,
                        "remove `plain`; it is for `http` connections without a URL",
                    );
                }
                if api.cache.is_some() {
                    let message = "answers of this kind of connection are never kept";
                    check.error(
                        codes::OTHER_SETTING,
                        node.span_of("cache"),
                        message,
                        "remove `cache`; it is for `http`",
                    );
                }
            }
            Connection::Vector(store) => vector::all(check, store, node),
            Connection::Mcp(other) => mcp::all(check, other, node),
            _ => {
                if let Some(database) = connection.database() {
                    tls(check, connection.kind(), database, node);
                    act_as::all(check, connection.kind(), database, node);
                }
            }
        }
    }
}

fn source(check: &mut Check<'_, '_>, connection: &Connection, node: &Node) {
    let name = clip(connection.name());
    if let Connection::Mcp(other) = connection
        && other.command.is_some()
    {
        if other.env_var.is_some() || other.url.is_some() {
            let span = node.entry("command").map_or(node.span, |entry| entry.key.span);
            let message = format!("the connection `{name}` has both a program and an address");
            check.error(codes::CONNECTION_SOURCE, span, message, "keep one of `command`, `envVar` and `url`");
        }
        return;
    }
    if matches!(connection, Connection::Http(api) if api.is_anywhere()) {
        return;
    }
    match (connection.env_var(), connection.url()) {
        (Some(_), Some(_)) => {
            let key = connection.kind().url_key();
            let span = node.entry(key).map_or(node.span, |entry| entry.key.span);
            let message = format!("the connection `{name}` has both `envVar` and `{key}`");
            check.error(codes::CONNECTION_SOURCE, span, message, "keep one of them");
        }
        (None, None) if connection.kind().needs_url() && !check.is_damaged(node) => {
            let (what, variable) = match connection.kind() {
                ConnectionKind::Http | ConnectionKind::Graphql | ConnectionKind::Grpc => ("it leads", "API_URL"),
                ConnectionKind::Files => ("its folder is", ""),
                ConnectionKind::Mcp => ("its server is", "MCP_URL"),
                ConnectionKind::Redis => ("its server is", "REDIS_URL"),
                ConnectionKind::Mongodb => ("its server is", "MONGODB_URL"),
                ConnectionKind::Smtp => ("its server is", "SMTP_URL"),
                _ => ("its database is", "DATABASE_URL"),
            };
            let message = format!("the connection `{name}` does not say where {what}");
            let help = match connection.kind() {
                ConnectionKind::Files => "add `root: /srv/documents`, or an `envVar` that holds the path".to_owned(),
                ConnectionKind::Http => format!(
                    "add `envVar: {variable}`, a `url` without credentials, or `hosts` where each request names its whole URL"
                ),
                _ => format!("add `envVar: {variable}`, or a `url` without credentials"),
            };
            check.error(codes::CONNECTION_SOURCE, node.span, message, help);
        }
        _ => {}
    }
}

fn check_url(check: &mut Check<'_, '_>, kind: ConnectionKind, url: &str, span: Span) {
    if references(check, url, span) {
        return;
    }
    if secrets::has_password_in_url(url) || has_secret_query(url) || secrets::has_password_word(url) {
        let problem = Diagnostic::error(codes::URL_CREDENTIALS, "the URL holds a password")
            .at(span)
            .label("a secret must not be in a spec")
            .help("put the whole URL in an environment variable and name it with `envVar`")
            .help("or write the password as `${env:NAME}`");
        return check.push(problem);
    }
    if url.starts_with("${") {
        return; // Known only at the moment of use.
    }
    let (scheme, rest) = url.split_once(':').unwrap_or(("", url));
    let example = kind.example();
    if !kind.schemes().contains(&scheme.to_ascii_lowercase().as_str()) {
        let message = format!("the URL does not fit the type `{}`", kind.as_str());
        return check.error(
            codes::CONNECTION_URL,
            span,
            message,
            format!("write a URL such as `{example}`, or change the type"),
        );
    }
    let is_good = match kind {
        // Several servers of a replica set are more than a URL can name elsewhere.
        ConnectionKind::Mongodb => {
            rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?']))
        }
        ConnectionKind::Sqlite | ConnectionKind::Vector if scheme.eq_ignore_ascii_case("sqlite") => {
            !rest.trim_start_matches('/').is_empty()
        }
        _ => rest.starts_with("//") && is_network_url(url),
    };
    if !is_good {
        check.error(codes::CONNECTION_URL, span, "the URL is not complete", format!("write a URL such as `{example}`"));
    }
}

/// A URL with a host. A reference stands for a host, a port or a word.
fn is_network_url(url: &str) -> bool {
    let mut plain = String::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        plain.push('1');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    url::Url::parse(&plain).is_ok_and(|url| url.host_str().is_some_and(|host| !host.is_empty()))
}

fn has_secret_query(url: &str) -> bool {
    let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    query.split('&').filter_map(|pair| pair.split_once('=')).any(|(key, value)| {
        let key = key.to_ascii_lowercase();
        (key.contains("password") || key == "sslkey" || key == "passwd")
            && !value.is_empty()
            && !value.starts_with("${")
    })
}

/// Checks `${env:NAME}`, `${env:NAME:-value}` and `${file:/path}`; `true` when one is wrong.
pub(super) fn references(check: &mut Check<'_, '_>, url: &str, span: Span) -> bool {
    let mut rest = url;
    while let Some(at) = rest.find("${") {
        let inside = &rest[at + 2..];
        let reference = inside.split_once('}').map(|(reference, _)| reference);
        let is_good = match reference.and_then(|reference| reference.split_once(':')) {
            Some(("env", name)) => auth::is_env_var(reference_name(name)),
            Some(("doppler", name)) => auth::is_env_var(name),
            Some(("file", path)) => path.starts_with('/') && !path.split('/').any(|part| part == ".."),
            _ => false,
        };
        if !is_good {
            let shown = clip(reference.unwrap_or(inside));
            let message = format!("`${{{shown}}}` is not a reference");
            check.error(
                codes::SECRET_REFERENCE,
                span,
                message,
                "write `${env:NAME}`, `${file:/run/secrets/name}` or `${doppler:NAME}`",
            );
            return true;
        }
        rest = inside;
    }
    false
}

fn tls(check: &mut Check<'_, '_>, kind: ConnectionKind, database: &Database, node: &Node) {
    let Some(at) = node.get("tls") else { return };
    let mode = database.tls.mode;
    if kind == ConnectionKind::Sqlite {
        return check.warning(codes::TLS, at.span, "`tls` has no effect on a file", "remove it");
    }
    if let Some(file) = at.get("caFile").filter(|file| file.as_str().is_some_and(|path| path.trim().is_empty())) {
        return check.error(
            codes::EMPTY_TEXT,
            file.span,
            "`caFile` is empty",
            "write the path of a PEM file, or remove it",
        );
    }
    if let (Some(file), false) = (at.get("caFile"), mode == TlsMode::VerifyFull) {
        let message = "`caFile` has no effect: this mode does not check the certificate";
        check.warning(codes::TLS, file.span, message, "write `mode: verify-full`, or remove `caFile`");
    }
}
