//! The control plane: REST, the factory's own MCP endpoint, and what operators need of a process.
//!
//! It translates: a request to the input of an operation, and what the operation answers to an answer.

mod accept;
mod access;
mod answer;
mod body;
mod caller;
mod decode;
mod docs;
mod door;
mod events;
mod headers;
mod idempotency;
mod metrics;
mod openapi;
mod pages;
mod platform;
mod problem;
mod ready;
mod rest;
mod routes;
mod run;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use operations::Context;
use operations::deploy::{Local, Targets};
use protocol::http::{Authenticator, Peer, Router, ServeOptions};
use protocol::{Endpoint, EndpointOptions, Runtime};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::follow::Followed;
use crate::{Error, Options};
use door::Door;
use metrics::Metrics;
use pages::Pages;
use rest::Rest;

pub use door::Admission;
pub(crate) use door::OPERATOR;
pub use openapi::document as openapi;

/// The port that `serve` listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 8800;

/// What a control plane works on.
pub struct PlaneSite {
    /// The home folder and the surroundings; each request gets a context of its own from it.
    pub context: Context,
    /// Who is let in; everybody, for everything, if `None`.
    pub admission: Option<Admission>,
    /// Limits, sessions, tasks.
    pub runtime: Arc<Runtime>,
}

/// The steps in which a control plane ends.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// Requests are not wanted any more, which `/readyz` says; what comes nevertheless is answered.
    pub unready: CancellationToken,
    /// Nothing more is accepted, and what runs is let end.
    pub shutdown: CancellationToken,
    /// What still runs is cut.
    pub cut: CancellationToken,
}

/// A bound control plane that does not answer yet.
pub struct Plane {
    listener: TcpListener,
    address: SocketAddr,
    router: Arc<Router>,
    runtime: Arc<Runtime>,
    rest: Arc<Rest>,
    context: Context,
    followed: Followed,
}

impl Plane {
    /// Binds the address and prepares the routes.
    ///
    /// # Errors
    /// The address cannot be bound, or it can be reached from other machines while callers show nothing.
    pub async fn bind(options: Options, site: PlaneSite) -> Result<Self, Error> {
        let beyond = !options.address.ip().is_loopback();
        if beyond && site.admission.is_none() && !options.allow_unauthenticated {
            return Err(Error::Open { address: options.address });
        }
        let failed = |source| Error::Bind { address: options.address, source };
        let listener = TcpListener::bind(options.address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let settings = site.admission.as_ref().map(|admission| admission.oauth.authority.settings());
        // Links and addresses that are handed out lead there.
        let public = settings.and_then(|settings| settings.public_origin.clone()).unwrap_or_else(|| url(address));
        let PlaneSite { mut context, admission, runtime } = site;
        let guard = Arc::new(crate::guard(&options, address, admission.as_ref().map(|admission| &admission.oauth)));
        let followed = match &admission {
            Some(Admission { oauth, callers, accounts, .. }) => {
                Followed::of(Some(oauth), Some(callers), Some(accounts.clone()))
            }
            None => Followed::of(None, None, None),
        };
        let metrics = Arc::new(Metrics::default());
        context.audit = Some(Arc::clone(&metrics) as Arc<dyn operations::operation::Audit>);
        let pages = admission.clone();
        let door = admission.map(|admission| Door::new(admission, &guard));
        let authenticator = door.map(|door| Arc::new(door) as Arc<dyn Authenticator>);
        let endpoint_options = EndpointOptions { guard: Arc::clone(&guard), authenticator: authenticator.clone() };
        let sink = context.recorder.clone().map(operations::usage::sink);
        let log = operations::deploy::logs_of(&context).writer(sink);
        let local = Local::new(Arc::clone(&runtime), endpoint_options.clone(), log);
        let local = match &context.policies {
            Some(policies) => {
                let accounts = pages.as_ref().map(|admission| Arc::clone(&admission.accounts));
                local.with_access(Arc::new(access::Doors { policies: Arc::clone(policies), accounts }))
            }
            None => local,
        };
        let local = Arc::new(local);
        context.targets = Some(Arc::new(Targets::new(Arc::clone(&local), public)));
        let service = Arc::new(platform::Platform::new(context.clone(), Arc::clone(&local)));
        let endpoint = Endpoint::with(service, Arc::clone(&runtime), endpoint_options);
        let proxies = pages.as_ref().map(|admission| admission.oauth.proxies.clone()).unwrap_or_default();
        let pages = pages.map(|admission| Pages::new(admission, &context, &guard));
        let door = rest::Door { guard, authenticator, pages, proxies };
        let rest = Rest::new(context.clone(), door, metrics, Arc::clone(&runtime), local);
        let rest = Arc::new(rest.with_own(Arc::clone(&endpoint)));
        let fallback = Arc::clone(&rest);
        let router = Router::new()
            .mcp("/mcp", Arc::clone(&endpoint))
            .mcp("/mcp-stream/mcp", Arc::clone(&endpoint))
            .legacy("/mcp/sse", "/mcp/messages", Arc::clone(&endpoint))
            .legacy("/api/mcp/sse", "/api/mcp/messages", endpoint)
            .fallback(move |request: http::Request<hyper::body::Incoming>, peer: Peer| {
                let rest = Arc::clone(&fallback);
                async move { rest.answer(request, peer).await }
            });
        Ok(Self { listener, address, router: Arc::new(router), runtime, rest, context, followed })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of the control plane, with a name that clients on this machine can use.
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// What the operations of this control plane work on.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Answers until `shutdown` fires, then lets running requests end.
    pub async fn run(self, ends: Ends) {
        let Ends { unready, shutdown, cut } = ends;
        let (runtime, rest) = (self.runtime.clone(), self.rest.clone());
        let begun = shutdown.clone();
        rest.set_ready(true);
        let closing = async move {
            // Whoever spreads requests asks on connections of their own: listening goes on until they could see it.
            tokio::select! {
                () = unready.cancelled() => rest.set_ready(false),
                () = begun.cancelled() => {}
            }
            begun.cancelled().await;
            rest.set_ready(false);
            // Long streams never end by themselves: they are completed first, then requests drain.
            runtime.shut_down();
        };
        let following = shutdown.clone();
        let context = self.context;
        let follow = following.run_until_cancelled(operations::deploy::follow(&context));
        let (revocations, policies_until, counting) = (shutdown.clone(), shutdown.clone(), shutdown.clone());
        let count = counting.run_until_cancelled(operations::usage::keep(&context));
        let living = shutdown.clone();
        let keep = living.run_until_cancelled(operations::jobs::keep(&context));
        let revoked = revocations.run_until_cancelled(self.followed.forever(self.runtime));
        let serving = protocol::http::serve(
            self.listener,
            self.router,
            ServeOptions { cut, ..ServeOptions::default() },
            shutdown,
        );
        let policies = policies_until.run_until_cancelled(operations::policies::follow(&context));
        let warm = operations::search::warm(&context);
        tokio::join!(closing, serving, follow, revoked, policies, count, keep, warm);
        operations::policies::keep(&context).await;
        operations::usage::finish(&context).await;
    }
}

/// The URL of an address, with a name that clients on this machine can use.
fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}
