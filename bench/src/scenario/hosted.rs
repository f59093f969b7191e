//! The control plane: calls through its door, idle streams, changes that are kept.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::wire;
use crate::Settings;
use crate::compare::{Contender, Plan, measure};
use crate::load::{Request, window};
use crate::peers::{self, KEY};
use crate::process::{self, Server};
use crate::report::Table;

const CONNECTIONS: usize = 32;
/// Idle streams of an older revision.
const STREAMS: usize = 5000;
/// Room beside the streams for what else needs a handle.
const HANDLES: u64 = 2 * STREAMS as u64 + 500;

/// A control plane on a home folder of its own, with the hundred tools deployed.
struct Plane {
    server: Server,
    home: PathBuf,
    key: String,
}

impl Plane {
    async fn start(settings: &Settings) -> Result<Self> {
        let port = process::free_port()?;
        let home = std::env::temp_dir().join(format!("mcp-factory-bench-plane-{port}"));
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(&home)?;
        let spec = home.join("bench.json");
        std::fs::write(&spec, wire::hundred_open())?;
        let mut command = Command::new(&settings.product);
        // Everybody shows a key, and no limit is in the way of what is measured.
        command.args([
            "serve",
            "--auth",
            "keys",
            "--rate",
            "keys=1000000000/60",
            "--port",
            &port.to_string(),
            "--home",
        ]);
        command.arg(&home).env("MCP_FACTORY_LOG", "warn");
        let plane = Self { server: Server::start(command, port).await?, home, key: String::new() };
        let most = ["--servers", "1000000", "--calls", "1000000000", "--bytes", "1000000000000"];
        plane.command(settings, &[&["policies", "quota", "members"], &most[..]].concat())?;
        let scopes = ["--scope", "mcp,servers:read,servers:write", "--output", "json"];
        let made = plane.command(settings, &[&["keys", "create", "bench"], &scopes[..]].concat())?;
        let made: serde_json::Value = serde_json::from_slice(&made).context("the key")?;
        let key = made["key"].as_str().context("no key was made")?.to_owned();
        let plane = Self { key, ..plane };
        plane.command(settings, &["create", "--spec", &spec.display().to_string()])?;
        plane.command(settings, &["deploy", "bench-mcp", "--target", "local"])?;
        Ok(plane)
    }

    /// A command at this control plane; gives what it printed.
    fn command(&self, settings: &Settings, words: &[&str]) -> Result<Vec<u8>> {
        let mut command = Command::new(&settings.product);
        command.args(words).arg("--home").arg(&self.home);
        if !matches!(words[0], "keys" | "policies") {
            command
                .arg("--url")
                .arg(format!("http://127.0.0.1:{}", self.server.port))
                .env("MCP_FACTORY_KEY", &self.key);
        }
        let output = command.output()?;
        if !output.status.success() {
            bail!("{words:?} failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(output.stdout)
    }
}

/// A call through the control plane, with a key that is checked, limits and metrics, beside the same call of a server that
/// runs alone.
pub async fn call(settings: &Settings) -> Result<Table> {
    const ALONE: &str = "mcp-factory run";
    const HOSTED: &str = "mcp-factory serve";
    let params = r#""name":"tool_042","arguments":{"query":"laptop","limit":10}"#;
    let Plane { server, home, key } = Plane::start(settings).await?;
    let contenders = [
        Contender {
            name: HOSTED,
            server: Ok(server),
            request: Box::new(move |port| {
                Request::at(port, "/servers/bench-mcp/mcp", "tools/call", Some("tool_042"), params, Some(&key), "pong")
            }),
        },
        Contender {
            name: ALONE,
            server: peers::ours(settings, &wire::hundred(), &[]).await,
            request: Box::new(move |port| {
                Request::mcp(port, "tools/call", Some("tool_042"), params, Some(KEY), "pong")
            }),
        },
    ];
    let comparison = measure(&contenders, Plan::of(settings, CONNECTIONS)).await;
    let _ = std::fs::remove_dir_all(home);
    let mut table = comparison.table();
    let more = comparison
        .median(HOSTED, |f| f.cpu_us)
        .zip(comparison.median(ALONE, |f| f.cpu_us))
        .map(|(ours, alone)| ours - alone);
    table.at_most("server CPU over the server alone, us", more, 20.0);
    Ok(table)
}

/// Memory of idle streams of the older transport (HTTP+SSE, revision 2024-11-05).
pub async fn streams(settings: &Settings) -> Result<Table> {
    process::allow_handles(HANDLES)?;
    let plane = Plane::start(settings).await?;
    let before = plane.server.rss_mb();
    let mut open = Vec::with_capacity(STREAMS);
    for _ in 0..STREAMS {
        open.push(stream(plane.server.port, &plane.key).await?);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let after = plane.server.rss_mb();
    let mut table = Table::new(&["RSS MB", "KiB a stream"]);
    table.row("none", &[before, f64::NAN]);
    table.row("5,000 idle streams", &[after, (after - before) * 1e6 / 1024.0 / STREAMS as f64]);
    table.at_most("5,000 idle streams, MB", Some(after), 200.0);
    drop(open);
    let _ = std::fs::remove_dir_all(&plane.home);
    Ok(table)
}

/// One stream, after its first event.
async fn stream(port: u16, key: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let head = format!(
        "GET /servers/bench-mcp/sse HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\nAuthorization: Bearer {key}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut got = Vec::new();
    while !got.windows(15).any(|part| part == b"event: endpoint") {
        if stream.read_buf(&mut got).await? == 0 {
            bail!("the stream ended: {}", String::from_utf8_lossy(&got));
        }
    }
    Ok(stream)
}

/// Changes that are acknowledged and kept, beside what the disk gives when every change is flushed for itself.
pub async fn writes(settings: &Settings) -> Result<Table> {
    let plane = Plane::start(settings).await?;
    let single = flushes(&plane.home, Duration::from_secs(settings.seconds))?;
    let length = Duration::from_secs(settings.seconds);
    let key = plane.key.clone();
    let request = |number: usize| {
        let spec = json!({"name": format!("w{number}-@@@@@@@@"), "version": "1.0.0", "tools": [{"name": "t", "description": "t", "parameters": {}, "reply": {"text": "t"}}]});
        Request::plane(plane.server.port, "/mcp/create", &key, &spec.to_string(), "digest")
    };
    let together = window(&plane.server, &request(0).numbered(), 64, length).await?;
    let alone = window(&plane.server, &request(1).numbered(), 1, length).await?;
    let mut table = Table::new(&["a second", "CPU us"]);
    table.row("4 KiB and fdatasync, one after the other", &[single, f64::NAN]);
    table.row("servers created by one writer", &[alone.rate, alone.cpu_us]);
    table.row("servers created by 64 writers", &[together.rate, together.cpu_us]);
    table.at_least("64 writers over one", Some(together.rate / alone.rate), 3.0);
    let _ = std::fs::remove_dir_all(&plane.home);
    Ok(table)
}

/// How often a second this disk takes a page and a flush.
fn flushes(folder: &std::path::Path, length: Duration) -> Result<f64> {
    let mut file = std::fs::File::create(folder.join("flushes"))?;
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < length {
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}
