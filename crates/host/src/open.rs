//! Opens the connections of a spec. One module for each kind.

mod database;
mod fetch;
mod files;
mod http;
mod mcp;
mod messages;
mod store;
mod vector;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Diagnostic, Secret};
use connect::egress::{Networks, Resolver, file_resolver, system_resolver};
use connect::http::Users;
use connect::process::Allowed;
use engine::{Connections, Toolset};
use plan::Plan;
use spec::Spec;
use spec::model::{Connection, ConnectionKind};

use crate::codes;
use crate::resolve::{Lookup, Missing, expand, in_path, is_set, variable};
use crate::users::UserTokens;

/// Names the private networks that connections may reach: see [`Networks::parse`].
pub const ALLOW_NETWORK: &str = "MCP_FACTORY_ALLOW_NETWORK";

/// Names the programs that may be started: names and absolute paths, by commas, or `*`.
pub const ALLOW_COMMANDS: &str = "MCP_FACTORY_ALLOW_COMMANDS";

/// Names a file that says what names of hosts stand for, in the form of `/etc/hosts`: see [`connect::egress::file_resolver`].
pub const HOSTS_FILE: &str = "MCP_FACTORY_HOSTS_FILE";

/// The connections of a spec. Nothing is connected yet: each connects when it is first used.
#[derive(Debug, Default)]
pub struct Opened {
    /// The connections by name, and why some are not there.
    pub connections: Connections,
    /// What was resolved and must never be seen: passwords of URLs, keys of callers and of upstreams.
    pub secrets: Vec<Secret>,
    /// What was found: a missing URL is a warning, one that cannot be used is an error.
    pub diagnostics: Vec<Diagnostic>,
}

/// What was opened with the values that settings refer to; else which of them is missing.
type Tried<T> = Result<Result<T, connect::Error>, Missing>;

/// What the operator says.
struct Operator<'a> {
    lookup: Lookup<'a>,
    /// Whether a URL may name another engine than its connection.
    dev: bool,
    /// Private networks that may be reached.
    networks: Networks,
    /// How names become addresses.
    resolver: Resolver,
    /// Programs that may be started.
    programs: Allowed,
    /// Name of the server.
    server: String,
    /// Where the tokens of users are kept.
    tokens: Option<PathBuf>,
}

impl Operator<'_> {
    /// The tokens of the users of a connection.
    fn users(&self, connection: &str) -> Users {
        Users(Arc::new(UserTokens::new(self.tokens.clone(), &self.server, connection)))
    }
}

/// Resolves and opens the connections of a spec. With `dev` a URL may name another engine than its connection. The variable
/// [`ALLOW_NETWORK`] opens private networks.
pub fn open(spec: &Spec, lookup: Lookup<'_>, dev: bool) -> Opened {
    open_with(spec, lookup, dev, None)
}

/// The same with the folder in which the tokens of users are kept (`mcp-factory connect`).
pub fn open_with(spec: &Spec, lookup: Lookup<'_>, dev: bool, tokens: Option<&Path>) -> Opened {
    let mut opened = Opened::default();
    let networks = match Networks::parse(&lookup(ALLOW_NETWORK).unwrap_or_default()) {
        Ok(networks) => networks,
        Err(why) => {
            let message = format!("the private networks that {ALLOW_NETWORK} opens cannot be read: {why}");
            opened.diagnostics.push(Diagnostic::error(codes::NETWORKS, message));
            Networks::default()
        }
    };
    let programs = match Allowed::parse(&lookup(ALLOW_COMMANDS).unwrap_or_default()) {
        Ok(programs) => programs,
        Err(why) => {
            let message = format!("the programs that {ALLOW_COMMANDS} allows cannot be read: {why}");
            opened.diagnostics.push(Diagnostic::error(codes::PROGRAMS, message));
            Allowed::default()
        }
    };
    let (server, tokens, resolver) = (spec.name.clone(), tokens.map(Path::to_path_buf), resolver(lookup));
    let operator = Operator { lookup, dev, networks, resolver, programs, server, tokens };
    for (index, connection) in spec.connections.iter().enumerate() {
        opened.open(connection, &format!("/connections/{index}"), &operator);
    }
    opened.programs(spec, &operator);
    opened.fetches(spec, &operator);
    opened.secrets.extend(crate::auth::secrets(spec, lookup));
    opened.variables(spec, lookup);
    opened
}

