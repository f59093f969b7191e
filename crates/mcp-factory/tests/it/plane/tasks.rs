//! Tasks of deployed servers: they belong to whoever began them, and go on after `kill -9`.

use serde_json::{Value, json};

use super::Plane;
use super::policies::{key, until_within};
use crate::world::World;

const SCOPES: &str = "servers:read,servers:write,servers:call";

/// A server with a tool that says who calls, after a while that it rests.
fn spec() -> Value {
    let code = "export default async function run({ name }, { again, state, task }, rested) {\n\
                if (rested === undefined) await state.set(`begun/${name}`, await task());\n\
                const go = await state.get(`go/${name}`);\n\
                if (go === null) return again(true, { inMs: 200 });\n\
                return { name, task: await task(), begun: await state.get(`begun/${name}`) };\n}";
    let go = "export default ({ name }, { state }) => state.set(`go/${name}`, true)";
    let name = json!({"name": {"type": "string", "required": true}});
    json!({"name": "slow", "state": {}, "tools": [
        {"name": "work", "description": "Works", "parameters": name, "task": "resumed", "script": {"code": code, "write": true}},
        {"name": "go", "description": "Lets it end", "parameters": name, "script": {"code": go, "write": true}},
    ]})
}

/// Asks the deployed server as a client that knows tasks.
fn ask(plane: &Plane, bearer: &str, method: &str, name: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
    });
    let headers = [
        ("Authorization", bearer),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", method),
        ("Mcp-Name", name),
    ];
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    plane.send("POST", "/servers/slow/mcp", &headers, &body).json()
}

fn start(plane: &Plane, bearer: &str, name: &str) -> String {
    let begun = ask(plane, bearer, "tools/call", "work", json!({"name": "work", "arguments": {"name": name}}));
    assert_eq!(begun["result"]["status"], "working", "{begun}");
    begun["result"]["taskId"].as_str().expect("an id").to_owned()
}

fn about(plane: &Plane, bearer: &str, id: &str) -> Value {
    ask(plane, bearer, "tasks/get", id, json!({"taskId": id}))
}

#[test]
fn a_task_goes_on_after_kill_9_and_is_its_callers_alone() {
    let world = World::new();
    let mut plane = Plane::start_with(&world, &["--auth", "keys"]);
    // Two programs of one owner: each may use the server.
    let (ann, bob) = (key(&world, "ann", SCOPES), key(&world, "ann", SCOPES));
    let create = |path: &str, body: &Value| {
        let headers = [("Authorization", ann.as_str()), ("Content-Type", "application/json")];
        plane.send("POST", path, &headers, &body.to_string())
    };
    assert_eq!(create("/mcp/create", &json!({"spec": spec()})).status, 201);
    assert_eq!(create("/mcp/deploy/slow", &json!({})).json()["state"], "running");
    let id = start(&plane, &ann, "one");
    assert_eq!(about(&plane, &ann, &id)["result"]["status"], "working");
    assert!(about(&plane, &bob, &id)["error"].is_object(), "another's task is not found");
    plane.kill();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    until_within(60, "the task", || about(&plane, &ann, &id)["result"]["status"] == "working");
    assert!(about(&plane, &bob, &id)["error"].is_object(), "nor after the restart");
    let gone = ask(&plane, &bob, "tasks/cancel", &id, json!({"taskId": id}));
    assert!(gone["error"].is_object(), "{gone}");
    let go = ask(&plane, &ann, "tools/call", "go", json!({"name": "go", "arguments": {"name": "one"}}));
    assert!(go["result"]["isError"] != true && go["error"].is_null(), "{go}");
    until_within(60, "its end", || about(&plane, &ann, &id)["result"]["status"] == "completed");
    let ended = about(&plane, &ann, &id);
    let value = &ended["result"]["result"]["structuredContent"];
    assert_eq!(*value, json!({"name": "one", "task": id, "begun": id}), "the same task: {ended}");
}
