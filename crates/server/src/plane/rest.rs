//! The REST face: finds what a request means, and tells of it in the log.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ALLOW, ORIGIN, VARY, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri};
use hyper::body::{Body as _, Incoming};
use identity::address::Proxies;
use operations::deploy::{Local, Running};
use operations::operation::{Boxed, Scope};
use operations::scopes::MEASURE;
use operations::{Caller, Code, Context, Error};
use protocol::http::{Authenticator, Barred, Body, Challenge, Guard, Peer};
use protocol::{Endpoint, Limit, Runtime};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use super::answer::Kept;
use super::metrics::Metrics;
use super::pages::Pages;
use super::routes::{Found, Routes};
use super::{accept, access, answer, body, caller, docs, events, headers, openapi, problem, ready, routes, run};
use crate::oauth::AskedAs;

static ROUTES: LazyLock<Routes> = LazyLock::new(Routes::new);
static OPENAPI: LazyLock<Kept> = LazyLock::new(|| Kept::of(format!("{}\n", openapi::document())));
static DOCS: LazyLock<Kept> = LazyLock::new(|| Kept::of(docs::page()));

/// What requests are told as in the log.
const ACCESS: &str = "access";
/// Where what was measured is read.
const METRICS: &str = "/metrics";

/// The REST face of a control plane.
pub(super) struct Rest {
    context: Context,
    guard: Arc<Guard>,
    authenticator: Option<Arc<dyn Authenticator>>,
    pages: Option<Pages>,
    proxies: Proxies,
    metrics: Arc<Metrics>,
    runtime: Arc<Runtime>,
    local: Arc<Local>,
    /// The factory's own MCP server.
    own: Option<Arc<Endpoint>>,
    ready: AtomicBool,
    /// Long streams end with it.
    ending: CancellationToken,
}

/// Who is let in, and where they ask to be.
pub(super) struct Door {
    pub(super) guard: Arc<Guard>,
    pub(super) authenticator: Option<Arc<dyn Authenticator>>,
    pub(super) pages: Option<Pages>,
    /// Proxies that say truly whom they speak for.
    pub(super) proxies: Proxies,
}

/// What the log says of a request beside its head.
struct Told {
    operation: &'static str,
    caller: String,
    /// What remains of the caller's limit.
    limit: Option<Limit>,
}

impl Rest {
    pub(super) fn new(
        context: Context,
        door: Door,
        metrics: Arc<Metrics>,
        runtime: Arc<Runtime>,
        local: Arc<Local>,
    ) -> Self {
        let Door { guard, authenticator, pages, proxies } = door;
        let ready = AtomicBool::new(false);
        Self {
            context,
            guard,
            authenticator,
            pages,
            proxies,
            metrics,
            runtime,
            local,
            own: None,
            ready,
            ending: CancellationToken::new(),
        }
    }

    /// The same with groups of the factory's own MCP server.
    pub(super) fn with_own(mut self, own: Arc<Endpoint>) -> Self {
        self.own = Some(own);
        self
    }

    /// Whether requests are wanted.
    pub(super) fn set_ready(&self, ready: bool) {
        if self.ready.swap(ready, Ordering::Relaxed) && !ready {
            self.ending.cancel();
        }
    }

