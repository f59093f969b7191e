//! A client on standard streams, and a server that is deployed somewhere.

use client::Place;
use operations::all::Status;
use operations::doctor::PORT;
use operations::status::Input;
use operations::{Code, Context, Error};
use tokio_util::sync::CancellationToken;

use crate::commands::run::{self, Transport};
use crate::commands::{OK, Threads, runtime, until_asked};
use crate::remote::{Remote, check_path, settings};
use crate::session::Session;

/// What the client is to reach.
pub(super) struct Asked {
    pub(super) name: Option<String>,
    pub(super) group: Option<String>,
    pub(super) version: Option<String>,
    pub(super) key_header: Option<String>,
}

/// Where it is.
enum Found {
    /// At a control plane of this URL.
    At(String),
    /// Nowhere: this process serves it.
    Here,
}

pub(super) fn run(asked: Asked, session: &Session) -> Result<u8, Error> {
    check_path(asked.name.as_deref().unwrap_or("-"), asked.group.as_deref(), asked.version.as_deref())?;
    let context = session.context()?;
    let runtime = runtime(Threads::One)?;
    let found = runtime.block_on(find(&asked, session, &context))?;
    if let (Found::Here, Some(name)) = (&found, &asked.name) {
        drop(runtime);
        let mut arguments = run::Arguments::of_server(name.clone(), Some(Transport::Stdio), PORT, asked.version);
        arguments.only_group(asked.group);
        return run::run(arguments, session);
    }
    let Found::At(url) = found else { return Err(no_plane()) };
    run::log_to_stderr();
    let ended = runtime.block_on(relay(&asked, url, session, context));
    // A thread may still be reading standard input; nobody waits for it.
    runtime.shutdown_background();
    ended.map(|()| OK)
}

/// Looks where the server answers, so that a client is told at once when it cannot.
async fn find(asked: &Asked, session: &Session, context: &Context) -> Result<Found, Error> {
    let named = session.named(context);
    let Some(url) = named.clone().or_else(|| operations::plane::running(context)) else {
        return if asked.name.is_some() { Ok(Found::Here) } else { Err(no_plane()) };
    };
    let url = url.trim_end_matches('/').to_owned();
    let remote = Remote::open_with(&url, session.key(context)?, asked.key_header.as_deref())?;
    let (status, body) = remote.probe(context, &path(asked)).await?;
    match (status, asked.name.as_deref()) {
        (401 | 403, _) => {
            let why = match session.key(context)? {
                None => "asks for a key, and none was sent",
                Some(_) => "does not take the key that was sent",
            };
            Err(Error::new(Code::NeedsKey, format!("{url}{} {why}: {}", path(asked), told(&body)))
                .hint("put the key into MCP_FACTORY_KEY, or name its variable with `--key-env NAME`")
                .hint("a server whose spec names a header takes it with `--key-header HEADER`"))
        }
        (404, Some(name)) if is_part(asked) && remote.probe(context, &whole(name)).await?.0 != 404 => {
            Err(no_part(asked, name, named.as_ref()))
        }
        (404, Some(name)) if named.is_some() || asked.version.is_some() || asked.group.is_some() => {
            Err(Error::new(Code::NotDeployed, format!("`{name}` does not answer at {url}{}", path(asked)))
                .hint(format!("deploy it: `mcp-factory deploy {name} --url {url}`"))
                .hint(format!("`mcp-factory status {name} --url {url}` shows whether it runs")))
        }
        (404, Some(name)) => not_deployed(name, session, context).await,
        _ => Ok(Found::At(url)),
    }
}

/// What a server says in an answer that refuses: the sentence of a problem document or of a message, or the text.
fn told(body: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let places = ["/detail", "/error/message", "/error_description", "/message", "/error"];
    let sentence = places.iter().find_map(|place| value.pointer(place)?.as_str());
    sentence.unwrap_or(body.trim()).to_owned()
}

/// Whether a part of a server is asked for, or a version of it.
fn is_part(asked: &Asked) -> bool {
    asked.version.is_some() || asked.group.is_some()
}

