//! The HTTP face of one running server: listens, routes, says whether it is well, drains.
//!
//! Never: a decision that an operation could make, SQL, a spec. What is served is any
//! [`protocol::Service`]; who may call is any [`protocol::http::Authenticator`].

mod accounts;
mod callback;
mod error;
mod follow;
mod health;
mod keys;
mod oauth;
mod plane;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use protocol::http::{Allowed, Authenticator, Guard, Peer, Router, ServeOptions};
use protocol::{Endpoint, EndpointOptions, Runtime, Service};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use accounts::openid_redirect_uri;
pub use callback::{Callback, Granted};
pub use error::Error;
pub use keys::KnownCallers;
pub use oauth::{OAuth, origin, places, platform_places};
pub use plane::{Admission, DEFAULT_PORT as PLANE_PORT, Ends, Plane, PlaneSite, openapi};

/// The port that `run` listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 8808;

/// Where to listen and whom to believe.
#[derive(Clone, Debug)]
pub struct Options {
    /// Address; port 0 takes a free one.
    pub address: SocketAddr,
    /// `Host` values let in besides loopback, and besides addresses where it listens beyond that.
    pub hosts: Vec<String>,
    /// `Origin` values let in besides loopback.
    pub origins: Vec<String>,
    /// Listen beyond loopback even though callers show nothing.
    pub allow_unauthenticated: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), DEFAULT_PORT),
            hosts: Vec::new(),
            origins: Vec::new(),
            allow_unauthenticated: false,
        }
    }
}

/// What is served.
pub struct Site {
    /// Name of the server.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The server itself.
    pub service: Arc<dyn Service>,
    /// Parts of the server that are served alone, by name.
    pub groups: Vec<(String, Arc<dyn Service>)>,
    /// Who is let in; everybody if `None`.
    pub authenticator: Option<Arc<dyn Authenticator>>,
    /// The authorization server beside it, which lets callers in instead of the authenticator.
    pub oauth: Option<OAuth>,
    /// Callers with API keys, guests, and those known by their address alone; they are let in instead of the
    /// authenticator, and beside callers with tokens.
    pub callers: Option<KnownCallers>,
    /// Limits, sessions, tasks.
    pub runtime: Arc<Runtime>,
}

/// A bound server that does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Arc<Router>,
    runtime: Arc<Runtime>,
    followed: follow::Followed,
}

/// The URLs of a running server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urls {
    /// Streamable HTTP.
    pub mcp: String,
    /// Legacy HTTP+SSE.
    pub sse: String,
    /// Health.
    pub health: String,
}

