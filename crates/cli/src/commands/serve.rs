//! `mcp-factory serve`, `mcp-serve`.

mod identity;
mod openid;
mod warnings;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::{Args, ValueEnum};
use operations::{Code, Context, Error};
use protocol::Runtime;
use serde_json::json;
use server::{Ends, Options, PLANE_PORT, Plane, PlaneSite};

use super::run::callers::CallerArguments;
use super::run::http::refused;
use super::run::signals::{Ending, Signals};
use super::{OK, Threads};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory serve                                     on http://127.0.0.1:8800
  mcp-factory serve --port 0 --output json              on a free port, which is printed
  curl --data-binary @shop.yaml -H 'Content-Type: application/yaml' http://127.0.0.1:8800/mcp/create
  mcp-factory serve --follow ./servers                  deploy a folder of specs as they change
  mcp-factory list --url http://127.0.0.1:8800          any command, at the control plane
  mcp-factory serve --host 0.0.0.0 --auth keys,guests   for others: with keys, and guests
";

/// Run the control plane: REST, the factory's own MCP server, and the deployed servers
///
/// Works on the home folder, which one control plane holds at a time. /docs explains the REST API, MCP clients use /mcp.
/// On this machine alone, whoever sits at it needs no key; a control plane that others can reach, by `--host`, `--allow-host`
/// or `--auth`, or where people sign in by OpenID Connect, asks everybody for one. Ctrl-C and SIGTERM end it after running
/// requests have ended, a second one at once. Requests are logged on standard error.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Port to listen on; 0 takes a free one and prints it
    #[arg(long, value_name = "N", default_value_t = PLANE_PORT, env = "MCP_FACTORY_LISTEN_PORT", hide_env_values = true)]
    port: u16,
    /// Address to listen on
    #[arg(
        long,
        value_name = "ADDRESS",
        default_value = "127.0.0.1",
        env = "MCP_FACTORY_LISTEN_HOST",
        hide_env_values = true
    )]
    host: IpAddr,
    /// Name under which clients reach it, or a proxy in front of it; addresses need none with --host; may be repeated
    #[arg(long, value_name = "HOST", value_delimiter = ',', env = "MCP_FACTORY_ALLOW_HOST", hide_env_values = true)]
    allow_host: Vec<String>,
    /// Accept requests of web pages of this origin too; may be repeated
    #[arg(
        long,
        value_name = "ORIGIN",
        value_delimiter = ',',
        env = "MCP_FACTORY_ALLOW_ORIGIN",
        hide_env_values = true
    )]
    allow_origin: Vec<String>,
    /// Let everybody in for everything, other machines too, without asking for a key
    #[arg(long, conflicts_with_all = ["auth", "rate"])]
    allow_unauthenticated: bool,
    /// Origin under which clients reach it, such as https://mcp.example.com
    #[arg(long, value_name = "URL", env = "MCP_FACTORY_PUBLIC_URL", hide_env_values = true)]
    public_url: Option<String>,
    /// Let programs in by OAuth without asking, for the scope `mcp` alone, and send codes to these hosts alone; whoever reaches /authorize is let in [default: whoever is signed in is asked]
    #[arg(long, value_name = "HOST", value_delimiter = ',', conflicts_with = "allow_unauthenticated")]
    oauth_allow_redirect: Vec<String>,
    /// Address or range of a proxy whose X-Forwarded-For is believed; may be repeated
    #[arg(
        long,
        value_name = "ADDRESS",
        value_delimiter = ',',
        env = "MCP_FACTORY_TRUSTED_PROXY",
        hide_env_values = true
    )]
    trusted_proxy: Vec<String>,
    #[command(flatten)]
    callers: CallerArguments,
    #[command(flatten)]
    openid: openid::OpenIdArguments,
    /// What specs of callers who do not run the control plane may name of this machine: variables, file:PATH, doppler:NAME, by commas; a * at the end stands for anything [default: MCP_FACTORY_ALLOW_REFERENCES, else nothing]
    #[arg(long, value_name = "LIST")]
    allow_references: Option<String>,
    /// Follow the spec files of this folder: each is made and deployed, and again whenever it changes
    #[arg(long, value_name = "DIR")]
    follow: Option<std::path::PathBuf>,
    /// Seconds for which SIGTERM leaves it listening while /readyz answers 503, so that a load balancer sends nothing more; 0 ends listening at once
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = DRAIN_DELAY,
        value_parser = drain_delay,
        env = "MCP_FACTORY_DRAIN_DELAY",
        hide_env_values = true
    )]
    drain_delay: f64,
    /// How the log is written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text, env = "MCP_FACTORY_LOG_FORMAT", hide_env_values = true)]
    log_format: LogFormat,
}

