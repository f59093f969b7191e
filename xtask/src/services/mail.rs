//! Mail servers from npm: with STARTTLS, with TLS, and open; letters are read back by HTTP.

use std::path::Path;

use anyhow::{Context, Result};

use super::account::Account;
use super::certificates::Certificates;
use super::daemon::Daemon;
use crate::{exec, repo, setup};

/// The servers as they would run in this folder.
pub fn daemon(folder: &Path) -> Result<Daemon> {
    let tls = Certificates::at(&folder.join("tls"));
    let folder = folder.join("mail");
    let port = Daemon::choose_port(&folder)?;
    let script = repo::root()?.join("tests/services/mail/server.mjs");
    let mut arguments = vec![script.display().to_string(), port.to_string()];
    arguments.extend([&folder, &tls.server, &tls.key].map(|path| path.display().to_string()));
    let program = exec::find("node").context("Node.js is missing")?;
    Ok(Daemon { name: "mail", account: Account::ours(), folder, port, program, arguments, stop_signal: "TERM" })
}

/// Installs what the servers need.
pub fn prepare(_: &Daemon) -> Result<()> {
    setup::node::install_service("mail")
}

/// Whether all of them answer: the port that is written last is there.
pub fn is_ready(daemon: &Daemon) -> bool {
    daemon.folder.join("web-port").exists() && std::net::TcpStream::connect(("127.0.0.1", daemon.port)).is_ok()
}
