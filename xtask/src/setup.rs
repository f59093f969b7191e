//! Installs what the tests need, so that a machine with only Rust, Node.js and Python can run all of them.

mod debian;
pub mod node;
pub mod python;

use anyhow::{Result, bail};

pub const HELP: &str = "\
Usage: cargo xtask setup [--only PART,…]

Installs what the tests need. What is installed already is left alone, so it is quick to repeat.

Parts:
  postgres  the Debian packages of PostgreSQL (needs root or sudo)
  mariadb   the Debian packages of MariaDB (needs root or sudo)
  redis     the Debian packages of Redis (needs root or sudo)
  valgrind  the Debian package of Valgrind (needs root or sudo)
  faults    the Debian packages of strace and libfaketime (needs root or sudo)
  chromium  the Debian package of Chromium (needs root or sudo)
  python    private Python environments in the work folder: the MCP SDK of several ages, mcpcheck, and a
            Node.js that is new enough for the conformance suite; a gRPC server; PostgreSQL with pgvector;
            stores of files; the original servers of tests/originals
  node      the conformance suite, the Inspector and the TypeScript SDKs, from tests/clients/node; a GraphQL server,
            a mail server, a provider of OpenID Connect and reference MCP servers; the original servers of tests/originals

The services of the Debian packages are not started; `cargo xtask services up` starts throw-away ones.
pip and npm use the machine's own configuration. The work folder is `.work`, or $MCP_FACTORY_WORK.

Examples:
  cargo xtask setup
  cargo xtask setup --only postgres,mariadb
";

const PARTS: [&str; 8] = ["postgres", "mariadb", "redis", "valgrind", "faults", "chromium", "python", "node"];

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let parts: Vec<&str> = match arguments {
        [] => PARTS.to_vec(),
        [flag, list] if flag == "--only" => list.split(',').collect(),
        _ => bail!("unknown arguments {arguments:?}; see `cargo xtask setup --help`"),
    };
    if let Some(part) = parts.iter().find(|part| !PARTS.contains(part)) {
        bail!("there is no part `{part}`; the parts are {}", PARTS.join(", "));
    }
    install(&parts)
}

/// Installs the judges and SDKs, which need no root.
pub fn tools() -> Result<()> {
    install(&["python", "node"])
}

/// Installs the databases.
pub fn databases() -> Result<()> {
    install(&["postgres", "mariadb", "redis"])
}

/// Installs what counts instructions.
pub fn valgrind() -> Result<()> {
    install(&["valgrind"])
}

/// Installs what does harm, and what it is done to.
pub fn faults() -> Result<()> {
    install(&["postgres", "faults"])
}

/// Installs a browser.
pub fn browser() -> Result<()> {
    install(&["chromium"])
}

/// Installs every part.
pub fn all() -> Result<()> {
    install(&PARTS)
}

fn install(parts: &[&str]) -> Result<()> {
    let mut packages = Vec::new();
    if parts.contains(&"postgres") {
        packages.extend(debian::POSTGRES);
    }
    if parts.contains(&"mariadb") {
        packages.extend(debian::MARIADB);
    }
    if parts.contains(&"redis") {
        packages.extend(debian::REDIS);
    }
    if parts.contains(&"valgrind") {
        packages.extend(debian::VALGRIND);
    }
    if parts.contains(&"faults") {
        packages.extend(debian::FAULTS);
    }
    if parts.contains(&"chromium") {
        packages.extend(debian::CHROMIUM);
    }
    debian::install(&packages)?;
    if parts.contains(&"python") {
        for environment in python::ENVIRONMENTS {
            python::install(environment)?;
        }
        python::pgvector()?;
    }
    if parts.contains(&"node") {
        node::install()?;
        node::install_service("graphql")?;
        node::install_service("mail")?;
        node::install_service("openid")?;
        node::install_originals()?;
        node::install_service("mcp")?;
    }
    Ok(())
}
