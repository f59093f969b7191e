//! A throw-away Redis: without TLS and without a password for everybody, with TLS on a further port.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::account::Account;
use super::certificates::Certificates;
use super::daemon::Daemon;
use crate::exec::{self, Run};

/// File of the folder that holds the port with TLS.
pub const TLS_PORT: &str = "tls-port";

/// The server as it would run in this folder.
pub fn daemon(folder: &Path) -> Result<Daemon> {
    let tls = Certificates::at(&folder.join("tls"));
    let folder = folder.join("redis");
    let port = Daemon::choose_port(&folder)?;
    let settings = [
        ("--port", port.to_string()),
        ("--tls-port", tls_port(&folder)?.to_string()),
        ("--bind", "127.0.0.1".to_owned()),
        ("--dir", folder.display().to_string()),
        ("--save", String::new()),
        ("--appendonly", "no".to_owned()),
        // The process is found again by the folder among its arguments.
        ("--set-proc-title", "no".to_owned()),
        ("--tls-cert-file", tls.server.display().to_string()),
        ("--tls-key-file", tls.key.display().to_string()),
        ("--tls-ca-cert-file", tls.authority.display().to_string()),
        ("--tls-auth-clients", "no".to_owned()),
    ];
    let arguments = settings.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect();
    let program = binary("redis-server")?;
    Ok(Daemon { name: "Redis", account: Account::ours(), folder, port, program, arguments, stop_signal: "TERM" })
}

/// The port with TLS: the one of last time, or a free one.
pub fn tls_port(folder: &Path) -> Result<u16> {
    let file = folder.join(TLS_PORT);
    if let Ok(text) = std::fs::read_to_string(&file) {
        return text.trim().parse().with_context(|| format!("{} holds no port", file.display()));
    }
    let listener = std::net::TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?.port())
}

/// Remembers the port with TLS.
pub fn prepare(daemon: &Daemon) -> Result<()> {
    let at = daemon.arguments.iter().position(|argument| argument == "--tls-port");
    let port = at.and_then(|at| daemon.arguments.get(at + 1)).context("no port with TLS")?;
    std::fs::write(daemon.folder.join(TLS_PORT), port).context("cannot write the port with TLS")
}

/// Whether it answers.
pub fn is_ready(daemon: &Daemon) -> bool {
    let port = daemon.port.to_string();
    let ping = |program| Run::new(program).args(["-h", "127.0.0.1", "-p", &port, "ping"]).output();
    binary("redis-cli").and_then(ping).is_ok_and(|answer| answer.trim() == "PONG")
}

fn binary(name: &str) -> Result<PathBuf> {
    exec::find(name).with_context(|| format!("Redis's `{name}` is missing; run `cargo xtask setup --only redis`"))
}
