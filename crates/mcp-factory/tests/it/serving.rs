//! `run` over its transports, with a small client.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{HELLO, World};

/// A server on standard input and output.
struct Piped {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Piped {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut child = world
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("a pipe"));
        let mut server = Self { child, input, output: BufReader::new(output) };
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let answer = server.request(1, "initialize", hello);
        assert_eq!(answer["result"]["protocolVersion"], "2025-06-18", "{answer}");
        server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        server
    }

    fn send(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("the pipe is open");
        writeln!(input, "{message}").expect("the server reads");
    }

    fn request(&mut self, id: u64, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.next();
            if message["id"] == id {
                return message;
            }
        }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the server writes");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"))
    }

    fn close(mut self) -> Option<i32> {
        drop(self.input.take());
        self.child.wait().expect("the server ends").code()
    }
}

/// The address in the line that says where the server is.
fn told_address(messages: &mut impl BufRead) -> String {
    let mut told = String::new();
    loop {
        let mut line = String::new();
        assert!(messages.read_line(&mut line).expect("the server talks") > 0, "it ended: {told}");
        if let Some((_, url)) = line.split_once("is served at http://") {
            return url.trim().split('/').next().unwrap_or_default().to_owned();
        }
        told.push_str(&line);
    }
}

/// A server on HTTP.
struct Served {
    child: Child,
    address: String,
    messages: BufReader<ChildStderr>,
}

