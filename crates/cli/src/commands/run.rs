//! `mcp-factory run`, `mcp-run`.

pub(crate) mod callers;
pub(crate) mod http;
pub(crate) mod oauth;
pub(crate) mod signals;
mod stdio;
mod summary;
mod watch;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use operations::doctor::PORT;
use operations::run::{Input, Prepared, prepare, transport};
use operations::{Code, Context, Error, Subject};
use protocol::{RuntimeOptions, Service};

use self::signals::Signals;
use self::watch::Watch;
use super::Threads;
use crate::arguments::COMMAND_HELP;
use crate::input::subject;
use crate::session::Session;

/// What a message has beside the arguments of a tool, bytes.
const ENVELOPE_BYTES: usize = 64 << 10;

const EXAMPLES: &str = "Examples:
  mcp-factory run inventory-mcp                            over the transport that its spec names
  mcp-factory run inventory-mcp --transport stdio          for a client that starts it itself
  mcp-factory run ./inventory-mcp.yaml --watch             a file; the tools follow its changes
  mcp-factory run inventory-mcp --watch                    the tools follow what `create` stores
  mcp-factory run inventory-mcp --transport http           on http://127.0.0.1:8808/mcp
  mcp-factory run inventory-mcp --transport sse --port 0   on a free port, which is printed
  INVENTORY_MCP_API_KEY=… mcp-factory run inventory-mcp --transport http --host 0.0.0.0
  mcp-factory run inventory-mcp --transport http --auth keys,guests
  mcp-factory run inventory-mcp --transport http --oauth single-user --public-url https://a.example
";

/// Serve a server of the catalogue, or a spec file, to MCP clients
///
/// Over stdio, standard output carries MCP alone and messages go to standard error. Over HTTP both
/// /mcp (Streamable HTTP) and /sse (legacy) are served; --transport says which of the two URLs is
/// printed for clients. Ctrl-C and SIGTERM end it after running calls have ended; how often each tool was
/// called, failed and how long it took is then told on standard error.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of a server, or file of a spec
    #[arg(value_name = "NAME|FILE")]
    subject: String,
    /// How clients reach it [default: the spec's `transport`, which is stdio unless it says otherwise]
    #[arg(long, value_enum, value_name = "TRANSPORT")]
    transport: Option<Transport>,
    /// Port to listen on; 0 takes a free one and prints it
    #[arg(long, value_name = "N", default_value_t = PORT)]
    port: u16,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: IpAddr,
    /// Accept a database of another engine than the spec's type
    #[arg(long)]
    dev: bool,
    /// Follow the changes of the file, or of the server in the catalogue
    #[arg(long)]
    watch: bool,
    /// Name under which clients reach it, or a proxy in front of it; addresses need none with --host; may be repeated
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    /// Accept requests of web pages of this origin too; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// Let other machines in although the spec has no `auth`
    #[arg(long)]
    allow_unauthenticated: bool,
    /// Serve only this group of its tools
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Which version of the server [default: the current one]
    #[arg(long, value_name = "VERSION")]
    spec_version: Option<String>,
    #[command(flatten)]
    oauth: oauth::OAuthArguments,
    #[command(flatten)]
    callers: callers::CallerArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// Standard input and output
    Stdio,
    /// Streamable HTTP at /mcp
    Http,
    /// Legacy HTTP+SSE at /sse
    Sse,
}

impl Arguments {
    /// A server of the catalogue on this machine, with the defaults of everything else.
    pub(crate) fn of_server(
        name: String,
        transport: Option<Transport>,
        port: u16,
        spec_version: Option<String>,
    ) -> Self {
        Self {
            subject: name,
            transport,
            port,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            dev: false,
            watch: false,
            allow_host: Vec::new(),
            allow_origin: Vec::new(),
            allow_unauthenticated: false,
            group: None,
            spec_version,
            oauth: oauth::OAuthArguments::default(),
            callers: callers::CallerArguments::default(),
        }
    }

    /// Serves a group of the tools alone.
    pub(crate) fn only_group(&mut self, group: Option<String>) {
        self.group = group;
    }
}

/// What is served, and how it follows its file.
struct Work {
    context: Context,
    input: Input,
    prepared: Prepared,
    /// What is watched.
    watch: Option<Watch>,
    transport: Transport,
    /// What clients see: the server, or one of its groups.
    service: Arc<dyn Service>,
}

impl Work {
    /// Limits of what is served. Tasks are kept in the home folder when the server has tools that may be tasks.
    fn runtime_options(&self) -> RuntimeOptions {
        let spec = &self.prepared.spec;
        let options = match spec.tools.iter().any(|tool| tool.task.is_some()) {
            true => host::tasks::kept(&self.context.home.path().join(operations::paths::TASKS), &spec.name),
            false => RuntimeOptions { tasks: host::tasks::limits(), ..RuntimeOptions::default() },
        };
        // Arguments that the spec allows get in.
        let message = usize::try_from(spec.limits.argument_bytes).unwrap_or(usize::MAX).saturating_add(ENVELOPE_BYTES);
        RuntimeOptions { max_body: options.max_body.max(message), max_line: options.max_line.max(message), ..options }
    }
}