impl Server {
    /// Binds the address and prepares the routes: `/mcp`; `/sse` with `/messages`, and the same two below `/mcp`;
    /// `/healthz`; `/`; the groups below `/servers/NAME/groups`.
    ///
    /// # Errors
    /// The address cannot be bound, or it can be reached from other machines while callers show nothing.
    pub async fn bind(options: Options, site: Site) -> Result<Self, Error> {
        let beyond = !options.address.ip().is_loopback();
        if beyond
            && site.authenticator.is_none()
            && site.oauth.is_none()
            && site.callers.is_none()
            && !options.allow_unauthenticated
        {
            return Err(Error::Unauthenticated { address: options.address });
        }
        let failed = |source| Error::Bind { address: options.address, source };
        let listener = TcpListener::bind(options.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let guard = Arc::new(guard(&options, address, site.oauth.as_ref()));
        let Site { name, version, service, groups, mut authenticator, oauth, callers, runtime } = site;
        let followed = follow::Followed::of(oauth.as_ref(), callers.as_ref(), None);
        if let Some(oauth) = &oauth {
            authenticator = Some(Arc::new(oauth::Gate::new(oauth.clone(), guard.clone())));
        }
        if let Some(callers) = callers {
            let beyond = authenticator.take().filter(|_| oauth.is_some());
            authenticator = Some(Arc::new(keys::Gate::new(&name, callers, beyond)));
        }
        let routes = oauth.map(|oauth| Arc::new(oauth::Routes::new(oauth, guard.clone(), None)));
        let endpoint_options = EndpointOptions { guard, authenticator };
        let endpoint = Endpoint::with(service, runtime.clone(), endpoint_options.clone());
        endpoint.take_up_tasks();
        let mut router = Router::new()
            .mcp("/mcp", endpoint.clone())
            .mcp(&format!("/servers/{name}/mcp"), endpoint.clone())
            .legacy("/sse", "/messages", endpoint.clone())
            .legacy("/mcp/sse", "/mcp/messages", endpoint);
        let mut names = Vec::with_capacity(groups.len());
        for (group, service) in groups {
            let endpoint = Endpoint::with(service, runtime.clone(), endpoint_options.clone());
            let base = group_path(&name, &group);
            router = router.mcp(&format!("{base}/mcp"), endpoint.clone()).legacy(
                &format!("{base}/sse"),
                &format!("{base}/messages"),
                endpoint,
            );
            names.push(group);
        }
        let health = Arc::new(health::Health::new(name, version, names));
        let router = router.fallback(move |request: http::Request<hyper::body::Incoming>, peer: Peer| {
            let routes = routes.clone().filter(|routes| routes.has(request.uri().path()));
            let health = health.clone();
            async move {
                match routes {
                    Some(routes) => routes.answer(request, peer).await,
                    None => health.answer(request.method(), request.uri().path()),
                }
            }
        });
        Ok(Self { listener, address, router: Arc::new(router), runtime, followed })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URLs, with a name that clients on this machine can use.
    pub fn urls(&self) -> Urls {
        let ip = match self.address.ip() {
            ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            ip => ip,
        };
        let base = format!("http://{}", SocketAddr::new(ip, self.address.port()));
        Urls { mcp: format!("{base}/mcp"), sse: format!("{base}/sse"), health: format!("{base}/healthz") }
    }

    /// Answers until `shutdown` fires, then lets running requests end.
    pub async fn run(self, shutdown: CancellationToken) {
        let runtime = self.runtime.clone();
        let following = runtime.clone();
        let streams = shutdown.clone();
        // Long streams never end by themselves: they are completed first, then requests drain.
        let closing = async move {
            streams.cancelled().await;
            runtime.shut_down();
        };
        let serving = protocol::http::serve(self.listener, self.router, ServeOptions::default(), shutdown);
        let served = async { tokio::join!(closing, serving) };
        tokio::select! {
            _ = served => {}
            () = self.followed.forever(following) => {}
        }
    }
}

/// The path of a group; `/mcp` and `/sse` are below it.
pub fn group_path(server: &str, group: &str) -> String {
    format!("/servers/{server}/groups/{group}")
}

/// Loopback always; addresses where other machines reach it, for they use no name; what the operator listed.
fn guard(options: &Options, address: SocketAddr, oauth: Option<&OAuth>) -> Guard {
    let mut hosts = options.hosts.clone();
    let mut origins = options.origins.clone();
    if let Some(settings) = oauth.map(|oauth| oauth.authority.settings()) {
        let public = settings.public_origin.as_ref().and_then(|origin| origin.split_once("://"));
        hosts.extend(public.map(|(_, host)| host.to_owned()));
        // As recorded: pages of Perplexity call, and so may those of the hosts that codes may be sent to.
        origins.extend(["https://perplexity.ai", "https://*.perplexity.ai"].map(str::to_owned));
        origins.extend(settings.redirect_hosts.iter().flat_map(identity::oauth::RedirectHosts::origins));
    }
    let listed = |list: Vec<String>| if list.is_empty() { Allowed::Loopback } else { Allowed::Listed(list) };
    Guard { hosts: listed(hosts), addresses: !address.ip().is_loopback(), origins: listed(origins) }
}
