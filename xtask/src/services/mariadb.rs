//! A throw-away MariaDB.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::account::Account;
use super::certificates::Certificates;
use super::daemon::Daemon;
use crate::exec::{self, Run};

/// The server as it would run in this folder.
pub fn daemon(folder: &Path) -> Result<Daemon> {
    let folder = folder.join("mariadb");
    let port = Daemon::choose_port(&folder)?;
    let tls = Certificates::at(&folder);
    let arguments = vec![
        "--no-defaults".to_owned(),
        format!("--datadir={}", folder.join("data").display()),
        "--bind-address=127.0.0.1".into(),
        format!("--port={port}"),
        format!("--socket={}", folder.join("sock").display()),
        format!("--pid-file={}", folder.join("server.pid").display()),
        "--skip-name-resolve".into(),
        "--innodb-flush-log-at-trx-commit=0".into(),
        "--innodb-doublewrite=0".into(),
        "--innodb-buffer-pool-size=64M".into(),
        "--sync-binlog=0".into(),
        "--max-connections=400".into(),
        "--character-set-server=utf8mb4".into(),
        format!("--ssl-ca={}", tls.authority.display()),
        format!("--ssl-cert={}", tls.server.display()),
        format!("--ssl-key={}", tls.key.display()),
    ];
    let program = binary("mariadbd")?;
    let account = Account::named("mysql")?;
    Ok(Daemon { name: "MariaDB", account, folder, port, program, arguments, stop_signal: "TERM" })
}

/// Makes the data folder.
pub fn prepare(daemon: &Daemon) -> Result<()> {
    let make = Run::new(binary("mariadb-install-db")?)
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
        .arg(format!("--datadir={}", daemon.folder.join("data").display()))
        .folder(&daemon.folder);
    daemon.account.output(make)?;
    if let Some(parent) = daemon.folder.parent() {
        Certificates::at(&parent.join("tls")).copy_for(daemon.account, &daemon.folder)?;
    }
    Ok(())
}

/// Whether it answers.
pub fn is_ready(daemon: &Daemon) -> bool {
    let port = daemon.port.to_string();
    binary("mariadb-admin")
        .and_then(|program| {
            Run::new(program)
                .args(["--no-defaults", "--host=127.0.0.1", "--user=root", "--port", &port, "ping"])
                .output()
        })
        .is_ok()
}

fn binary(name: &str) -> Result<PathBuf> {
    exec::find(name).with_context(|| format!("MariaDB's `{name}` is missing; run `cargo xtask setup --only mariadb`"))
}
