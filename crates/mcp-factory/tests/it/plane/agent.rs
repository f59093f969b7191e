//! The factory's own MCP server: an agent makes, tests and uses a server in one conversation.

use serde_json::{Value, json};

use super::Plane;
use crate::world::World;

/// A conversation of a client of the revision 2025-06-18.
pub(super) struct Agent<'a> {
    plane: &'a Plane,
    path: &'a str,
    session: String,
    sent: u64,
}

impl<'a> Agent<'a> {
    pub(super) fn connect(plane: &'a Plane, path: &'a str) -> (Self, Value) {
        let mut agent = Self { plane, path, session: String::new(), sent: 0 };
        let hello =
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let about = agent.ask("initialize", &hello);
        agent.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        (agent, about)
    }

    fn post(&mut self, message: &Value) -> super::client::Answer {
        let mut headers = vec![("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
        let session = self.session.clone();
        if !session.is_empty() {
            headers.push(("Mcp-Session-Id", session.as_str()));
        }
        let answer = self.plane.send("POST", self.path, &headers, &message.to_string());
        if let Some(session) = answer.header("mcp-session-id") {
            session.clone_into(&mut self.session);
        }
        answer
    }

    /// Names the session.
    pub(super) fn session(&self) -> &str {
        &self.session
    }

    pub(super) fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.sent += 1;
        let answer = self.post(&json!({"jsonrpc": "2.0", "id": self.sent, "method": method, "params": params}));
        let text = match answer.header("content-type") {
            Some("text/event-stream") => {
                let mut data = answer.body.lines().filter_map(|line| line.strip_prefix("data: "));
                data.next_back().expect("an event").to_owned()
            }
            _ => answer.body.clone(),
        };
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {}", answer.body));
        assert!(value["error"].is_null(), "{value}");
        value["result"].clone()
    }

    pub(super) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({"name": tool, "arguments": arguments}))
    }
}

#[test]
fn an_agent_makes_tests_and_uses_a_server_in_one_conversation() {
    let world = World::with_shop();
    let plane = Plane::start(&world);
    let (mut agent, about) = Agent::connect(&plane, "/mcp");
    assert_eq!(about["serverInfo"]["name"], "mcp-factory");
    assert!(about["instructions"].as_str().is_some_and(|text| text.contains("create_server")), "{about}");

    let tools = agent.ask("tools/list", &json!({}))["tools"].clone();
    let tool = |name: &str| tools.as_array().unwrap().iter().find(|tool| tool["name"] == name).cloned().unwrap();
    assert_eq!(tool("list_servers")["annotations"]["readOnlyHint"], true);
    assert_eq!(tool("remove_server")["annotations"]["destructiveHint"], true);
    assert_eq!(tool("create_server")["annotations"]["destructiveHint"], false);
    assert_eq!(tool("create_server")["outputSchema"]["type"], "object");
    // What the conversation makes is seen at once: nothing is kept for a time.
    let listed = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}}"#;
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/list"),
    ];
    assert_eq!(plane.send("POST", "/mcp", &headers, listed).json()["result"]["ttlMs"], 0);

    let template = agent.call("get_template", &json!({"name": "hello"}));
    let spec = template["structuredContent"]["spec"].clone();
    let made = agent.call("create_server", &json!({"spec": spec}));
    assert_eq!(made["structuredContent"]["result"], "created", "{made}");
    let tested = agent.call("test_server", &json!({"subject": {"from": "server", "name": "hello"}}));
    assert_eq!(tested["structuredContent"]["failed"], 0, "{tested}");
    let called = agent.call("call_tool", &json!({"server": "hello", "tool": "greet", "arguments": {}}));
    assert_eq!(called["structuredContent"]["text"], "Hello from MCP Factory.", "{called}");

    let shop = include_str!("../shop.yaml");
    assert_eq!(agent.call("create_server", &json!({"spec": shop}))["structuredContent"]["result"], "created");
    let called = agent.call("call_tool", &json!({"server": "shop", "tool": "get_product", "arguments": {"id": 3}}));
    assert_eq!(called["structuredContent"]["isError"], false, "{called}");
    assert_eq!(called["structuredContent"]["structured"]["id"], 3, "{called}");
}

