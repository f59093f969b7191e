//! HTTP APIs: requests in, answers out, with credentials, limits, retries and pages.
//!
//! Every request passes [`crate::egress`]. Credentials go to the origin of the base URL alone, and what an upstream sends
//! holds no secret of the connection: see [`Api::send`].

mod api;
mod body;
mod cache;
mod charset;
mod connector;
mod credentials;
mod events;
mod exchange;
mod live;
mod oauth;
mod pages;
mod places;
mod rate;
#[cfg(feature = "grpc")]
mod raw;
mod retry;
mod sign;
mod wire;

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::Duration;

use base::Secret;
use bytes::Bytes;
pub use http::{HeaderMap, Method, StatusCode};

use crate::egress::{Policy, Resolver};
use crate::{Error, ErrorKind};

pub use api::Api;
#[cfg(feature = "grpc")]
pub(crate) use api::USER_AGENT;
pub use base::Select;
pub use base::UrlTemplate;
pub use base::path::{PART_BYTES_MAX, PathError, PathTemplate};
#[cfg(feature = "grpc")]
pub(crate) use body::reason;
pub use body::{Body, Part};
pub use cache::Caching;
pub use credentials::Credentials;
pub use events::{Event, Events};
pub use live::Live;
pub use oauth::{Assertion, Code, Exchange, OAuth, TokenStore, UserToken, Users};
pub use pages::{Collected, Pages, Turn};
pub use places::AtOnce;
pub use rate::Rate;
#[cfg(feature = "grpc")]
pub(crate) use raw::Shown;
pub use retry::Retries;
pub use sign::{Encoding, Hash, KeyForm, SigV4, Signing};

/// A connection to an HTTP API.
#[derive(Clone)]
pub struct Settings {
    /// Connection by name, for errors.
    pub name: String,
    /// What every path is below: `https://api.example.com/v1`. A query of it goes along with each request, and what may be a secret in
    /// it is masked. Not used with `anywhere`.
    pub base: Secret,
    /// Set for a connection without a URL of its own: each call names its whole URL, on one of the policy's hosts.
    pub anywhere: Option<Anywhere>,
    /// What is shown to the upstream.
    pub credentials: Credentials,
    /// Headers of every request. Their values are not secrets.
    pub headers: Vec<(String, String)>,
    /// Headers whose values are secrets: like credentials they are shown to the origin of the base URL alone.
    pub secret_headers: Vec<(String, Secret)>,
    /// Where requests may go beside the base URL's host. `http:` is allowed when the base URL has it.
    pub policy: Policy,
    /// How names become addresses.
    pub resolver: Resolver,
    /// How many requests may be sent.
    pub rate: Option<Rate>,
    /// How many requests may be under way at once. Answers that are read while they come ([`Live`]) do not count.
    pub at_once: Option<AtOnce>,
    /// When a request is sent again.
    pub retries: Retries,
    /// Bounds of one request.
    pub limits: Limits,
    /// PEM file of the accepted certificate authorities. Default: the Mozilla roots.
    pub ca_file: Option<PathBuf>,
    /// A certificate of ours, for upstreams that ask for one (mutual TLS).
    pub client_certificate: Option<ClientCertificate>,
    /// Whether HTTP/1.1 will do.
    pub http2: Http2,
    /// Answers that are kept for as long as the upstream says. None: each request is sent.
    pub cache: Option<Caching>,
    /// Whether packed answers (gzip, br, zstd) are asked for and unpacked. Stores of files give them as they are kept.
    pub unpack: bool,
}

impl Settings {
    /// A connection without credentials, with the default limits, to what everybody may reach.
    pub fn new(name: impl Into<String>, base: Secret) -> Self {
        Self {
            name: name.into(),
            base,
            anywhere: None,
            credentials: Credentials::None,
            headers: Vec::new(),
            secret_headers: Vec::new(),
            policy: Policy::default(),
            resolver: crate::egress::system_resolver(),
            rate: None,
            at_once: None,
            retries: Retries::default(),
            limits: Limits::default(),
            ca_file: None,
            client_certificate: None,
            http2: Http2::default(),
            cache: None,
            unpack: true,
        }
    }
}