/// The server, or the group of it that is asked for.
fn service(prepared: &Prepared, group: Option<&str>) -> Result<Arc<dyn Service>, Error> {
    let Some(name) = group else { return Ok(Arc::clone(&prepared.hosted) as Arc<dyn Service>) };
    if let Some(group) = prepared.hosted.group(name) {
        return Ok(Arc::new(group));
    }
    let error = Error::new(Code::Usage, format!("the server `{}` has no group `{name}`", prepared.spec.name));
    Err(match prepared.hosted.groups().as_slice() {
        [] => error.hint("declare it: `groups: {NAME: [TOOL, …]}` in the spec"),
        known => error.hint(format!("its groups: {}", known.join(", "))),
    })
}

pub(crate) fn run(arguments: Arguments, session: &Session) -> Result<u8, Error> {
    if arguments.transport == Some(Transport::Stdio) && arguments.subject == "-" {
        return Err(both_on_stdin());
    }
    log_to_stderr();
    let (context, input, mut watch) = asked(&arguments, session)?;
    let mut runtime = super::runtime(Threads::One)?;
    let transport = match arguments.transport {
        Some(transport) => transport,
        None => runtime.block_on(of_spec(&context, &input))?,
    };
    if transport == Transport::Stdio && arguments.subject == "-" {
        return Err(both_on_stdin());
    }
    if transport != Transport::Stdio {
        runtime = super::runtime(Threads::PerProcessor)?;
    }
    if transport == Transport::Stdio && arguments.oauth.is_asked_for() {
        return Err(Error::new(Code::OAuthSettings, "over stdio nobody has to be let in, and `--oauth` is for HTTP")
            .hint("serve with `--transport http`"));
    }
    if transport == Transport::Stdio && arguments.callers.is_asked_for() {
        return Err(Error::new(Code::BadCallers, "over stdio nobody has to be let in, and `--auth` is for HTTP")
            .hint("serve with `--transport http`"));
    }
    let result = runtime.block_on(async {
        let signals = Signals::listen()?;
        if let Some(watch) = &mut watch {
            watch.begin(&context, &input).await;
        }
        let prepared = Box::pin(prepare(&context, &input)).await?;
        session.printer.diagnostics(&prepared.diagnostics, prepared.source.as_source());
        let service = service(&prepared, arguments.group.as_deref())?;
        // Timers ring for as long as the server is served.
        let _timers = host::timers::Timers::start(&prepared.hosted);
        let work = Work { context, input, prepared, watch, transport, service };
        match transport {
            Transport::Stdio => stdio::serve(work, signals, session).await,
            Transport::Http | Transport::Sse => http::serve(work, signals, &arguments, session).await,
        }
    });
    // A thread may still be reading standard input; nobody waits for it.
    runtime.shutdown_background();
    result
}

fn both_on_stdin() -> Error {
    Error::new(Code::Usage, "standard input cannot carry both the spec and MCP")
        .hint("name a file, or serve with `--transport http`")
}

/// The transport that the spec names.
async fn of_spec(context: &Context, input: &Input) -> Result<Transport, Error> {
    Ok(match transport(context, &input.subject).await? {
        spec::model::Transport::Stdio => Transport::Stdio,
        spec::model::Transport::Http => Transport::Http,
        spec::model::Transport::Sse => Transport::Sse,
    })
}

/// What the command line asks for, read but not compiled.
fn asked(arguments: &Arguments, session: &Session) -> Result<(Context, Input, Option<Watch>), Error> {
    if arguments.watch && arguments.subject == "-" {
        return Err(Error::new(Code::Usage, "`--watch` follows a file or a server, and standard input is neither")
            .hint("name a spec file, such as ./inventory-mcp.yaml, or a server of the catalogue"));
    }
    // The mark of a file is taken before the file is read, so that no change is missed.
    let file = Watch::file(Path::new(&arguments.subject));
    let subject = subject(&arguments.subject, arguments.spec_version.clone())?;
    let watch = match &subject {
        _ if !arguments.watch => None,
        Subject::Spec { .. } => Some(file),
        Subject::Server { .. } => Some(Watch::server()),
    };
    let input = Input { subject, dev: arguments.dev, reloadable: arguments.watch };
    Ok((session.context()?, input, watch))
}

/// Logs of the program itself, on standard error. `MCP_FACTORY_LOG` says how much, in the words of
/// `tracing-subscriber`'s `EnvFilter`.
pub(crate) fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("MCP_FACTORY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // As in `serve`: a log that cannot be written must not end a call.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .log_internal_errors(false)
        .try_init();
}
