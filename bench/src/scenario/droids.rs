//! The droid swarm server against the fake of Factory that comes with the product: how long a swarm takes to start, and what
//! watching many droids costs.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::Settings;
use crate::load::Request;
use crate::process::{Server, free_port};
use crate::report::Table;

/// Droids of one swarm, and how many are started at once.
const DROIDS: usize = 50;
const AT_ONCE: usize = 10;
/// Time that each answer of Factory takes, milliseconds.
const LATENCY_MS: u64 = 50;
/// Requests for one droid: a session, and its prompt.
const REQUESTS: u64 = 2;
/// Droids that are watched.
const WATCHED: usize = 500;
/// Time between two looks, seconds.
const LOOK_S: u64 = 15;
/// How long watching is measured: several looks.
const WINDOW: Duration = Duration::from_secs(2 * LOOK_S);

/// Starts swarms, then watches many droids, in both ways.
pub async fn run(settings: &Settings) -> Result<Table> {
    let mut table = Table::new(&["median", "p95"]);
    let fake = fake(settings).await?;
    let server = server(settings, &fake, "spawn").await?;
    let mut times = Vec::new();
    for round in 0..settings.rounds.max(5) {
        let began = Instant::now();
        let swarm = call(&server, "spawn_swarm", &json!({ "prompts": prompts(round) })).await?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        if swarm["started"] != DROIDS {
            bail!("not all droids were started: {swarm}");
        }
    }
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize];
    table.row("a swarm of 50 at 50 ms an answer, ms", &[at(0.5), at(0.95)]);
    let waves = (DROIDS as u64).div_ceil(AT_ONCE as u64) * REQUESTS * LATENCY_MS;
    table.at_most("its time over that of its requests, ten at once", Some(at(0.5) / waves as f64), 1.5);
    table.at_most("p95 of a swarm of 50, ms", Some(at(0.95)), 1_500.0);
    drop((server, fake));
    let one = watched_by_one(settings).await.context("one call that waits for all")?;
    let many = watched_by_many(settings).await.context("a call for each")?;
    for (name, cost) in [("one wait for 500 droids", one), ("500 watches of a droid each", many)] {
        table.row(&format!("{name}: MB more, CPU %"), &[cost.memory, cost.cpu]);
        table.at_most(&format!("{name}: memory, MB"), Some(cost.memory), 30.0);
        table.at_most(&format!("{name}: CPU, %"), Some(cost.cpu), 2.0);
        table.at_most(&format!("{name}: requests for a droid and a look"), Some(cost.requests), 1.05);
    }
    Ok(table)
}

fn prompts(round: usize) -> Vec<String> {
    (0..DROIDS).map(|number| format!("{round}.{number} [fake:work=3600000]")).collect()
}

/// The fake, beside this client: what it takes is not the server's.
async fn fake(settings: &Settings) -> Result<Server> {
    let port = free_port()?;
    let mut command = Command::new(&settings.product);
    command.args([
        "fake",
        "factory-api",
        "--latency",
        &LATENCY_MS.to_string(),
        "--work",
        "3600000",
        "--port",
        &port.to_string(),
    ]);
    Server::beside(command, port).await
}

async fn server(settings: &Settings, fake: &Server, name: &str) -> Result<Server> {
    let port = free_port()?;
    let home = std::env::temp_dir().join(format!("mcp-factory-bench-{name}-{port}"));
    let mut command = Command::new(&settings.product);
    command.args(["run", "factory_droid_swarm", "--transport", "http", "--port", &port.to_string()]);
    command.env("MCP_FACTORY_HOME", home).env("FACTORY_API_KEY", "fk-fake");
    command.env("FACTORY_API_URL", format!("http://127.0.0.1:{}/api/v0", fake.port));
    Server::start(command, port).await
}

