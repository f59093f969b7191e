//! The droid swarm server as people run it: the binary, beside a fake of Factory in a process of its own.

mod connectors;
mod killed;
mod owners;
mod tasks;
mod told;
mod watching;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::World;

/// Longest wait for something that has to come.
const PATIENCE: Duration = Duration::from_secs(100);

/// A process that serves HTTP. It is killed when it is dropped.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    /// Starts a command that tells as JSON at which URL it serves.
    fn start(world: &World, words: &[&str]) -> Self {
        let mut child = world
            .command(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut told = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let told = loop {
            assert!(lines.read_line(&mut told).expect("it talks") > 0, "it ended: {told}");
            if let Ok(value) = serde_json::from_str::<Value>(&told) {
                break value;
            }
        };
        let address = told["url"].as_str().expect("a URL").trim_start_matches("http://").to_owned();
        Self { child, address }
    }

    /// Ends it without a word, as a power cut does.
    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What a request was answered.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}\n{}", self.head, self.body))
    }
}

/// Sends a request and reads the whole answer; nothing when the server is not there or goes away.
fn ask(address: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n{more}\r\n{body}").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// A fake of Factory.
struct Fake(Process);

impl Fake {
    fn start(world: &World, arguments: &[&str]) -> Self {
        let all: Vec<&str> = ["fake", "factory-api", "--output", "json"].iter().chain(arguments).copied().collect();
        Self(Process::start(world, &all))
    }

    /// Orders failures.
    fn order(&self, order: &Value) {
        let answer = ask(&self.0.address, "POST", "/_fake", &[], &order.to_string()).expect("the fake answers");
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// What it was asked so far.
    fn seen(&self) -> Value {
        ask(&self.0.address, "GET", "/_fake", &[], "").expect("the fake answers").json()
    }

    /// The prompts that it was sent.
    fn prompts(&self) -> Vec<String> {
        let seen = self.seen();
        let prompts = seen["prompts"].as_array().into_iter().flatten();
        prompts.filter_map(|one| one["text"].as_str().map(str::to_owned)).collect()
    }
}

/// A world with a fake, whose address the server has.
fn world(arguments: &[&str]) -> (World, Fake) {
    let mut world = World::new();
    let fake = Fake::start(&world, arguments);
    world.set("FACTORY_API_URL", &format!("http://{}/api/v0", fake.0.address));
    world.set("FACTORY_API_KEY", "fk-fake");
    (world, fake)
}

/// The server over HTTP.
fn serve(world: &World, arguments: &[&str]) -> Process {
    let all = ["run", "factory_droid_swarm", "--transport", "http", "--port", "0"];
    let all: Vec<&str> = all.iter().chain(arguments).copied().collect();
    let mut child = world
        .command(&all)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut messages = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut told = String::new();
    let address = loop {
        let mut line = String::new();
        assert!(messages.read_line(&mut line).expect("the server talks") > 0, "it ended: {told}");
        if let Some((_, url)) = line.split_once("is served at http://") {
            break url.trim().split('/').next().unwrap_or_default().to_owned();
        }
        told.push_str(&line);
    };
    // What it says later is for nobody, and must not fill the pipe.
    std::thread::spawn(move || std::io::copy(&mut messages, &mut std::io::sink()));
    Process { child, address }
}

/// A request of the stateless revision, from a client with these capabilities.
fn request(address: &str, method: &str, name: &str, params: Value, capabilities: &Value) -> Option<Value> {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", "application/json"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", method),
        ("Mcp-Name", name),
    ];
    Some(ask(address, "POST", "/mcp", &headers, &body)?.json())
}

/// The structured answer of a tool that has to succeed.
fn call(address: &str, tool: &str, arguments: &Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    let answer = request(address, "tools/call", tool, params, &json!({})).expect("an answer");
    assert!(!answer["result"]["isError"].as_bool().unwrap_or_default(), "{tool}: {answer}");
    answer["result"]["structuredContent"].clone()
}

/// Looks again and again until something is there.
fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what} does not come");
        // It is another process that is waited for.
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn a_swarm_of_the_longest_prompts_gets_in_and_what_is_longer_is_told_the_limit() {
    let (world, _fake) = world(&[]);
    let server = serve(&world, &[]);
    let prompts = |length: usize| json!({ "prompts": vec!["x".repeat(length); 50], "dryRun": true });
    assert_eq!(call(&server.address, "spawn_swarm", &prompts(100_000))["requested"], 50);
    let params = json!({ "name": "spawn_swarm", "arguments": prompts(200_000) });
    let answer = request(&server.address, "tools/call", "spawn_swarm", params, &json!({})).expect("an answer");
    let said = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(said.contains("larger than 8454144 bytes"), "{answer}");
}