    /// Answers a request.
    pub(super) async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let start = Instant::now();
        let id = headers::request_id(request.headers());
        let origin = request.headers().get(ORIGIN).cloned();
        let method = request.method().clone();
        let is_logged = tracing::enabled!(target: ACCESS, tracing::Level::INFO);
        let path = is_logged.then(|| request.uri().path().to_owned());
        let mut told = Told { operation: "", caller: String::new(), limit: None };
        let pages = self.pages.as_ref().filter(|pages| pages.has(request.uri().path()));
        if pages.is_some() {
            told.operation = "pages";
        }
        let own = pages.is_some();
        let checked = match ready::is_probe(request.uri().path()) {
            // Probes name a process by its address, or not at all.
            true => self.guard.check_origin(request.headers()),
            false => self.guard.check(request.headers()),
        };
        let is_allowed = checked.is_ok();
        let mut answer = match (pages, checked) {
            (Some(pages), _) => Box::pin(pages.answer(request, peer, &id)).await,
            (None, Ok(())) => self.found(request, &peer, &id, &mut told).await,
            (None, Err(barred)) => problem::of(&not_let_in(barred), &id, None),
        };
        if let Some(limit) = told.limit {
            limit.tell(answer.headers_mut());
        }
        if let Some(origin) = origin.filter(|_| is_allowed && !own) {
            answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            answer.headers_mut().insert(VARY, HeaderValue::from_static("origin"));
            // What servers let pages read is theirs to say.
            let exposed = HeaderValue::from_static(headers::EXPOSED);
            answer.headers_mut().entry(ACCESS_CONTROL_EXPOSE_HEADERS).or_insert(exposed);
        }
        let (status, elapsed) = (answer.status(), start.elapsed());
        self.metrics.request(told.operation, &method, status, elapsed);
        if let Some(path) = path {
            let bytes = answer.body().size_hint().exact().unwrap_or_default();
            let ms = (elapsed.as_secs_f64() * 1e6).round() / 1e3;
            let address = peer.address.map(|address| address.to_string()).unwrap_or_default();
            tracing::info!(target: ACCESS, %method, path, status = status.as_u16(), ms, bytes, operation = told.operation,
                caller = told.caller, peer = address, request = id);
        }
        if let Ok(value) = HeaderValue::try_from(id) {
            answer.headers_mut().insert(headers::REQUEST_ID, value);
        }
        answer
    }

    async fn found(&self, request: Request<Incoming>, peer: &Peer, id: &str, told: &mut Told) -> Response<Body> {
        let (mut head, mut body) = request.into_parts();
        match self.hosted(&mut head, &mut body, peer, id, told).await {
            Some(answer) => answer,
            // What calls of tools do not pass is behind a pointer: each of them has room for what they do alone.
            None => Box::pin(self.at_home(head, body, peer, id, told)).await,
        }
    }

    /// Answers a request for the control plane itself.
    async fn at_home(&self, head: Parts, body: Incoming, peer: &Peer, id: &str, told: &mut Told) -> Response<Body> {
        let path = head.uri.path();
        if matches!(path, METRICS | "/metrics/")
            && matches!(head.method, Method::GET | Method::HEAD)
            && let Err(answer) = self.may_measure(&head, peer, id).await
        {
            return answer;
        }
        if head.method == Method::GET && ready::is_asked(path) && ready::is_verbose(head.uri.query()) {
            let checks = ready::checks(&self.context, self.local.all().len(), self.local.log().lost()).await;
            return self.health(Some(checks));
        }
        if let Some(answer) = self.page(&head, path, id) {
            return answer;
        }
        let (route, values) = match ROUTES.find(&head.method, path) {
            Found::Operation(route, values) => (route, values),
            Found::Methods(methods) => return not_this_method(&head, &methods, id),
            Found::Nothing => return problem::of(&nothing(path), id, None),
        };
        told.operation = route.operation.declared().name;
        let as_events = told.operation == events::OPERATION && events::is_wanted(&head);
        if !as_events && !accept::takes_json(&head.headers) {
            let error = Error::new(Code::NotAcceptable, "answers are `application/json`, which `Accept` excludes");
            return problem::of(&error.hint("send `Accept: application/json`, or no `Accept`"), id, None);
        }
        let caller = match caller::authenticate(self.authenticator.as_ref(), &head, peer).await {
            Ok((caller, limit)) => {
                told.limit = limit;
                caller
            }
            // What is open to everybody asks nobody for a key.
            Err(_) if route.operation.declared().scope == Scope::Open => Caller::nobody(),
            Err(challenge) => return refused(challenge, id),
        };
        caller.id().clone_into(&mut told.caller);
        if as_events {
            return self.told_of(caller, id, &values, &head).await;
        }
        let body = match head.method {
            Method::POST => match body::read(&head.headers, body, id).await {
                Ok(body) => body,
                Err(answer) => return answer,
            },
            _ => Bytes::new(),
        };
        let scope = route.operation.declared().scope;
        if caller.is_program() && !caller.may(scope) {
            let asked = self.context.asked(caller, id).from(Some(self.address(&head, peer)));
            let mut answer = run::operation(asked, id, route, values, head.clone(), body).await;
            if answer.status() == StatusCode::FORBIDDEN {
                self.tell_scope(&mut answer, &head, scope.as_str());
            }
            return answer;
        }
        let context = self.context.asked(caller, id).from(Some(self.address(&head, peer)));
        run::operation(context, id, route, values, head, body).await
    }

    /// Where a request comes from, as proxies say that are believed.
    fn address(&self, head: &Parts, peer: &Peer) -> IpAddr {
        crate::oauth::address(&self.proxies, head, peer)
    }

    /// The events of a job, as they are told.
    async fn told_of(&self, caller: Caller, id: &str, values: &Map<String, Value>, head: &Parts) -> Response<Body> {
        let context = self.context.asked(caller, id.to_owned());
        let job = values.get("id").and_then(Value::as_str).unwrap_or_default();
        let told = events::stream(context, job, head, self.ending.clone()).await;
        told.unwrap_or_else(|error| problem::of(&error, id, None))
    }

    /// Has a deployed server answer; nothing, with the request as it was, when it is for none.
    async fn hosted(
        &self,
        head: &mut Parts,
        body: &mut Incoming,
        peer: &Peer,
        id: &str,
        told: &mut Told,
    ) -> Option<Response<Body>> {
        if let Some(plain) = routes::plain(&head.uri) {
            head.uri = plain;
        }
        // The path lies in the head, which is changed while it is answered.
        let uri = head.uri.clone();
        let path = uri.path();
        let path = path.strip_suffix('/').unwrap_or(path);
        if let (Some(group), Some(own)) = (path.strip_prefix("/mcp/groups/"), &self.own) {
            head.uri = of_group(&uri, group)?;
            head.extensions.insert(AskedAs(uri.clone()));
            told.operation = "group";
            return Some(Box::pin(own.http(head, body, peer)).await);
        }
        let (name, rest) = path.strip_prefix("/servers/")?.split_once('/')?;
        let version = rest.strip_prefix("versions/").and_then(|rest| rest.split_once('/'));
        let (running, rest) = match version {
            Some((version, rest)) => {
                if self.local.version(name, version).is_none()
                    && let Some(known) = self.known(name).await
                {
                    // What it takes to answer as another version is done for those alone who may come to the server.
                    if head.method == Method::OPTIONS {
                        return Box::pin(known.answer(rest, head, body, peer)).await;
                    }
                    if let Err(challenge) = Box::pin(known.admits(group_of(rest), head, peer)).await {
                        return Some(refused(challenge, id));
                    }
                }
                (Box::pin(operations::deploy::version(&self.context, name, version)).await, rest)
            }
            None => (self.known(name).await, rest),
        };
        let version = version.map(|(version, _)| version);
        let Some(running) = running else {
            // Who shows nothing does not learn which servers there are.
            return match Box::pin(caller::authenticate(self.authenticator.as_ref(), head, peer)).await {
                // And who is known does not learn which ones others have.
                Ok((caller, limit)) if is_endpoint(rest) => {
                    told.limit = limit;
                    let group = group_of(rest);
                    let asked = self.context.asked(caller, id);
                    let why = Box::pin(operations::deploy::away(&asked, name, group, version)).await;
                    Some(refused(access::turned_away(&why), id))
                }
                Ok(_) => None,
                Err(challenge) => Some(refused(challenge, id)),
            };
        };
        told.operation = "hosted";
        let mut answer = running.answer(rest, head, body, peer).await?;
        if answer.status() == StatusCode::FORBIDDEN
            && answer.headers().get(WWW_AUTHENTICATE) == Some(&access::INSUFFICIENT)
        {
            self.tell_scope(&mut answer, head, operations::access::USE);
        }
        Some(answer)
    }

    /// Says to a program which scope its token lacks, and where it asks for it.
    fn tell_scope(&self, answer: &mut Response<Body>, head: &Parts, scope: &str) {
        let told = self.pages.as_ref().and_then(|pages| pages.insufficient(head, scope));
        if let Some(told) = told {
            answer.headers_mut().insert(WWW_AUTHENTICATE, told);
        }
    }

    /// The deployed server of a name.
    async fn known(&self, name: &str) -> Option<Arc<Running>> {
        if self.local.find(name).is_none() {
            // Without its type: what is behind it is too deep for the compiler.
            let ensured: Boxed<'_, ()> = Box::pin(operations::deploy::ensure(&self.context, name));
            ensured.await;
        }
        self.local.find(name)
    }

    /// Whether the caller may read what was measured.
    async fn may_measure(&self, head: &Parts, peer: &Peer, id: &str) -> Result<(), Response<Body>> {
        let found = caller::authenticate(self.authenticator.as_ref(), head, peer).await;
        let (caller, _) = found.map_err(|challenge| refused(challenge, id))?;
        match &caller {
            Caller::Remote(principal) if !principal.scopes.allow(MEASURE) => {
                let what = format!("reading {METRICS} needs the scope `{MEASURE}`, which {caller} lacks");
                let hint = "ask whoever runs this control plane for a key with that scope";
                Err(problem::of(&Error::new(Code::Forbidden, what).hint(hint), id, None))
            }
            _ => Ok(()),
        }
    }

    /// Pages that are no operations.
    fn page(&self, head: &Parts, path: &str, id: &str) -> Option<Response<Body>> {
        const KINDS: [&str; 3] = ["text/html; charset=utf-8", "application/json", "text/plain; version=0.0.4"];
        let [html, json, prometheus] = KINDS;
        let path = path.strip_suffix('/').filter(|short| !short.is_empty()).unwrap_or(path);
        let make = || match path {
            ready::ALIVE => Some(answer::json(StatusCode::OK, &json!({"status": "ok"}))),
            path if ready::is_asked(path) => Some(self.health(None)),
            METRICS => Some(answer::of(StatusCode::OK, prometheus, self.metrics.text(&self.runtime, &self.local))),
            "/openapi.json" => Some(answer::kept(&head.headers, json, &OPENAPI)),
            "/docs" | "/" => Some(docs::harden(answer::kept(&head.headers, html, &DOCS))),
            _ => {
                let code = path.strip_prefix("/docs/codes/")?;
                Some(match operations::explain::explain(code) {
                    Ok(page) => docs::harden(answer::of(StatusCode::OK, html, docs::code(&page))),
                    Err(error) => problem::of(&error, id, None),
                })
            }
        };
        let made = make()?;
        match head.method {
            Method::GET | Method::HEAD => Some(made),
            _ => Some(not_this_method(head, &[Method::GET, Method::HEAD], id)),
        }
    }

    fn health(&self, checks: Option<Vec<Value>>) -> Response<Body> {
        let facts = json!({
            "status": "",
            "version": env!("CARGO_PKG_VERSION"),
            "uptimeSeconds": self.metrics.uptime().as_secs(),
            "sessions": self.runtime.session_count(),
        });
        ready::answer(&self.context, self.ready.load(Ordering::Relaxed), facts, checks)
    }
}

