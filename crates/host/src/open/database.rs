//! SQL databases.

use std::sync::Arc;
use std::time::Duration;

use base::{Diagnostic, Secret};
use connect::{Config, Database, Engine, Tls};
use spec::model::{ConnectionKind, Pool, TlsMode};

use super::Opened;
use crate::codes;

impl Opened {
    pub(super) fn database(
        &mut self,
        kind: ConnectionKind,
        settings: &spec::model::Database,
        url: Secret,
        path: &str,
        dev: bool,
    ) {
        let name = &settings.name;
        self.secrets.extend(password(url.expose()));
        if let Some(found) = Engine::of_url(url.expose())
            && Some(found) != plan::engine(kind)
        {
            let message =
                format!("connection `{name}` is declared `{}`, but its URL names {}", kind.as_str(), found.as_str());
            let diagnostic = if dev {
                Diagnostic::warning(codes::MISMATCH, message)
            } else {
                Diagnostic::error(codes::MISMATCH, message).help("correct `type` or the URL; `--dev` runs it as it is")
            };
            self.diagnostics.push(diagnostic.path(format!("{path}/type")));
        }
        let opened = Database::open(config(name, settings.schema.clone(), &settings.pool, &settings.tls, url));
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
pub(super) fn config(name: &str, schema: Option<String>, pool: &Pool, tls: &spec::model::Tls, url: Secret) -> Config {
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
    }
}
