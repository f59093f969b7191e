//! `connect`: a client on standard streams, and a server that is deployed at a control plane.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::Plane;
use super::durable::spec;
use crate::world::World;

/// Longest wait for a message.
const PATIENCE: Duration = Duration::from_secs(60);

const TOOLS: &str = "
name: shop-mcp
version: 1.0.0
connections: [{name: db, type: sqlite, envVar: SHOP_DB}]
tools:
  - name: endless
    description: Never ends by itself.
    connection: db
    parameters: {}
    timeoutMs: 300000
    sql: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n'
  - name: steps
    description: Tells how far it is.
    parameters: {}
    script: 'export default (_, { progress }) => { progress(1, 2, \"half\"); return { done: true }; };'
  - name: forget
    description: Asks first.
    parameters: {}
    ask: Really?
    reply: {text: forgotten}
";

/// A client that started `connect`.
struct Joined {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
}

impl Joined {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = world
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(world.path("connect.log")).expect("a log"))
            .spawn()
            .expect("it starts");
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().expect("a pipe")));
        let (heard, messages) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let message = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"));
                if heard.send(message).is_err() {
                    return;
                }
            }
        });
        Self { child, input, messages }
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input.as_mut().expect("the pipe is open"), "{message}").expect("it reads");
    }

    fn ask(&mut self, id: u64, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    /// Hears messages until one is as wanted.
    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("a message in time");
            if wanted(&message) {
                return message;
            }
        }
    }

    fn answer(&mut self, id: u64) -> Value {
        self.until(|message| message["id"] == id && message["method"].is_null())
    }

    fn initialize(&mut self) -> Value {
        let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}},
            "clientInfo": {"name": "t", "version": "1"}});
        self.ask(1, "initialize", &hello);
        let answer = self.answer(1);
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        answer
    }

    fn calls(&mut self, id: u64, tool: &str) -> Value {
        self.calls_with(id, tool, &json!({}))
    }

    fn calls_with(&mut self, id: u64, tool: &str, arguments: &Value) -> Value {
        self.ask(id, "tools/call", &json!({"name": tool, "arguments": arguments}));
        self.answer(id)
    }

    fn close(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Parameters of a request of 2026-07-28.
fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}, "progressToken": "p"});
    params
}

fn deployed(plane: &Plane, spec: &Value) {
    let made = plane.post("/mcp/create", &json!({"spec": spec}));
    assert!(made.status < 300, "{}", made.body);
    let name = made.json()["name"].as_str().unwrap().to_owned();
    assert_eq!(plane.post(&format!("/mcp/deploy/{name}"), &json!({})).json()["state"], "running");
}

/// How many calls of a tool run, as the control plane counts.
fn running(plane: &Plane, tool: &str) -> bool {
    let line = format!("mcp_factory_tool_calls_in_flight{{server=\"shop-mcp\",tool=\"{tool}\"}} 1");
    plane.get("/metrics").body.contains(&line)
}