/// A request that names another host, or comes from a web page that may not call.
fn not_let_in(barred: Barred) -> Error {
    match barred {
        Barred::Malformed(why) => Error::new(Code::BadRequest, why)
            .hint("send one `Host`: a name or an address, and the port where it is not 80"),
        barred => Error::new(Code::Forbidden, barred.why())
            .hint("use an address that is served: see `--allow-host` and `--allow-origin`"),
    }
}

/// Where the factory's own MCP server takes the request: it finds the group in the query.
fn of_group(uri: &Uri, group: &str) -> Option<Uri> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if group.is_empty() || !group.chars().all(plain) {
        return None;
    }
    let query = super::platform::Platform::query_of_group(group);
    let more = uri.query().filter(|more| !more.is_empty()).map(|more| format!("&{more}")).unwrap_or_default();
    format!("/mcp?{query}{more}").parse().ok()
}

/// The answer for a method that a path does not take; `OPTIONS` is answered by what it takes.
fn not_this_method(head: &Parts, methods: &[Method], id: &str) -> Response<Body> {
    let allow: Vec<&str> = methods.iter().map(Method::as_str).chain(["OPTIONS"]).collect();
    let allow = allow.join(", ");
    let mut answer = if head.method == Method::OPTIONS {
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        preflight(head, &allow, &mut answer);
        answer
    } else {
        let error = Error::new(Code::BadMethod, format!("{} does not take {}", head.uri.path(), head.method));
        problem::of(&error.hint(format!("it takes {allow}")), id, None)
    };
    if let Ok(value) = HeaderValue::try_from(allow) {
        answer.headers_mut().insert(ALLOW, value);
    }
    answer
}

