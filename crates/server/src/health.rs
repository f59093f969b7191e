//! The pages that are not MCP.

use std::future::ready;
use std::time::Instant;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use protocol::Boxed;
use protocol::http::{Body, Fallback, Peer};
use serde_json::json;

/// Name and version of what is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// Name of the server.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Answers `GET /healthz` and `GET /`; nothing is anywhere else.
pub(crate) struct Pages {
    about: About,
    started: Instant,
}

impl Pages {
    pub(crate) fn new(about: About) -> Self {
        Self { about, started: Instant::now() }
    }

    fn page(&self, method: &Method, path: &str) -> Response<Body> {
        match (path, method) {
            ("/", &Method::GET | &Method::HEAD) => {
                let text = format!(
                    "{} {}, an MCP server.\n\nMCP clients connect to /mcp (Streamable HTTP) or /sse (legacy HTTP+SSE).\nGET /healthz tells whether it is well.\n",
                    self.about.name, self.about.version
                );
                respond(StatusCode::OK, "text/plain; charset=utf-8", text)
            }
            ("/healthz" | "/health", &Method::GET | &Method::HEAD) => {
                let health = json!({
                    "status": "ok",
                    "uptime": self.started.elapsed().as_secs(),
                    "server": self.about.name,
                    "version": self.about.version,
                });
                respond(StatusCode::OK, "application/json", health.to_string())
            }
            ("/healthz" | "/health" | "/", _) => problem(StatusCode::METHOD_NOT_ALLOWED, "use GET here"),
            _ => problem(
                StatusCode::NOT_FOUND,
                "there is nothing at this path; MCP is at /mcp, and /sse for legacy clients",
            ),
        }
    }
}

impl Fallback<Incoming> for Pages {
    fn answer(&self, request: Request<Incoming>, _peer: Peer) -> Boxed<'static, Response<Body>> {
        Box::pin(ready(self.page(request.method(), request.uri().path())))
    }
}

/// A problem document (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or("error");
    let document = json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail });
    respond(status, "application/problem+json", document.to_string())
}

fn respond(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let body = Body::wrap(Full::new(Bytes::from(text)).map_err(|never| match never {}));
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
