//! A provider of OpenID Connect from npm.

use std::path::Path;

use anyhow::Result;

use super::account::Account;
use super::daemon::Daemon;
use crate::setup::python;
use crate::{repo, setup};

/// The server as it would run in this folder.
pub fn daemon(folder: &Path) -> Result<Daemon> {
    let folder = folder.join("openid");
    let port = Daemon::choose_port(&folder)?;
    let script = repo::root()?.join("tests/services/openid/server.mjs");
    let arguments = vec![script.display().to_string(), port.to_string()];
    // It does not run on the Node.js of Debian; the other one may not be installed yet when it is only looked whether it runs.
    let program = python::node().unwrap_or_else(|_| "node".into());
    Ok(Daemon { name: "OpenID", account: Account::ours(), folder, port, program, arguments, stop_signal: "TERM" })
}

/// Installs what the server needs.
pub fn prepare(_: &Daemon) -> Result<()> {
    setup::node::install_service("openid")
}

/// Whether it answers.
pub fn is_ready(daemon: &Daemon) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", daemon.port)).is_ok()
}
