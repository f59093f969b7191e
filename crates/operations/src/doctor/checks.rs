//! The checks.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use chrono::Datelike as _;
use store::Store;

use super::{FREE_BYTES_MIN, Finding, State};
use crate::Context;
use crate::status;

pub(super) fn passed(detail: impl Into<String>) -> Finding {
    (State::Passed, detail.into(), None)
}

fn warning(detail: impl Into<String>, fix: impl Into<String>) -> Finding {
    (State::Warning, detail.into(), Some(fix.into()))
}

pub(super) fn failed(detail: impl Into<String>, fix: impl Into<String>) -> Finding {
    (State::Failed, detail.into(), Some(fix.into()))
}

/// The home folder can be written, or can be made.
pub(super) fn home(path: &Path) -> Finding {
    let shown = path.display();
    if !path.exists() {
        return match nearest_parent(path) {
            Some(parent) if probe(parent).is_ok() => passed(format!("{shown} does not exist yet and will be made")),
            _ => failed(
                format!("{shown} does not exist and cannot be made"),
                "choose another folder with `--home DIR` or MCP_FACTORY_HOME, or make this one writable",
            ),
        };
    }
    if !path.is_dir() {
        return failed(format!("{shown} is a file"), "choose a folder with `--home DIR` or MCP_FACTORY_HOME");
    }
    match probe(path) {
        Ok(()) => passed(format!("{shown} can be written")),
        Err(error) => failed(
            format!("{shown} cannot be written: {error}"),
            if error.kind() == std::io::ErrorKind::StorageFull {
                "make room on the disk".to_owned()
            } else {
                format!("make it yours: `chown $USER {shown}; chmod u+rwx {shown}`")
            },
        ),
    }
}

fn nearest_parent(path: &Path) -> Option<&Path> {
    path.ancestors().skip(1).find(|parent| parent.exists())
}

/// Tries it: permissions alone do not tell of read-only file systems.
fn probe(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(format!(".mcp-factory-probe-{}", std::process::id()));
    let made = std::fs::write(&file, b"probe");
    let _ = std::fs::remove_file(&file);
    made
}

/// There is room on the disk.
pub(super) fn disk(path: &Path) -> Finding {
    let place = if path.exists() { Some(path) } else { nearest_parent(path) };
    let free =
        place.and_then(|place| rustix::fs::statvfs(place).ok()).map(|stat| stat.f_bavail.saturating_mul(stat.f_frsize));
    match free {
        None => warning("the free space is not known", "look at it yourself: `df -h`"),
        Some(free) if free < FREE_BYTES_MIN => warning(
            format!("{} MiB are free where the home folder is", free >> 20),
            format!("make room: below {} MiB the catalogue may not be written", FREE_BYTES_MIN >> 20),
        ),
        Some(free) => passed(format!("{} MiB are free", free >> 20)),
    }
}

/// The year in which this was written: no clock that is right shows an earlier one.
const OLDEST_YEAR: i32 = 2026;
/// How far the clock may be behind what is stored: machines that share a catalogue are not quite at the same time.
const CLOCK_BEHIND_MAX: chrono::Duration = chrono::Duration::minutes(5);
/// Programs of MCP clients, as they are called in a shell.
const CLIENTS: [&str; 5] = ["claude", "code", "codex", "cursor", "gemini"];

/// Which clients this machine has. None is no fault: a client may be elsewhere.
pub(super) fn clients(context: &Context) -> Finding {
    let path = context.environment.get("PATH").unwrap_or_default();
    let on_path = |name: &&&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let found: Vec<&str> = CLIENTS.iter().filter(on_path).copied().collect();
    passed(if found.is_empty() {
        format!("none of {} is on the path; any MCP client can be used", CLIENTS.join(", "))
    } else {
        format!("on the path: {}", found.join(", "))
    })
}

/// The port that `run` uses is free.
pub(super) fn port(address: SocketAddr) -> Finding {
    match std::net::TcpListener::bind(address) {
        Ok(_) => passed(format!("{address} is free")),
        Err(error) => warning(
            format!("{address} cannot be listened on: {error}"),
            "another server may be running there; `run --port 0` takes a free port",
        ),
    }
}

