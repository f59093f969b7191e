//! How the servers of a comparison are started: ours and the peers.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::Settings;
use crate::process::{Server, free_port};

/// The key that our server asks for in every scenario; the peers ask for none.
pub const KEY: &str = "bench-0123456789abcdef";

/// Our binary serving a spec file over HTTP with an API key.
pub async fn ours(settings: &Settings, spec: &str, environment: &[(&str, &str)]) -> Result<Server> {
    let port = free_port()?;
    let file = std::env::temp_dir().join(format!("mcp-factory-bench-{port}.json"));
    std::fs::write(&file, spec)?;
    let mut command = Command::new(&settings.product);
    command.args(["run", &file.to_string_lossy(), "--transport", "http", "--port", &port.to_string()]);
    command.env("BENCH_MCP_API_KEY", KEY).env("MCP_FACTORY_HOME", std::env::temp_dir().join("mcp-factory-bench-home"));
    command.envs(environment.iter().copied());
    Server::start(command, port).await
}

/// The official Rust SDK.
pub async fn rmcp() -> Result<Server> {
    let port = free_port()?;
    let mut command = Command::new(beside("peer-rmcp")?);
    command.arg(port.to_string());
    Server::start(command, port).await
}

/// A bare axum handler on reqwest, with the API that it asks.
pub async fn reqwest(api: &str) -> Result<Server> {
    let port = free_port()?;
    let mut command = Command::new(beside("peer-reqwest")?);
    command.arg(port.to_string()).env("API_URL", api);
    Server::start(command, port).await
}

/// A bare axum handler on sqlx.
pub async fn sqlx(database: &str, pool: usize) -> Result<Server> {
    let port = free_port()?;
    let mut command = Command::new(beside("peer-sqlx")?);
    command.arg(port.to_string()).env("DATABASE_URL", database).env("POOL", pool.to_string());
    Server::start(command, port).await
}

/// The official TypeScript SDK on the machine's Node.
pub async fn typescript(settings: &Settings) -> Result<Server> {
    let port = free_port()?;
    let script = settings.peers.join("server.mjs");
    if !settings.peers.join("node_modules/@modelcontextprotocol/server").exists() {
        bail!("not installed: cargo xtask bench --peers");
    }
    let mut command = Command::new("node");
    command.arg(script).arg(port.to_string()).current_dir(&settings.peers);
    Server::start(command, port).await
}

/// Google's MCP Toolbox for Databases with one SQL tool; its driver prepares the statement once, as the others do.
pub async fn toolbox(settings: &Settings, database: &Database, statement: &str, pool: usize) -> Result<Server> {
    let binary = settings.peers.join("node_modules/@toolbox-sdk/server-linux-x64/bin/toolbox");
    if !binary.exists() {
        bail!("not installed: cargo xtask bench --peers");
    }
    let port = free_port()?;
    let file = std::env::temp_dir().join(format!("mcp-factory-bench-toolbox-{port}.yaml"));
    let Database { host, port: db_port, name, user, password, .. } = database;
    std::fs::write(
        &file,
        format!(
            "kind: source\nname: bench\ntype: postgres\nhost: {host}\nport: {db_port}\ndatabase: {name}\nuser: {user}\npassword: \"{password}\"\nqueryParams:\n  pool_max_conns: \"{pool}\"\n  sslmode: disable\n---\nkind: tool\nname: get_product\ntype: postgres-sql\nsource: bench\ndescription: One product\nparameters:\n  - {{name: id, type: integer, description: Key}}\nstatement: {statement}\n"
        ),
    )?;
    let mut command = Command::new(binary);
    command.args(["--config", &file.to_string_lossy(), "--port", &port.to_string(), "--disable-version-check"]);
    Server::start(command, port).await
}

fn beside(name: &str) -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    if !path.exists() {
        bail!("{name} is not built");
    }
    Ok(path)
}

/// The parts of a PostgreSQL URL, for peers that want them apart.
pub struct Database {
    /// The URL of the database that the scenario made.
    pub url: String,
    host: String,
    port: String,
    name: String,
    user: String,
    password: String,
}

impl Database {
    /// Takes `postgresql://user[:password]@host:port/…` apart and puts another database name in.
    pub fn parse(url: &str, name: &str) -> Result<Self> {
        let rest = url.split_once("://").context("a URL")?.1;
        let (login, place) = rest.split_once('@').context("a URL with a user")?;
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let address = place.split(['/', '?']).next().unwrap_or_default();
        let (host, port) = address.split_once(':').unwrap_or((address, "5432"));
        Ok(Self {
            url: format!("postgresql://{login}@{address}/{name}"),
            host: host.to_owned(),
            port: port.to_owned(),
            name: name.to_owned(),
            user: user.to_owned(),
            password: if password.is_empty() { "none".to_owned() } else { password.to_owned() },
        })
    }
}
