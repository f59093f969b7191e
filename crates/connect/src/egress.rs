//! The one check of every outgoing request: schemes, hosts, and the addresses that names stand for.
//!
//! A name is resolved here, every answer is checked, and the connection is made to a checked address:
//! nothing is looked up a second time, so an answer that changes between check and use has no effect.

mod address;
mod hosts;
mod named;
mod names;
mod networks;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use url::{Host, Url};

pub use address::{Reach, reach};
pub use hosts::file_resolver;
pub use named::{endpoint, is_loopback};
pub use networks::Networks;

/// Longest URL, bytes.
pub const URL_BYTES_MAX: usize = 16 * 1024;
/// Most addresses of one name that are tried.
pub const ADDRESSES_MAX: usize = 16;
/// Longest wait for one address while others are left.
const ATTEMPT: Duration = Duration::from_secs(3);

/// Why nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is refused: {why}")]
pub struct Refused {
    /// The URL, host or address, without credentials.
    pub what: String,
    /// The rule, and what to do.
    pub why: String,
}

impl Refused {
    fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self { what: what.into(), why: why.into() }
    }
}

/// The future of a lookup.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// How names become addresses.
pub type Resolver = Arc<dyn Fn(String) -> Lookup + Send + Sync>;

/// The resolver of the system.
pub fn system_resolver() -> Resolver {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// The check with its resolver, for connections whose sockets a client library opens.
#[derive(Clone)]
pub struct Gate {
    /// Where connections may go.
    pub policy: Policy,
    /// How names become addresses.
    pub resolver: Resolver,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Gate {
    /// The checked addresses of a host; the error says why there are none.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Closed> {
        match self.policy.addresses(&self.resolver, host).await {
            Ok(addresses) if addresses.is_empty() => Err(Closed::Unknown(format!("the name `{host}` has no address"))),
            Ok(addresses) => Ok(addresses),
            Err(error) => Err(match error.get_ref().and_then(|held| held.downcast_ref::<Refused>()) {
                Some(refused) => Closed::Refused(refused.to_string()),
                None => Closed::Unknown(format!("the name `{host}` cannot be looked up: {error}")),
            }),
        }
    }

    /// Whether a socket file of this machine may be used: as this machine itself may.
    pub(crate) fn local(&self, path: &str) -> Result<(), Closed> {
        self.policy.check_host("localhost").map_err(|_| {
            let why = "it is of this machine; only the operator of this server can allow that";
            Closed::Refused(Refused::new(format!("the socket `{path}`"), why).to_string())
        })
    }
}

/// Why there is no address to connect to.
pub(crate) enum Closed {
    /// The check refuses it.
    Refused(String),
    /// The name has none.
    Unknown(String),
}

impl Closed {
    /// The kind of the error, and its words.
    pub(crate) fn parts(self) -> (crate::ErrorKind, String) {
        match self {
            Self::Refused(why) => (crate::ErrorKind::Denied, why),
            Self::Unknown(why) => (crate::ErrorKind::Unreachable, why),
        }
    }
}

/// Where requests may go. The default allows HTTPS to every public address.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    plain: bool,
    private: Networks,
    hosts: Vec<String>,
}

impl Policy {
    /// Allows `http:` beside `https:`.
    #[must_use]
    pub fn allow_plain(mut self, allowed: bool) -> Self {
        self.plain = allowed;
        self
    }

    /// Allows loopback, private and shared networks: a decision of the operator, never of a spec. Link-local addresses,
    /// among them the metadata services of clouds, stay refused.
    #[must_use]
    pub fn allow_private(mut self, allowed: bool) -> Self {
        self.private = self.private.with_all(allowed);
        self
    }

    /// Allows these private networks: a decision of the operator, never of a spec. Link-local addresses stay refused.
    #[must_use]
    pub fn allow_networks(mut self, networks: Networks) -> Self {
        self.private = networks;
        self
    }

    /// Adds a host to the list of those allowed; `*.example.com` stands for every name below `example.com`. Without any,
    /// every host is allowed.
    #[must_use]
    pub fn allow_host(mut self, host: &str) -> Self {
        self.hosts.push(host.to_ascii_lowercase());
        self
    }

