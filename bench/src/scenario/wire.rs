//! The protocol path alone.

use serde_json::{Value, json};

use crate::Settings;
use crate::compare::{Comparison, Contender, Plan, measure};
use crate::load::Request;
use crate::peers::{self, KEY};
use crate::report::Table;

const CONNECTIONS: usize = 32;

/// A spec of 100 trivial tools with the schema that the peers use, behind an API key.
pub fn hundred() -> String {
    let auth = json!({"type": "api_key", "envVar": "BENCH_MCP_API_KEY"});
    json!({"name": "bench-mcp", "auth": auth, "tools": tools()}).to_string()
}

/// The same without a key of its own, for the control plane, which asks for one.
pub fn hundred_open() -> String {
    json!({"name": "bench-mcp", "tools": tools()}).to_string()
}

fn tools() -> Vec<Value> {
    (0..100)
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
        .collect()
}

const OURS: &str = "mcp-factory";
const RMCP: &str = "rmcp 3.9.0";
const TYPESCRIPT: &str = "TypeScript SDK 2.4.0";

/// `tools/call` of a trivial tool.
pub async fn call(settings: &Settings) -> Table {
    let params = r#""name":"tool_042","arguments":{"query":"laptop","limit":10}"#;
    let request = move |port, key| Request::mcp(port, "tools/call", Some("tool_042"), params, key, "pong");
    let comparison = all(settings, request).await;
    let mut table = comparison.table();
    table.at_most("server CPU per call, us", comparison.median(OURS, |f| f.cpu_us), 15.0);
    table.at_most("CPU over rmcp's", comparison.ratio(OURS, RMCP, |f| f.cpu_us), 0.5);
    table.at_most("CPU over the TypeScript SDK's", comparison.ratio(OURS, TYPESCRIPT, |f| f.cpu_us), 1.0 / 15.0);
    table
}

/// `tools/list` of 100 tools.
pub async fn list(settings: &Settings) -> Table {
    let request = |port, key| Request::mcp(port, "tools/list", None, "", key, "tool_099");
    let comparison = all(settings, request).await;
    let mut table = comparison.table();
    table.at_most("server CPU per list, us", comparison.median(OURS, |f| f.cpu_us), 20.0);
    table
}

async fn all(
    settings: &Settings,
    request: impl Fn(u16, Option<&'static str>) -> Request + Copy + 'static,
) -> Comparison {
    let one = |name, server, key| Contender { name, server, request: Box::new(move |port| request(port, key)) };
    let contenders = [
        one(OURS, peers::ours(settings, &hundred(), &[]).await, Some(KEY)),
        one(RMCP, peers::rmcp().await, None),
        one(TYPESCRIPT, peers::typescript(settings).await, None),
    ];
    measure(&contenders, Plan::of(settings, CONNECTIONS)).await
}
