//! A client that knows nothing but HTTP/1.1 on a socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use protocol::Endpoint;
use protocol::http::{Router, ServeOptions, serve};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server of its own, stopped when dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
}

impl Server {
    pub(crate) async fn start(endpoint: Arc<Endpoint>) -> Self {
        Self::start_with(endpoint, ServeOptions::default()).await
    }

    pub(crate) async fn start_with(endpoint: Arc<Endpoint>, options: ServeOptions) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let router = Router::new().mcp("/mcp", endpoint.clone()).legacy("/sse", "/messages", endpoint);
        let shutdown = CancellationToken::new();
        tokio::spawn(serve(listener, Arc::new(router), options, shutdown.clone()));
        Self { address, shutdown }
    }

    pub(crate) async fn connect(&self) -> Wire {
        Wire { socket: TcpStream::connect(self.address).await.expect("a connection"), buffer: Vec::new() }
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, head: &str, body: &str) -> Answer {
        let mut wire = self.connect().await;
        wire.send(head, body).await;
        wire.answer().await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A connection.
pub(crate) struct Wire {
    pub(crate) socket: TcpStream,
    buffer: Vec<u8>,
}

/// An answer with a whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }

    pub(crate) fn code(&self) -> i64 {
        self.json()["error"]["code"].as_i64().unwrap_or_default()
    }
}

impl Wire {
    /// Sends a request; `head` begins with the request line and has no final blank line.
    pub(crate) async fn send(&mut self, head: &str, body: &str) {
        let host = if head.to_ascii_lowercase().contains("\nhost:") { "" } else { "Host: localhost\r\n" };
        let head = head.trim().replace('\n', "\r\n");
        let text = format!("{head}\r\n{host}Content-Length: {}\r\n\r\n{body}", body.len());
        self.socket.write_all(text.as_bytes()).await.expect("sending");
    }

    async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.socket.read_buf(&mut self.buffer)).await;
        read.expect("an answer in time").expect("receiving") > 0
    }

    /// The head of an answer.
    pub(crate) async fn head(&mut self) -> Answer {
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 4);
                let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
                return Answer { status, head, body: String::new() };
            }
            assert!(self.more().await, "the connection ended before an answer");
        }
    }

    /// A whole answer.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        if answer.header("transfer-encoding").is_some() {
            while let Some(chunk) = self.chunk().await {
                answer.body.push_str(&chunk);
            }
            return answer;
        }
        let length: usize = answer.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        while self.buffer.len() < length {
            assert!(self.more().await, "the connection ended within a body");
        }
        answer.body = String::from_utf8(self.buffer.drain(..length).collect()).expect("UTF-8");
        answer
    }

    /// The next chunk of a chunked body.
    pub(crate) async fn chunk(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|window| window == b"\r\n") {
                let size = std::str::from_utf8(&self.buffer[..end]).expect("a size");
                let size = usize::from_str_radix(size, 16).expect("a size in hex");
                while self.buffer.len() < end + 4 + size {
                    assert!(self.more().await, "the connection ended within a chunk");
                }
                let chunk = String::from_utf8(self.buffer[end + 2..end + 2 + size].to_vec()).expect("UTF-8");
                self.buffer.drain(..end + 4 + size);
                return (size > 0).then_some(chunk);
            }
            if !self.more().await {
                return None;
            }
        }
    }

    /// The next event of a stream that carries a message.
    pub(crate) async fn event(&mut self) -> Option<(Option<String>, Value)> {
        loop {
            let chunk = self.chunk().await?;
            let field = |name: &str| {
                chunk.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
            };
            let Some(data) = field("data:").filter(|data| !data.is_empty()) else { continue };
            let message = serde_json::from_str(&data).unwrap_or(Value::String(data));
            return Some((field("id:"), message));
        }
    }
}

pub(crate) const POST: &str =
    "POST /mcp HTTP/1.1\nContent-Type: application/json\nAccept: application/json, text/event-stream";

/// Head of a stateless request.
pub(crate) fn modern(method: &str, name: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!("\nMcp-Name: {name}") };
    format!("{POST}\nMCP-Protocol-Version: 2026-07-28\nMcp-Method: {method}{name}")
}

/// Body of a stateless request; `params` are members without braces.
pub(crate) fn modern_body(id: u32, method: &str, params: &str) -> String {
    let comma = if params.is_empty() { "" } else { "," };
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{{params}{comma}"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    )
}
