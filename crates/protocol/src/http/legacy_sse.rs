//! HTTP+SSE of 2024-11-05: a stream that the client opens, and a path to which it posts.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use ::http::request::Parts;
use ::http::{Method, Response, StatusCode};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio::time::Interval;

use super::respond::{self, refusal};
use super::streamable::{is_json, read_message};
use super::{Body, BoxError, Peer};
use crate::connection::Connection;
use crate::cuts::Cut;
use crate::dispatch::{Incoming, Via};
use crate::endpoint::Endpoint;
use crate::exchange::Exchange;
use crate::job::{Job, Turn};
use crate::principal::Principal;
use crate::service::Binding;
use crate::session::Sessions;
use crate::stdio::drive;

/// Streams open at a time.
const MAX_STREAMS: usize = 10_000;

/// The open streams of one endpoint.
#[derive(Default)]
pub struct LegacySessions(Mutex<HashMap<Box<str>, Open>>);

struct Open {
    connection: Arc<Connection>,
    principal: Option<Arc<str>>,
    /// What the URL of the stream says.
    binding: Option<Binding>,
}

impl LegacySessions {
    /// No streams yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// `GET` on the stream path: opens a stream whose first event names where to post.
    pub async fn open(
        self: &Arc<Self>,
        endpoint: &Arc<Endpoint>,
        head: &Parts,
        peer: &Peer,
        messages_path: &str,
    ) -> Response<Body> {
        if let Err(barred) = endpoint.guard.check(&head.headers) {
            return refusal(barred.status(), barred.why());
        }
        let response = match head.method {
            Method::GET => match endpoint.authenticate(head, peer).await {
                Ok(principal) => {
                    let mut response = match endpoint.bind(head, principal.as_ref()).await {
                        Ok(binding) => self.stream(endpoint, principal.as_ref(), binding, messages_path),
                        Err(response) => *response,
                    };
                    tell(principal.as_ref(), &mut response);
                    response
                }
                Err(response) => response,
            },
            Method::OPTIONS => respond::preflight("GET, OPTIONS", &head.headers),
            _ => respond::method_not_allowed("GET, OPTIONS"),
        };
        respond::share_with_origin(&head.headers, response)
    }

    fn stream(
        self: &Arc<Self>,
        endpoint: &Endpoint,
        principal: Option<&Principal>,
        binding: Option<Binding>,
        path: &str,
    ) -> Response<Body> {
        let Some(id) = Sessions::new_id() else {
            return refusal(StatusCode::INTERNAL_SERVER_ERROR, "No randomness for a session id");
        };
        let (connection, outbox) = Connection::new();
        {
            let mut open = self.0.lock();
            if open.len() >= MAX_STREAMS {
                return refusal(StatusCode::SERVICE_UNAVAILABLE, "Too many streams are open; try again later");
            }
            let principal = principal.map(Principal::shared_id);
            open.insert(id.clone(), Open { connection: connection.clone(), principal, binding });
        }
        let cut = Cut::of(&endpoint.runtime, principal.map(Principal::shared_id));
        let first = format!("event: endpoint\ndata: {path}?sessionId={id}\n\n");
        let guard = Registered { sessions: Arc::downgrade(self), id, connection };
        let closed = Box::pin(endpoint.closed.clone().cancelled_owned());
        let keep_alive = tokio::time::interval(endpoint.runtime.options.keep_alive);
        respond::events(Body::wrap(EventsBody {
            first: Some(first.into()),
            outbox,
            keep_alive,
            closed,
            cut,
            _guard: guard,
        }))
    }

