//! A world of one test: fakes on ports of their own, and the server compiled for them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fakes::{Factory, FactorySettings, ShimSettings};
use operations::calling::{Calling, Progress};
use operations::test::CallOutput;
use operations::{Caller, Context, Environment, Home, Subject};
use serde_json::{Value, json};
use shim::http::Handler;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Longest call of a test.
const TIME: Duration = Duration::from_secs(90);

pub(crate) struct World {
    pub(crate) factory: SocketAddr,
    pub(crate) context: Context,
    server: Calling,
    stop: CancellationToken,
    _home: tempfile::TempDir,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves on a free port.
pub(crate) async fn listen<H: Handler>(handler: Arc<H>, stop: &CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(fakes::serve(listener, handler, stop.clone()));
    address
}

impl World {
    /// The fakes, with a droid that works for so many milliseconds.
    pub(crate) async fn new(work_ms: u64) -> Self {
        Self::with(FactorySettings::default().work(work_ms), &[]).await
    }

    /// The same with variables over the usual ones.
    pub(crate) async fn with(settings: FactorySettings, variables: &[(&str, &str)]) -> Self {
        let stop = CancellationToken::new();
        let factory = listen(Factory::new(settings), &stop).await;
        let shim = listen(fakes::Shim::new(ShimSettings::default()), &stop).await;
        let usual = [
            ("FACTORY_API_URL", format!("http://{factory}/api/v0")),
            ("FACTORY_API_KEY", fakes::KEY.to_owned()),
            ("FACTORY_SHIM_URL", format!("http://{shim}/")),
            ("FACTORY_SHIM_SECRET", fakes::SECRET.to_owned()),
        ];
        let usual = usual.into_iter().map(|(name, value)| (name.to_owned(), value));
        let given = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let home = tempfile::tempdir().expect("a folder");
        let environment = Environment::only(usual.chain(given));
        let context = Context::new(Home::at(home.path()), environment, Caller::Local, "test");
        let server = Calling::open(&context, &Subject::server("factory_droid_swarm")).await.expect("the server");
        Self { factory, context, server, stop, _home: home }
    }

    pub(crate) async fn call_with(&self, tool: &str, arguments: Value, progress: Option<Progress<'_>>) -> CallOutput {
        self.server.call(&self.context, tool, &arguments, TIME, progress).await.expect("an answer")
    }

    /// A call that is cut off when `stop` is cancelled.
    pub(crate) async fn cut_off(&self, tool: &str, arguments: Value, stop: &CancellationToken) -> CallOutput {
        let mut context = self.context.clone();
        context.cancel = stop.clone();
        self.server.call(&context, tool, &arguments, TIME, None).await.expect("an answer")
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> CallOutput {
        self.call_with(tool, arguments, None).await
    }

    /// The structured answer of a call that has to succeed.
    pub(crate) async fn good(&self, tool: &str, arguments: Value) -> Value {
        let said = self.call(tool, arguments).await;
        assert!(!said.is_error, "{tool}: {}", said.text);
        said.structured.expect("a structured answer")
    }

    /// The text of a call that has to fail.
    pub(crate) async fn bad(&self, tool: &str, arguments: Value) -> String {
        let said = self.call(tool, arguments).await;
        assert!(said.is_error, "{tool}: {}", said.text);
        said.text
    }

    /// A droid that was started.
    pub(crate) async fn droid(&self, prompt: &str) -> String {
        let started = self.good("spawn_droid", json!({ "prompt": prompt })).await;
        started["sessionId"].as_str().expect("an id").to_owned()
    }

    /// Orders failures.
    pub(crate) async fn order(&self, order: Value) {
        let told = http(self.factory, "POST", "/_fake", &order.to_string()).await;
        assert!(told.get("failures").is_some(), "{told}");
    }

    /// What the fake of Factory was asked.
    pub(crate) async fn seen(&self) -> Value {
        http(self.factory, "GET", "/_fake", "").await
    }
}

/// A request with the fake's key, whose answer is JSON.
pub(crate) async fn http(address: SocketAddr, method: &str, path: &str, body: &str) -> Value {
    let answer = send(address, method, path, body).await;
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// The body of an answer to a request with the fake's key.
pub(crate) async fn send(address: SocketAddr, method: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        fakes::KEY,
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    body.to_owned()
}
