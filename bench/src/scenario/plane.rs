//! The control plane: its start, a thousand servers that run in its process, and what people wait for at the command line.

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
/// What a control plane has after its start to read the catalogue that is searched.
const WARM: Duration = Duration::from_millis(500);
/// How often short things are done, for a median.
const TIMES: usize = 21;
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

/// What tools of a catalogue do, and to what.
const DOES: [&str; 8] = ["search", "list", "create", "update", "remove", "count", "export", "compare"];
const TO: [&str; 9] =
    ["products", "orders", "customers", "invoices", "tickets", "shipments", "suppliers", "reviews", "carts"];

/// A server: of three tools if it is to be deployed, else of one.
fn spec(number: usize) -> Value {
    let tool = |nth: usize| {
        let (does, to) = (DOES[(number + nth) % DOES.len()], TO[(number / DOES.len() + nth) % TO.len()]);
        json!({ "name": format!("{does}_{to}_{nth}"), "description": format!("Does {does} {to} of the shop {number}"),
                "reply": { "text": "Hello." },
                "parameters": { "query": { "type": "string", "description": format!("What of the {to} is looked for") } } })
    };
    let tools = if number < DEPLOYED { 3 } else { 1 };
    json!({ "spec": { "name": name(number), "tools": (0..tools).map(tool).collect::<Vec<_>>() } })
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::INFINITY)
}

/// What nineteen of twenty are below.
fn most(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() * 19 / 20).copied().unwrap_or(f64::INFINITY)
}

/// How long a command takes, milliseconds.
fn command(settings: &Settings, home: &Path, words: &[&str]) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let start = Instant::now();
        let ended = Command::new(&settings.product).args(words).env("MCP_FACTORY_HOME", home).output()?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if !ended.status.success() {
            bail!("{words:?}: {}", String::from_utf8_lossy(&ended.stderr));
        }
    }
    Ok(median(times))
}

/// How long questions take, milliseconds: the first one, and one of many.
fn search(plane: &Plane) -> Result<(f64, f64)> {
    let mut times = Vec::new();
    for nth in 0..TIMES {
        let (does, to) = (DOES[nth % DOES.len()], TO[nth % TO.len()]);
        let start = Instant::now();
        let (status, answer) = plane.ask("GET", &format!("/mcp/capabilities?q=who+can+{does}+{to}"), &Value::Null)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if status != 200 || !answer.contains(&format!("{does}_{to}")) {
            bail!("a search found nothing: {answer}");
        }
    }
    Ok((times[0], median(times)))
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
    let plane = Plane::start(settings, home)?;
    let again = plane.ready_ms;
    std::thread::sleep(WARM);
    let (first, found) = search(&plane)?;
    let (help, names) =
        (command(settings, home, &["--help"])?, command(settings, home, &["__complete", "--", "status"])?);
    let script = command(settings, home, &["completion", "bash"])?;
    let (start, deploy, slow) = (median(starts), median(deploys.clone()), most(deploys));
    let mut table = Table::new(&["ms", "RSS MB"]);
    table.row("start to ready, nothing stored", &[start, empty]);
    table.row("deploy, one of 1,000", &[deploy, full]);
    table.row("deploy, 19 of 20 below", &[slow, f64::INFINITY]);
    table.row("start to ready, 10,000 servers stored", &[again, f64::INFINITY]);
    table.row("search over 12,000 tools, the first, half a second after the start", &[first, f64::INFINITY]);
    table.row("search over 12,000 tools", &[found, rss_mb(plane.child.id())]);
    table.row("--help", &[help, f64::INFINITY]);
    table.row("names of 10,000 servers for completion", &[names, f64::INFINITY]);
    table.row("completion script", &[script, f64::INFINITY]);
    table.at_most("start to ready, ms", Some(start), 150.0);
    table.at_most("start to ready with 10,000 servers stored, ms", Some(again), 1_000.0);
    table.at_most("deploy, ms", Some(deploy), 50.0);
    table.at_most("the first search over 12,000 tools, right after the start, ms", Some(first), 1_000.0);
    table.at_most("a search over 12,000 tools, ms", Some(found), 10.0);
    table.at_most("--help, ms", Some(help), 20.0);
    table.at_most("names for completion, ms", Some(names), 50.0);
    table.at_most("completion script, ms", Some(script), 50.0);
    table.at_most("1,000 deployed servers over none, MB", Some(full - empty), 200.0);
    Ok(table)
}
