//! A database of its own for each test, and a server on it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base::{Secret, Source};
use connect::{Config, Database, Tls};
use engine::{CallContext, Outcome, Toolset};
use serde_json::value::RawValue;
use spec::{ParseOptions, Spec};
use tokio_util::sync::CancellationToken;

/// Variables of the environment that a spec sees.
pub(crate) type Variables = HashMap<String, String>;

/// A running server, and its database for the test's own statements.
pub(crate) struct World {
    pub(crate) toolset: Arc<Toolset>,
    pub(crate) database: Option<Arc<Database>>,
    /// Rendered warnings of the way here.
    pub(crate) warnings: Vec<String>,
    _folder: Option<tempfile::TempDir>,
}

/// Where a test's database is.
pub(crate) struct Place {
    pub(crate) url: String,
    folder: Option<tempfile::TempDir>,
}

impl Place {
    /// A new SQLite file.
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::File::create(folder.path().join("test.db")).unwrap();
        Self { url: format!("sqlite:{}", folder.path().join("test.db").display()), folder: Some(folder) }
    }

    /// A new database on a PostgreSQL or MySQL server.
    pub(crate) async fn on(server: &str) -> Self {
        let name = format!("t_{}", uuid::Uuid::now_v7().simple());
        execute(&open("admin", server), &format!("CREATE DATABASE {name}")).await;
        let (base, _) = server.rsplit_once('/').unwrap();
        Self { url: format!("{base}/{name}"), folder: None }
    }
}

/// Drops a database that [`Place::on`] made.
pub(crate) async fn drop_from(server: &str, url: &str) {
    let name = url.rsplit('/').next().unwrap();
    let force = if server.starts_with("postgres") { " WITH (FORCE)" } else { "" };
    execute(&open("admin", server), &format!("DROP DATABASE {name}{force}")).await;
}

fn open(name: &str, url: &str) -> Database {
    Database::open(Config { tls: Tls::Disable, ..Config::new(name, Secret::new(url)) }).unwrap()
}

/// Runs a statement for the test itself.
pub(crate) async fn execute(database: &Database, sql: &str) {
    database.execute(sql, Duration::from_secs(20)).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Reads a spec that must be right.
pub(crate) fn parse(text: &str) -> Spec {
    let source = Source { name: "case.yaml", text };
    let parsed = spec::parse(source, &ParseOptions::default());
    let rendered: String = parsed.diagnostics.iter().map(|found| found.render(source, false)).collect();
    parsed.spec.unwrap_or_else(|| panic!("{rendered}"))
}

impl World {
    /// Seeds the database and makes the server of a spec whose connection reads its URL from `DATABASE_URL`.
    pub(crate) async fn new(place: Place, spec: &str, seed: &[&str], mut variables: Variables) -> Self {
        let spec = parse(spec);
        variables.entry("DATABASE_URL".to_owned()).or_insert_with(|| place.url.clone());
        let opened = host::open(&spec, &|name: &str| variables.get(name).cloned(), true);
        let mut diagnostics = opened.diagnostics.clone();
        let databases = &opened.connections.databases;
        let database = databases.get("db").or_else(|| databases.values().next()).cloned();
        for statement in seed {
            execute(database.as_ref().unwrap(), statement).await;
        }
        let (plan, found) = host::make_plan(&spec, &opened.connections, None).await;
        diagnostics.extend(found);
        let errors: Vec<_> = diagnostics.iter().filter(|found| found.is_error()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let toolset = host::toolset(&spec, &plan, opened).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let broken = toolset.check();
        assert!(broken.is_empty(), "{broken:#?}");
        let warnings = diagnostics.iter().map(|found| format!("{}: {}", found.code, found.message)).collect();
        Self { toolset: Arc::new(toolset), database, warnings, _folder: place.folder }
    }

    /// Calls a tool that there is.
    pub(crate) async fn call(&self, tool: &str, arguments: &str) -> Outcome {
        let cancel = CancellationToken::new();
        self.call_with(&CallContext::new(&cancel), tool, arguments).await
    }

    pub(crate) async fn call_with(&self, context: &CallContext<'_>, tool: &str, arguments: &str) -> Outcome {
        let raw = (!arguments.is_empty()).then(|| RawValue::from_string(arguments.to_owned()).unwrap());
        self.toolset.call(context, tool, raw.as_deref()).await.unwrap()
    }

    pub(crate) async fn execute(&self, sql: &str) {
        execute(self.database.as_ref().unwrap(), sql).await;
    }
}

/// Tells that a test was left out; the test runner decides whether that may be.
pub(crate) fn skipped(test: &str, reason: &str) {
    use std::io::Write as _;
    match std::env::var("MCP_FACTORY_SKIPS") {
        Ok(path) => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            file.and_then(|mut file| file.write_all(format!("{test}: {reason}\n").as_bytes())).unwrap();
        }
        Err(_) => eprintln!("SKIPPED {test}: {reason}"),
    }
}
