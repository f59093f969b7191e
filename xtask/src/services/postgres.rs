//! A throw-away PostgreSQL.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::account::Account;
use super::certificates::Certificates;
use super::daemon::Daemon;
use crate::exec::{self, Run};

/// The server as it would run in this folder.
pub fn daemon(folder: &Path) -> Result<Daemon> {
    let folder = folder.join("postgres");
    let port = Daemon::choose_port(&folder)?;
    let own = Certificates::at(&folder);
    let settings = [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={port}"),
        format!("unix_socket_directories={}", folder.display()),
        "fsync=off".into(),
        "synchronous_commit=off".into(),
        "full_page_writes=off".into(),
        "max_connections=400".into(),
        "shared_buffers=64MB".into(),
        "password_encryption=scram-sha-256".into(),
        "ssl=on".into(),
        format!("ssl_cert_file={}", own.server.display()),
        format!("ssl_key_file={}", own.key.display()),
    ];
    let mut arguments = vec!["-D".to_owned(), folder.join("data").display().to_string()];
    for setting in settings {
        arguments.extend(["-c".to_owned(), setting]);
    }
    let program = binary("postgres")?;
    let account = Account::named("postgres")?;
    Ok(Daemon { name: "PostgreSQL", account, folder, port, program, arguments, stop_signal: "INT" })
}

/// Who may come in: the superuser without a password, any other role with one, so that both are tested.
const ACCESS: &str = "\
local all all trust
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
";

/// Makes the data folder.
pub fn prepare(daemon: &Daemon) -> Result<()> {
    let data = daemon.folder.join("data");
    let make = Run::new(binary("initdb")?)
        .args(["--username=postgres", "--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8", "--no-sync", "-D"])
        .arg(&data)
        .folder(&daemon.folder);
    daemon.account.output(make)?;
    std::fs::write(data.join("pg_hba.conf"), ACCESS)?;
    if let Some(parent) = daemon.folder.parent() {
        Certificates::at(&parent.join("tls")).copy_for(daemon.account, &daemon.folder)?;
    }
    Ok(())
}

/// Whether it answers.
pub fn is_ready(daemon: &Daemon) -> bool {
    let port = daemon.port.to_string();
    binary("pg_isready")
        .and_then(|program| Run::new(program).args(["--quiet", "--host=127.0.0.1", "--port", &port]).output())
        .is_ok()
}

/// A program of the newest installed version: Debian keeps them off `PATH`.
fn binary(name: &str) -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin").join(name)))
        })
        .filter(|(_, program)| program.is_file())
        .max()
        .map(|(_, program)| program)
        .or_else(|| exec::find(name))
        .with_context(|| format!("PostgreSQL's `{name}` is missing; run `cargo xtask setup --only postgres`"))
}