#[test]
fn a_session_passes_with_questions_progress_and_cancellation() {
    let world = World::with_shop();
    let plane = Plane::start(&world);
    deployed(&plane, &json!(TOOLS));
    let mut client = Joined::start(&world, &["connect", "shop-mcp"]);
    let opened = client.initialize();
    assert_eq!(opened["result"]["protocolVersion"], "2025-11-25", "{opened}");
    for (option, code, told) in [("--spec-version", 3, "no version zz"), ("--group", 2, "no group `zz`")] {
        let refused = world.run(&["connect", "shop-mcp", option, "zz"]);
        assert!(refused.code == code && refused.err.contains(told), "{}", refused.err);
    }
    // What is no message is answered, as on every other transport.
    for (text, id) in [
        (json!({"jsonrpc": "2.0", "id": 9}), json!(9)),
        (json!({}), Value::Null),
        (json!([]), Value::Null),
        (json!([{"jsonrpc": "2.0", "id": 7, "method": "ping"}]), Value::Null),
    ] {
        client.send(&text);
        let refused = client.until(|message| message["error"].is_object());
        assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32600), &id), "{text} {refused}");
    }

    client.ask(2, "tools/call", &json!({"name": "steps", "arguments": {}, "_meta": {"progressToken": "p"}}));
    let progress = client.until(|message| message["method"] == "notifications/progress");
    assert_eq!(progress["params"]["message"], "half", "{progress}");
    assert_eq!(client.answer(2)["result"]["structuredContent"]["done"], true);

    client.ask(3, "tools/call", &json!({"name": "forget", "arguments": {}}));
    let question = client.until(|message| message["method"] == "elicitation/create");
    assert_eq!(question["params"]["message"], "Really?", "{question}");
    client.send(
        &json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"confirm": true}}}),
    );
    let done = client.answer(3);
    assert!(done["result"]["content"].is_array(), "{done}");

    client.ask(4, "tools/call", &json!({"name": "endless", "arguments": {}}));
    until(|| running(&plane, "endless"));
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}}));
    until(|| !running(&plane, "endless"));
    assert_eq!(client.calls(5, "nothing")["error"]["code"], -32602);
    assert_eq!(client.close(), Some(0));
}

#[test]
fn requests_that_describe_themselves_pass_and_are_cancelled_by_closing() {
    let world = World::with_shop();
    let plane = Plane::start(&world);
    deployed(&plane, &json!(TOOLS));
    let mut client = Joined::start(&world, &["connect", "shop-mcp", "--url", &plane.url]);
    client.ask(1, "server/discover", &modern(json!({})));
    let found = client.answer(1);
    assert!(found["result"]["supportedVersions"].is_array() && found.to_string().contains("\"shop-mcp\""), "{found}");
    client.ask(2, "tools/call", &modern(json!({"name": "steps", "arguments": {}})));
    client.until(|message| message["method"] == "notifications/progress");
    assert_eq!(client.answer(2)["result"]["structuredContent"]["done"], true);
    client.ask(3, "tools/call", &modern(json!({"name": "endless", "arguments": {}})));
    until(|| running(&plane, "endless"));
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}));
    until(|| !running(&plane, "endless"));
    client.ask(4, "subscriptions/listen", &modern(json!({"notifications": {"toolsListChanged": true}})));
    client.until(|message| message["method"] == "notifications/subscriptions/acknowledged");
    let more = TOOLS.replace("description: Asks first.", "description: Asks before.");
    assert!(plane.post("/mcp/create", &json!({"spec": more, "force": true})).status < 300);
    client.until(|message| message["method"] == "notifications/tools/list_changed");
    assert_eq!(client.close(), Some(0), "a subscription holds nobody up");
}

#[test]
fn a_control_plane_that_was_started_again_is_found_again() {
    let world = World::new();
    let mut plane = Plane::start(&world);
    deployed(&plane, &spec("hello"));
    let mut client = Joined::start(&world, &["connect", "hello"]);
    client.initialize();
    assert_eq!(client.calls(2, "greet")["result"]["content"][0]["text"], "I am hello.");
    plane.kill();
    // It is at another address now.
    let plane = Plane::start(&world);
    client.until(|message| message["method"] == "notifications/tools/list_changed");
    assert_eq!(client.calls(3, "greet")["result"]["content"][0]["text"], "I am hello.");
    plane.post("/mcp/servers/hello/stop", &json!({}));
    let failed = client.calls(4, "greet");
    let text = failed["error"]["message"].as_str().unwrap_or_default();
    assert!(text.contains("does not answer") && text.contains("404"), "{failed}");
    plane.post("/mcp/servers/hello/start", &json!({}));
    assert_eq!(client.calls(5, "greet")["result"]["content"][0]["text"], "I am hello.");
}