/// The server answers, and not the version or the group of it that is asked for.
fn no_part(asked: &Asked, name: &str, url: Option<&String>) -> Error {
    let at = url.map(|url| format!(" --url {}", url.trim_end_matches('/'))).unwrap_or_default();
    match (&asked.group, &asked.version) {
        (None, Some(version)) => {
            Error::new(Code::NoVersion, format!("`{name}` is deployed, and has no version {version}"))
                .hint(format!("`mcp-factory status {name}{at}` shows its versions"))
        }
        (group, _) => {
            let group = group.as_deref().unwrap_or_default();
            Error::new(Code::Usage, format!("`{name}` is deployed, and has no group `{group}` of tools"))
                .hint(format!("`mcp-factory search --server {name}{at} --output json` shows the groups of its tools"))
        }
    }
}

/// A server of the home folder that its control plane does not run is served by this process, unless somebody stopped it.
async fn not_deployed(name: &str, session: &Session, context: &Context) -> Result<Found, Error> {
    let input = Input { name: name.to_owned(), version: None };
    let server = Box::pin(operations::perform::<Status>(context, input)).await?;
    match server.deployment {
        Some(known) if known.wanted == "stopped" => {
            Err(Error::new(Code::NotDeployed, format!("`{name}` is deployed, and stopped"))
                .hint(format!("start it: `mcp-factory start {name}`")))
        }
        Some(known) => {
            let why = known.reason.unwrap_or(known.state);
            Err(Error::new(Code::NotDeployed, format!("`{name}` is deployed, and does not run: {why}"))
                .hint(format!("`mcp-factory status {name}` shows more")))
        }
        None => {
            session.printer.note(&format!("{name} is not deployed; this process serves it"));
            Ok(Found::Here)
        }
    }
}

fn no_plane() -> Error {
    Error::new(Code::NoControlPlane, "no control plane holds this home folder")
        .hint("start one with `mcp-factory serve`, name one with `--url`, or name a server")
}

fn path(asked: &Asked) -> String {
    match (&asked.name, &asked.group, &asked.version) {
        (None, ..) => "/mcp".to_owned(),
        (Some(name), Some(group), _) => format!("/servers/{name}/groups/{group}/mcp"),
        (Some(name), _, Some(version)) => format!("/servers/{name}/versions/{version}/mcp"),
        (Some(name), ..) => whole(name),
    }
}

/// The path of a whole server, as it is switched to.
fn whole(name: &str) -> String {
    format!("/servers/{name}/mcp")
}

async fn relay(asked: &Asked, url: String, session: &Session, context: Context) -> Result<(), Error> {
    let (key, header) = (session.key(&context)?, asked.key_header.clone());
    let (endpoint, named) = (path(asked), session.named(&context).is_some());
    // A control plane of the home folder that was started again may be at another address.
    let find = move || {
        let now = if named { Some(url.clone()) } else { operations::plane::running(&context) };
        let now = now.ok_or_else(|| "no control plane holds the home folder any more".to_owned())?;
        let http = settings(now.trim_end_matches('/'), key.clone(), header.as_deref());
        Ok(Place { http, endpoint: endpoint.clone(), login: None })
    };
    joined(Box::new(find)).await
}

/// Passes messages between standard input and output and an endpoint, until one of the two is closed.
pub(super) async fn joined(find: Box<client::Find>) -> Result<(), Error> {
    let stop = CancellationToken::new();
    let mut relaying = std::pin::pin!(client::bridge(find, tokio::io::stdin(), tokio::io::stdout(), stop.clone()));
    let ended = tokio::select! {
        ended = relaying.as_mut() => ended,
        () = until_asked() => {
            stop.cancel();
            relaying.await
        }
    };
    match ended {
        // A client that goes away without closing the pipe first is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(Code::Upstream, format!("the conversation ended: {error}"))
                .hint("standard input and output must be open, as an MCP client opens them"))
        }
        _ => Ok(()),
    }
}
