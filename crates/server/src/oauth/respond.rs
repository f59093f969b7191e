//! Answers of the authorization server.

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use identity::oauth::Refusal;
use protocol::http::{Body, Guard};
use serde_json::Value;

use super::page;

/// As recorded of a server that its connectors work with.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE, OPTIONS");
const HEADERS: HeaderValue =
    HeaderValue::from_static("Content-Type, Authorization, Mcp-Session-Id, MCP-Protocol-Version");
const EXPOSED: HeaderValue = HeaderValue::from_static("WWW-Authenticate, Mcp-Session-Id, Retry-After");

/// No body.
pub(crate) fn plain(status: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    unkept(&mut answer);
    answer
}

/// A JSON document. It may hold a secret, and is kept nowhere.
pub(crate) fn json(status: StatusCode, document: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(document.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    unkept(&mut answer);
    answer
}

fn unkept(answer: &mut Response<Body>) {
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}

/// An error as RFC 6749, section 5.2 has it.
pub(crate) fn refusal(refusal: &Refusal) -> Response<Body> {
    let mut answer = json(status(refusal), &refusal.body());
    refused_headers(refusal, answer.headers_mut());
    answer
}

/// The same for a browser, if one asks.
pub(crate) fn refusal_page(head: &Parts, refusal: &Refusal) -> Response<Body> {
    let html = head.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if !html.is_some_and(|accept| accept.contains("text/html")) {
        return self::refusal(refusal);
    }
    let mut answer = page::refused(status(refusal), refusal);
    refused_headers(refusal, answer.headers_mut());
    answer
}

fn refused_headers(refusal: &Refusal, headers: &mut HeaderMap) {
    if refusal.basic {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"token\", charset=\"UTF-8\""));
    }
    match (&refusal.spent, refusal.retry_after) {
        (Some(spent), _) => headers.extend(crate::keys::spent(spent)),
        (None, Some(wait)) => drop(headers.insert(header::RETRY_AFTER, retry_after(wait))),
        (None, None) => {}
    }
}

/// Whole seconds, at least one.
pub(crate) fn retry_after(wait: std::time::Duration) -> HeaderValue {
    HeaderValue::from(crate::keys::whole_seconds(wait))
}

fn status(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Sends a browser elsewhere.
pub(crate) fn redirect(status: StatusCode, to: &str) -> Response<Body> {
    let Ok(to) = HeaderValue::try_from(to) else {
        return refusal(&internal("the redirect URI is no header"));
    };
    let mut answer = plain(status);
    answer.headers_mut().insert(header::LOCATION, to);
    answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    answer
}

pub(crate) fn method_not_allowed(allow: &'static str) -> Response<Body> {
    let wrong = error(405, "invalid_request", "the method is not answered here");
    let mut answer = refusal(&wrong);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    answer
}

pub(crate) fn bad_body(why: &str) -> Refusal {
    error(400, "invalid_request", why)
}

pub(crate) fn wrong_host() -> Refusal {
    error(403, "invalid_request", "the Host is none that is served here; the operator names it with --public-url")
}

pub(crate) fn internal(why: &str) -> Refusal {
    tracing::error!(why, "the authorization server could not answer");
    error(500, "server_error", "the server could not answer; its log says why")
}

pub(crate) fn error(status: u16, error: &'static str, description: &str) -> Refusal {
    Refusal { status, error, description: description.to_owned(), retry_after: None, spent: None, basic: false }
}

/// Lets the pages of allowed origins read an answer.
pub(crate) fn share(guard: &Guard, request: &HeaderMap, mut answer: Response<Body>) -> Response<Body> {
    let headers = answer.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let origin =
        request.get(header::ORIGIN).filter(|origin| origin.to_str().is_ok_and(|text| guard.allows_origin(text)));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    answer
}

/// A header by its name.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
