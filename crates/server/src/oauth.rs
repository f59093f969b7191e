//! The authorization server's HTTP part: its paths, and the check of tokens. What is decided, `identity` decides.

mod authorize;
mod gate;
pub(crate) mod page;
pub(crate) mod respond;
mod token;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use hyper::body::Incoming;
use identity::accounts::Accounts;
use identity::address::{Proxies, bucket};
use identity::oauth::{Authority, OWNER, Places, Refusal, authorization_server, protected_resource};
use protocol::http::{Body, Guard, Peer, Unread, read_body};

pub(crate) use authorize::is_own_page;
pub(crate) use gate::{Gate, bearer};

/// Largest body of a request, bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest wait for a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// Longest query, bytes.
pub(crate) const QUERY_BYTES_MAX: usize = 16 * 1024;
const SERVER: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";
/// The header by which proxies say whom they speak for.
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The paths of a server with these groups, and which resource each belongs to: the whole server, or a group.
pub fn places(name: &str, groups: &[String]) -> Places {
    let main = "/mcp";
    let mut places = Places::at(main);
    for path in ["/sse", "/messages", "/mcp/sse", "/mcp/messages"] {
        places = places.with(path, main);
    }
    places = places.with(&format!("/servers/{name}/mcp"), main);
    for group in groups {
        let base = crate::group_path(name, group);
        let resource = format!("{base}/mcp");
        for path in ["mcp", "sse", "messages"] {
            places = places.with(&format!("{base}/{path}"), &resource);
        }
    }
    places
}

/// The paths of a platform, and which resource each belongs to.
pub fn platform_places() -> Places {
    let main = "/mcp";
    Places::at(main).with("/mcp-stream/mcp", main).with("/version", main).of_platform()
}

/// The origin that an operator names, in the one way in which clients compare it.
///
/// # Errors
/// Says what is wrong with it.
pub fn origin(text: &str) -> Result<String, &'static str> {
    let url = url::Url::parse(text).map_err(|_| "is no URL")?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if url.scheme() != "https" && !(url.scheme() == "http" && local) {
        return Err("is not https");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user or a password");
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err("has more than an origin");
    }
    Ok(url.origin().ascii_serialization())
}

/// An authorization server and whom it believes.
#[derive(Clone)]
pub struct OAuth {
    /// What decides.
    pub authority: Arc<Authority>,
    /// Proxies that say truly whom they speak for.
    pub proxies: Proxies,
}

/// What a client asked for, where another place answers for it: challenges name what clients compare.
#[derive(Clone)]
pub(crate) struct AskedAs(pub(crate) Uri);

/// The paths of an authorization server.
pub(crate) struct Routes {
    oauth: OAuth,
    guard: Arc<Guard>,
    /// The people who are asked, on a platform.
    accounts: Option<Arc<Accounts>>,
}

impl Routes {
    pub(crate) fn new(oauth: OAuth, guard: Arc<Guard>, accounts: Option<Arc<Accounts>>) -> Self {
        Self { oauth, guard, accounts }
    }

    /// How a caller is told which scope a token lacks for what a request asks.
    pub(crate) fn insufficient(&self, head: &Parts, scope: &str) -> Option<HeaderValue> {
        gate::insufficient(&self.oauth.authority, &self.guard, head, scope)
    }

