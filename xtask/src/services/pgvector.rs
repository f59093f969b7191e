//! A throw-away PostgreSQL with the extension pgvector, from a package of PyPI that holds both: not every Debian has pgvector.

use std::path::Path;

use anyhow::Result;

use super::account::Account;
use super::daemon::Daemon;
use crate::exec::Run;
use crate::setup::python;

/// Where the programs are in the package; they find its libraries from there.
const PROGRAMS: &str = "pgserver/pginstall/bin";

/// The server as it would run in this folder.
pub fn daemon(folder: &Path) -> Result<Daemon> {
    let folder = folder.join("pgvector");
    let port = Daemon::choose_port(&folder)?;
    let mut arguments = vec!["-D".to_owned(), folder.join("data").display().to_string()];
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        format!("unix_socket_directories={}", folder.display()),
        "fsync=off".into(),
        "synchronous_commit=off".into(),
        "full_page_writes=off".into(),
        "shared_buffers=32MB".into(),
    ];
    for setting in settings {
        arguments.extend(["-c".to_owned(), setting]);
    }
    // A copy beside its data: the account that it runs under may not see the work folder.
    let program = folder.join("install").join(PROGRAMS).join("postgres");
    let account = Account::named("postgres")?;
    Ok(Daemon { name: "PostgreSQL with pgvector", account, folder, port, program, arguments, stop_signal: "INT" })
}

/// Makes the data folder.
pub fn prepare(daemon: &Daemon) -> Result<()> {
    let source = python::pgvector()?;
    let install = daemon.folder.join("install");
    if install.exists() {
        // An attempt before this one was cut off.
        std::fs::remove_dir_all(&install)?;
    }
    Run::new("cp").args(["-r", "--"]).arg(&source).arg(&install).output()?;
    let make = Run::new(daemon.folder.join("install").join(PROGRAMS).join("initdb"))
        .args(["--username=postgres", "--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync", "-D"])
        .arg(daemon.folder.join("data"))
        .folder(&daemon.folder);
    daemon.account.output(make).map(drop)
}

/// Whether it answers.
pub fn is_ready(daemon: &Daemon) -> bool {
    let port = daemon.port.to_string();
    Run::new(daemon.folder.join("install").join(PROGRAMS).join("pg_isready"))
        .args(["--quiet", "--host=127.0.0.1", "--port", &port])
        .output()
        .is_ok()
}
