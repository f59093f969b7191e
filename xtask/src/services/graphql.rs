//! A GraphQL server from npm.

use std::path::Path;

use anyhow::{Context, Result};

use super::account::Account;
use super::daemon::Daemon;
use crate::exec;
use crate::{repo, setup};

/// The server as it would run in this folder.
pub fn daemon(folder: &Path) -> Result<Daemon> {
    let folder = folder.join("graphql");
    let port = Daemon::choose_port(&folder)?;
    let script = repo::root()?.join("tests/services/graphql/server.mjs");
    let arguments = vec![script.display().to_string(), port.to_string(), folder.display().to_string()];
    let program = exec::find("node").context("Node.js is missing")?;
    Ok(Daemon { name: "GraphQL", account: Account::ours(), folder, port, program, arguments, stop_signal: "TERM" })
}

/// Installs what the server needs.
pub fn prepare(_: &Daemon) -> Result<()> {
    setup::node::install_service("graphql")
}

/// Whether it answers.
pub fn is_ready(daemon: &Daemon) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", daemon.port)).is_ok()
}
