//! A throw-away server of MongoDB's protocol: NX-27017 of PyPI, which keeps documents in SQLite. MongoDB itself is in no
//! package registry. NX-27017 has queries, pipelines, cursors and writes; it has no logins, no TLS and no replica sets,
//! which the tests of `connect` have a server of their own for.

use std::path::Path;

use anyhow::Result;

use super::account::Account;
use super::daemon::Daemon;
use crate::setup::python;

const ENVIRONMENT: &str = "py-mongo";
const PID_FILE: &str = "server.pid";

/// The server as it would run in this folder.
pub fn daemon(folder: &Path) -> Result<Daemon> {
    let folder = folder.join("mongo");
    let port = Daemon::choose_port(&folder)?;
    let script = python::place(ENVIRONMENT, "nx-27017")?;
    let data = folder.join("data");
    let arguments = [&*script.to_string_lossy(), "--data-dir", &data.to_string_lossy(), "--host", "127.0.0.1", "-p"];
    let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
    arguments.push(port.to_string());
    // Its usual places are the same for every copy on this machine, of which only one may run then.
    for (option, file) in [("--pid-file", PID_FILE), ("--log-file", "server.log")] {
        arguments.extend([option.to_owned(), folder.join(file).to_string_lossy().into_owned()]);
    }
    let program = python::place(ENVIRONMENT, "python")?;
    let account = Account::ours();
    Ok(Daemon { name: "NX-27017 (MongoDB)", account, folder, port, program, arguments, stop_signal: "TERM" })
}

/// Installs the server.
pub fn prepare(daemon: &Daemon) -> Result<()> {
    // One that was killed left it behind, and another process may have its number now.
    let _ = std::fs::remove_file(daemon.folder.join(PID_FILE));
    python::install(ENVIRONMENT)
}

/// Whether it answers.
pub fn is_ready(daemon: &Daemon) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", daemon.port)).is_ok()
}
