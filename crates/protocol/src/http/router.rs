//! Which path is served by what.

use std::collections::HashMap;
use std::sync::Arc;

use ::http::header::HOST;
use ::http::{HeaderValue, Request, Response, StatusCode};
use bytes::Bytes;
use http_body::Body as HttpBody;

use super::{Body, LegacySessions, Peer, respond};
use crate::endpoint::Endpoint;
use crate::service::Boxed;

/// Answers requests for paths that are not in the table.
pub trait Fallback<B>: Send + Sync + 'static {
    /// Answers a request.
    fn answer(&self, request: Request<B>, peer: Peer) -> Boxed<'static, Response<Body>>;
}

impl<B, F, R> Fallback<B> for F
where
    F: Fn(Request<B>, Peer) -> R + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    fn answer(&self, request: Request<B>, peer: Peer) -> Boxed<'static, Response<Body>> {
        Box::pin(self(request, peer))
    }
}

/// What a request in absolute form names is what it is for, whatever its `Host` says (RFC 9112, 3.2.2).
fn address<B>(request: &mut Request<B>) {
    let Some(authority) = request.uri().authority() else { return };
    let named = HeaderValue::try_from(authority.as_str());
    // Several hosts are refused later.
    if let (Ok(named), true) = (named, request.headers().get_all(HOST).iter().count() < 2) {
        request.headers_mut().insert(HOST, named);
    }
}

/// A table of exact paths, and a fallback for all others.
pub struct Router<B = hyper::body::Incoming> {
    routes: HashMap<String, Route>,
    fallback: Option<Box<dyn Fallback<B>>>,
}

#[derive(Clone)]
enum Route {
    Streamable(Arc<Endpoint>),
    Stream { endpoint: Arc<Endpoint>, sessions: Arc<LegacySessions>, messages: Arc<str> },
    Messages { endpoint: Arc<Endpoint>, sessions: Arc<LegacySessions> },
}

impl<B> Default for Router<B> {
    fn default() -> Self {
        Self { routes: HashMap::new(), fallback: None }
    }
}

impl<B> Router<B>
where
    B: HttpBody<Data = Bytes> + Send + Unpin + 'static,
{
    /// Serves nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves Streamable HTTP at a path.
    #[must_use]
    pub fn mcp(mut self, path: &str, endpoint: Arc<Endpoint>) -> Self {
        self.routes.insert(path.into(), Route::Streamable(endpoint));
        self
    }

    /// Serves HTTP+SSE at a pair of paths.
    #[must_use]
    pub fn legacy(mut self, stream: &str, messages: &str, endpoint: Arc<Endpoint>) -> Self {
        let sessions = LegacySessions::new();
        let route = Route::Stream { endpoint: endpoint.clone(), sessions: sessions.clone(), messages: messages.into() };
        self.routes.insert(stream.into(), route);
        self.routes.insert(messages.into(), Route::Messages { endpoint, sessions });
        self
    }

    /// Answers all other paths; 404 without.
    #[must_use]
    pub fn fallback(mut self, fallback: impl Fallback<B>) -> Self {
        self.fallback = Some(Box::new(fallback));
        self
    }

    /// The route of a path. A slash at its end is no other path: several clients add one to the URL that they are given.
    fn route(&self, path: &str) -> Option<&Route> {
        self.routes.get(path).or_else(|| self.routes.get(path.strip_suffix('/')?))
    }

    /// Answers a request.
    pub async fn answer(&self, mut request: Request<B>, peer: Peer) -> Response<Body> {
        address(&mut request);
        let Some(route) = self.route(request.uri().path()) else {
            return match &self.fallback {
                Some(fallback) => fallback.answer(request, peer).await,
                None => respond::refusal(StatusCode::NOT_FOUND, "There is nothing at this path"),
            };
        };
        let (mut head, mut body) = request.into_parts();
        match route {
            Route::Streamable(endpoint) => endpoint.http(&mut head, &mut body, &peer).await,
            Route::Stream { endpoint, sessions, messages } => sessions.open(endpoint, &head, &peer, messages).await,
            Route::Messages { endpoint, sessions } => sessions.message(endpoint, &head, &mut body, &peer).await,
        }
    }
}