/// The names of the tools of servers that a client sees.
fn tools_of_servers(agent: &mut Agent<'_>) -> Vec<String> {
    let listed = agent.ask("tools/list", &json!({}));
    let names = listed["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
    names.filter(|name| name.contains("__")).collect()
}

/// A server with one tool in a group of this name.
fn grouped(name: &str, group: &str) -> Value {
    let mut spec = super::durable::spec(name);
    spec["groups"] = json!({group: ["greet"]});
    spec
}

#[test]
fn tools_of_deployed_servers_are_tools_of_the_factory() {
    let world = World::new();
    let plane = Plane::start(&world);
    let (mut agent, about) = Agent::connect(&plane, "/mcp");
    assert_eq!(about["capabilities"]["tools"]["listChanged"], true);
    assert!(tools_of_servers(&mut agent).is_empty());
    for (name, group) in [("a-mcp", "sales"), ("b-mcp", "stock")] {
        agent.call("create_server", &json!({"spec": grouped(name, group)}));
        let deployed = agent.call("deploy_server", &json!({"name": name}));
        assert_eq!(deployed["structuredContent"]["state"], "running", "{deployed}");
    }
    assert_eq!(tools_of_servers(&mut agent), ["a-mcp__greet", "b-mcp__greet"]);
    assert_eq!(agent.call("b-mcp__greet", &json!({}))["content"][0]["text"], "I am b-mcp.");
    let log =
        plane.until("/mcp/servers/b-mcp/logs", |log| log["entries"].as_array().is_some_and(|all| !all.is_empty()));
    assert_eq!(log["entries"][0]["tool"], "greet", "{log}");

    for (path, names) in [
        ("/mcp?servers=b-mcp", vec!["b-mcp__greet"]),
        ("/mcp/groups/sales", vec!["a-mcp__greet"]),
        ("/mcp/groups/servers", vec!["a-mcp__greet", "b-mcp__greet"]),
        ("/mcp/groups/servers?servers=a-mcp", vec!["a-mcp__greet"]),
        ("/mcp/groups/platform", vec![]),
        ("/mcp?tools=platform", vec![]),
    ] {
        let (mut chosen, _) = Agent::connect(&plane, path);
        assert_eq!(tools_of_servers(&mut chosen), names, "{path}");
        let all = chosen.ask("tools/list", &json!({}))["tools"].as_array().map(Vec::len).unwrap();
        assert_eq!(all > names.len(), !(path.contains("groups/s")), "{path}: {all}");
    }
    let headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    for (path, words) in [
        ("/mcp?servers=c-mcp", ["`c-mcp`", "a-mcp, b-mcp"]),
        ("/mcp?servers=a-mcp,b-mpc", ["`b-mpc`", "did you mean `b-mcp`?"]),
        ("/mcp/groups/zzz", ["`zzz`", "sales, stock"]),
        ("/mcp?groups=zzz", ["`zzz`", "sales, stock"]),
    ] {
        let refused = plane.send("POST", path, &headers, r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list"}"#);
        let why = refused.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(refused.status == 404 && why.starts_with("MF1031"), "{path}: {} {}", refused.status, refused.body);
        assert!(words.iter().all(|word| why.contains(word)), "{path}: {why}");
    }
    let refused = plane.send("POST", "/mcp?server=a", &headers, "{}");
    assert_eq!((refused.status, refused.body.contains("`servers`")), (400, true), "{}", refused.body);

    agent.call("stop_server", &json!({"name": "a-mcp"}));
    assert_eq!(tools_of_servers(&mut agent), ["b-mcp__greet"]);
    let (mut chosen, _) = Agent::connect(&plane, "/mcp?servers=a-mcp,b-mcp");
    assert_eq!(tools_of_servers(&mut chosen), ["b-mcp__greet"], "what is stopped is there");
}

#[test]
fn a_server_with_a_key_of_its_own_is_listed_for_whoever_runs_the_platform() {
    let mut world = World::new();
    world.set("A_MCP_API_KEY", "a-long-secret-key");
    let plane = Plane::start(&world);
    let (mut agent, _) = Agent::connect(&plane, "/mcp");
    let mut keyed = super::durable::spec("a-mcp");
    keyed["auth"] = json!({"type": "api_key", "header": "X-API-Key"});
    agent.call("create_server", &json!({"spec": keyed}));
    agent.call("deploy_server", &json!({"name": "a-mcp"}));
    assert_eq!(tools_of_servers(&mut agent), ["a-mcp__greet"]);
}

#[test]
fn a_large_fleet_is_listed_only_where_it_is_chosen() {
    let world = World::new();
    let plane = Plane::start(&world);
    let (mut agent, _) = Agent::connect(&plane, "/mcp");
    let tools: Vec<Value> = (0..129)
        .map(|nth| json!({"name": format!("t{nth}"), "description": "Says hello", "parameters": {}, "reply": {"text": "x"}}))
        .collect();
    agent.call("create_server", &json!({"spec": {"name": "many-mcp", "tools": tools}}));
    agent.call("deploy_server", &json!({"name": "many-mcp"}));
    assert!(tools_of_servers(&mut agent).is_empty(), "a part would be taken for the whole");
    let called = agent.call("call_tool", &json!({"server": "many-mcp", "tool": "t7", "arguments": {}}));
    assert_eq!(called["structuredContent"]["isError"], false, "{called}");
    let (mut chosen, _) = Agent::connect(&plane, "/mcp?servers=many-mcp");
    assert_eq!(tools_of_servers(&mut chosen).len(), 129);
    assert_eq!(chosen.call("many-mcp__t7", &json!({}))["content"][0]["text"], "x");
}

#[test]
fn a_failure_tells_the_agent_where_and_what_to_do() {
    let world = World::new();
    let plane = Plane::start(&world);
    let (mut agent, _) = Agent::connect(&plane, "/mcp-stream/mcp");
    let failed = agent.call("create_server", &json!({"spec": "name: bad\ntools:\n  - nam: x\n"}));
    assert_eq!(failed["isError"], true);
    let text = failed["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("<spec>:3:5") && text.contains("MF1001") && text.contains("hint:"), "{text}");
    let failed = agent.call("get_server", &json!({"name": "none"}));
    assert!(failed["content"][0]["text"].as_str().unwrap().contains("MF1002"), "{failed}");
    let failed = agent.call("list_servers", &json!({"limit": "many"}));
    assert!(failed["content"][0]["text"].as_str().unwrap().contains("MF1030"), "{failed}");
}

#[test]
fn an_agent_tries_first_and_repeats_without_harm() {
    let world = World::new();
    let plane = Plane::start(&world);
    let (mut agent, _) = Agent::connect(&plane, "/mcp");
    let tools = agent.ask("tools/list", &json!({}))["tools"].clone();
    let taken = |name: &str| {
        let tool = tools.as_array().unwrap().iter().find(|tool| tool["name"] == name).unwrap();
        let properties = tool["inputSchema"]["properties"].as_object().unwrap();
        (properties.contains_key("dryRun"), properties.contains_key("idempotencyKey"))
    };
    assert_eq!(taken("list_servers"), (false, false));
    for tool in ["create_server", "deploy_server", "stop_server", "remove_server"] {
        assert_eq!(taken(tool), (true, true), "{tool}");
    }

    let spec = super::durable::spec("a-mcp");
    agent.call("create_server", &json!({"spec": spec}));
    for tries in [json!(true), json!("true")] {
        let tried = agent.call("deploy_server", &json!({"name": "a-mcp", "dryRun": tries}));
        assert_eq!(tried["isError"], Value::Null, "{tried}");
    }
    assert!(tools_of_servers(&mut agent).is_empty(), "it was only tried");
    let refused = agent.call("deploy_server", &json!({"name": "a-mcp", "dryRun": "perhaps"}));
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("MF1030"), "{refused}");
    let refused = agent.call("deploy_server", &json!({"name": "a-mcp", "idempotencyKey": 5}));
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("Idempotency-Key"), "{refused}");

    let key = "0b6f0f0e-9a0b-4b7c";
    let tried = json!({"spec": super::durable::spec("b-mcp"), "idempotencyKey": key, "dryRun": true});
    assert_eq!(agent.call("create_server", &tried)["structuredContent"]["dryRun"], true);
    let create = json!({"spec": super::durable::spec("b-mcp"), "idempotencyKey": key});
    let made = agent.call("create_server", &create);
    assert_eq!(made["structuredContent"]["result"], "created", "{made}");
    agent.call("remove_server", &json!({"name": "b-mcp"}));
    assert_eq!(agent.call("create_server", &create), made, "the answer of then");
    let gone = agent.call("get_server", &json!({"name": "b-mcp"}));
    assert!(gone["content"][0]["text"].as_str().unwrap().contains("MF1002"), "it was not made again: {gone}");
    let other = agent.call("create_server", &json!({"spec": spec, "idempotencyKey": key}));
    assert!(other["content"][0]["text"].as_str().unwrap().contains("used for another request"), "{other}");

    let bad = json!({"name": "none", "idempotencyKey": "another"});
    let failed = agent.call("stop_server", &bad);
    assert!(failed["content"][0]["text"].as_str().unwrap().contains("MF1002"), "{failed}");
    assert_eq!(agent.call("stop_server", &bad), failed);
}

#[test]
fn older_clients_find_their_pairs_of_paths() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let world = World::new();
    let plane = Plane::start(&world);
    for (stream, messages) in [("/mcp/sse", "/mcp/messages"), ("/api/mcp/sse", "/api/mcp/messages")] {
        let mut socket = std::net::TcpStream::connect(&plane.address).expect("a connection");
        let head = format!("GET {stream} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n\r\n", plane.address);
        socket.write_all(head.as_bytes()).expect("a request");
        let mut lines = BufReader::new(socket).lines().map_while(Result::ok);
        let endpoint = lines.find(|line| line.starts_with("data: ")).expect("an endpoint");
        let path = endpoint.trim_start_matches("data: ").trim().to_owned();
        assert!(path.contains(messages), "{path}");
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
        assert_eq!(plane.post(&path, &hello).status, 202);
        let answer = lines.find(|line| line.starts_with("data: ")).expect("an answer");
        assert!(answer.contains("\"mcp-factory\""), "{answer}");
    }
}
