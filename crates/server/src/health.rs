//! `/healthz` (and `/health`), a sign at `/`, and problem documents (RFC 9457) for everything else.

use std::time::Instant;

use http::{Method, Response, StatusCode, header};
use protocol::http::Body;
use serde_json::{Value, json};

/// What there is to say about a running server.
pub(crate) struct Health {
    name: String,
    version: String,
    groups: Vec<String>,
    started: Instant,
}

impl Health {
    pub(crate) fn new(name: String, version: String, groups: Vec<String>) -> Self {
        Self { name, version, groups, started: Instant::now() }
    }

    /// Answers a request that is not MCP.
    pub(crate) fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        let known = matches!(path, "/" | "/health" | "/healthz");
        if known && !matches!(*method, Method::GET | Method::HEAD) {
            let mut answer = problem(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here");
            answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        match path {
            "/health" | "/healthz" => {
                let uptime = self.started.elapsed().as_secs();
                let facts =
                    json!({"status": "ok", "server": self.name, "version": self.version, "uptimeSeconds": uptime});
                answer(StatusCode::OK, "application/json", facts.to_string())
            }
            "/" => answer(StatusCode::OK, "text/plain; charset=utf-8", self.sign()),
            _ if path.starts_with("/servers/") => problem(StatusCode::NOT_FOUND, &self.no_group(path)),
            _ => {
                problem(StatusCode::NOT_FOUND, "nothing is served at this path; MCP clients use /mcp, older ones /sse")
            }
        }
    }

    /// Why nothing is at a path below `/servers`.
    fn no_group(&self, path: &str) -> String {
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').skip(2).collect();
        let group = match parts.as_slice() {
            [server, ..] if *server != self.name => {
                return format!("the server that runs here is `{}`, at /servers/{}/mcp", self.name, self.name);
            }
            [_, "groups", group, ..] => *group,
            _ => return format!("MCP clients use /servers/{}/mcp", self.name),
        };
        if self.groups.iter().any(|known| known == group) {
            return format!("MCP clients of this group use {}/mcp", crate::group_path(&self.name, group));
        }
        match self.groups.as_slice() {
            [] => "this server has no groups; MCP clients use /mcp".to_owned(),
            known => format!("this server has no such group; its groups: {}", known.join(", ")),
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
