//! A tiny service, a running server for it, and raw requests.

use std::net::SocketAddr;
use std::sync::Arc;

use protocol::service::{About, Boxed, Reply, Service, ToolCall, ToolResult};
use protocol::{Context, Error, Json, Listing, Principal, Runtime, RuntimeOptions};
use server::{Options, Server, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

struct Ping {
    about: About,
    listing: Arc<Listing>,
}

impl Service for Ping {
    fn about(&self) -> &About {
        &self.about
    }

    fn listing(&self, _principal: Option<&Principal>) -> Arc<Listing> {
        self.listing.clone()
    }

    fn call_tool<'a>(&'a self, _cx: &'a Context, _call: ToolCall<'a>) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
        Box::pin(async { Ok(ToolResult::text("pong").into()) })
    }
}

/// A site with one tool.
pub(crate) fn site() -> Site {
    let schema = Json::parse(&br#"{"type":"object"}"#[..]).expect("JSON");
    let listing = Listing::builder().tools(vec![protocol::service::Tool::new("ping", schema)]).build();
    let mut about = About::new("ping-mcp", "1.2.3");
    about.capabilities.tools = true;
    let service = Ping { about, listing: Arc::new(listing) };
    Site {
        name: "ping-mcp".into(),
        version: "1.2.3".into(),
        service: Arc::new(service),
        groups: Vec::new(),
        authenticator: None,
        oauth: None,
        callers: None,
        runtime: Runtime::new(RuntimeOptions::default()).expect("randomness"),
    }
}

/// A server on a free port, stopped when dropped.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    shutdown: CancellationToken,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut Site)) -> Self {
        let options = Options { address: ([127, 0, 0, 1], 0).into(), ..Options::default() };
        let mut site = site();
        change(&mut site);
        let server = Server::bind(options, site).await.expect("bind");
        let address = server.address();
        let shutdown = CancellationToken::new();
        let running = Some(tokio::spawn(server.run(shutdown.clone())));
        Self { address, shutdown, running }
    }

    /// Sends one request and reads the whole answer.
    pub(crate) async fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let mut stream = TcpStream::connect(self.address).await.expect("connect");
        stream.write_all(text.as_bytes()).await.expect("write");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("read");
        answer
    }

    /// Stops it and waits until it has drained.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        if let Some(running) = self.running.take() {
            running.await.expect("the server ends");
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}
