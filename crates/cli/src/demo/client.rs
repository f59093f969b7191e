//! A client for each transport: enough of MCP to list and call tools.

use std::process::Stdio;

use operations::{Code, Error};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::http::{Answer, TIMEOUT, send};

/// The client's name, as servers see it.
fn client_info() -> Value {
    json!({ "name": "mcp-factory-demo", "version": env!("CARGO_PKG_VERSION") })
}

fn failed(what: &str) -> Error {
    Error::new(Code::Internal, format!("the demonstration failed: {what}"))
        .hint("`mcp-factory doctor` checks the surroundings; please report what it and this say")
}

/// The result of a response, or what its error says.
fn result(response: &Value) -> Result<Value, Error> {
    match (response.get("result"), response.get("error")) {
        (Some(result), None) => Ok(result.clone()),
        (_, Some(error)) => Err(failed(&format!("the server answered {error}"))),
        _ => Err(failed(&format!("this is no response: {response}"))),
    }
}

fn initialize(revision: &str) -> Value {
    json!({ "protocolVersion": revision, "capabilities": {}, "clientInfo": client_info() })
}

/// Over standard input and output of a child process.
pub(super) struct Pipe {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    next: u64,
}

impl Pipe {
    /// Starts the server and shakes hands.
    pub(super) async fn start(mut command: Command, revision: &str) -> Result<Self, Error> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| failed(&format!("the server cannot be started: {error}")))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("the server has no standard streams"));
        };
        let mut client = Self { child, input, output: BufReader::new(output).lines(), next: 0 };
        client.request("initialize", initialize(revision)).await?;
        client.write(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok(client)
    }

    pub(super) async fn request(&mut self, method: &str, params: Value) -> Result<Value, Error> {
        self.next += 1;
        let id = self.next;
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await?;
        loop {
            let line = tokio::time::timeout(TIMEOUT, self.output.next_line()).await;
            let line = line.map_err(|_| failed(&format!("no answer to {method}")))?;
            let line = line.ok().flatten().ok_or_else(|| failed("the server ended"))?;
            let message: Value =
                serde_json::from_str(&line).map_err(|_| failed(&format!("this is not JSON: {line}")))?;
            if message.get("id") == Some(&json!(id)) {
                return result(&message);
            }
        }
    }

    async fn write(&mut self, message: &Value) -> Result<(), Error> {
        let line = format!("{message}\n");
        self.input.write_all(line.as_bytes()).await.map_err(|error| failed(&format!("cannot write: {error}")))
    }

    /// Closes the input, as clients do, and waits for the server to end by itself.
    pub(super) async fn end(mut self) -> Result<(), Error> {
        drop(self.input);
        match tokio::time::timeout(TIMEOUT, self.child.wait()).await {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(failed(&format!("the server ended with {status}"))),
            _ => Err(failed("the server does not end when its input is closed")),
        }
    }
}

/// A server that was started with an HTTP transport.
pub(super) struct Served {
    child: Child,
    /// The URL that it printed.
    pub(super) url: String,
    _messages: Lines<BufReader<ChildStderr>>,
}

impl Served {
    /// Starts the server and waits for the URL that it prints.
    pub(super) async fn start(mut command: Command) -> Result<Self, Error> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| failed(&format!("the server cannot be started: {error}")))?;
        let messages = child.stderr.take().ok_or_else(|| failed("the server has no standard error"))?;
        let mut messages = BufReader::new(messages).lines();
        let mut told = String::new();
        loop {
            let line = tokio::time::timeout(TIMEOUT, messages.next_line()).await;
            let Some(line) = line.ok().and_then(Result::ok).flatten() else {
                return Err(failed(&format!("the server did not say where it is: {told}")));
            };
            if let Some(at) = line.find("http://").filter(|_| line.contains("is served at")) {
                return Ok(Self { child, url: line[at..].trim().to_owned(), _messages: messages });
            }
            told.push_str(&line);
            told.push('\n');
        }
    }

    /// Ends the server.
    pub(super) async fn end(mut self) {
        let _ = self.child.kill().await;
    }
}

/// Streamable HTTP in the stateless revision: every request stands alone.
pub(super) struct Stateless {
    pub(super) url: String,
    pub(super) key: (&'static str, String),
}

/// The revision that [`Stateless`] speaks.
pub(super) const STATELESS: &str = "2026-07-28";

impl Stateless {
    pub(super) async fn request(&self, method: &str, mut params: Value) -> Result<Value, Error> {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": STATELESS,
            "io.modelcontextprotocol/clientInfo": client_info(),
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let name = params.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut headers = vec![
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", STATELESS),
            ("Mcp-Method", method),
            (self.key.0, self.key.1.as_str()),
        ];
        if !name.is_empty() {
            headers.push(("Mcp-Name", &name));
        }
        let answer = send("POST", &self.url, &headers, Some(&body)).await?;
        let status = answer.status;
        let text = answer.text().await?;
        // A slow answer comes as an event stream with one message.
        let text = text.lines().find_map(|line| line.strip_prefix("data:")).unwrap_or(&text);
        let response = serde_json::from_str(text).map_err(|_| failed(&format!("status {status}, body {text}")))?;
        result(&response)
    }
}

/// The status of a request without a key.
pub(super) async fn status_without_key(url: &str) -> Result<u16, Error> {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} }).to_string();
    let headers = [("Accept", "application/json, text/event-stream")];
    Ok(send("POST", url, &headers, Some(&body)).await?.status)
}

/// The legacy transport: one long event stream for answers, a POST for each message.
pub(super) struct LegacySse {
    events: Answer,
    post: String,
    key: (&'static str, String),
    next: u64,
}

impl LegacySse {
    pub(super) async fn open(url: &str, key: (&'static str, String), revision: &str) -> Result<Self, Error> {
        let headers = [("Accept", "text/event-stream"), (key.0, key.1.as_str())];
        let mut events = send("GET", url, &headers, None).await?;
        let (name, path) = events.event().await?;
        if name != "endpoint" {
            return Err(failed(&format!("the first event is `{name}`, not `endpoint`")));
        }
        let base = url.match_indices('/').nth(2).map_or(url, |(at, _)| &url[..at]);
        let post = if path.starts_with("http") { path } else { format!("{base}{path}") };
        let mut client = Self { events, post, key, next: 0 };
        client.request("initialize", initialize(revision)).await?;
        client.post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok(client)
    }

    pub(super) async fn request(&mut self, method: &str, params: Value) -> Result<Value, Error> {
        self.next += 1;
        let id = self.next;
        self.post(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await?;
        loop {
            let (_, data) = self.events.event().await?;
            let message: Value =
                serde_json::from_str(&data).map_err(|_| failed(&format!("this is not JSON: {data}")))?;
            if message.get("id") == Some(&json!(id)) {
                return result(&message);
            }
        }
    }

    async fn post(&self, message: &Value) -> Result<(), Error> {
        let headers = [(self.key.0, self.key.1.as_str())];
        let answer = send("POST", &self.post, &headers, Some(&message.to_string())).await?;
        match answer.status {
            200..=299 => Ok(()),
            status => Err(failed(&format!("{} answered with status {status}", self.post))),
        }
    }
}
