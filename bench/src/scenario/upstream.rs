//! What an HTTP API behind a tool costs, and scripts: many requests at once, start, memory.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::Settings;
use crate::compare::{Contender, Plan, measure};
use crate::load::{Request, window};
use crate::peers::{self, KEY};
use crate::report::Table;

const CONNECTIONS: usize = 16;
/// Requests that the script has under way at once.
const AT_ONCE: u64 = 50;
/// The slowest of the answers, milliseconds; the others are spread evenly below it.
const SLOWEST_MS: u64 = 200;
/// Distinct scripts in one process.
const SCRIPTS: usize = 1000;
const OURS: &str = "mcp-factory";
const BARE: &str = "bare axum + reqwest";

/// An API on a thread of its own: `/price/N` answers at once, `/slow/N` after N milliseconds. It is written here byte by byte, so
/// that it takes little from the processor that it shares with the client.
fn api() -> Result<u16> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            let Ok(listener) = TcpListener::from_std(listener) else { return };
            while let Ok((stream, _)) = listener.accept().await {
                tokio::task::spawn_local(answer(stream));
            }
        });
    });
    Ok(port)
}

async fn answer(mut stream: TcpStream) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let end = loop {
            if let Some(at) = memchr::memmem::find(&buffer, b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await.ok()? == 0 {
                return None;
            }
        };
        let path =
            buffer.split(|byte| *byte == b' ').nth(1).and_then(|path| std::str::from_utf8(path).ok())?.to_owned();
        buffer.drain(..end);
        if let Some(wait) = path.strip_prefix("/slow/").and_then(|text| text.parse().ok()) {
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        let body = r#"{"sku":"SKU-4711","name":"Product number 4711","price":211.99,"stock":17}"#;
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).await.ok()?;
    }
}

fn spec(tools: Vec<Value>) -> String {
    let connections = json!([{ "name": "api", "type": "http", "envVar": "BENCH_API_URL" }]);
    json!({ "name": "bench-mcp", "auth": { "type": "api_key", "envVar": "BENCH_MCP_API_KEY" }, "connections": connections, "tools": tools }).to_string()
}