    /// Whether there is a list of those allowed: without one every host is.
    pub fn lists_hosts(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// Checks a URL before anything is looked up.
    pub fn check(&self, text: &str) -> Result<Url, Refused> {
        let shown = || names::shown(text);
        if text.len() > URL_BYTES_MAX {
            return Err(Refused::new(shown(), format!("it is longer than {URL_BYTES_MAX} bytes")));
        }
        if text.chars().any(|c| c.is_control() || c == '\\' || c.is_whitespace()) {
            return Err(Refused::new(shown(), "it holds a backslash, a space or a control character"));
        }
        let url = Url::parse(text).map_err(|error| Refused::new(shown(), format!("it is no URL: {error}")))?;
        match url.scheme() {
            "https" => {}
            "http" if self.plain => {}
            "http" => return Err(Refused::new(shown(), "only https is allowed here")),
            other => return Err(Refused::new(shown(), format!("the scheme `{other}` is not allowed"))),
        }
        names::check_spelling(text, &url)?;
        let host = url.host().ok_or_else(|| Refused::new(shown(), "it names no host"))?;
        match host {
            Host::Ipv4(ip) => self.check_address(IpAddr::V4(ip))?,
            Host::Ipv6(ip) => self.check_address(IpAddr::V6(ip))?,
            Host::Domain(name) => names::check_name(name, self.private.has_host(name))?,
        }
        self.check_listed(url.host_str().unwrap_or_default())?;
        Ok(url)
    }

    /// Checks a host of a protocol other than HTTP before anything is looked up.
    pub fn check_host(&self, host: &str) -> Result<(), Refused> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(ip) if self.private.has_host(bare) && matches!(reach(ip), Reach::Private(_)) => {}
            Ok(ip) => self.check_address(ip)?,
            Err(_) => names::check_name(bare, self.private.has_host(bare))?,
        }
        self.check_listed(&host.to_ascii_lowercase())
    }

    /// Checks an address that a name stands for, or that a URL names.
    pub fn check_address(&self, ip: IpAddr) -> Result<(), Refused> {
        match reach(ip) {
            Reach::Public => Ok(()),
            Reach::Private(_) if self.private.has_address(ip) => Ok(()),
            Reach::Private(kind) => Err(Refused::new(
                format!("{ip}"),
                format!("it is {kind}; only the operator of this server can allow private networks"),
            )),
            Reach::Never(kind) => Err(Refused::new(format!("{ip}"), format!("it is {kind}"))),
        }
    }

    fn check_listed(&self, host: &str) -> Result<(), Refused> {
        if self.hosts.is_empty() || self.hosts.iter().any(|pattern| networks::fits(pattern, host)) {
            return Ok(());
        }
        let listed = self.hosts.iter().map(|host| format!("`{host}`")).collect::<Vec<_>>().join(", ");
        Err(Refused::new(format!("host `{host}`"), format!("it is not among the allowed hosts: {listed}")))
    }

    /// Looks a host up, checks every answer, and connects to one of the checked addresses. One refused answer refuses the
    /// name: a name that stands for a public and a private address is a trap.
    pub async fn connect(&self, resolver: &Resolver, host: &str, port: u16) -> io::Result<TcpStream> {
        let addresses = self.checked(resolver, host).await?;
        let last = addresses.len().saturating_sub(1);
        let mut failure = io::Error::new(io::ErrorKind::NotFound, format!("the name `{host}` has no address"));
        for (nth, ip) in addresses.into_iter().enumerate() {
            let attempt = TcpStream::connect(SocketAddr::new(ip, port));
            let outcome = if nth == last {
                attempt.await
            } else {
                tokio::time::timeout(ATTEMPT, attempt).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            };
            match outcome {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Looks a host up and checks its name and every answer: what a client library that opens its sockets itself is given.
    pub async fn addresses(&self, resolver: &Resolver, host: &str) -> io::Result<Vec<IpAddr>> {
        self.check_host(host).map_err(|refused| io::Error::new(io::ErrorKind::PermissionDenied, refused))?;
        self.checked(resolver, host).await
    }

    async fn checked(&self, resolver: &Resolver, host: &str) -> io::Result<Vec<IpAddr>> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let addresses = match bare.parse::<IpAddr>() {
            Ok(ip) => vec![ip],
            Err(_) => resolver(host.to_owned()).await?,
        };
        let opened = self.private.has_host(bare);
        for ip in &addresses {
            if opened && matches!(reach(*ip), Reach::Private(_)) {
                continue;
            }
            self.check_address(*ip).map_err(|refused| {
                let what = if bare == refused.what { refused.what } else { format!("{host} ({})", refused.what) };
                io::Error::new(io::ErrorKind::PermissionDenied, Refused { what, why: refused.why })
            })?;
        }
        Ok(addresses.into_iter().take(ADDRESSES_MAX).collect())
    }
}
