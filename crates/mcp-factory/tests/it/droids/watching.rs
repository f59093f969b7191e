//! Many who watch, and one look for all of them.

use serde_json::{Value, json};

use super::{ask, call, serve, world};

const WATCHERS: usize = 20;

#[test]
fn one_look_at_the_list_serves_all_who_watch() {
    let (world, fake) = world(&["--work", "14000"]);
    let server = serve(&world, &[]);
    let watch = |number: usize| {
        let prompt = format!("watched {number}");
        let arguments = json!({ "prompt": prompt, "pollIntervalSeconds": 5, "timeoutSeconds": 600 });
        (prompt, call(&server.address, "spawn_and_watch", &arguments))
    };
    let watch = &watch;
    let told: Vec<(String, Value)> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..WATCHERS).map(|number| scope.spawn(move || watch(number))).collect();
        calls.into_iter().map(|call| call.join().expect("an answer")).collect()
    });
    for (prompt, value) in &told {
        assert_eq!((&value["end"], &value["interrupted"]), (&json!("finished"), &json!(false)), "{value}");
        assert_eq!(value["messages"][0]["text"], *prompt, "each gets its own: {value}");
    }
    let routes = fake.seen()["routes"].clone();
    let count = |route: &str| routes[route].as_u64().unwrap_or_default();
    let looks: u64 = told.iter().filter_map(|(_, value)| value["looks"].as_u64()).sum();
    assert!(count("GET sessions") > 0, "nobody looked at the list: {routes}");
    assert!(count("GET sessions/*") < looks, "each looked for itself: {looks} looks, {routes}");
    assert_eq!(count("POST sessions"), WATCHERS as u64, "{routes}");
}

/// What a call that watches was told of progress, as pairs of how much and of how much, until it ended.
fn told(address: &str, limit: u32) -> Vec<(f64, f64)> {
    let arguments =
        json!({ "prompt": "both", "idempotencyKey": "both", "pollIntervalSeconds": 5, "timeoutSeconds": limit });
    let params = json!({
        "name": "spawn_and_watch",
        "arguments": arguments,
        "_meta": {
            "progressToken": 1,
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params }).to_string();
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "spawn_and_watch"),
    ];
    let answer = ask(address, "POST", "/mcp", &headers, &body).expect("an answer");
    let messages = answer.body.lines().filter_map(|line| line.strip_prefix("data: "));
    let messages: Vec<Value> = messages.filter_map(|message| serde_json::from_str(message).ok()).collect();
    let end = messages.last().expect("it ended");
    assert_eq!(end["result"]["structuredContent"]["end"], "finished", "{end}");
    let progress = messages.iter().map(|message| &message["params"]).filter(|params| params["progress"].is_number());
    progress.map(|params| (params["progress"].as_f64().unwrap(), params["total"].as_f64().unwrap())).collect()
}

#[test]
fn two_who_watch_one_droid_are_each_told_of_their_own_time() {
    let (world, fake) = world(&["--work", "9000"]);
    let server = serve(&world, &[]);
    let address = &server.address;
    let limits: [u32; 2] = [600, 60];
    let all: Vec<_> = std::thread::scope(|scope| {
        let calls: Vec<_> = limits.iter().map(|limit| scope.spawn(move || told(address, *limit))).collect();
        calls.into_iter().map(|call| call.join().expect("an answer")).collect()
    });
    for (limit, told) in limits.into_iter().zip(all) {
        assert!(!told.is_empty() && told.iter().all(|(_, total)| *total == f64::from(limit)), "{limit}: {told:?}");
        assert!(told.is_sorted_by(|one, next| one.0 < next.0), "{limit}: {told:?}");
    }
    assert_eq!(fake.prompts(), ["both"], "it was started once");
}