fn call(port: u16, tool: &str, arguments: &str, expect: &'static str) -> Request {
    let params = format!(r#""name":"{tool}","arguments":{arguments}"#);
    Request::mcp(port, "tools/call", Some(tool), &params, Some(KEY), expect)
}

/// A tool that sends a request, against a bare handler that does.
pub async fn http(settings: &Settings) -> Result<Table> {
    let upstream = format!("http://127.0.0.1:{}", api()?);
    let tool = json!({ "name": "price", "description": "A price", "parameters": { "id": { "type": "integer", "required": true } }, "http": "GET /price/{id}" });
    let ours = peers::ours(settings, &spec(vec![tool]), &[("BENCH_API_URL", &upstream)]).await;
    let bare = |port| Request::post(port, "/mcp", &[], r#"{"id":4711}"#, "SKU-4711");
    let contenders = [
        Contender {
            name: OURS,
            server: ours,
            request: Box::new(|port| call(port, "price", r#"{"id":4711}"#, "SKU-4711")),
        },
        Contender { name: BARE, server: peers::reqwest(&upstream).await, request: Box::new(bare) },
    ];
    let comparison = measure(&contenders, Plan::of(settings, CONNECTIONS)).await;
    let mut table = comparison.table();
    let [ours, bare] = [OURS, BARE].map(|name| comparison.median(name, |figures| figures.cpu_us));
    table.at_most("server CPU over the bare handler's, us", ours.zip(bare).map(|(ours, bare)| ours - bare), 30.0);
    Ok(table)
}

/// A script that has fifty requests under way at once: how long it takes over the slowest of them.
pub async fn fan(settings: &Settings) -> Result<Table> {
    let upstream = format!("http://127.0.0.1:{}", api()?);
    let code = format!(
        "export default async (args, {{ api }}) => {{
           const waits = Array.from({{ length: {AT_ONCE} }}, (_, n) => {SLOWEST_MS} - n * {});
           const all = await Promise.all(waits.map((ms) => api.get('/slow/{{ms}}', {{ params: {{ ms }} }})));
           return {{ count: all.length, last: all.at(-1).sku }};
         }};",
        SLOWEST_MS / AT_ONCE
    );
    let tool = json!({ "name": "fan", "description": "Fifty at once", "parameters": {}, "script": code });
    let server = peers::ours(settings, &spec(vec![tool]), &[("BENCH_API_URL", &upstream)]).await?;
    let request = call(server.port, "fan", "{}", r#""count":50"#);
    window(&server, &request, 1, Duration::from_secs(1)).await.context("warm up")?;
    let figures = window(&server, &request, 1, Duration::from_secs(settings.seconds.max(2))).await?;
    let mut table = Table::new(&["ms", "over the slowest"]);
    let ratio = figures.p50_ms / SLOWEST_MS as f64;
    table.row("50 requests at once by a script, median", &[figures.p50_ms, ratio]);
    table.at_most("time over the slowest answer", Some(ratio), 1.3);
    Ok(table)
}

/// What a script costs over a fixed reply, and what a thousand of them need.
pub async fn script(settings: &Settings) -> Result<Table> {
    let bare = json!({ "name": "reply", "description": "Pong", "parameters": {}, "reply": { "json": { "a": 1 } } });
    let tool = json!({ "name": "script", "description": "Pong", "parameters": {}, "script": "export default () => ({ a: 1 });" });
    let server = peers::ours(settings, &spec(vec![bare, tool]), &[("BENCH_API_URL", "http://127.0.0.1:1")]).await?;
    let mut table = Table::new(&["CPU us", "median ms"]);
    let mut seen = Vec::new();
    for name in ["reply", "script"] {
        let request = call(server.port, name, "{}", r#""a":1"#);
        window(&server, &request, 1, Duration::from_millis(500)).await.context("warm up")?;
        let figures = window(&server, &request, 1, Duration::from_secs(settings.seconds)).await?;
        table.row(&format!("a tool whose action is `{name}`"), &[figures.cpu_us, figures.p50_ms]);
        seen.push(figures.p50_ms);
    }
    table.at_most(
        "a script's start and end over a reply, ms",
        seen.last().zip(seen.first()).map(|(script, reply)| script - reply),
        0.5,
    );
    drop(server);
    let tools = (0..SCRIPTS).map(scripted).collect();
    let began = Instant::now();
    let server = peers::ours(settings, &spec(tools), &[("BENCH_API_URL", "http://127.0.0.1:1")]).await?;
    let loaded = began.elapsed().as_secs_f64() * 1e3;
    let memory = server.rss_mb();
    for n in (0..SCRIPTS).step_by(SCRIPTS / 10) {
        let request = call(server.port, &format!("script_{n}"), r#"{"n":3}"#, r#""sum""#);
        let figures = window(&server, &request, 1, Duration::from_millis(20)).await?;
        if figures.rate == 0.0 {
            bail!("script {n} does not answer");
        }
    }
    let after = server.rss_mb();
    table.row(&format!("{SCRIPTS} distinct scripts: start, ms; memory, MB"), &[loaded, memory]);
    table.row("the same after calls of ten of them, MB", &[0.0, after]);
    table.at_most("1,000 scripts, MB", Some(memory.max(after)), 150.0);
    Ok(table)
}

/// A script of ordinary length, like no other.
fn scripted(n: usize) -> Value {
    let code = format!(
        "const weights = [{n}, 2, 3, 5, 7, 11];
         const score = (row, at) => row.n * weights[at % weights.length] + {n};
         const label = (row) => `${{row.name}}-{n}-${{row.n}}`;
         function group(rows) {{
           const found = new Map();
           for (const row of rows) {{
             const key = row.n % 3 === 0 ? 'third' : row.n % 2 === 0 ? 'even' : 'odd';
             found.set(key, [...(found.get(key) ?? []), label(row)]);
           }}
           return Object.fromEntries(found);
         }}
         export default async function run(args, {{ api, log }}) {{
           const rows = Array.from({{ length: args.n }}, (_, at) => ({{ name: 'row', n: at }}));
           log(`script {n} has ${{rows.length}} rows`);
           const sum = rows.reduce((total, row, at) => total + score(row, at), 0);
           return {{ sum, groups: group(rows) }};
         }}"
    );
    json!({ "name": format!("script_{n}"), "description": "One of many", "parameters": { "n": { "type": "integer", "required": true } }, "script": code })
}
