//! Clients that stay connected while another version is switched to.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::Plane;
use super::agent::Agent;
use crate::world::World;

/// Longest wait for a message.
const PATIENCE: Duration = Duration::from_secs(60);

const JSON: (&str, &str) = ("Content-Type", "application/json");
const BOTH: (&str, &str) = ("Accept", "application/json, text/event-stream");

/// What a server sends on a stream.
struct Stream(Receiver<String>);

impl Stream {
    fn open(plane: &Plane, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", plane.address);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let mut socket = TcpStream::connect(&plane.address).expect("a connection");
        socket.write_all(text.as_bytes()).expect("a request");
        let mut lines = BufReader::new(socket).lines().map_while(Result::ok);
        // The server has taken the request up when the head of its answer is here.
        assert!(lines.by_ref().any(|line| line.is_empty()), "no answer");
        let (heard, messages) = channel();
        std::thread::spawn(move || {
            for line in lines {
                match line.strip_prefix("data: ") {
                    Some(data) if heard.send(data.trim_end().to_owned()).is_err() => return,
                    // The last chunk of the answer: the stream has ended.
                    None if line.trim_end() == "0" => return,
                    _ => {}
                }
            }
        });
        Self(messages)
    }

    /// Hears messages until one has all of these words.
    fn until(&self, words: &[&str]) -> String {
        loop {
            let message = self.0.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("{error} before {words:?}"));
            if words.iter().all(|word| message.contains(word)) {
                return message;
            }
        }
    }

    /// Hears messages until there are no more.
    fn ended(&self) {
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => panic!("the stream did not end"),
            }
        }
    }
}

/// A client of 2024-11-05: a stream, and a path to post to.
struct Old<'a> {
    plane: &'a Plane,
    stream: Stream,
    messages: String,
}

impl<'a> Old<'a> {
    fn connect(plane: &'a Plane, path: &str) -> Self {
        let stream = Stream::open(plane, "GET", path, &[("Accept", "text/event-stream")], "");
        let messages = stream.until(&["sessionId="]);
        let old = Self { plane, stream, messages };
        old.post(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}));
        old.stream.until(&["\"id\":1", "serverInfo"]);
        old.post(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        old
    }

    fn post(&self, message: &Value) {
        let answer = self.plane.post(&self.messages, message);
        assert_eq!(answer.status, 202, "{}", answer.body);
    }

    fn says(&self, id: u64) -> String {
        self.post(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "greet"}}));
        self.stream.until(&[&format!("\"id\":{id}")])
    }
}

/// A version of the server `shop-mcp` whose `greet` says this, and whose `wait` waits for `go` of any version.
fn version(number: &str, says: &str, more: &Value) -> Value {
    let wait = format!(
        "export default async (_, {{ state, sleep }}) => {{ await state.set('waits', true); while (!(await state.get('go'))) await sleep(10); return {{ says: '{says}' }}; }};"
    );
    let go = "export default async (_, { state }) => { while (!(await state.get('waits'))) ; await state.set('go', true); return { went: true }; };";
    let script = |name: &str, code: &str| json!({"name": name, "description": "Does it", "parameters": {}, "timeoutMs": 60000, "script": {"write": true, "code": code}});
    let mut spec = json!({"name": "shop-mcp", "version": number, "state": {}, "groups": {"sales": ["greet"]}, "tools": [
        {"name": "greet", "description": format!("Says {says}"), "parameters": {}, "reply": {"text": says}},
        script("wait", &wait), script("go", go)]});
    for (key, value) in more.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    spec
}

fn made(plane: &Plane, spec: &Value) {
    let answer = plane.post("/mcp/create", &json!({"spec": spec, "force": true}));
    assert!(answer.status < 300, "{}", answer.body);
}