    /// Whose yes it is where nobody says it in person.
    fn owner(&self) -> &'static str {
        if self.accounts.is_some() { operations::keys::LOCAL_OWNER } else { OWNER }
    }

    /// Whether a path is one of its own.
    pub(crate) fn has(&self, path: &str) -> bool {
        matches!(path, SERVER | "/register" | "/authorize" | "/token" | "/revoke") || self.resource(path).is_some()
    }

    /// The path of the resource that a well-known path is about.
    fn resource<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(RESOURCE)?;
        let known =
            rest.trim_matches('/').is_empty() || self.oauth.authority.settings().places.resource(rest).is_some();
        known.then_some(rest)
    }

    /// Answers a request for one of its paths.
    pub(crate) async fn answer(&self, request: Request<Incoming>, peer: Peer) -> Response<Body> {
        let (head, body) = request.into_parts();
        let answer = match self.issuer(&head.headers) {
            Err(refusal) => respond::refusal(&refusal),
            Ok(_) if head.method == Method::OPTIONS => respond::plain(StatusCode::NO_CONTENT),
            Ok(issuer) => {
                let asked = Asking { issuer, address: self.address(&head, peer), head: &head };
                self.route(asked, body).await
            }
        };
        respond::share(&self.guard, &head.headers, answer)
    }

    async fn route(&self, asked: Asking<'_>, body: Incoming) -> Response<Body> {
        let settings = self.oauth.authority.settings();
        let path = asked.head.uri.path();
        let reads = matches!(asked.head.method, Method::GET | Method::HEAD);
        match path {
            SERVER if reads => respond::json(StatusCode::OK, &authorization_server(settings, &asked.issuer)),
            "/authorize" if reads => self.ask(asked).await,
            "/authorize" if asked.head.method == Method::POST => match read(&asked.head.headers, body).await {
                Ok(body) => self.answered(asked, &body).await,
                Err(refusal) => respond::refusal_page(asked.head, &refusal),
            },
            "/register" | "/token" | "/revoke" if asked.head.method == Method::POST => {
                match read(&asked.head.headers, body).await {
                    Ok(body) => self.post(asked, body).await,
                    Err(refusal) => respond::refusal(&refusal),
                }
            }
            "/authorize" => respond::method_not_allowed("GET, HEAD, POST, OPTIONS"),
            "/register" | "/token" | "/revoke" => respond::method_not_allowed("POST, OPTIONS"),
            _ if reads => {
                let about = self.resource(path).and_then(|path| protected_resource(settings, &asked.issuer, path));
                about.map_or_else(
                    || respond::plain(StatusCode::NOT_FOUND),
                    |about| respond::json(StatusCode::OK, &about),
                )
            }
            _ => respond::method_not_allowed("GET, HEAD, OPTIONS"),
        }
    }

    /// The origin that this server is asked as.
    fn issuer(&self, headers: &HeaderMap) -> Result<String, Refusal> {
        issuer(&self.oauth.authority, &self.guard, headers)
    }

    fn address(&self, head: &Parts, peer: Peer) -> IpAddr {
        address(&self.oauth.proxies, head, &peer)
    }
}

/// A request with what every path needs of it.
struct Asking<'a> {
    issuer: String,
    address: IpAddr,
    head: &'a Parts,
}

/// The public origin; without one the loopback host that a request names.
fn issuer(authority: &Authority, guard: &Guard, headers: &HeaderMap) -> Result<String, Refusal> {
    issuer_of(authority.settings().public_origin.as_deref(), guard, headers)
}

/// The same for a public origin, if there is one.
pub(crate) fn issuer_of(public: Option<&str>, guard: &Guard, headers: &HeaderMap) -> Result<String, Refusal> {
    if let Some(origin) = public {
        return Ok(origin.to_owned());
    }
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).filter(|host| guard.allows_host(host));
    match host {
        Some(host) if hosts.next().is_none() => Ok(format!("http://{}", host.to_ascii_lowercase())),
        _ => Err(respond::wrong_host()),
    }
}

/// The address of a caller, as buckets have it.
pub(crate) fn address(proxies: &Proxies, head: &Parts, peer: &Peer) -> IpAddr {
    let forwarded = head.headers.get_all(FORWARDED).iter().filter_map(|value| value.to_str().ok());
    bucket(proxies.caller(peer.address.map(|address| address.ip()), forwarded))
}

/// Reads a body to its end.
pub(crate) async fn read(headers: &HeaderMap, body: Incoming) -> Result<Bytes, Refusal> {
    read_body(headers, body, BODY_BYTES_MAX, BODY_TIMEOUT).await.map_err(|why| match why {
        Unread::TooLarge => respond::bad_body("the body is too large"),
        Unread::Broken => respond::bad_body("the body could not be read"),
        Unread::Late => respond::bad_body("the body took too long"),
        Unread::Encoded => respond::bad_body("the body has a Content-Encoding; send it as it is"),
    })
}

/// Runs what blocks off the asynchronous threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Refusal> + Send + 'static) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(respond::internal(&error.to_string())))
}
