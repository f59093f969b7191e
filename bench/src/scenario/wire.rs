//! The protocol path alone.

use anyhow::Result;
use serde_json::{Value, json};

use crate::Settings;
use crate::load::{Figures, Request, measure};
use crate::peers::{self, KEY};
use crate::process::Server;
use crate::report::Table;

const CONNECTIONS: usize = 32;

/// A spec of 100 trivial tools with the schema that the peers use, behind an API key.
pub fn hundred() -> String {
    let tools: Vec<Value> = (0..100)
        .map(|n| {
            json!({
                "name": format!("tool_{n:03}"),
                "description": format!("Tool number {n} of the benchmark"),
                "parameters": {
                    "query": {"type": "string", "required": true, "maxLength": 200},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
                },
                "reply": {"text": "pong"},
            })
        })
        .collect();
    json!({"name": "bench-mcp", "auth": {"type": "api_key", "envVar": "BENCH_MCP_API_KEY"}, "tools": tools}).to_string()
}

/// `tools/call` of a trivial tool.
pub async fn call(settings: &Settings) -> Result<Table> {
    let params = r#""name":"tool_042","arguments":{"query":"laptop","limit":10}"#;
    let request = |port, key| Request::mcp(port, "tools/call", Some("tool_042"), params, key, "pong");
    let mut table = all(settings, request).await?;
    let ours = table.figure("mcp-factory", 0);
    let over = |name: &str| Some(ours? / table.figure(name, 0)?);
    let (rmcp, typescript) = (over("rmcp 3.9.0"), over("TypeScript SDK 2.4.0"));
    table.at_most("server CPU per call, us", ours, 15.0);
    table.at_most("ours over rmcp", rmcp, 0.5);
    table.at_most("ours over the TypeScript SDK", typescript, 1.0 / 15.0);
    Ok(table)
}

/// `tools/list` of 100 tools.
pub async fn list(settings: &Settings) -> Result<Table> {
    let request = |port, key| Request::mcp(port, "tools/list", None, "", key, "tool_099");
    let mut table = all(settings, request).await?;
    let ours = table.figure("mcp-factory", 0);
    table.at_most("server CPU per list, us", ours, 20.0);
    Ok(table)
}

async fn all(settings: &Settings, request: impl Fn(u16, Option<&'static str>) -> Request) -> Result<Table> {
    let mut table = Table::new(&["CPU us/call", "calls/s", "p50 ms", "p99 ms", "RSS MB"]);
    let server = peers::ours(settings, &hundred(), &[]).await?;
    let figures = one(settings, &server, &request(server.port, Some(KEY))).await?;
    add(&mut table, "mcp-factory", figures);
    drop(server);
    for (name, server) in
        [("rmcp 3.9.0", peers::rmcp().await), ("TypeScript SDK 2.4.0", peers::typescript(settings).await)]
    {
        match server {
            Ok(server) => add(&mut table, name, one(settings, &server, &request(server.port, None)).await?),
            Err(error) => table.missing(name, &format!("{error:#}")),
        }
    }
    Ok(table)
}

async fn one(settings: &Settings, server: &Server, request: &Request) -> Result<Figures> {
    measure(server, request, CONNECTIONS, settings.seconds, settings.rounds).await
}

/// Adds the figures of one server.
pub fn add(table: &mut Table, name: &str, f: Figures) {
    table.row(name, &[f.cpu_us, f.rate, f.p50_ms, f.p99_ms, f.rss_mb]);
}