/// What a web page of an allowed origin may send.
fn preflight(head: &Parts, allow: &str, answer: &mut Response<Body>) {
    use http::header::{ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_REQUEST_HEADERS};
    if let Some(asked) = head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    if let Ok(value) = HeaderValue::try_from(allow) {
        answer.headers_mut().insert(ACCESS_CONTROL_ALLOW_METHODS, value);
    }
}

/// The group in a path below a server.
fn group_of(rest: &str) -> Option<&str> {
    Some(rest.strip_prefix("groups/")?.split_once('/')?.0)
}

/// Whether a path below a server is where MCP is spoken.
fn is_endpoint(rest: &str) -> bool {
    rest.rsplit('/').next().is_some_and(|last| matches!(last, "mcp" | "sse" | "messages"))
}

fn nothing(path: &str) -> Error {
    let mut error = Error::new(Code::NoPath, format!("there is nothing at {path}"));
    if let Some(near) = base::nearest(path, ROUTES.paths()) {
        error = error.hint(format!("did you mean `{near}`?"));
    }
    error.hint("`/docs` lists every path")
}

/// Turns a caller away, in the words of whoever looked at them.
fn refused(challenge: Challenge, id: &str) -> Response<Body> {
    if challenge.status == StatusCode::NOT_FOUND {
        // As the endpoints of servers say it: whoever may not come to one does not learn whether it is there.
        return answer::of(challenge.status, "application/json", challenge.body);
    }
    let told: Option<serde_json::Value> = serde_json::from_slice(&challenge.body).ok();
    let why = told.as_ref().and_then(|told| told["error_description"].as_str());
    let (code, usual, hint) = match challenge.status {
        StatusCode::UNAUTHORIZED => (
            Code::NeedsKey,
            "the caller shows no key that is known here",
            "send a key: `Authorization: Bearer …`; commands take it from MCP_FACTORY_KEY",
        ),
        StatusCode::BAD_REQUEST => (Code::BadRequest, "the request shows too much", "show one key or token"),
        StatusCode::TOO_MANY_REQUESTS => {
            (Code::TooMany, "the caller comes too often", "wait for as long as `Retry-After` says")
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            (Code::CatalogueBusy, "callers cannot be looked up", "try again in a moment")
        }
        _ => (Code::Forbidden, "the caller is not let in", "send a key: `Authorization: Bearer …`"),
    };
    let mut answer = problem::of(&Error::new(code, why.unwrap_or(usual)).hint(hint), id, None);
    let headers = answer.headers_mut();
    for (name, value) in challenge.headers {
        headers.insert(name, value);
    }
    if let Some(value) = challenge.www_authenticate {
        headers.insert(WWW_AUTHENTICATE, value);
    }
    answer
}