/// Starts the droids, and lets the server come to rest.
async fn droids(settings: &Settings, name: &str) -> Result<(Server, Server, Vec<Value>)> {
    let fake = fake(settings).await?;
    let server = server(settings, &fake, name).await?;
    let mut ids = Vec::new();
    for round in 0..WATCHED / DROIDS {
        let swarm = call(&server, "spawn_swarm", &json!({ "prompts": prompts(round) })).await?;
        ids.extend(swarm["droids"].as_array().into_iter().flatten().map(|one| one["sessionId"].clone()));
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok((fake, server, ids))
}

/// What one call that waits for all droids costs: memory over what was there before, and processor time in percent.
async fn watched_by_one(settings: &Settings) -> Result<Cost> {
    let (fake, server, ids) = droids(settings, "one").await?;
    let before = server.rss_mb();
    let arguments = json!({ "sessionIds": ids, "pollIntervalSeconds": LOOK_S, "timeoutSeconds": 3600 });
    let waiting = begin(&server, "wait_for_droids", &arguments).await?;
    let cost = cost(&server, &fake, before).await;
    drop(waiting);
    cost
}

/// What a call for each droid costs; the droids are started by the calls.
async fn watched_by_many(settings: &Settings) -> Result<Cost> {
    let fake = fake(settings).await?;
    let server = server(settings, &fake, "many").await?;
    call(&server, "list_droids", &json!({})).await?;
    let before = server.rss_mb();
    let mut waiting = Vec::new();
    for number in 0..WATCHED {
        let arguments = json!({ "prompt": format!("{number} [fake:work=3600000]"), "pollIntervalSeconds": LOOK_S, "timeoutSeconds": 3600 });
        waiting.push(begin(&server, "spawn_and_watch", &arguments).await?);
    }
    let until = Instant::now() + Duration::from_secs(120);
    while call(&server, "list_swarms", &json!({})).await?["count"] != WATCHED {
        if Instant::now() > until {
            bail!("not all droids were started");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let cost = cost(&server, &fake, before).await;
    drop(waiting);
    cost
}

/// What watching costs.
struct Cost {
    /// Memory over what was there before, MB.
    memory: f64,
    /// Processor time, percent of one.
    cpu: f64,
    /// Requests to Factory, for each droid and time between two looks.
    requests: f64,
}

async fn cost(server: &Server, fake: &Server, before: f64) -> Result<Cost> {
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (cpu, asked, began) = (server.cpu(), requests(fake).await?, Instant::now());
    tokio::time::sleep(WINDOW).await;
    let (time, asked) = (began.elapsed().as_secs_f64(), requests(fake).await? - asked);
    let looks = WATCHED as f64 * time / LOOK_S as f64;
    Ok(Cost { memory: server.rss_mb() - before, cpu: (server.cpu() - cpu) / time * 100.0, requests: asked / looks })
}

/// How many requests the fake was sent so far.
async fn requests(fake: &Server) -> Result<f64> {
    let mut stream = TcpStream::connect(("127.0.0.1", fake.port)).await?;
    stream.write_all(b"GET /_fake HTTP/1.1\r\nHost: localhost\r\n\r\n").await?;
    let mut buffer = Vec::new();
    let body = crate::load::answer(&mut stream, &mut buffer).await?;
    let seen: Value = serde_json::from_slice(&buffer[body..])?;
    seen["requests"].as_f64().context("the fake does not say what it was asked")
}

/// Sends a call whose answer is not waited for.
async fn begin(server: &Server, tool: &str, arguments: &Value) -> Result<TcpStream> {
    let params = format!(r#""name":"{tool}","arguments":{arguments}"#);
    let request = Request::mcp(server.port, "tools/call", Some(tool), &params, None, "");
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).await?;
    stream.write_all(request.bytes()).await?;
    Ok(stream)
}

/// The structured answer of a call that ends before its answer would become a stream.
async fn call(server: &Server, tool: &str, arguments: &Value) -> Result<Value> {
    let mut stream = begin(server, tool, arguments).await?;
    let mut buffer = Vec::new();
    let body = crate::load::answer(&mut stream, &mut buffer).await?;
    let text = String::from_utf8_lossy(&buffer[body..]).into_owned();
    let json = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap_or(&text);
    let message: Value = serde_json::from_str(json).with_context(|| format!("{tool} answered {text}"))?;
    if message["result"]["isError"] == true || message["error"].is_object() {
        bail!("{tool}: {message}");
    }
    Ok(message["result"]["structuredContent"].clone())
}
