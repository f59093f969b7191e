//! Streamable HTTP: one path for everything.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use ::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, ORIGIN};
use ::http::request::Parts;
use ::http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use bytes::Bytes;
use http_body::Body as HttpBody;

use super::accept::{Accepts, accepts};
use super::auth::AuthOutcome;
use super::read::{Unread, read_body};
use super::respond::{self, refusal};
use super::sse::{JobBody, StreamBody, pump};
use super::{Body, Peer};
use crate::cuts::Cut;
use crate::dispatch::listen::forward_to_stream;
use crate::dispatch::{Incoming, Via};
use crate::endpoint::Endpoint;
use crate::exchange::{Event, Exchange};
use crate::headers::{LAST_EVENT_ID, SESSION_ID};
use crate::job::{Job, Turn};
use crate::principal::Principal;
use crate::runtime::RuntimeOptions;
use crate::service::Binding;
use crate::session::Session;

const METHODS: &str = "POST, GET, DELETE, OPTIONS";

impl Endpoint {
    /// Answers one HTTP request, whatever its path. The headers are taken out of the head. Both stay with the caller: a request
    /// that is handed on has room in each function on its way.
    pub async fn http<B>(self: &Arc<Self>, head: &mut Parts, body: &mut B, peer: &Peer) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        if let Err(barred) = self.guard.check(&head.headers) {
            return refusal(barred.status(), barred.why());
        }
        // A copy of the header only when a web page calls.
        let page = head.headers.get(ORIGIN).cloned();
        let response = self.answer(head, body, peer).await;
        match page {
            None => response,
            Some(origin) => respond::share_with_origin(&HeaderMap::from_iter([(ORIGIN, origin)]), response),
        }
    }

    async fn answer<B>(self: &Arc<Self>, head: &mut Parts, body: &mut B, peer: &Peer) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        if head.method == Method::OPTIONS {
            return respond::preflight(METHODS, &head.headers);
        }
        let principal = match self.authenticate(head, peer).await {
            Ok(principal) => principal,
            Err(response) => return response,
        };
        let limit = principal.as_ref().and_then(Principal::limit);
        let mut response = self.answer_to(head, body, peer, principal).await;
        if let Some(limit) = limit {
            limit.tell(response.headers_mut());
        }
        response
    }

    async fn answer_to<B>(
        self: &Arc<Self>,
        head: &mut Parts,
        body: &mut B,
        peer: &Peer,
        principal: Option<Principal>,
    ) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let binding = match self.bind(head, principal.as_ref()).await {
            Ok(binding) => binding,
            Err(response) => return *response,
        };
        match head.method {
            Method::POST => {
                let address = self.address(head, peer);
                self.post(&mut head.headers, body, principal, binding, address).await
            }
            Method::GET => self.get(&head.headers, principal.as_ref()),
            Method::DELETE => self.delete(&head.headers, principal.as_ref()),
            _ => respond::method_not_allowed(METHODS),
        }
    }

    /// Lets the caller in, or says how to get in.
    pub(super) async fn authenticate(&self, head: &Parts, peer: &Peer) -> Result<Option<Principal>, Response<Body>> {
        let Some(authenticator) = &self.authenticator else { return Ok(None) };
        let outcome = match authenticator.authenticate(head, peer) {
            AuthOutcome::Ready(outcome) => outcome,
            AuthOutcome::Later(outcome) => outcome.await,
        };
        outcome.map(Some).map_err(respond::challenge)
    }

    /// Where a request comes from.
    pub(super) fn address(&self, head: &Parts, peer: &Peer) -> Option<IpAddr> {
        match &self.authenticator {
            Some(authenticator) => authenticator.address(head, peer),
            None => Some(peer.address?.ip()),
        }
    }

    /// What the query of the URL says.
    pub(super) async fn bind(
        &self,
        head: &Parts,
        principal: Option<&Principal>,
    ) -> Result<Option<Binding>, Box<Response<Body>>> {
        let Some(query) = head.uri.query().filter(|query| !query.is_empty()) else { return Ok(None) };
        let refused = |status, why: String| Box::new(refusal(status, why));
        let bound = self.service.bind(query).map_err(|why| refused(StatusCode::BAD_REQUEST, why))?;
        // Whoever ends a session needs nothing of what it chose.
        if let Some(binding) = bound.as_ref().filter(|_| head.method != Method::DELETE) {
            let there = self.service.is_there(principal, binding).await;
            there.map_err(|why| refused(StatusCode::NOT_FOUND, why))?;
        }
        Ok(bound)
    }

    async fn post<B>(
        self: &Arc<Self>,
        headers: &mut HeaderMap,
        body: &mut B,
        principal: Option<Principal>,
        binding: Option<Binding>,
        address: Option<IpAddr>,
    ) -> Response<Body>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        if !is_json(headers.get(CONTENT_TYPE)) {
            return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Content-Type must be application/json");
        }
        let Some(accepts) = accepts(headers) else {
            return refusal(StatusCode::NOT_ACCEPTABLE, "Accept must allow application/json or text/event-stream");
        };
        let body = match read_message(headers, body, &self.runtime.options).await {
            Ok(body) => body,
            Err(response) => return *response,
        };
        let caller = principal.as_ref().map(Principal::shared_id);
        let exchange = Exchange::from(accepts != Accepts::Json, address);
        let via = Via::Http(std::mem::take(headers));
        let mut job = Job::new(Incoming { endpoint: self.clone(), body, via, principal, binding, exchange });
        let turn = match job.first_turn().await {
            None if accepts != Accepts::StreamFirst => self.wait(&mut job).await,
            first => first,
        };
        match turn {
            Some(Turn::Done(answer)) if accepts == Accepts::StreamFirst => respond::one_event(answer),
            Some(Turn::Done(answer)) => respond::answer(answer),
            Some(Turn::Event(event)) => self.stream(job, Some(event), caller),
            None => self.stream(job, None, caller),
        }
    }

    /// Waits for an answer that did not come at once. Gives what there is to tell before, or nothing when it takes so long that
    /// something between us and the client may lose patience: then there is to be a stream.
    async fn wait(&self, job: &mut Job) -> Option<Turn> {
        if !job.exchange.streams() {
            let mut turn = job.woken_turn().await;
            while matches!(turn, Turn::Event(_)) {
                turn = job.turn().await;
            }
            return Some(turn);
        }
        tokio::time::timeout(self.runtime.options.stream_after, job.woken_turn()).await.ok()
    }

    fn stream(&self, job: Job, first: Option<Event>, caller: Option<Arc<str>>) -> Response<Body> {
        let keep_alive = self.runtime.options.keep_alive;
        let session = job.exchange.session.get().filter(|session| !session.id.is_empty()).cloned();
        let Some(session) = session else {
            let cut = Cut::of(&self.runtime, caller);
            return respond::events(Body::job(JobBody::new(job, first, keep_alive, cut)));
        };
        let stream = session.new_stream();
        let body = StreamBody::new(session, stream.clone(), 0, keep_alive);
        tokio::spawn(pump(job, first, stream));
        respond::events(Body::stream(body))
    }

    /// The stream of a session for messages that belong to no request, or the rest of a broken one.
    fn get(self: &Arc<Self>, headers: &HeaderMap, principal: Option<&Principal>) -> Response<Body> {
        if headers.contains_key(ACCEPT) && accepts(headers).is_none_or(|accepts| accepts == Accepts::Json) {
            return refusal(StatusCode::NOT_ACCEPTABLE, "Accept must allow text/event-stream");
        }
        let session = match self.session(headers, principal) {
            Ok(session) => session,
            Err(None) => return respond::method_not_allowed(METHODS),
            Err(Some(response)) => return *response,
        };
        let keep_alive = self.runtime.options.keep_alive;
        if let Some((stream, after)) = headers.get(LAST_EVENT_ID).and_then(|id| resumed(&session, id)) {
            return respond::events(Body::stream(StreamBody::new(session, stream, after, keep_alive)));
        }
        let (stream, new) = session.standalone();
        if new {
            forward_to_stream(self, &session, &stream);
        }
        respond::events(Body::stream(StreamBody::new(session, stream, 0, keep_alive)))
    }

    fn delete(&self, headers: &HeaderMap, principal: Option<&Principal>) -> Response<Body> {
        match self.session(headers, principal) {
            Ok(session) => {
                self.runtime.sessions.remove(&session.id);
                let mut response = respond::accepted();
                *response.status_mut() = StatusCode::NO_CONTENT;
                response
            }
            Err(None) => respond::method_not_allowed(METHODS),
            Err(Some(response)) => *response,
        }
    }

    /// The session that a request without a body names: none named, or a dead one.
    fn session(
        &self,
        headers: &HeaderMap,
        principal: Option<&Principal>,
    ) -> Result<Arc<Session>, Option<Box<Response<Body>>>> {
        let id = headers.get(SESSION_ID).ok_or(None)?;
        let found = id.to_str().ok().and_then(|id| self.runtime.sessions.find(id, self.number, principal));
        found.ok_or_else(|| Some(Box::new(refusal(StatusCode::NOT_FOUND, "Unknown or expired session"))))
    }
}

