//! The HTTP face: MCP endpoints, later REST and the console. Decides nothing that an operation
//! could decide.
//!
//! | Path | What |
//! |---|---|
//! | `/mcp` | Streamable HTTP |
//! | `/sse`, `/messages` | the legacy HTTP+SSE transport of 2024-11-05 |
//! | `/mcp/sse`, `/mcp/messages` | the same |
//! | `GET /healthz` | state, uptime, server and version as JSON |
//! | `GET /` | a short text for people |

mod health;
mod reach;

use std::net::SocketAddr;
use std::sync::Arc;

use protocol::http::{Authenticator, Router, ServeOptions, serve};
use protocol::{Endpoint, EndpointOptions, Runtime, RuntimeOptions, Service};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use health::About;
pub use reach::{Error, Reach};

/// Path of the Streamable HTTP endpoint.
pub const MCP_PATH: &str = "/mcp";
/// Path of the legacy event stream.
pub const SSE_PATH: &str = "/sse";
/// Path that legacy clients post to.
pub const MESSAGES_PATH: &str = "/messages";

/// What is served, and to whom.
pub struct Options {
    /// Where to listen and who may come.
    pub reach: Reach,
    /// Name and version, for the health answer.
    pub about: About,
    /// Who is let in; everybody if `None`.
    pub authenticator: Option<Arc<dyn Authenticator>>,
}

/// A server that listens and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
    runtime: Arc<Runtime>,
}

impl Server {
    /// Checks the reach and takes the address.
    pub async fn bind(options: Options, service: Arc<dyn Service>) -> Result<Self, Error> {
        options.reach.check(options.authenticator.is_some())?;
        let wanted = options.reach.address;
        let refuse = |error: std::io::Error| Error::Bind { address: wanted, reason: error.to_string() };
        let listener = TcpListener::bind(wanted).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        let runtime = Runtime::new(RuntimeOptions::default()).map_err(|error| Error::Random(error.to_string()))?;
        let guard = Arc::new(options.reach.guard(options.authenticator.is_some()));
        let settings = EndpointOptions { guard, authenticator: options.authenticator };
        let endpoint = Endpoint::with(service, Arc::clone(&runtime), settings);
        let router = Router::new()
            .mcp(MCP_PATH, Arc::clone(&endpoint))
            .legacy(SSE_PATH, MESSAGES_PATH, Arc::clone(&endpoint))
            .legacy("/mcp/sse", "/mcp/messages", endpoint)
            .fallback(health::Pages::new(options.about));
        Ok(Self { listener, address, router, runtime })
    }

    /// Where it listens: with port 0 asked for, the port that was given.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// URL of the Streamable HTTP endpoint, as a client on this machine reaches it.
    pub fn url(&self) -> String {
        reach::url(self.address, MCP_PATH)
    }

    /// URL of the legacy event stream, as a client on this machine reaches it.
    pub fn sse_url(&self) -> String {
        reach::url(self.address, SSE_PATH)
    }

    /// Answers until `shutdown` is cancelled; then takes no new connections, ends event streams,
    /// and gives running requests time to end.
    pub async fn run(self, shutdown: CancellationToken) {
        let runtime = Arc::clone(&self.runtime);
        let ended = shutdown.clone();
        let streams = async move {
            ended.cancelled().await;
            runtime.shut_down();
        };
        let serving = serve(self.listener, Arc::new(self.router), ServeOptions::default(), shutdown);
        tokio::join!(serving, streams);
    }
}
