//! Stores of files from PyPI: a server of S3 that checks signatures, and an emulator of Google Cloud Storage.

use std::path::Path;

use anyhow::{Context, Result};

use super::account::Account;
use super::daemon::Daemon;
use crate::repo;
use crate::setup::python;

/// The environment that both come from.
const ENVIRONMENT: &str = "py-storage";

/// The server of S3 as it would run in this folder.
pub fn s3(folder: &Path) -> Result<Daemon> {
    let folder = folder.join("s3");
    let port = Daemon::choose_port(&folder)?;
    let script = repo::root()?.join("tests/services/s3/server.py");
    let arguments = vec![script.display().to_string(), port.to_string(), folder.display().to_string()];
    daemon("S3", folder, port, arguments)
}

/// The emulator as it would run in this folder.
pub fn gcs(folder: &Path) -> Result<Daemon> {
    let folder = folder.join("gcs");
    let port = Daemon::choose_port(&folder)?;
    let mut arguments = ["-m", "gcp_storage_emulator", "--data-dir"].map(str::to_owned).to_vec();
    arguments.push(folder.display().to_string());
    arguments.extend(["start", "--in-memory", "--host", "127.0.0.1", "--port"].map(str::to_owned));
    arguments.push(port.to_string());
    daemon("Google Cloud Storage", folder, port, arguments)
}

fn daemon(name: &'static str, folder: std::path::PathBuf, port: u16, arguments: Vec<String>) -> Result<Daemon> {
    let program = python::place(ENVIRONMENT, "python")?;
    Ok(Daemon { name, account: Account::ours(), folder, port, program, arguments, stop_signal: "TERM" })
}

/// Installs what both need.
pub fn prepare(_: &Daemon) -> Result<()> {
    python::install(ENVIRONMENT)
}

/// Whether the server of S3 answers: its keys are made last.
pub fn s3_is_ready(daemon: &Daemon) -> bool {
    keys(daemon).is_ok()
}

/// Whether the emulator answers.
pub fn gcs_is_ready(daemon: &Daemon) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", daemon.port)).is_ok()
}

/// The identifier of the key of S3 and, after a colon, the key.
pub fn keys(daemon: &Daemon) -> Result<String> {
    let path = daemon.folder.join("keys");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}
