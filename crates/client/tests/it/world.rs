//! Clients, and the programs that they call.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base::Secret;
use client::{Caller, Client, Limits, Protocol, Settings, Target, Transport};
use connect::egress::{Networks, Policy};
use connect::http;
use connect::process::Program;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

/// The file of a reference server; nothing when the packages are not installed.
pub(crate) fn reference(name: &str) -> Option<PathBuf> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/services/mcp/node_modules");
    let file = modules.join("@modelcontextprotocol").join(name).join("dist/index.js");
    file.is_file().then(|| file.canonicalize().unwrap())
}

/// Tells that a test was left out; the test runner decides whether that may be.
pub(crate) fn skipped(test: &str) {
    use std::io::Write as _;
    let reason = "the reference servers are not installed: cargo xtask setup --only node";
    match std::env::var("MCP_FACTORY_SKIPS") {
        Ok(path) => {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
            file.and_then(|mut file| file.write_all(format!("{test}: {reason}\n").as_bytes())).unwrap();
        }
        Err(_) => eprintln!("SKIPPED {test}: {reason}"),
    }
}

/// A program with this process's `PATH`.
pub(crate) fn program(path: &str) -> Program {
    let search = std::env::var("PATH").unwrap();
    let file = search.split(':').map(|folder| Path::new(folder).join(path)).find(|file| file.is_file()).unwrap();
    Program { name: "other".to_owned(), path: file, folder: None, environment: vec![("PATH".to_owned(), search)] }
}

/// A server over the standard streams of a program.
pub(crate) fn piped(name: &str, arguments: &[&str], protocol: Protocol) -> Client {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    open(Target::Program { program: program(name), arguments }, protocol, Limits::default())
}

/// A server at an address.
pub(crate) fn at(origin: &str, endpoint: &str, transport: Transport, protocol: Protocol) -> Client {
    bounded(origin, endpoint, transport, protocol, 8 << 20)
}

pub(crate) fn bounded(origin: &str, endpoint: &str, transport: Transport, protocol: Protocol, most: usize) -> Client {
    let mut settings = http::Settings::new("other", Secret::new(origin));
    settings.policy = Policy::default().allow_networks(Networks::parse("private").unwrap());
    settings.limits.answer_bytes = most;
    let target = Target::Address { http: Box::new(settings), endpoint: endpoint.to_owned(), transport, login: None };
    open(target, protocol, Limits { message_bytes: most })
}

fn open(target: Target, protocol: Protocol, limits: Limits) -> Client {
    Client::open(Settings { name: "other".to_owned(), target, protocol, secrets: Vec::new(), limits }).unwrap()
}

/// A caller with this much time.
pub(crate) fn caller(cancel: &CancellationToken, seconds: u64) -> Caller<'_> {
    Caller {
        deadline: tokio::time::Instant::now() + Duration::from_secs(seconds),
        cancel,
        progress: None,
        person: None,
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

/// The text of the first block.
pub(crate) async fn text(client: &Client, tool: &str, arguments: Value) -> String {
    let cancel = CancellationToken::new();
    let result = client.call(tool, &object(arguments), caller(&cancel, 30)).await;
    let result = result.unwrap_or_else(|error| panic!("{tool}: {error}"));
    result.content.first().and_then(|block| block["text"].as_str()).unwrap_or_default().to_owned()
}

/// A server that listens, and ends with the test.
pub(crate) struct Listening {
    child: Child,
    pub(crate) origin: String,
}

impl Listening {
    /// Starts the everything server with a transport.
    pub(crate) async fn everything(file: &Path, transport: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("node");
        command.arg(file).arg(transport).env("PORT", port.to_string());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "the server does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { child, origin: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