impl Served {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let mut command = world.command(arguments);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut messages = BufReader::new(child.stderr.take().expect("a pipe"));
        let address = told_address(&mut messages);
        Self { child, address, messages }
    }

    /// Status and body of a request.
    fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}", self.address)
            .expect("the server reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("the server answers");
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        (status, body)
    }

    fn call(&self, headers: &str) -> (u16, String) {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "greet", "arguments": {}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}}}});
        let modern = "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: greet\r\n";
        self.request("POST", "/mcp", &format!("{modern}{headers}"), &body.to_string())
    }

    /// Asks the server to end, and gives its exit code and the rest of its messages.
    #[cfg(unix)]
    fn terminate(mut self) -> (Option<i32>, String) {
        let killed = std::process::Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(killed.is_ok_and(|status| status.success()));
        let mut rest = String::new();
        self.messages.read_to_string(&mut rest).expect("its messages");
        (self.child.wait().expect("it ends").code(), rest)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_demonstration_is_right() {
    let world = World::new();
    let shown = world.json(&["demo"]);
    assert_eq!((&shown["ok"], &shown["problems"]), (&true.into(), &json!([])));
    assert_eq!(shown["transports"].as_array().map(Vec::len), Some(3));
    assert!(!world.home().exists(), "the demonstration leaves the home folder alone");
}

#[test]
fn a_file_is_served_over_standard_streams() {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    let mut server = Piped::start(&world, &["run", "./hello.yaml"]);
    let listed = server.request(2, "tools/list", json!({}));
    assert_eq!(listed["result"]["tools"][0]["name"], "greet");
    let answer = server.request(3, "tools/call", json!({"name": "greet", "arguments": {}}));
    assert_eq!(answer["result"]["content"][0]["text"], "Hello.");
    assert_eq!(server.close(), Some(0));
    assert!(!world.home().exists(), "serving a file needs no home folder");
}

#[test]
fn the_transport_is_the_spec_s_unless_the_command_line_names_one() {
    let world = World::new();
    world.write("hello.yaml", &HELLO.replace("tools:", "transport: http\ntools:"));
    let server = Served::start(&world, &["run", "./hello.yaml", "--port", "0"]);
    assert_eq!(server.call("").0, 200);
    world.ok(&["create", "--spec", "hello.yaml"]);
    let stored = Served::start(&world, &["run", "hello", "--port", "0"]);
    assert_eq!(stored.call("").0, 200);
    let mut piped = Piped::start(&world, &["run", "hello", "--transport", "stdio"]);
    assert!(piped.request(2, "tools/list", json!({}))["result"].is_object());
    assert_eq!(piped.close(), Some(0));
    let deployed = Served::start(&world, &["deploy", "hello", "--target", "local", "--port", "0"]);
    assert_eq!(deployed.call("").0, 200);
}

/// What a client's configuration says to start is a server that talks over its standard streams.
#[test]
fn the_lines_for_clients_work_as_they_are_printed() {
    let mut world = World::with_shop();
    world.write("shop.yaml", include_str!("shop.yaml"));
    world.ok(&["create", "--spec", "shop.yaml"]);
    world.set("CLICOLOR_FORCE", "0");
    let told = world.ok(&["demo", "--quiet"]).out;
    let (_, desktop) = told.split_once("claude_desktop_config.json):").expect("lines for Claude Desktop");
    let mut values = serde_json::Deserializer::from_str(desktop).into_iter::<Value>();
    let config = values.next().expect("a document").expect("JSON");
    let entry = &config["mcpServers"]["inventory-mcp"];
    let words: Vec<&str> = entry["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert_eq!(words, ["run", "inventory-mcp", "--transport", "stdio"]);
    let words: Vec<&str> = words.iter().map(|word| if *word == "inventory-mcp" { "shop" } else { word }).collect();
    let mut piped = Piped::start(&world, &words);
    assert!(piped.request(2, "tools/list", json!({}))["result"].is_object());
    assert_eq!(piped.close(), Some(0));
}

#[test]
fn tools_follow_a_watched_file() {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    let mut server = Piped::start(&world, &["run", "./hello.yaml", "--watch"]);
    let listed = server.request(2, "tools/list", json!({}));
    assert_eq!(listed["result"]["tools"].as_array().map(Vec::len), Some(1));
    // A file with errors changes nothing; the next good one does.
    world.write("hello.yaml", "name: [broken");
    world.write("hello.yaml", &format!("{HELLO}  - {{ name: wave, parameters: {{}}, reply: {{ text: Waves. }} }}\n"));
    let start = Instant::now();
    loop {
        let message = server.next();
        if message["method"] == "notifications/tools/list_changed" {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{message}");
    }
    let answer = server.request(3, "tools/call", json!({"name": "wave", "arguments": {}}));
    assert_eq!(answer["result"]["content"][0]["text"], "Waves.");
    assert_eq!(server.close(), Some(0));
}

/// Reads messages until one contains `part`, and gives them.
fn until(messages: &mut impl BufRead, part: &str) -> String {
    let mut told = String::new();
    while !told.contains(part) {
        assert!(messages.read_line(&mut told).expect("the server talks") > 0, "it ended: {told}");
    }
    told
}

#[test]
fn what_a_watched_file_cannot_change_is_said() {
    let world = World::new();
    let file = world.write("hello.yaml", HELLO);
    let mut server = Served::start(&world, &["run", "./hello.yaml", "--watch", "--transport", "http", "--port", "0"]);
    until(&mut server.messages, "Ctrl-C ends it");
    std::fs::remove_file(&file).expect("the file goes");
    until(&mut server.messages, "hello.yaml is gone; the server goes on");
    assert_eq!(server.call("").0, 200);
    // As editors save: a new file takes the place of the old one.
    let next = world.write("next.yaml", &HELLO.replace("tools:", "auth: { type: api_key }\ntools:"));
    std::fs::rename(next, &file).expect("the file comes back");
    let told = until(&mut server.messages, "started again");
    assert!(told.contains("reloaded ./hello.yaml") && told.contains("changes of `auth` take effect"), "{told}");
}

#[test]
fn tools_follow_a_watched_server_of_the_catalogue() {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    world.ok(&["create", "--spec", "hello.yaml"]);
    let mut server = Piped::start(&world, &["run", "hello", "--watch"]);
    let answer = server.request(2, "tools/call", json!({"name": "greet", "arguments": {}}));
    assert_eq!(answer["result"]["content"][0]["text"], "Hello.");
    world.write("hello.yaml", &HELLO.replace("1.0.0", "1.1.0").replace("Says hello", "Says more"));
    world.ok(&["create", "--spec", "hello.yaml"]);
    let first = server.next();
    assert_eq!(first["method"], "notifications/tools/list_changed", "no other list changed: {first}");
    let listed = server.request(3, "tools/list", json!({}));
    assert_eq!(listed["result"]["tools"][0]["description"], "Says more");
    assert_eq!(server.close(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_server_that_ends_tells_what_it_did() {
    let world = World::with_shop();
    world.write(
        "shop.yaml",
        include_str!("shop.yaml")
            .replace(
                "\ntools:",
                "\ntools:\n  - { name: greet, description: Says hello, parameters: {}, reply: { text: Hello. } }",
            )
            .as_str(),
    );
    let mut server = Served::start(&world, &["run", "./shop.yaml", "--watch", "--transport", "http", "--port", "0"]);
    for _ in 0..3 {
        assert_eq!(server.call("").0, 200);
    }
    // The counts go on when the tools are reloaded.
    until(&mut server.messages, "Ctrl-C ends it");
    let text = std::fs::read_to_string(world.path("shop.yaml")).expect("the spec");
    world.write("shop.yaml", &text.replace("Says hello", "Says hello again"));
    until(&mut server.messages, "reloaded");
    assert_eq!(server.call("").0, 200);
    let (code, rest) = server.terminate();
    assert_eq!(code, Some(0), "{rest}");
    let row = rest.lines().find(|line| line.starts_with("greet")).unwrap_or_default();
    let cells: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(cells.get(..3), Some(&["greet", "4", "0"][..]), "{rest}");
}

#[test]
fn http_has_health_and_guards_its_host() {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    let server = Served::start(&world, &["run", "./hello.yaml", "--transport", "http", "--port", "0"]);
    let (status, body) = server.request("GET", "/healthz", "", "");
    let health: Value = serde_json::from_str(&body).unwrap_or_default();
    assert_eq!((status, &health["server"], &health["version"]), (200, &"hello".into(), &"1.0.0".into()), "{body}");
    assert_eq!(server.request("GET", "/nothing", "", "").0, 404);
    let (status, body) = server.call("");
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("Hello."), "{body}");
    assert_eq!(server.call("Origin: https://evil.example\r\n").0, 403);
}

#[test]
fn keys_are_asked_for_over_http_and_not_over_stdio() {
    let mut world = World::new();
    world.set("HELLO_API_KEY", "correct horse");
    world.write("hello.yaml", &HELLO.replace("tools:", "auth: { type: api_key }\ntools:"));
    let server = Served::start(&world, &["run", "./hello.yaml", "--transport", "http", "--port", "0"]);
    assert_eq!(server.call("").0, 401);
    assert_eq!(server.call("X-API-Key: wrong\r\n").0, 401);
    assert_eq!(server.call("X-API-Key: correct horse\r\n").0, 200);
    let mut piped = Piped::start(&world, &["run", "./hello.yaml"]);
    assert!(piped.request(2, "tools/list", json!({}))["result"].is_object());
    assert_eq!(piped.close(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_in_order() {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    let server = Served::start(&world, &["run", "./hello.yaml", "--transport", "sse", "--port", "0"]);
    let start = Instant::now();
    let (code, rest) = server.terminate();
    assert_eq!(code, Some(0), "{rest}");
    assert!(rest.contains("claude mcp add"), "{rest}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_port_in_use_is_an_error_that_says_so() {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let ran = world.run(&["run", "./hello.yaml", "--transport", "http", "--port", &port]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("MF1018") && ran.err.contains("--port 0"), "{}", ran.err);
}

const GROUPED: &str = "name: desk
version: 1.0.0
description: A desk.
auth:
  type: api_key
  keys:
    - {env: ANN_KEY, subject: ann, claims: {tenant: acme}}
    - {env: BOB_KEY, subject: bob}
groups:
  reading: [show]
  writing: []
tools:
  - name: show
    description: Shows a note.
    parameters:
      project: {type: string, required: true, bind: url}
      tenant: {type: string, claim: tenant}
    script: 'export default (args) => args'
  - name: erase
    description: Erases a note.
    groups: [writing]
    parameters: {}
    reply: Erased.
";

impl Served {
    /// Lists tools, or calls one, at a path with a key; the result or the error.
    fn ask(&self, path: &str, key: &str, method: &str, params: Value) -> (u16, Value) {
        let mut params = params;
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}});
        let name = params["name"].as_str().map(|name| format!("Mcp-Name: {name}\r\n")).unwrap_or_default();
        let headers = format!("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: {method}\r\n{name}X-API-Key: {key}\r\n");
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (status, text) = self.request("POST", path, &headers, &body.to_string());
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"));
        (status, answer)
    }

    fn tools(&self, path: &str, key: &str) -> Vec<String> {
        let (status, answer) = self.ask(path, key, "tools/list", json!({}));
        assert_eq!(status, 200, "{answer}");
        let tools = answer["result"]["tools"].as_array().expect("tools").iter();
        tools.map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }
}

#[test]
fn groups_urls_and_claims_of_keys() {
    let mut world = World::new();
    world.set("ANN_KEY", "the-key-of-ann");
    world.set("BOB_KEY", "the-key-of-bob");
    let file = world.write("desk.yaml", GROUPED);
    let file = file.to_str().expect("a path");
    let server = Served::start(&world, &["run", file, "--transport", "http", "--port", "0"]);
    let (ann, bob) = ("the-key-of-ann", "the-key-of-bob");

    assert_eq!(server.tools("/mcp", ann), ["show", "erase"]);
    assert_eq!(server.tools("/servers/desk/mcp", ann), ["show", "erase"]);
    assert_eq!(server.tools("/servers/desk/groups/reading/mcp", ann), ["show"]);
    assert_eq!(server.tools("/servers/desk/groups/writing/mcp", ann), ["erase"]);
    let (_, answer) =
        server.ask("/servers/desk/groups/reading/mcp", ann, "tools/call", json!({"name": "erase", "arguments": {}}));
    assert!(answer["error"]["message"].as_str().expect("an error").contains("erase"), "{answer}");
    let (status, answer) = server.ask("/servers/desk/groups/nothing/mcp", ann, "tools/list", json!({}));
    assert_eq!(
        (status, answer["detail"].as_str()),
        (404, Some("this server has no such group; its groups: reading, writing"))
    );
    assert_eq!(server.ask("/servers/desk/groups/reading/mcp", "no-key", "tools/list", json!({})).0, 401);

    let properties = |path: &str| {
        let (_, answer) = server.ask(path, ann, "tools/list", json!({}));
        answer["result"]["tools"][0]["inputSchema"].clone()
    };
    assert_eq!(properties("/mcp")["required"], json!(["project"]));
    for path in ["/mcp?project=blue", "/servers/desk/groups/reading/mcp?project=blue"] {
        let schema = properties(path);
        assert_eq!((&schema["properties"], schema.get("required")), (&json!({}), None), "{schema}");
        let (_, answer) = server.ask(path, ann, "tools/call", json!({"name": "show", "arguments": {}}));
        assert_eq!(answer["result"]["structuredContent"], json!({"project": "blue", "tenant": "acme"}), "{answer}");
    }
    let given = json!({"name": "show", "arguments": {"project": "red"}});
    let (_, answer) = server.ask("/mcp", ann, "tools/call", given.clone());
    assert_eq!(answer["result"]["structuredContent"]["project"], "red", "{answer}");
    let (_, answer) = server.ask("/mcp?project=blue", ann, "tools/call", given.clone());
    let text = answer["result"]["content"][0]["text"].as_str().expect("a text");
    assert!(answer["result"]["isError"] == true && text.contains("set by the URL"), "{answer}");
    let (status, answer) = server.ask("/mcp?projcet=blue", ann, "tools/list", json!({}));
    let message = answer["error"]["message"].as_str().expect("a message");
    assert!(status == 400 && message.contains("did you mean `project`?"), "{status} {answer}");

    let (_, answer) = server.ask("/mcp", bob, "tools/call", given);
    let text = answer["result"]["content"][0]["text"].as_str().expect("a text");
    assert!(answer["result"]["isError"] == true && text.contains("no claim `tenant`"), "{answer}");
    drop(server);
}

#[test]
fn one_group_on_standard_input_and_output() {
    let mut world = World::new();
    world.set("ANN_KEY", "the-key-of-ann");
    world.set("BOB_KEY", "the-key-of-bob");
    let file = world.write("desk.yaml", GROUPED);
    let file = file.to_str().expect("a path");
    let mut server = Piped::start(&world, &["run", file, "--group", "writing"]);
    let answer = server.request(2, "tools/list", json!({}));
    assert_eq!(answer["result"]["tools"].as_array().map(Vec::len), Some(1), "{answer}");
    let answer = server.request(3, "tools/call", json!({"name": "erase", "arguments": {}}));
    assert_eq!(answer["result"]["content"][0]["text"], "Erased.", "{answer}");
    let answer = server.request(4, "tools/call", json!({"name": "show", "arguments": {"project": "x"}}));
    assert!(answer["error"]["message"].is_string(), "{answer}");
    assert_eq!(server.close(), Some(0));
    let ran = world.run(&["run", file, "--group", "none"]);
    assert!(ran.code != 0 && ran.err.contains("its groups: reading, writing"), "{}", ran.err);
}
