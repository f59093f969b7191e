//! Answers of the HTTP layer itself.

use std::borrow::Cow;

use ::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, CACHE_CONTROL,
    CONTENT_TYPE, ORIGIN, VARY, WWW_AUTHENTICATE,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::Body;
use super::auth::Challenge;
use crate::code;
use crate::dispatch::Answer;
use crate::error::Error;
use crate::headers::SESSION_ID;
use crate::revision::Revision;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

fn plain(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// The answer to a body, as JSON.
pub(super) fn answer(answer: Answer) -> Response<Body> {
    let empty = answer.body.is_empty();
    let mut response = plain(answer.status, Body::chunks(answer.body));
    if !empty {
        response.headers_mut().insert(CONTENT_TYPE, JSON);
    }
    if let Some(value) = answer.session.and_then(|id| HeaderValue::try_from(String::from(id)).ok()) {
        response.headers_mut().insert(SESSION_ID, value);
    }
    response
}

/// The answer to a body as a stream of one event; what is no success stays JSON.
pub(super) fn one_event(answer: Answer) -> Response<Body> {
    if answer.status != StatusCode::OK || answer.body.is_empty() || answer.session.is_some() {
        return self::answer(answer);
    }
    events(Body::from(super::sse::frame(None, answer.flat())))
}

/// A stream of events.
pub(super) fn events(body: Body) -> Response<Body> {
    let mut response = plain(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// A refusal by the HTTP layer, with a JSON-RPC error that says why.
pub(super) fn refusal(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Response<Body> {
    let mut out = Vec::from(b"{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":");
    Error::custom(code::REFUSED, message).write(Revision::LATEST, &mut out);
    out.push(b'}');
    let mut response = plain(status, Body::from(out));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// 405 with the methods that there are.
pub(super) fn method_not_allowed(allow: &'static str) -> Response<Body> {
    let mut response = refusal(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// An accepted message without an answer.
pub(super) fn accepted() -> Response<Body> {
    plain(StatusCode::ACCEPTED, Body::empty())
}

/// Turns a caller away.
pub(super) fn challenge(challenge: Challenge) -> Response<Body> {
    let mut response = plain(challenge.status, Body::from(challenge.body));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    if let Some(value) = challenge.www_authenticate {
        response.headers_mut().insert(WWW_AUTHENTICATE, value);
    }
    for (name, value) in challenge.headers {
        response.headers_mut().insert(name, value);
    }
    response
}

/// The answer to a browser's question whether it may call. The origin was checked before.
/// Which headers it may send is its own business, the name of a server's key among them.
pub(super) fn preflight(allow: &'static str, request: &HeaderMap) -> Response<Body> {
    let mut response = plain(StatusCode::NO_CONTENT, Body::empty());
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allow));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(allow));
    let usual = || {
        HeaderValue::from_static(
            "authorization, content-type, accept, last-event-id, mcp-session-id, mcp-protocol-version, mcp-method, mcp-name",
        )
    };
    let asked = request.get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or_else(usual));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

/// Lets the page of an allowed origin read the answer.
pub(super) fn share_with_origin(request: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
    if let Some(origin) = request.get(ORIGIN) {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(VARY, HeaderValue::from_static("origin"));
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(
                "mcp-session-id, mcp-protocol-version, www-authenticate, retry-after, ratelimit, ratelimit-policy",
            ),
        );
    }
    response
}