/// The catalogue opens and is sound. The second value is whether it can be read.
pub(super) async fn catalogue(context: &Context) -> (Finding, bool) {
    if !context.has_store() {
        return (passed("there is none yet; the first `create` makes it"), false);
    }
    let place = context.store(|store| Ok(store.place())).await;
    let file = || context.home.path().join(store::FILE_NAME).display().to_string();
    let shown = place.unwrap_or_else(|_| file());
    match context.store(Store::check).await {
        Ok(check) if check.problems.is_empty() => {
            let servers = if check.servers == 1 { "server" } else { "servers" };
            (passed(format!("{shown} is sound: {} {servers}, format {}", check.servers, check.format)), true)
        }
        Ok(check) => (
            failed(
                format!("{shown} is damaged: {}", check.problems.join("; ")),
                format!("restore it from a copy, or move {shown} away and make the servers again from their specs"),
            ),
            true,
        ),
        Err(error) => {
            let damaged = error.message.contains("malformed") || error.message.contains("not an SQLite database");
            let fix = if damaged {
                format!("restore it from a copy, or move {shown} away and make the servers again from their specs")
            } else {
                format!("make {shown} readable and writable for you, or choose another folder with `--home DIR`")
            };
            (failed(error.message, fix), false)
        }
    }
}

/// The clock is not behind what was written before, nor at a time at which no certificate has force: signatures, keys and
/// sign-ins go by it.
pub(super) async fn clock(context: &Context, readable: bool) -> Finding {
    let now = chrono::Utc::now();
    let shown = now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let fix = "set the clock, or let it be set: `timedatectl set-ntp true`";
    if now.year() < OLDEST_YEAR {
        return failed(format!("it is {shown} by the clock of this machine, which cannot be"), fix);
    }
    let newest = match readable {
        true => context.store(|store| Ok(store.heads()?.into_iter().map(|head| head.updated_at).max())).await,
        false => Ok(None),
    };
    let newest = newest.ok().flatten().and_then(|at| chrono::DateTime::parse_from_rfc3339(&at).ok());
    match newest.map(|at| at.signed_duration_since(now)).filter(|ahead| *ahead > CLOCK_BEHIND_MAX) {
        Some(ahead) => warning(
            format!("it is {shown}, and the newest server was stored {} minutes later than that", ahead.num_minutes()),
            fix,
        ),
        None => passed(format!("it is {shown}")),
    }
}

/// A server has its variables and reaches its databases.
pub(super) async fn server(context: &Context, name: &str, offline: bool) -> Vec<(String, Instant, Finding)> {
    let start = Instant::now();
    let label = format!("server {name}");
    let input = status::Input { name: name.to_owned(), version: None };
    let found =
        if offline { status::offline(context, input).await } else { Box::pin(status::status(context, input)).await };
    let status = match found {
        Ok(status) => status,
        Err(error) => {
            let fix = error.hints.first().cloned().unwrap_or_default();
            return vec![(label, start, failed(error.message, fix))];
        }
    };
    let mut findings = Vec::new();
    for connection in status.connections {
        let check = format!("{label} connection {}", connection.name);
        let finding = match (connection.ok, connection.server, connection.error) {
            (true, Some(server), _) => match connection.latency_ms {
                Some(latency) => passed(format!("{server} answered in {latency} ms")),
                None => passed(format!("{server} is set, with its credentials; nothing was sent")),
            },
            (true, None, _) => passed("its URL is set; it was not tried"),
            (false, _, error) => failed(error.unwrap_or_default(), remedy(connection.env_var.as_deref())),
        };
        findings.push((check, start, finding));
    }
    let idle: Vec<String> =
        status.tools.iter().filter(|tool| tool.not_implemented.is_some()).map(|tool| tool.name.clone()).collect();
    let broken: Vec<String> =
        status.diagnostics.iter().filter(|one| one.is_error()).map(|one| one.message.clone()).collect();
    let finding = if !broken.is_empty() {
        failed(format!("it does not compile: {}", broken.join("; ")), format!("`mcp-factory status {name}` says more"))
    } else if idle.is_empty() {
        passed(format!("{} tools compile", status.tools.len()))
    } else {
        warning(
            format!("these tools do nothing: {}", crate::error::listed(&idle)),
            format!("`mcp-factory plan {name}` says why; `mcp-factory plan {name} --refresh` plans again"),
        )
    };
    findings.push((label, start, finding));
    findings
}

fn remedy(variable: Option<&str>) -> String {
    match variable {
        Some(name) => format!("set {name} to a URL that reaches the database from here, or start the database"),
        None => "check the `url` of the connection, or start the database".to_owned(),
    }
}