/// How names become addresses: by the operator's file first, when there is one.
pub fn resolver(lookup: Lookup<'_>) -> Resolver {
    let file = lookup(HOSTS_FILE).filter(|path| !path.is_empty());
    file.map_or_else(system_resolver, |path| file_resolver(path.into()))
}

/// The settings of a connection to an HTTP API, or to what travels like it.
pub(crate) fn settings(
    spec: &Spec,
    api: &spec::model::HttpConnection,
    lookup: Lookup<'_>,
    tokens: Option<&Path>,
) -> Result<connect::http::Settings, Missing> {
    let networks = Networks::parse(&lookup(ALLOW_NETWORK).unwrap_or_default()).unwrap_or_default();
    let operator = Operator {
        lookup,
        dev: false,
        networks,
        resolver: resolver(lookup),
        programs: Allowed::default(),
        server: spec.name.clone(),
        tokens: tokens.map(Path::to_path_buf),
    };
    let example = "https://api.example.com/v1";
    let url = match (&api.env_var, &api.url) {
        (Some(name), _) => variable(name, lookup, example)?,
        (None, url) => expand(url.as_deref().unwrap_or_default(), lookup, example)?,
    };
    http::settings(api, Some(Secret::new(url)), &operator).map_err(|(_, missing)| missing)
}

/// Compiles a toolset over opened connections, which masks their secrets.
///
/// # Errors
/// Everything that keeps the plan from being run; see [`Toolset::compile`].
pub fn toolset(spec: &Spec, plan: &Plan, opened: Opened) -> Result<Toolset, Vec<Diagnostic>> {
    Ok(Toolset::compile(spec, plan, opened.connections)?.with_secrets(&opened.secrets))
}

impl Opened {
    /// Whether something was found that keeps the server from being served.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// Opens what the server remembers, a file of its own in this folder.
    pub fn remember(&mut self, spec: &Spec, folder: &Path) {
        let Some(declared) = &spec.state else { return };
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let limits = connect::state::Limits {
            value_bytes: size(declared.value_bytes),
            file_bytes: declared.file_bytes,
            timers: size(declared.timers),
            ..connect::state::Limits::default()
        };
        match connect::state::State::open(&folder.join(format!("{}.db", spec.name)), limits) {
            Ok(state) => self.connections.state = Some(Arc::new(state)),
            Err(fault) => {
                let message = format!("what the server remembers cannot be opened: {fault}");
                let help = format!("make {} writable, or choose another home folder with `--home`", folder.display());
                let problem = Diagnostic::warning(codes::MISSING, message).path("/state").help(help);
                self.closed("state", fault.to_string(), problem);
            }
        }
    }

    /// The variables that parameters name. Their values count as secrets.
    fn variables(&mut self, spec: &Spec, lookup: Lookup<'_>) {
        for (index, tool) in spec.tools.iter().enumerate() {
            for parameter in tool.parameters() {
                let Some(name) = &parameter.env else { continue };
                // What has a default in the spec is a setting, no secret.
                let is_setting = parameter.schema.default().is_some();
                match variable(name, lookup, "a value") {
                    Ok(value) => {
                        if !is_setting {
                            self.secrets.push(Secret::new(value.as_str()));
                        }
                        self.connections.variables.insert(name.clone(), value);
                    }
                    Err(_) if is_setting && !is_set(name, lookup) => {}
                    Err(Missing { what, help }) => {
                        let message = format!("a parameter of tool `{}` has no value: {what}", tool.name);
                        let path = format!("/tools/{index}/parameters");
                        self.diagnostics.push(Diagnostic::warning(codes::MISSING, message).path(path).help(help));
                    }
                }
            }
        }
    }

