//! The control plane: its start, and a thousand servers that run in its process.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::Settings;
use crate::process::{free_port, rss_mb};
use crate::report::Table;

/// Servers that are deployed.
const DEPLOYED: usize = 1_000;
/// Servers that are stored.
const STORED: usize = 10_000;
/// Longest wait for a control plane to be ready.
const READY: Duration = Duration::from_secs(60);

/// A control plane on a home folder of its own; killed when dropped.
struct Plane {
    child: Child,
    port: u16,
    /// From `exec` to the answer that it is ready, milliseconds.
    ready_ms: f64,
}

impl Plane {
    fn start(settings: &Settings, home: &Path) -> Result<Self> {
        let port = free_port()?;
        let start = Instant::now();
        let child = Command::new(&settings.product)
            .args(["serve", "--port", &port.to_string()])
            .env("MCP_FACTORY_HOME", home)
            .env("MCP_FACTORY_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut plane = Self { child, port, ready_ms: f64::INFINITY };
        while start.elapsed() < READY {
            if plane.ask("GET", "/readyz", &Value::Null).is_ok_and(|(status, _)| status == 200) {
                plane.ready_ms = start.elapsed().as_secs_f64() * 1e3;
                return Ok(plane);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        bail!("the control plane was not ready within {READY:?}")
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Result<(u16, String)> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.set_read_timeout(Some(READY))?;
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).context("a status")?;
        Ok((status, answer))
    }

    fn post(&self, path: &str, body: &Value) -> Result<()> {
        let (status, answer) = self.ask("POST", path, body)?;
        if status >= 300 {
            bail!("POST {path}: {answer}");
        }
        Ok(())
    }
}

impl Drop for Plane {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn name(number: usize) -> String {
    format!("server-{number}")
}

fn spec(number: usize) -> Value {
    let tool = |nth: usize| {
        json!({ "name": format!("tool_{nth}"), "description": "Says what it is", "reply": { "text": "Hello." },
                "parameters": { "query": { "type": "string", "description": "What is looked for" } } })
    };
    json!({ "spec": { "name": name(number), "tools": (0..3).map(tool).collect::<Vec<_>>() } })
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::INFINITY)
}

/// Starts, deploys, and starts again with a full store.
pub fn run(settings: &Settings) -> Result<Table> {
    let home: PathBuf = std::env::temp_dir().join(format!("mcp-factory-bench-plane-{}", std::process::id()));
    let measured = measure(settings, &home);
    let _ = std::fs::remove_dir_all(&home);
    measured
}

fn measure(settings: &Settings, home: &Path) -> Result<Table> {
    let mut starts = Vec::new();
    for _ in 0..5 {
        let _ = std::fs::remove_dir_all(home);
        starts.push(Plane::start(settings, home)?.ready_ms);
    }
    let plane = Plane::start(settings, home)?;
    let empty = rss_mb(plane.child.id());
    let mut deploys = Vec::new();
    for number in 0..DEPLOYED {
        plane.post("/mcp/create", &spec(number))?;
        let start = Instant::now();
        plane.post(&format!("/mcp/deploy/{}", name(number)), &json!({}))?;
        deploys.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let full = rss_mb(plane.child.id());
    for number in DEPLOYED..STORED {
        plane.post("/mcp/create", &spec(number))?;
    }
    drop(plane);
    let again = Plane::start(settings, home)?.ready_ms;
    let (start, deploy) = (median(starts), median(deploys));
    let mut table = Table::new(&["ms", "RSS MB"]);
    table.row("start to ready, nothing stored", &[start, empty]);
    table.row("deploy, one of 1,000", &[deploy, full]);
    table.row("start to ready, 10,000 servers stored", &[again, f64::INFINITY]);
    table.at_most("start to ready, ms", Some(start), 150.0);
    table.at_most("start to ready with 10,000 servers stored, ms", Some(again), 1_000.0);
    table.at_most("deploy, ms", Some(deploy), 50.0);
    table.at_most("1,000 deployed servers over none, MB", Some(full - empty), 200.0);
    Ok(table)
}
