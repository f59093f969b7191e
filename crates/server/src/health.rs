//! `/healthz`, a sign at `/`, and problem documents (RFC 9457) for everything else.

use std::time::Instant;

use http::{Method, Response, StatusCode, header};
use protocol::http::Body;
use serde_json::{Value, json};

/// What there is to say about a running server.
pub(crate) struct Health {
    name: String,
    version: String,
    started: Instant,
}

impl Health {
    pub(crate) fn new(name: String, version: String) -> Self {
        Self { name, version, started: Instant::now() }
    }

    /// Answers a request that is not MCP.
    pub(crate) fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        let known = matches!(path, "/" | "/healthz");
        if known && !matches!(*method, Method::GET | Method::HEAD) {
            let mut answer = problem(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here");
            answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match path {
            "/healthz" => {
                let uptime = self.started.elapsed().as_secs();
                let facts =
                    json!({"status": "ok", "server": self.name, "version": self.version, "uptimeSeconds": uptime});
                answer(StatusCode::OK, "application/json", facts.to_string())
            }
            "/" => answer(StatusCode::OK, "text/plain; charset=utf-8", self.sign()),
            _ => {
                problem(StatusCode::NOT_FOUND, "nothing is served at this path; MCP clients use /mcp, older ones /sse")
            }
        }
    }

    fn sign(&self) -> String {
        format!(
            "{} {}\n\nThis is an MCP server.\n  Streamable HTTP  /mcp\n  HTTP+SSE         /sse\n  health           /healthz\n",
            self.name, self.version
        )
    }
}

fn problem(status: StatusCode, detail: &str) -> Response<Body> {
    let title = status.canonical_reason().unwrap_or_default();
    let body: Value = json!({"type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail});
    answer(status, "application/problem+json", body.to_string())
}

fn answer(status: StatusCode, media_type: &'static str, body: String) -> Response<Body> {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    answer.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    answer
}
