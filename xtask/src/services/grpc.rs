//! A gRPC server in Python: without TLS and with v1alpha of reflection, with TLS and v1, and without reflection.

use std::path::Path;

use anyhow::{Context, Result};

use super::account::Account;
use super::certificates::Certificates;
use super::daemon::Daemon;
use crate::repo;
use crate::setup::python;

/// The server as it would run in this folder.
pub fn daemon(folder: &Path) -> Result<Daemon> {
    let tls = Certificates::at(&folder.join("tls"));
    let folder = folder.join("grpc");
    let port = Daemon::choose_port(&folder)?;
    let script = repo::root()?.join("tests/services/grpc/server.py");
    let mut arguments = vec![script.display().to_string(), port.to_string()];
    arguments.extend([&folder, &tls.server, &tls.key].map(|path| path.display().to_string()));
    // Its packages are those of the environment, whether or not they are there yet.
    let program = python::place("py-services", "python")?;
    Ok(Daemon { name: "gRPC", account: Account::ours(), folder, port, program, arguments, stop_signal: "TERM" })
}

/// Installs what the server needs.
pub fn prepare(_: &Daemon) -> Result<()> {
    python::install("py-services")
}

/// Whether it answers.
pub fn is_ready(daemon: &Daemon) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", daemon.port)).is_ok()
}

/// One of its further ports, by the name of the file that it writes.
pub fn port(daemon: &Daemon, file: &str) -> Result<u16> {
    let path = daemon.folder.join(file);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    text.trim().parse().with_context(|| format!("{} holds no port", path.display()))
}
