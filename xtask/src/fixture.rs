//! Servers that outside judges are pointed at: how each is started, and where it listens.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::exec::{self, Run};
use crate::repo;

/// Longest wait for a server's address.
const START: Duration = Duration::from_secs(20);
/// Longest wait for its end after SIGTERM.
const END: Duration = Duration::from_secs(5);

/// The transports of MCP that are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Stdio,
    Http,
    Sse,
}

impl Transport {
    pub const ALL: [Self; 3] = [Self::Stdio, Self::Http, Self::Sse];

    /// The word on command lines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
            Self::Sse => "sse",
        }
    }
}

/// A program that serves MCP.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    pub kind: Kind,
    pub environment: Vec<(String, String)>,
    /// More arguments of the product over HTTP.
    pub more: Vec<String>,
}

/// What a program is, hence how it is asked for a transport.
#[derive(Clone, Debug)]
pub enum Kind {
    /// The example `everything` of the protocol crate: no connectors, every feature of the wire.
    Everything,
    /// The product, running this spec.
    Product { spec: PathBuf },
}

impl Program {
    /// Arguments that make it serve on this transport.
    pub fn arguments(&self, transport: Transport) -> Vec<String> {
        match (&self.kind, transport) {
            (Kind::Everything, Transport::Stdio) => vec!["--stdio".to_owned()],
            (Kind::Everything, _) => vec!["--port".to_owned(), "0".to_owned()],
            (Kind::Product { spec }, transport) => {
                let mut words = vec!["run".to_owned(), spec.display().to_string()];
                words.extend(["--transport".to_owned(), transport.word().to_owned()]);
                if transport != Transport::Stdio {
                    words.extend(["--port".to_owned(), "0".to_owned()]);
                    words.extend(self.more.iter().cloned());
                }
                words
            }
        }
    }

    /// Starts it on an HTTP transport.
    pub fn serve(&self, transport: Transport, log: &Path) -> Result<Server> {
        Server::start(Run::new(&self.path).args(self.arguments(transport)).envs(&self.environment), log)
    }
}

/// The fakes of other people's APIs, served; they end when this is dropped.
pub struct Fakes(Server);

impl Fakes {
    /// Serves them on a free port.
    pub fn start(log: &Path) -> Result<Self> {
        Server::start(Run::new(program("examples/fakes", Kind::Everything)?.path), log).map(Self)
    }

    /// Their address, `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.0.base
    }
}

/// The fake of Factory's API that comes with the product, served until it is dropped.
pub struct Factory(Server);

impl Factory {
    /// Serves it on a free port.
    pub fn start(log: &Path) -> Result<Self> {
        let program = program("mcp-factory", Kind::Everything)?;
        Server::start(Run::new(&program.path).args(["fake", "factory-api"]), log).map(Self)
    }

    /// What the droid swarm server needs to use it.
    pub fn environment(&self) -> Vec<(String, String)> {
        let url = ("FACTORY_API_URL".to_owned(), format!("{}/api/v0", self.0.base));
        vec![url, ("FACTORY_API_KEY".to_owned(), "fk-fake".to_owned())]
    }
}

/// A running server; it ends when this is dropped.
pub struct Server {
    child: Child,
    base: String,
}

impl Server {
    /// Starts a program, and waits until it says where it listens.
    fn start(run: Run, log: &Path) -> Result<Self> {
        let text = run.text().to_owned();
        let mut command = run.into_command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start `{text}`"))?;
        let (sender, addresses) = mpsc::sync_channel(1);
        let file = std::fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        watch(child.stdout.take(), file.try_clone()?, sender.clone());
        watch(child.stderr.take(), file, sender);
        // Owned from here on, so that it ends when we fail.
        let mut server = Self { child, base: String::new() };
        match addresses.recv_timeout(START) {
            Ok(base) => server.base = base,
            Err(_) => bail!("`{text}` did not say where it listens; see {}", log.display()),
        }
        Ok(server)
    }

    /// URL of the endpoint of a transport.
    pub fn url(&self, transport: Transport) -> String {
        let path = if transport == Transport::Sse { "sse" } else { "mcp" };
        format!("{}/{path}", self.base)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let asked = exec::signal(self.child.id(), "TERM");
        let started = Instant::now();
        while asked.is_ok() && started.elapsed() < END {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        eprintln!("warning: a server did not end on SIGTERM and is killed");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies a stream to the log and sends the first address that it names.
fn watch(stream: Option<impl Read + Send + 'static>, mut log: std::fs::File, found: mpsc::SyncSender<String>) {
    let Some(stream) = stream else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            // The log is for people; a full disk must not stop the server's output from being read.
            let _ = writeln!(log, "{line}");
            if let Some(base) = address(&line) {
                // Only the first is waited for.
                let _ = found.try_send(base);
            }
        }
    });
}

/// `http://127.0.0.1:PORT` in a line.
fn address(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("http://127.0.0.1:")?;
    let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
    (!port.is_empty()).then(|| format!("http://127.0.0.1:{port}"))
}

/// Builds the product and the protocol example with the features of the whole workspace, so that
/// nothing is built twice when the tests were.
pub fn build() -> Result<()> {
    Run::cargo()
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bin",
            "mcp-factory",
            "--example",
            "everything",
            "--example",
            "fakes",
        ])
        .folder(&repo::root()?)
        .run()
}

/// Builds the protocol example alone, which is quicker and does not ask the other crates to compile.
pub fn build_everything() -> Result<()> {
    Run::cargo()
        .args(["build", "--quiet", "--package", "protocol", "--example", "everything"])
        .folder(&repo::root()?)
        .run()
}

/// The protocol example, built.
pub fn everything() -> Result<Program> {
    program("examples/everything", Kind::Everything)
}

/// The product, built, running a spec of `tests/clients/specs`.
pub fn product(spec: &str) -> Result<Program> {
    let spec = repo::root()?.join("tests/clients/specs").join(spec);
    program("mcp-factory", Kind::Product { spec })
}

fn program(name: &str, kind: Kind) -> Result<Program> {
    let path = repo::target()?.join("debug").join(name);
    if !path.is_file() {
        bail!("{} was not built", path.display());
    }
    // The product keeps what it knows in its home; each run of the checks has its own.
    let home = repo::work()?.join("home");
    std::fs::create_dir_all(&home)?;
    let environment = vec![("MCP_FACTORY_HOME".to_owned(), home.display().to_string())];
    Ok(Program { path, kind, environment, more: Vec::new() })
}

/// Folder for logs and results of a command, made empty.
pub fn results(name: &str) -> Result<PathBuf> {
    let folder = repo::work()?.join("results").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}