/// Seconds between SIGTERM and the end of listening unless told otherwise.
const DRAIN_DELAY: f64 = 1.0;
/// Longest such time.
const DRAIN_DELAY_MAX: f64 = 3_600.0;

fn drain_delay(text: &str) -> Result<f64, String> {
    let seconds: Option<f64> = text.parse().ok();
    seconds
        .filter(|seconds| (0.0..=DRAIN_DELAY_MAX).contains(seconds))
        .ok_or_else(|| format!("it is no number of seconds from 0 to {DRAIN_DELAY_MAX}"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Json,
}

pub(crate) fn run(arguments: Arguments, session: &Session) -> Result<u8, Error> {
    log(arguments.log_format, session.printer.is_quiet());
    let mut context = session.context()?;
    if let Some(list) = &arguments.allow_references {
        context.environment = context.environment.with([(operations::ALLOW_REFERENCES.to_owned(), list.clone())]);
    }
    let runtime = super::runtime(Threads::PerProcessor)?;
    let result = runtime.block_on(serve(arguments, context, session));
    // A job may still run; it is taken up again by the next process.
    runtime.shutdown_background();
    result
}

async fn serve(arguments: Arguments, mut context: Context, session: &Session) -> Result<u8, Error> {
    if let Some(folder) = &arguments.follow {
        operations::follow::check(folder)?;
    }
    let mut signals = Signals::listen()?;
    let mut held = operations::plane::hold(&mut context).await?;
    // No server has this name.
    let kept = host::tasks::kept(&context.home.path().join(operations::paths::TASKS), host::tasks::SERVED);
    let runtime = Runtime::new(kept)
        .map_err(|error| Error::new(Code::Internal, format!("the system gives no random bytes: {error}")))?;
    let options = Options {
        address: SocketAddr::new(arguments.host, arguments.port),
        hosts: arguments.allow_host,
        origins: arguments.allow_origin,
        allow_unauthenticated: arguments.allow_unauthenticated,
    };
    let provider = arguments.openid.settings(&context.environment)?;
    if provider.is_some() && arguments.allow_unauthenticated {
        return Err(Error::new(Code::OpenIdSettings, "nobody signs in where everybody is let in without a key")
            .hint("leave --allow-unauthenticated out, or the provider of OpenID Connect"));
    }
    let told = identity::Told {
        provider: provider.as_ref(),
        callers: &arguments.callers,
        proxies: &arguments.trusted_proxy,
        public_url: arguments.public_url.as_deref(),
        redirect_hosts: &arguments.oauth_allow_redirect,
    };
    let admission = match arguments.allow_unauthenticated {
        true => None,
        false => {
            context.ways = Some(told.ways());
            Some(Box::pin(identity::admission(&context, &options, &told)).await?)
        }
    };
    let accounts = admission.as_ref().map(|admission| admission.accounts.clone());
    let demands = admission.as_ref().is_some_and(|admission| !admission.trusts_machine || admission.accounts.exist());
    let authority = admission.as_ref().map(|admission| admission.oauth.authority.clone());
    let unasked = authority.filter(|authority| authority.approves_by_itself());
    let site = PlaneSite { context, admission, runtime };
    let plane = Plane::bind(options, site).await.map_err(|error| refused(&error))?;
    let url = plane.url();
    // What is handed out leads there.
    let public = plane.context().targets.as_ref().map_or_else(|| url.clone(), |targets| targets.url.clone());
    held.tell(&url, &public)?;
    let resumed = operations::jobs::resume(plane.context()).await?;
    let set_up = match &accounts {
        Some(accounts) => set_up(operations::accounts::set_up_link(accounts, &public).await, session)?,
        None => None,
    };
    let sign_in = provider.as_ref().map(|_| server::openid_redirect_uri(&public));
    warnings::print(plane.context(), &told, unasked.as_ref(), &public, session).await?;
    let begun = Begun { resumed, demands, set_up: set_up.as_deref(), sign_in: sign_in.as_deref() };
    announce(&url, &plane, &begun, session);
    let following = follow(plane.context().clone(), arguments.follow, session);
    let ends = Ends::default();
    let unready = ends.unready.clone();
    let following = unready.run_until_cancelled(following);
    let delay = Duration::from_secs_f64(arguments.drain_delay);
    tokio::select! {
        () = plane.run(ends.clone()) => {}
        Some(Err(error)) = following => return Err(error),
        () = end(&mut signals, &ends, delay, session) => {}
    }
    Ok(OK)
}

/// The link that makes the first account. One that cannot be stored keeps nobody from what is served.
fn set_up(made: Result<Option<String>, Error>, session: &Session) -> Result<Option<String>, Error> {
    match made {
        Err(error) if matches!(error.code, Code::CatalogueFull | Code::Catalogue) => {
            session.printer.warn(&format!(
                "there is no link that makes the first account: {}; when that is mended, start this again or use `mcp-factory accounts create`",
                error.message
            ));
            Ok(None)
        }
        made => made,
    }
}

/// Ends the control plane step by step, as signals ask for it. Never ends itself.
async fn end(signals: &mut Signals, ends: &Ends, delay: Duration, session: &Session) {
    let ending = signals.ending().await;
    session.printer.note("ending: running requests are given time to end");
    ends.unready.cancel();
    // Whoever presses Ctrl-C sends requests to nobody else.
    if ending == Ending::Terminated && !delay.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            _ = signals.ending() => ends.cut.cancel(),
        }
    }
    ends.shutdown.cancel();
    signals.ending().await;
    ends.cut.cancel();
    std::future::pending().await
}

