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
