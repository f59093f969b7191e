//! What is somebody's alone stays theirs: lists that others see less of, and names of servers that were somebody else's before.

use serde_json::{Value, json};

use super::Plane;
use super::identity::{CREATE, key, with};
use crate::postgres::Database;
use crate::world::{World, service};

fn spec() -> Value {
    let put = "export default ({ value }, { state }) => state.set('kept', value)";
    let get = "export default async (_, { state }) => (await state.get('kept')) ?? 'nothing'";
    let value = json!({"value": {"type": "string", "required": true}});
    json!({"name": "shared", "state": {}, "tools": [
        {"name": "put", "description": "Keeps", "parameters": value, "script": {"code": put, "write": true}},
        {"name": "get", "description": "Gives", "parameters": {}, "script": {"code": get}},
    ]})
}

#[test]
fn whoever_takes_the_name_of_a_removed_server_finds_nothing_of_it() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    let (bob, carol) = (key(&world, "bob", CREATE), key(&world, "carol", CREATE));
    let make = |of: &Value| {
        assert_eq!(with(&plane, of, "POST", "/mcp/create", &json!({"spec": spec()})).status, 201);
        assert_eq!(with(&plane, of, "POST", "/mcp/deploy/shared", &json!({})).json()["state"], "running");
    };
    let call = |of: &Value, tool: &str, arguments: Value| {
        let path = format!("/mcp/servers/shared/tools/{tool}");
        with(&plane, of, "POST", &path, &json!({"arguments": arguments})).body
    };
    let rows =
        |of: &Value| with(&plane, of, "GET", "/mcp/usage?server=shared&by=caller", &Value::Null).json()["rows"].clone();
    make(&bob);
    call(&bob, "put", json!({"value": "a secret of bob's"}));
    assert!(call(&bob, "get", json!({})).contains("a secret of bob's"));
    assert_eq!(rows(&bob)[0]["calls"], 2);
    call(&bob, "get", json!({}));
    assert_eq!(with(&plane, &bob, "DELETE", "/mcp/servers/shared", &Value::Null).status, 200);
    make(&carol);
    assert_eq!(rows(&carol), json!([]));
    let found = call(&carol, "get", json!({}));
    assert!(found.contains("nothing") && !found.contains("secret"), "{found}");
    assert!(!with(&plane, &carol, "GET", "/mcp/servers/shared/logs", &Value::Null).body.contains("put"));
}

#[test]
fn lists_that_depend_on_the_caller_are_kept_by_nobody_between() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    let bob = key(&world, "bob", CREATE);
    assert_eq!(with(&plane, &bob, "POST", "/mcp/create", &json!({"spec": spec()})).status, 201);
    assert_eq!(with(&plane, &bob, "POST", "/mcp/deploy/shared", &json!({})).status, 200);
    let bearer = format!("Bearer {}", bob["key"].as_str().unwrap());
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/list"),
    ];
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {},
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}).to_string();
    for path in ["/mcp", "/servers/shared/mcp"] {
        for _ in 0..2 {
            let listed = plane.send("POST", path, &headers, &body).json();
            assert_eq!(listed["result"]["cacheScope"], "private", "{path}: {listed}");
            assert!(listed["result"]["tools"].as_array().is_some_and(|tools| !tools.is_empty()), "{path}: {listed}");
        }
    }
}

#[test]
fn what_a_server_left_at_another_control_plane_goes_with_it_and_nothing_of_the_next_one_does() {
    let test = "what_a_server_left_at_another_control_plane_goes_with_it_and_nothing_of_the_next_one_does";
    let Some(server) = service("MCP_FACTORY_TEST_POSTGRES", test) else { return };
    let database = Database::new(server);
    let (mut one, mut two) = (World::new(), World::new());
    for world in [&mut one, &mut two] {
        world.set("MCP_FACTORY_STORE", &database.url());
    }
    let (first, mut second) = (Plane::start(&one), Plane::start(&two));
    let state = |world: &World| world.home().join("state/shared.db");
    let make = || {
        assert_eq!(first.post("/mcp/create", &json!({"spec": spec()})).status, 201);
        assert_eq!(first.post("/mcp/deploy/shared", &json!({})).json()["state"], "running");
    };
    let gone = |world: &World| super::policies::until_within(10, "the end of the files", || !state(world).exists());
    let remove = || assert_eq!(first.send("DELETE", "/mcp/servers/shared", &[], "").status, 200);

    make();
    super::policies::until_within(10, "the server", || put(&second, "old"));
    assert!(state(&two).exists());
    remove();
    gone(&two);

    // One of the same name that is made before the other control plane looks again.
    make();
    super::policies::until_within(10, "the server", || put(&second, "old"));
    remove();
    make();
    super::policies::until_within(10, "the next server", || get(&second).contains("nothing"));
    assert!(put(&second, "new") && get(&second).contains("new"));
    // What is the next one's stays, also when others come and go, and when the process is another one.
    assert_eq!(first.post("/mcp/create", &json!({"spec": super::durable::spec("other")})).status, 201);
    std::thread::park_timeout(std::time::Duration::from_millis(600));
    assert!(get(&second).contains("new"));
    second.kill();
    let mut second = Plane::start(&two);
    super::policies::until_within(10, "the server", || get(&second).contains("new"));

    // It is removed while the other control plane does not run.
    second.kill();
    remove();
    assert!(state(&two).exists());
    let _second = Plane::start(&two);
    gone(&two);
}

/// Has the server remember something, over its own address.
fn put(plane: &Plane, value: &str) -> bool {
    called(plane, "put", &json!({"value": value})).is_some_and(|answer| !answer.contains("isError\":true"))
}

fn get(plane: &Plane) -> String {
    called(plane, "get", &json!({})).unwrap_or_default()
}

/// The answer of a tool of the server `shared`, where it runs.
fn called(plane: &Plane, tool: &str, arguments: &Value) -> Option<String> {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string();
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", tool),
    ];
    let answer = plane.send("POST", "/servers/shared/mcp", &headers, &body);
    (answer.status == 200).then_some(answer.body)
}