    fn open(&mut self, connection: &Connection, path: &str, operator: &Operator<'_>) {
        let name = connection.name();
        if let Connection::Mcp(other) = connection
            && other.command.is_some()
        {
            return self.mcp(other, None, path, operator);
        }
        if let Connection::Http(api) = connection
            && api.is_anywhere()
        {
            return self.api(connection.kind(), api, None, path, operator);
        }
        if let Some(variable) = connection.optional().filter(|variable| !is_set(variable, operator.lookup)) {
            self.connections.unavailable.insert(name.to_owned(), format!("environment variable {variable} is not set"));
            self.connections.absent.insert(name.to_owned());
            return;
        }
        let url = match url(connection, operator.lookup) {
            Ok(url) => url.map(Secret::new),
            Err(Missing { what, help }) => {
                let key = if connection.env_var().is_some() { "envVar" } else { connection.kind().url_key() };
                let message = format!("connection `{name}` has no URL: {what}");
                let problem = Diagnostic::warning(codes::MISSING, message).path(format!("{path}/{key}")).help(help);
                return self.closed(name, what, problem);
            }
        };
        match (connection, url) {
            (Connection::Http(api) | Connection::Graphql(api) | Connection::Grpc(api), Some(url)) => {
                let within = api.url.as_deref().map(|url| in_path(url, operator.lookup)).unwrap_or_default();
                self.secrets.extend(within.into_iter().map(Secret::new));
                self.api(connection.kind(), api, Some(url), path, operator);
            }
            (Connection::Mcp(other), Some(url)) => self.mcp(other, Some(url), path, operator),
            (Connection::Redis(store), Some(url)) => self.redis(store, url, path, operator),
            (Connection::Mongodb(store), Some(url)) => self.mongo(store, url, path, operator),
            (Connection::Files(_) | Connection::S3(_) | Connection::Gcs(_), url) => {
                self.store(connection, url, path, operator);
            }
            (Connection::Slack(_) | Connection::Smtp(_) | Connection::Twilio(_), url) => {
                self.messenger(connection, url, path, operator);
            }
            (Connection::Vector(store), Some(url)) => self.vector(store, url, path, operator),
            (_, Some(url)) => {
                if let Some(settings) = connection.database() {
                    self.database(connection.kind(), settings, url, path, operator);
                }
            }
            (_, None) => {}
        }
    }

    fn closed(&mut self, name: &str, why: String, problem: Diagnostic) {
        self.connections.unavailable.insert(name.to_owned(), why);
        self.diagnostics.push(problem);
    }

    /// What was tried to be opened; nothing when a value is missing or cannot be used, and that is told.
    fn complete<T>(&mut self, name: &str, path: &str, tried: Tried<T>) -> Option<T> {
        match tried {
            Ok(Ok(opened)) => return Some(opened),
            Ok(Err(error)) => self.refused(name, path, error),
            Err(Missing { what, help }) => {
                let message = format!("connection `{name}` is not complete: {what}");
                let problem = Diagnostic::warning(codes::MISSING, message).path(path).help(help);
                self.closed(name, what, problem);
            }
        }
        None
    }

    /// A connection whose settings cannot be used.
    fn refused(&mut self, name: &str, path: &str, error: connect::Error) {
        let message = format!("connection `{name}` cannot be opened: {}", error.message);
        let mut problem = Diagnostic::error(codes::URL, message).path(path);
        problem.help.extend(error.hint);
        self.closed(name, error.message, problem);
    }
}

/// Where a connection leads; nothing when it need not say so.
fn url(connection: &Connection, lookup: Lookup<'_>) -> Result<Option<String>, Missing> {
    let example = example(connection.kind());
    match (connection.env_var(), connection.url()) {
        (Some(name), _) => variable(name, lookup, example).map(Some),
        (None, Some(url)) => expand(url, lookup, example).map(Some),
        (None, None) if !connection.kind().needs_url() => Ok(None),
        (None, None) => Err(Missing {
            what: "it has neither `envVar` nor `url`".to_owned(),
            help: format!("name the environment variable that holds a URL such as {example}"),
        }),
    }
}

/// An example of a URL as an operator sets it.
fn example(kind: ConnectionKind) -> &'static str {
    match kind {
        ConnectionKind::Postgresql | ConnectionKind::Vector => "postgresql://user:password@localhost:5432/database",
        ConnectionKind::Mysql => "mysql://user:password@localhost:3306/database",
        ConnectionKind::Mariadb => "mariadb://user:password@localhost:3306/database",
        ConnectionKind::Sqlite => "sqlite:/path/to/file.db",
        ConnectionKind::Http => "https://api.example.com/v1",
        ConnectionKind::Redis => "redis://user:password@localhost:6379/0",
        ConnectionKind::Mongodb => "mongodb://user:password@localhost:27017/database",
        ConnectionKind::Graphql => "https://api.example.com/graphql",
        ConnectionKind::Grpc => "https://grpc.example.com",
        ConnectionKind::Mcp => "https://mcp.example.com/mcp",
        ConnectionKind::Files => "/srv/documents",
        ConnectionKind::Smtp => "smtp://mail.example.com:587",
        _ => "https://api.example.com/v1",
    }
}
