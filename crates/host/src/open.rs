//! Opens the connections of a spec.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Diagnostic, Secret};
use connect::{Config, Database, Engine, Tls};
use engine::Toolset;
use plan::Plan;
use spec::Spec;
use spec::model::{Connection, ConnectionKind, TlsMode};

use crate::codes;
use crate::resolve::{Lookup, Missing, expand, variable};

/// The connections of a spec. Nothing is connected yet: a pool connects when it is first used.
#[derive(Debug, Default)]
pub struct Opened {
    /// The pools by connection name; a connection whose URL is not known has none.
    pub databases: HashMap<String, Arc<Database>>,
    /// What was resolved and must never be seen: passwords of URLs, keys of callers.
    pub secrets: Vec<Secret>,
    /// Connections without a pool, and why.
    pub unavailable: Vec<(String, String)>,
    /// What was found: a missing URL is a warning, one that cannot be used is an error.
    pub diagnostics: Vec<Diagnostic>,
}

/// Resolves and opens the connections of a spec. With `dev` a URL may name another engine than its connection.
pub fn open(spec: &Spec, lookup: Lookup<'_>, dev: bool) -> Opened {
    let mut opened = Opened::default();
    for (index, connection) in spec.connections.iter().enumerate() {
        opened.open(connection, &format!("/connections/{index}"), lookup, dev);
    }
    if let Some((name, _)) = crate::auth_variable(spec)
        && let Some(keys) = lookup(&name)
    {
        opened.secrets.extend(keys.split(',').map(str::trim).filter(|key| !key.is_empty()).map(Secret::new));
    }
    opened
}

/// Compiles a toolset over opened connections, which masks their secrets.
///
/// # Errors
/// Everything that keeps the plan from being run; see [`Toolset::compile`].
pub fn toolset(spec: &Spec, plan: &Plan, opened: Opened) -> Result<Toolset, Vec<Diagnostic>> {
    let mut toolset = Toolset::compile(spec, plan, opened.databases)?.with_secrets(&opened.secrets);
    for (connection, why) in &opened.unavailable {
        toolset = toolset.with_unavailable(connection, why);
    }
    Ok(toolset)
}

impl Opened {
    /// Whether something was found that keeps the server from being served.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    fn open(&mut self, connection: &Connection, path: &str, lookup: Lookup<'_>, dev: bool) {
        let name = &connection.name;
        let url = match url(connection, lookup) {
            Ok(url) => Secret::new(url),
            Err(Missing { what, help }) => {
                self.unavailable.push((name.clone(), what.clone()));
                let key = if connection.env_var.is_some() { "envVar" } else { "url" };
                let message = format!("connection `{name}` has no URL: {what}");
                self.diagnostics
                    .push(Diagnostic::warning(codes::MISSING, message).path(format!("{path}/{key}")).help(help));
                return;
            }
        };
        self.secrets.extend(password(url.expose()));
        if let Some(found) = Engine::of_url(url.expose())
            && found != engine(connection.kind)
        {
            let message = format!(
                "connection `{name}` is declared `{}`, but its URL names {}",
                connection.kind.as_str(),
                found.as_str()
            );
            let diagnostic = if dev {
                Diagnostic::warning(codes::MISMATCH, message)
            } else {
                Diagnostic::error(codes::MISMATCH, message).help("correct `type` or the URL; `--dev` runs it as it is")
            };
            self.diagnostics.push(diagnostic.path(format!("{path}/type")));
        }
        match Database::open(config(connection, url)) {
            Ok(database) => drop(self.databases.insert(name.clone(), Arc::new(database))),
            Err(error) => {
                self.unavailable.push((name.clone(), error.message.clone()));
                let message = format!("connection `{name}` cannot be opened: {}", error.message);
                let mut diagnostic = Diagnostic::error(codes::URL, message).path(path);
                diagnostic.help.extend(error.hint);
                self.diagnostics.push(diagnostic);
            }
        }
    }
}

fn url(connection: &Connection, lookup: Lookup<'_>) -> Result<String, Missing> {
    let example = example(connection.kind);
    match (&connection.env_var, &connection.url) {
        (Some(name), _) => variable(name, lookup, example),
        (None, Some(url)) => expand(url, lookup, example),
        (None, None) => Err(Missing {
            what: "it has neither `envVar` nor `url`".to_owned(),
            help: format!("name the environment variable that holds a URL such as {example}"),
        }),
    }
}

fn example(kind: ConnectionKind) -> &'static str {
    match kind {
        ConnectionKind::Postgresql => "postgresql://user:password@localhost:5432/database",
        ConnectionKind::Mysql => "mysql://user:password@localhost:3306/database",
        ConnectionKind::Mariadb => "mariadb://user:password@localhost:3306/database",
        ConnectionKind::Sqlite => "sqlite:/path/to/file.db",
    }
}

fn engine(kind: ConnectionKind) -> Engine {
    match kind {
        ConnectionKind::Postgresql => Engine::Postgresql,
        ConnectionKind::Mysql | ConnectionKind::Mariadb => Engine::Mysql,
        ConnectionKind::Sqlite => Engine::Sqlite,
    }
}

/// The password of a URL as it stands there; its other forms are masked with it.
fn password(url: &str) -> Option<Secret> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (_, password) = user.split_once(':')?;
    Some(Secret::new(password))
}

fn config(connection: &Connection, url: Secret) -> Config {
    Config {
        name: connection.name.clone(),
        url,
        schema: connection.schema.clone(),
        pool_max: usize::try_from(connection.pool.max).unwrap_or(usize::MAX),
        acquire_timeout: Duration::from_millis(connection.pool.acquire_timeout_ms),
        idle_timeout: Duration::from_millis(connection.pool.idle_timeout_ms),
        tls: match connection.tls.mode {
            TlsMode::Disable => Tls::Disable,
            TlsMode::Prefer => Tls::Prefer,
            TlsMode::Require => Tls::Require,
            TlsMode::VerifyFull => Tls::VerifyFull,
        },
        ca_file: connection.tls.ca_file.as_deref().map(Into::into),
    }
}