/// Follows a folder, where one is named; ends only when the folder cannot be read.
async fn follow(context: Context, folder: Option<std::path::PathBuf>, session: &Session) -> Result<(), Error> {
    let Some(folder) = folder else { return std::future::pending().await };
    let tell = |followed: &operations::follow::Followed| {
        let (file, style) = (followed.file.display(), session.printer.message_style());
        match &followed.outcome {
            Ok(made) => session.printer.note(&format!("{file}: {} {}", style.bold(&made.name), made.version)),
            Err(error) => {
                session.printer.warn(&format!("{file} changes nothing, since it cannot be used"));
                session.printer.error(error);
            }
        }
    };
    operations::follow::folder(&context, &folder, tell).await
}

/// What is told of a control plane that begins.
struct Begun<'a> {
    /// Jobs that were taken up again.
    resumed: usize,
    /// Whether callers are asked who they are.
    demands: bool,
    /// The link that makes the first account.
    set_up: Option<&'a str>,
    /// Where a provider of OpenID Connect sends browsers back to.
    sign_in: Option<&'a str>,
}

/// Says where the control plane is.
fn announce(url: &str, plane: &Plane, begun: &Begun<'_>, session: &Session) {
    let Begun { resumed, demands, set_up, sign_in } = *begun;
    let printer = &session.printer;
    if printer.is_json() {
        printer.json(&json!({
            "url": url,
            "address": plane.address().to_string(),
            "mcp": format!("{url}/mcp"),
            "docs": format!("{url}/docs"),
            "resumedJobs": resumed,
            "identity": if demands { "required" } else { "none" },
            "setup": set_up,
            "oidcRedirectUri": sign_in,
        }));
        return;
    }
    let style = printer.message_style();
    printer.always(&format!("the control plane is at {}", style.green(url)));
    printer.note(&format!("  REST and its description  {url}/docs"));
    printer.note(&format!("  MCP clients               {url}/mcp"));
    if resumed > 0 {
        printer.note(&format!("  jobs taken up again       {resumed}"));
    }
    if let Some(link) = set_up {
        printer.always(&format!("  make the first account    {link}"));
        let then = if demands { "" } else { "; from then on nobody is let in without a key, also on this machine" };
        printer.note(&format!("                            (once, within a day{then})"));
    }
    if let Some(redirect) = sign_in {
        printer.note(&format!("  sign-in at the provider   sends back to {redirect}"));
    }
    if demands {
        printer.note("  callers show a key         `mcp-factory keys create NAME` makes one");
    } else if !plane.address().ip().is_loopback() {
        printer.warn("everybody who reaches this machine can use the control plane");
    }
    printer.note("Ctrl-C ends it");
}

/// The log, on standard error. `MCP_FACTORY_LOG` says how much, in the words of `tracing-subscriber`'s `EnvFilter`;
/// unless it does, `--quiet` leaves warnings and errors.
fn log(format: LogFormat, quiet: bool) {
    let usual = if quiet { "warn" } else { "warn,access=info,audit=info" };
    let filter = tracing_subscriber::EnvFilter::try_from_env("MCP_FACTORY_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    // A log that cannot be written, on a full disk, is no reason to fail: by default that is printed, and printing panics.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .log_internal_errors(false);
    let _ = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    };
}