/// A connection without a URL of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anywhere {
    /// Whether requests may go without TLS.
    pub plain: bool,
}

/// What of the calling user a connection needs with each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Nothing.
    None,
    /// The token that the user showed, to be exchanged ([`Exchange`]).
    Token,
    /// The user's name, under which tokens are stored ([`Users`]).
    Name,
}

/// A certificate with its key, both PEM texts.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificate, and those between it and its authority.
    pub chain: Secret,
    /// The private key.
    pub key: Secret,
}

/// Which version of HTTP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Http2 {
    /// HTTP/2 where TLS agrees on it, else HTTP/1.1.
    #[default]
    Offered,
    /// HTTP/2 alone, also without TLS.
    Only,
}

/// Bounds of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest wait for a connection.
    pub connect: Duration,
    /// An unused connection is closed after this.
    pub idle: Duration,
    /// Most unused connections that are kept.
    pub idle_max: usize,
    /// Most bytes of a request's body.
    pub request_bytes: usize,
    /// Most bytes of an answer, unpacked.
    pub answer_bytes: usize,
    /// Most redirects that are followed.
    pub redirects: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            idle_max: 32,
            request_bytes: 8 << 20,
            answer_bytes: 8 << 20,
            redirects: 5,
        }
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// A path below the base URL, filled in and encoded: see [`PathTemplate::fill`].
    pub path: String,
    /// A whole URL in place of a path below the base URL. It is checked like every other; credentials are shown to the origin
    /// of the base URL alone.
    pub whole: Option<String>,
    /// What becomes of an answer that sends its reader elsewhere.
    pub redirects: Redirects,
    /// The query, not encoded.
    pub query: Vec<(String, String)>,
    /// Headers beside those of the connection.
    pub headers: Vec<(String, String)>,
    /// What it carries.
    pub body: Body,
    /// Whether sending it twice is as good as once; by its method when not said.
    pub idempotent: Option<bool>,
    /// How a stream of events becomes an answer. Without it a stream is read as text.
    pub events: Option<Events>,
    /// The calling user, for connections that act for one: see [`Subject`]. It is not sent to the API.
    pub subject: Option<Secret>,
    /// Most bytes of the answer, where the limit of the connection is not meant.
    pub answer_bytes: Option<usize>,
    /// Longest wait for its turn, where the connection bounds what is under way. It was not sent when that ends it.
    pub turn: Option<Duration>,
}

impl Call {
    /// A request without query, headers and body.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            whole: None,
            redirects: Redirects::default(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            idempotent: None,
            events: None,
            subject: None,
            answer_bytes: None,
            turn: None,
        }
    }

    /// A request to a whole URL.
    pub fn whole(method: Method, url: impl Into<String>) -> Self {
        Self { whole: Some(url.into()), ..Self::new(method, "") }
    }
}

/// What becomes of an answer that sends its reader elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirects {
    /// It is followed, up to the limit of the connection.
    #[default]
    Follow,
    /// It is the answer.
    Keep,
    /// It is an error.
    Refuse,
}

/// An answer and where it came from.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The answer.
    pub reply: Reply,
    /// The URL that gave it, without what the connection adds for its credentials.
    pub url: String,
    /// Whether that is another URL than the one asked for.
    pub redirected: bool,
}

/// An answer, whatever its status. Secrets of the connection are masked in all of it.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unpacked; empty for collected events.
    pub body: Bytes,
    /// The events of a stream.
    pub events: Option<Vec<Event>>,
    /// Whether events were left out because there were too many.
    pub truncated: bool,
}

impl Reply {
    /// The body as text, in the character set that its headers say.
    pub fn text(&self) -> Cow<'_, str> {
        charset::text(&self.headers, &self.body)
    }
}

/// Headers that belong to the connection, not to a caller.
const RESERVED: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "proxy-connection",
];

/// Whether a header belongs to the connection, not to a caller.
#[cfg(feature = "grpc")]
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

fn failure(connection: &str, kind: ErrorKind, attempted: &'static str, message: String) -> Error {
    let connection = connection.to_owned();
    Error { kind, connection, attempted, message, code: None, position: None, hint: None }
}
