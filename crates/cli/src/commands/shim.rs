//! `mcp-factory shim`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use base::Secret;
use clap::Args;
use operations::{Code, Environment, Error};
use serde_json::json;
use shim::{Settings, Shim, limits};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{OK, Threads, runtime};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

/// The variable that holds the shared key.
const SECRET: &str = "FACTORY_SHIM_SECRET";
/// Variables that a program has without being named: what it needs to find itself and its home.
const PASSED: [&str; 9] = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "TERM", "TMPDIR", "SHELL", "FACTORY_API_KEY"];

const EXAMPLES: &str = "Examples:
  FACTORY_SHIM_SECRET=… mcp-factory shim --root ~/projects
  FACTORY_SHIM_SECRET=… mcp-factory shim --root ~/projects --jsonrpc
  FACTORY_SHIM_SECRET=… mcp-factory shim --root ~/projects -- my-agent --in {cwd} {prompt}
  FACTORY_SHIM_SECRET=… mcp-factory shim --root ~/projects -- my-agent {prompt-file}
  curl -s http://127.0.0.1:8818/healthz
";

/// Run an agent's program for callers who sign their requests
///
/// Serves POST /factory/exec and GET /healthz. A request shows x-signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of
/// "t.body"> made with FACTORY_SHIM_SECRET; it is good for 300 seconds, once. What the program writes is streamed as events.
/// Without a program behind `--`, `droid exec --output-format json` is run. In a program's arguments {prompt}, {prompt-file},
/// {cwd}, {mode} and {session} are replaced; without the first two it reads the prompt from its standard input. A prompt of
/// 128 KiB and more fits in no argument: droid is given it in a file.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Folder that programs work in, or below
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    /// Port to listen on; 0 takes a free one and prints it
    #[arg(long, value_name = "N", default_value_t = 8818)]
    port: u16,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Most programs that run at once
    #[arg(long, value_name = "N", default_value_t = limits::RUNS)]
    concurrency: usize,
    /// Longest run, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = limits::RUN_TIME.as_secs())]
    timeout: u64,
    /// Most output of one run, bytes
    #[arg(long, value_name = "BYTES", default_value_t = limits::OUTPUT_BYTES)]
    max_output: usize,
    /// Talk to the program in JSON-RPC messages (`stream-jsonrpc`, both ways); without a program that is `droid exec`
    #[arg(long)]
    jsonrpc: bool,
    /// Hand this environment variable to the program too; may be repeated
    #[arg(long, value_name = "NAME")]
    pass_env: Vec<String>,
    /// Another program than droid, and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    command: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    super::run::log_to_stderr();
    let environment = session.environment()?;
    let settings = settings(arguments, &environment)?;
    let shim = Shim::new(settings).map_err(|problem| {
        Error::new(Code::Shim, format!("the shim cannot begin: {problem}"))
            .hint("`mcp-factory shim --help` says what it needs")
    })?;
    runtime(Threads::PerProcessor)?.block_on(serve(shim, arguments, session))
}

fn settings(arguments: &Arguments, environment: &Environment) -> Result<Settings, Error> {
    let from_file = || environment.get(&format!("{SECRET}_FILE")).and_then(|path| std::fs::read_to_string(path).ok());
    let secret = environment.get(SECRET).or_else(from_file).map(|text| text.trim_end_matches(['\r', '\n']).to_owned());
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else {
        return Err(Error::new(Code::Shim, format!("the shim cannot begin: {SECRET} is not set"))
            .hint(format!("choose one, for example: export {SECRET}=$(openssl rand -hex 32)"))
            .hint("the caller needs the same"));
    };
    let names = PASSED.into_iter().chain(arguments.pass_env.iter().map(String::as_str));
    Ok(Settings {
        command: arguments.command.clone(),
        dialogue: arguments.jsonrpc,
        environment: names.filter_map(|name| Some((name.to_owned(), environment.get(name)?))).collect(),
        concurrency: arguments.concurrency,
        timeout: Duration::from_secs(arguments.timeout),
        output_bytes: arguments.max_output,
        ..Settings::new(Secret::new(secret), &arguments.root)
    })
}

async fn serve(shim: Shim, arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    let (listener, address) = listen(SocketAddr::new(arguments.host, arguments.port)).await?;
    let root = arguments.root.display().to_string();
    session.printer.answer(&json!({ "url": format!("http://{address}"), "root": root }), |_| {
        format!("shim on http://{address}, working below {root}\nPOST /factory/exec, GET /healthz; Ctrl-C ends it")
    });
    let stop = CancellationToken::new();
    let serving = tokio::spawn(shim.serve(listener, stop.clone()));
    super::until_asked().await;
    stop.cancel();
    let _ = serving.await;
    Ok(OK)
}

/// Listens, and tells where.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |error: std::io::Error| {
        Error::new(Code::Address, format!("cannot listen on {address}: {error}"))
            .hint("choose another port with `--port`; 0 takes a free one")
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