#[test]
fn without_a_deployment_the_process_serves_and_says_why_it_cannot() {
    let world = World::new();
    world.ok(&["create", "--json", &spec("hello").to_string()]);
    let mut client = Joined::start(&world, &["connect", "hello"]);
    client.initialize();
    assert_eq!(client.calls(2, "greet")["result"]["content"][0]["text"], "I am hello.");
    assert_eq!(client.close(), Some(0));
    assert_eq!(world.run(&["connect", "nothing"]).code, 3);
    assert_eq!(world.run(&["connect"]).code, 1);
    let refused = world.run(&["connect", "hello", "db"]);
    assert_eq!((refused.code, refused.err.contains("--as")), (2, true), "{}", refused.err);

    let plane = Plane::start(&world);
    let mut client = Joined::start(&world, &["connect", "hello"]);
    client.initialize();
    assert_eq!(client.calls(2, "greet")["result"]["content"][0]["text"], "I am hello.");
    let mut client = Joined::start(&world, &["connect"]);
    assert_eq!(client.initialize()["result"]["serverInfo"]["name"], "mcp-factory");
    let refused = world.run(&["connect", "hello", "--url", &plane.url]);
    assert_eq!((refused.code, refused.err.contains("MF1060")), (3, true), "{}", refused.err);
    deployed(&plane, &spec("other"));
    world.ok(&["stop", "other"]);
    let refused = world.run(&["connect", "other"]);
    assert_eq!((refused.code, refused.err.contains("mcp-factory start other")), (3, true), "{}", refused.err);
    let url = plane.url.clone();
    drop(plane);
    assert_eq!(world.run(&["connect", "hello", "--url", &url]).code, 7);
}

#[test]
fn a_key_that_the_server_asks_for_is_shown() {
    let mut world = World::new();
    world.set("HELLO_API_KEY", "a-long-secret-key");
    world.set("WRONG_KEY", "another-long-key");
    let plane = Plane::start(&world);
    let mut keyed = spec("hello");
    keyed["auth"] = json!({"type": "api_key", "header": "X-API-Key"});
    deployed(&plane, &keyed);
    let refused = world.run(&["connect", "hello"]);
    assert_eq!((refused.code, refused.err.contains("--key-header")), (4, true), "{}", refused.err);
    assert!(refused.err.contains("none was sent: ") && !refused.err.contains('{'), "{}", refused.err);
    let refused = world.run(&["connect", "hello", "--key-env", "WRONG_KEY", "--key-header", "X-API-Key"]);
    assert!(refused.code == 4 && refused.err.contains("the key that was sent: "), "{}", refused.err);
    let with = ["connect", "hello", "--key-env", "HELLO_API_KEY", "--key-header", "X-API-Key"];
    let mut client = Joined::start(&world, &with);
    client.initialize();
    assert_eq!(client.calls(2, "greet")["result"]["content"][0]["text"], "I am hello.");
}

#[test]
fn a_client_of_the_factory_is_told_of_new_tools() {
    let world = World::new();
    let plane = Plane::start(&world);
    let mut client = Joined::start(&world, &["connect"]);
    client.initialize();
    client.ask(2, "tools/call", &json!({"name": "create_server", "arguments": {"spec": spec("hello")}}));
    assert_eq!(client.answer(2)["result"]["structuredContent"]["result"], "created");
    // When the stream of such messages is open is not known: something changes until it was heard.
    let mut id = 2;
    loop {
        id += 1;
        let change = if id % 2 == 1 { "deploy_server" } else { "stop_server" };
        client.ask(id, "tools/call", &json!({"name": change, "arguments": {"name": "hello"}}));
        let heard = |message: &Value| message["method"] == "notifications/tools/list_changed";
        let message = client.until(|message| message["id"] == id || heard(message));
        if heard(&message) {
            client.answer(id);
            break;
        }
        assert!(id < 200, "nothing is heard");
    }
    client.calls_with(1000, "deploy_server", &json!({"name": "hello"}));
    assert_eq!(client.calls(1001, "hello__greet")["result"]["content"][0]["text"], "I am hello.");
    drop(plane);
}

/// Waits until something is so.
fn until(so: impl Fn() -> bool) {
    for _ in 0..1200 {
        if so() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(25));
    }
    panic!("it never was so");
}
