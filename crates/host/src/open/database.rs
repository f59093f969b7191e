//! SQL databases.

use std::sync::Arc;
use std::time::Duration;

use base::{Diagnostic, Secret};
use connect::egress::{Gate, Policy};
use connect::{Config, Database, Engine, Tls};
use spec::model::{ConnectionKind, Pool, TlsMode};

use super::store::hosts;
use super::{Opened, Operator};
use crate::codes;

impl Opened {
    pub(super) fn database(
        &mut self,
        kind: ConnectionKind,
        settings: &spec::model::Database,
        url: Secret,
        path: &str,
        operator: &Operator<'_>,
    ) {
        let name = &settings.name;
        let gate = gate(operator, &url, settings.env_var.is_some());
        self.secrets.extend(password(url.expose()));
        if let Some(found) = Engine::of_url(url.expose())
            && Some(found) != plan::engine(kind)
        {
            let message =
                format!("connection `{name}` is declared `{}`, but its URL names {}", kind.as_str(), found.as_str());
            let diagnostic = if operator.dev {
                Diagnostic::warning(codes::MISMATCH, message)
            } else {
                Diagnostic::error(codes::MISMATCH, message).help("correct `type` or the URL; `--dev` runs it as it is")
            };
            self.diagnostics.push(diagnostic.path(format!("{path}/type")));
        }
        let opened = Database::open(config(name, settings.schema.clone(), &settings.pool, &settings.tls, url, gate));
        let opened = if settings.act_as.is_some() { opened.and_then(Database::acting_only) } else { opened };
        match opened {
            Ok(database) => drop(self.connections.databases.insert(name.clone(), Arc::new(database))),
            Err(error) => self.refused(name, path, error),
        }
    }
}

/// The password of a URL as it stands there; its other forms are masked with it.
pub(super) fn password(url: &str) -> Option<Secret> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    Some(Secret::new(password))
}

/// What a database is opened with.
pub(super) fn config(
    name: &str,
    schema: Option<String>,
    pool: &Pool,
    tls: &spec::model::Tls,
    url: Secret,
    gate: Gate,
) -> Config {
    Config {
        name: name.to_owned(),
        url,
        schema,
        pool_max: usize::try_from(pool.max).unwrap_or(usize::MAX),
        acquire_timeout: Duration::from_millis(pool.acquire_timeout_ms),
        idle_timeout: Duration::from_millis(pool.idle_timeout_ms),
        tls: match tls.mode {
            TlsMode::Disable => Tls::Disable,
            TlsMode::Prefer => Tls::Prefer,
            TlsMode::Require => Tls::Require,
            TlsMode::VerifyFull => Tls::VerifyFull,
        },
        ca_file: tls.ca_file.as_deref().map(Into::into),
        gate: Some(gate),
    }
}

/// The check of where a database may be. A URL that the operator gives whole may name hosts of a private network, this machine
/// by no name, and a socket file.
pub(super) fn gate(operator: &Operator<'_>, url: &Secret, is_whole: bool) -> Gate {
    let mut networks = operator.networks.clone();
    if is_whole {
        let (base, query) = url.expose().split_once('?').unwrap_or((url.expose(), ""));
        let mut named = hosts(base);
        for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if matches!(key.as_ref(), "host" | "hostaddr" | "socket") {
                named.extend(value.split(',').map(str::to_ascii_lowercase));
            }
        }
        // No host is this machine, and so is a socket file.
        if named.is_empty() || named.iter().any(|host| host.starts_with(['/', '%'])) {
            named.push("localhost".to_owned());
        }
        networks = named.iter().fold(networks, |networks, host| networks.with_host(host));
    }
    Gate { policy: Policy::default().allow_networks(networks), resolver: operator.resolver.clone() }
}
