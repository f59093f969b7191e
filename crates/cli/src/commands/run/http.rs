//! Serving over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;

use operations::clients::{Reach as ClientReach, snippets};
use operations::{Code, Error};
use protocol::http::Authenticator;
use protocol::{Runtime, Service};
use serde_json::{Map, Value, json};
use server::{Options, Server, Site};
use spec::model::Auth;
use tokio_util::sync::CancellationToken;

use super::oauth::Prepared;
use super::signals::Signals;
use super::{Arguments, Transport, Work, summary, watch};
use crate::commands::OK;
use crate::session::Session;

pub(super) async fn serve(
    work: Work,
    mut signals: Signals,
    arguments: &Arguments,
    session: &Session,
) -> Result<u8, Error> {
    let spec = &work.prepared.spec;
    let options = Options {
        address: SocketAddr::new(arguments.host, arguments.port),
        hosts: arguments.allow_host.clone(),
        origins: arguments.allow_origin.clone(),
        allow_unauthenticated: arguments.allow_unauthenticated,
    };
    let runtime = Runtime::new(work.runtime_options())
        .map_err(|error| Error::new(Code::Internal, format!("the system gives no random bytes: {error}")))?;
    let oauth = arguments.oauth.open(&work, arguments).await?;
    let callers = arguments.callers.open(&work.context, &arguments.oauth.proxies()?).await?;
    let spec_decides = oauth.is_none() && callers.is_none();
    let site = Site {
        name: spec.name.clone(),
        version: spec.version.clone(),
        service: Arc::clone(&work.service),
        groups: if arguments.group.is_some() { Vec::new() } else { groups(&work) },
        authenticator: if spec_decides { authenticator(&work)? } else { None },
        callers,
        oauth: oauth.as_ref().map(|prepared| prepared.oauth.clone()),
        runtime,
    };
    let server = Server::bind(options, site).await.map_err(|error| refused(&error))?;
    announce(&server, &work, arguments, oauth.as_ref(), session);
    let shutdown = CancellationToken::new();
    let mut serving = std::pin::pin!(server.run(shutdown.clone()));
    tokio::select! {
        () = serving.as_mut() => {}
        () = watch::follow(&work, session) => unreachable!("a file is followed until the end"),
        _ = signals.ending() => {
            session.printer.note("ending: running calls are given time to end");
            shutdown.cancel();
            serving.await;
        }
    }
    summary::tell(&work.prepared.hosted.toolset().metrics(), session);
    Ok(OK)
}

/// The groups, each as a service of its own.
fn groups(work: &Work) -> Vec<(String, Arc<dyn Service>)> {
    let hosted = &work.prepared.hosted;
    let group = |name: String| {
        let service: Arc<dyn Service> = Arc::new(hosted.group(&name)?);
        Some((name, service))
    };
    hosted.groups().into_iter().filter_map(group).collect()
}

fn authenticator(work: &Work) -> Result<Option<Arc<dyn Authenticator>>, Error> {
    let environment = work.context.environment.clone();
    match host::auth(&work.prepared.spec, &move |name: &str| environment.get(name)) {
        Ok(keys) => Ok(keys.map(|keys| Arc::new(keys) as Arc<dyn Authenticator>)),
        Err(diagnostic) => {
            let mut error = Error::new(Code::MissingKey, diagnostic.message);
            for help in diagnostic.help {
                error = error.hint(help);
            }
            Err(error
                .hint("or let callers in by OAuth: `--oauth single-user`")
                .hint("over stdio no key is asked for: `--transport stdio`"))
        }
    }
}

pub(crate) fn refused(error: &server::Error) -> Error {
    let code = match error {
        server::Error::Unauthenticated { .. } | server::Error::Open { .. } => Code::Exposed,
        server::Error::Bind { .. } => Code::Address,
    };
    Error::new(code, error.to_string()).hint(error.hint())
}

/// Says where the server is, and what clients need to know of it.
fn announce(server: &Server, work: &Work, arguments: &Arguments, oauth: Option<&Prepared>, session: &Session) {
    let printer = &session.printer;
    let spec = &work.prepared.spec;
    let urls = server.urls();
    let legacy = work.transport == Transport::Sse;
    let url = if legacy { urls.sse.clone() } else { urls.mcp.clone() };
    let base = urls.mcp.strip_suffix("/mcp").unwrap_or_default();
    let groups = work.prepared.hosted.groups().into_iter().filter(|_| arguments.group.is_none());
    let groups: Vec<(String, String)> =
        groups.map(|name| (format!("{base}{}/mcp", server::group_path(&spec.name, &name)), name)).collect();
    if printer.is_json() {
        let mut told = json!({
            "server": spec.name,
            "version": spec.version,
            "url": url,
            "address": server.address().to_string(),
            "mcp": urls.mcp,
            "sse": urls.sse,
            "health": urls.health,
        });
        if !groups.is_empty() {
            told["groups"] =
                groups.into_iter().map(|(url, name)| (name, url.into())).collect::<Map<String, Value>>().into();
        }
        if let Some(oauth) = oauth {
            told["oauth"] = oauth.told(base);
        }
        printer.json(&told);
        return;
    }
    let style = printer.message_style();
    // Without `--quiet` or with it: whoever asked for port 0 needs this line.
    printer.always(&format!("{} {} is served at {}", style.bold(&spec.name), spec.version, style.green(&url)));
    printer.note(&format!("  also at {}", if legacy { urls.mcp.clone() } else { urls.sse.clone() }));
    for (url, name) in &groups {
        printer.note(&format!("  group {}: {url}", style.bold(name)));
    }
    let shown = match oauth {
        Some(_) => None,
        None if arguments.callers.is_asked_for() => arguments.callers.header(),
        None => header(&spec.auth),
    };
    if let Some(oauth) = oauth {
        oauth.announce(base, session);
    } else if server.address().ip().is_loopback() || spec.auth != Auth::None || arguments.callers.is_asked_for() {
        if let Some((header, before)) = &shown {
            printer.note(&format!("  callers show their key in `{header}: {before}…`"));
        }
    } else {
        printer.warn("everybody who reaches this machine can call the server");
    }
    let reach = ClientReach::Url { url: urls.mcp.clone(), header: shown };
    for snippet in snippets(&spec.name, &reach) {
        let indented = snippet.text.replace('\n', "\n    ");
        printer.note(&format!("\n  {} ({}):\n    {indented}", style.bold(snippet.client), snippet.place));
    }
    printer.note("\nCtrl-C ends it");
}

/// The header that carries the key, with what stands before the key.
pub(crate) fn header(auth: &Auth) -> Option<(String, &'static str)> {
    match auth {
        Auth::None => None,
        Auth::ApiKey { header, .. } => Some((header.clone(), "")),
        Auth::Bearer { .. } | Auth::Oauth2 { .. } => Some(("Authorization".to_owned(), "Bearer ")),
    }
}