    /// `POST` on the messages path: takes a message whose answer goes to the stream.
    pub async fn message<B>(
        self: &Arc<Self>,
        endpoint: &Arc<Endpoint>,
        head: &Parts,
        body: &mut B,
        peer: &Peer,
    ) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        if let Err(barred) = endpoint.guard.check(&head.headers) {
            return refusal(barred.status(), barred.why());
        }
        let response = match head.method {
            Method::POST => self.post(endpoint, head, body, peer).await.unwrap_or_else(|refused| *refused),
            Method::OPTIONS => respond::preflight("POST, OPTIONS", &head.headers),
            _ => respond::method_not_allowed("POST, OPTIONS"),
        };
        respond::share_with_origin(&head.headers, response)
    }

    async fn post<B>(
        self: &Arc<Self>,
        endpoint: &Arc<Endpoint>,
        head: &Parts,
        body: &mut B,
        peer: &Peer,
    ) -> Result<Response<Body>, Box<Response<Body>>>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let principal = endpoint.authenticate(head, peer).await.map_err(Box::new)?;
        let mut response =
            self.take(endpoint, head, body, peer, principal.as_ref()).await.unwrap_or_else(|refused| *refused);
        tell(principal.as_ref(), &mut response);
        Ok(response)
    }

    async fn take<B>(
        self: &Arc<Self>,
        endpoint: &Arc<Endpoint>,
        head: &Parts,
        body: &mut B,
        peer: &Peer,
        principal: Option<&Principal>,
    ) -> Result<Response<Body>, Box<Response<Body>>>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        if !is_json(head.headers.get(::http::header::CONTENT_TYPE)) {
            return Err(Box::new(refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json")));
        }
        let id = head.uri.query().and_then(|query| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix("sessionId=").or_else(|| pair.strip_prefix("session_id=")))
        });
        let connection = id.and_then(|id| {
            let open = self.0.lock();
            let found = open.get(id)?;
            (found.principal.as_deref() == principal.map(Principal::id))
                .then(|| (found.connection.clone(), found.binding.clone()))
        });
        let Some((connection, binding)) = connection else {
            return Err(Box::new(refusal(StatusCode::NOT_FOUND, "No such session: open the stream again")));
        };
        let body = read_message(&head.headers, body, &endpoint.runtime.options).await?;
        let exchange = Exchange::from(true, endpoint.address(head, peer));
        let via = Via::Connection(connection.clone());
        let principal = principal.cloned();
        let mut job = Job::new(Incoming { endpoint: endpoint.clone(), body, via, principal, binding, exchange });
        // Messages of one client are begun in the order in which they came, and answered when they are done.
        let first = job.try_turn();
        if let Some(Turn::Done(answer)) = &first
            && answer.body.is_empty()
        {
            return Ok(respond::accepted());
        }
        tokio::spawn(drive(job, first, connection));
        Ok(respond::accepted())
    }
}

/// Tells a caller what remains of their limit.
fn tell(principal: Option<&Principal>, response: &mut Response<Body>) {
    if let Some(limit) = principal.and_then(Principal::limit) {
        limit.tell(response.headers_mut());
    }
}

/// Takes the stream from the table when its connection is gone.
struct Registered {
    sessions: Weak<LegacySessions>,
    id: Box<str>,
    connection: Arc<Connection>,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let Some(sessions) = self.sessions.upgrade() {
            sessions.0.lock().remove(&self.id);
        }
        self.connection.close();
    }
}

struct EventsBody {
    first: Option<Bytes>,
    outbox: mpsc::Receiver<Bytes>,
    keep_alive: Interval,
    closed: Pin<Box<tokio_util::sync::WaitForCancellationFutureOwned>>,
    cut: Option<Cut>,
    _guard: Registered,
}

impl HttpBody for EventsBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = self.get_mut();
        if let Some(first) = this.first.take() {
            // The first tick of an interval comes at once.
            this.keep_alive.reset();
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        if let Poll::Ready(message) = this.outbox.poll_recv(cx) {
            this.keep_alive.reset();
            return Poll::Ready(message.map(|message| Ok(Frame::data(super::sse::frame(None, message)))));
        }
        if this.closed.as_mut().poll(cx).is_ready() || this.cut.as_mut().is_some_and(|cut| cut.poll(cx).is_ready()) {
            return Poll::Ready(None);
        }
        match this.keep_alive.poll_tick(cx) {
            Poll::Ready(_) => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b": keep-alive\n\n"))))),
            Poll::Pending => Poll::Pending,
        }
    }
}