/// The stream and event that `Last-Event-ID` names.
fn resumed(session: &Session, id: &HeaderValue) -> Option<(Arc<crate::session::Stream>, u64)> {
    let (stream, number) = id.to_str().ok()?.split_once('-')?;
    Some((session.stream(stream.parse().ok()?)?, number.parse().ok()?))
}

/// `application/json`, with or without parameters.
pub(super) fn is_json(value: Option<&HeaderValue>) -> bool {
    let Some(text) = value.and_then(|value| value.to_str().ok()) else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Reads the body of a message within the bounds of a runtime, or says how it is refused.
pub(super) async fn read_message<B>(
    headers: &HeaderMap,
    body: B,
    options: &RuntimeOptions,
) -> Result<Bytes, Box<Response<Body>>>
where
    B: HttpBody<Data = Bytes>,
{
    read_body(headers, body, options.max_body, options.body_timeout).await.map_err(|why| {
        let (status, text) = match why {
            Unread::Encoded => {
                let mut response = refusal(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "The body has a Content-Encoding, and is taken only without one; send it as it is",
                );
                response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
                return Box::new(response);
            }
            Unread::TooLarge => {
                let text = format!(
                    "The body is larger than {} bytes, the most that this server reads; send less in one request",
                    options.max_body
                );
                (StatusCode::PAYLOAD_TOO_LARGE, Cow::Owned(text))
            }
            Unread::Late => {
                let text = format!(
                    "The body took longer than {} s, the most that this server waits for one; send the request again",
                    options.body_timeout.as_secs_f64()
                );
                (StatusCode::REQUEST_TIMEOUT, Cow::Owned(text))
            }
            Unread::Broken => (StatusCode::BAD_REQUEST, Cow::Borrowed("The body could not be read")),
        };
        Box::new(refusal(status, text))
    })
}