fn says(agent: &mut Agent<'_>) -> String {
    agent.call("greet", &json!({}))["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

fn runs(plane: &Plane, version: &str) {
    plane.until("/mcp/servers/shop-mcp", |server| server["deployment"]["version"] == version);
}

/// The stream of a session for what belongs to no request.
fn stream_of(plane: &Plane, path: &str, session: &str) -> Stream {
    Stream::open(plane, "GET", path, &[("Accept", "text/event-stream"), ("Mcp-Session-Id", session)], "")
}

#[test]
fn clients_stay_connected_when_another_version_is_switched_to() {
    let world = World::new();
    let plane = Plane::start(&world);
    made(&plane, &version("1.0.0", "one", &json!({})));
    plane.post("/mcp/deploy/shop-mcp", &json!({}));

    let (mut agent, _) = Agent::connect(&plane, "/servers/shop-mcp/mcp");
    let (mut grouped, _) = Agent::connect(&plane, "/servers/shop-mcp/groups/sales/mcp");
    let (mut pinned, _) = Agent::connect(&plane, "/servers/shop-mcp/versions/1.0.0/mcp");
    let heard = stream_of(&plane, "/servers/shop-mcp/mcp", agent.session());
    let old = Old::connect(&plane, "/servers/shop-mcp/sse");
    let listen = json!({"jsonrpc": "2.0", "id": 7, "method": "subscriptions/listen", "params": {
        "notifications": {"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true},
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}});
    let headers = [JSON, BOTH, ("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "subscriptions/listen")];
    let subscribed = Stream::open(&plane, "POST", "/servers/shop-mcp/mcp", &headers, &listen.to_string());
    subscribed.until(&["acknowledged"]);
    assert_eq!((says(&mut agent), says(&mut grouped)), ("one".to_owned(), "one".to_owned()));
    assert!(old.says(2).contains("one"));

    // A call that runs while another version is switched to.
    let wait = json!({"jsonrpc": "2.0", "id": 99, "method": "tools/call", "params": {"name": "wait"}});
    let session = agent.session().to_owned();
    let running = Stream::open(
        &plane,
        "POST",
        "/servers/shop-mcp/mcp",
        &[JSON, ("Accept", "text/event-stream, application/json;q=0.1"), ("Mcp-Session-Id", &session)],
        &wait.to_string(),
    );

    let prompt = json!({"name": "hello", "messages": [{"role": "user", "text": "Hello"}]});
    let resource = json!({"uri": "shop://about", "name": "about", "text": "A shop"});
    let more = json!({"prompts": [prompt], "resources": [resource]});
    made(&plane, &version("2.0.0", "two", &more));
    runs(&plane, "2.0.0");
    for stream in [&heard, &old.stream, &subscribed] {
        let mut missing = vec!["tools/list_changed", "prompts/list_changed", "resources/list_changed"];
        while !missing.is_empty() {
            let message = stream.until(&["list_changed"]);
            missing.retain(|list| !message.contains(list));
        }
    }
    assert_eq!((says(&mut agent), says(&mut grouped), says(&mut pinned)), ("two".into(), "two".into(), "one".into()));
    assert_eq!(agent.ask("prompts/list", &json!({}))["prompts"][0]["name"], "hello");
    assert!(old.says(3).contains("two"));
    let (_, about) = Agent::connect(&plane, "/servers/shop-mcp/mcp");
    assert_eq!(about["serverInfo"]["version"], "2.0.0", "who connects now hears of the version that answers");

    // The call of before ends where it began, and its client has the result.
    agent.call("go", &json!({}));
    assert!(running.until(&["\"id\":99"]).contains("one"));

    plane.post("/mcp/deploy/shop-mcp", &json!({"rollback": true}));
    assert_eq!((says(&mut agent), says(&mut grouped), says(&mut pinned)), ("one".into(), "one".into(), "one".into()));
    heard.until(&["prompts/list_changed"]);
    subscribed.until(&["prompts/list_changed"]);
    assert!(old.says(4).contains("one"));

    plane.post("/mcp/servers/shop-mcp/stop", &json!({}));
    for stream in [&heard, &old.stream, &subscribed] {
        stream.ended();
    }
    plane.post("/mcp/servers/shop-mcp/start", &json!({}));
    let list = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/list"}).to_string();
    let gone = plane.send("POST", "/servers/shop-mcp/mcp", &[JSON, BOTH, ("Mcp-Session-Id", &session)], &list);
    assert_eq!(gone.status, 404, "{}", gone.body);
}

#[test]
fn clients_connect_again_when_others_may_call_the_next_version() {
    let mut world = World::new();
    world.set("SHOP_MCP_API_KEY", "a-long-secret-key");
    let plane = Plane::start(&world);
    made(&plane, &version("1.0.0", "one", &json!({})));
    plane.post("/mcp/deploy/shop-mcp", &json!({}));
    let (agent, _) = Agent::connect(&plane, "/servers/shop-mcp/mcp");
    let heard = stream_of(&plane, "/servers/shop-mcp/mcp", agent.session());
    let old = Old::connect(&plane, "/servers/shop-mcp/sse");
    made(&plane, &version("2.0.0", "two", &json!({"auth": {"type": "api_key", "header": "X-API-Key"}})));
    heard.ended();
    old.stream.ended();
    let list = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/list"}).to_string();
    let session = [JSON, BOTH, ("Mcp-Session-Id", agent.session()), ("X-API-Key", "a-long-secret-key")];
    assert_eq!(plane.send("POST", "/servers/shop-mcp/mcp", &session, &list).status, 404);
}
