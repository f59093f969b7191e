//! Answers one request many times inside one process, from the request's bytes to the answer's, so that its instructions
//! can be counted: `call_path SCENARIO TIMES`. The count of one request is the difference of two runs over the
//! difference of their times; `cargo xtask bench --instructions` does that.
//!
//! The path is the whole one but for the sockets and HTTP's own parser: routing, the check of host and origin, the
//! caller's key, the envelope, the compiled validation, the answer.

use std::error::Error;
use std::sync::Arc;

use base::Source;
use bytes::Bytes;
use engine::Toolset;
use host::Hosted;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt as _, Collected, Full};
use plan::Reality;
use protocol::http::{Authenticator, Peer, Router};
use protocol::{Endpoint, EndpointOptions, Runtime, RuntimeOptions};
use serde_json::json;

type Failure = Box<dyn Error>;

const KEY: &str = "bench-0123456789abcdef";
const SCENARIOS: &str = "call, list, session, refused, compile";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, times] = arguments.as_slice() else {
        return Err(format!("say a scenario ({SCENARIOS}) and how many times").into());
    };
    let times: usize = times.parse()?;
    let text = text();
    if scenario == "compile" {
        for _ in 0..times {
            hosted(&text)?;
        }
        return Ok(());
    }
    let router = router(&text)?;
    let request = match scenario.as_str() {
        "call" => Call::new("tools/call", Some("tool_042"), &stateless("tools/call", CALL), "pong"),
        "list" => Call::new("tools/list", None, &stateless("tools/list", ""), "tool_099"),
        "refused" => Call::new("tools/call", Some("tool_042"), &stateless("tools/call", WRONG), "limit"),
        "session" => Call::in_session(&router).await?,
        other => return Err(format!("there is no scenario `{other}`; there are {SCENARIOS}").into()),
    };
    request.checked(&router).await?;
    for _ in 0..times {
        let (_, body) = request.send(&router).await?;
        drop(std::hint::black_box(body));
    }
    Ok(())
}

/// A spec of 100 tools, as in the benchmark's scenarios `call` and `list`.
fn text() -> String {
    let tool = |number: usize| {
        json!({
            "name": format!("tool_{number:03}"),
            "description": format!("Tool number {number} of the benchmark"),
            "parameters": {
                "query": {"type": "string", "required": true, "maxLength": 200},
                "limit": {"type": "integer", "minimum": 1, "maximum": 100},
            },
            "reply": {"text": "pong"},
        })
    };
    let tools: Vec<_> = (0..100).map(tool).collect();
    json!({"name": "bench-mcp", "auth": {"type": "api_key", "envVar": "BENCH_MCP_API_KEY"}, "tools": tools}).to_string()
}

/// From the text of a spec to something that can be served.
fn hosted(text: &str) -> Result<(spec::Spec, Hosted), Failure> {
    let parsed = spec::parse(Source { name: "bench.json", text }, &spec::ParseOptions::default());
    let spec = parsed.spec.ok_or("the spec is wrong")?;
    let (plan, _) = plan::make(&spec, &Reality::default(), None);
    let toolset =
        Toolset::compile(&spec, &plan, engine::Connections::default()).map_err(|found| format!("{found:?}"))?;
    Ok((spec, Hosted::new(Arc::new(toolset))))
}

fn router(text: &str) -> Result<Router<Full<Bytes>>, Failure> {
    let (spec, hosted) = hosted(text)?;
    let keys = host::auth(&spec, &|_: &str| Some(KEY.to_owned())).map_err(|found| found.message)?;
    let authenticator = keys.map(|keys| Arc::new(keys) as Arc<dyn Authenticator>);
    let options = EndpointOptions { authenticator, ..EndpointOptions::default() };
    let endpoint = Endpoint::with(
        Arc::new(hosted),
        Runtime::new(RuntimeOptions::default()).map_err(|error| error.to_string())?,
        options,
    );
    Ok(Router::new().mcp("/mcp", endpoint))
}

const CALL: &str = r#""name":"tool_042","arguments":{"query":"laptop","limit":10}"#;
const WRONG: &str = r#""name":"tool_042","arguments":{"query":"laptop","limit":1000}"#;

/// The body of a request that describes itself (2026-07-28).
fn stateless(method: &str, params: &str) -> String {
    let comma = if params.is_empty() { "" } else { "," };
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{comma}"_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{{"name":"bench","version":"1"}},"io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}"#
    )
}

/// A request, and what its answer must contain.
struct Call {
    headers: HeaderMap,
    body: Bytes,
    expect: &'static str,
}

impl Call {
    fn new(method: &str, name: Option<&str>, body: &str, expect: &'static str) -> Self {
        let mut headers = base_headers();
        let further = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
        for (name, value) in further.into_iter().chain(name.map(|name| ("mcp-name", name))) {
            headers.extend(value.parse().map(|value| (http::HeaderName::from_static(name), value)));
        }
        Self { headers, body: Bytes::copy_from_slice(body.as_bytes()), expect }
    }

    /// A call in a session of 2025-11-25.
    async fn in_session(router: &Router<Full<Bytes>>) -> Result<Self, Failure> {
        let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
        let mut call =
            Self { headers: base_headers(), body: Bytes::from_static(hello.as_bytes()), expect: "bench-mcp" };
        let answered = call.checked(router).await?;
        let session = answered.get("mcp-session-id").ok_or("no session was opened")?.clone();
        call.headers.insert("mcp-session-id", session);
        call.headers.insert("mcp-protocol-version", http::HeaderValue::from_static("2025-11-25"));
        call.body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{{CALL}}}}}"#).into();
        call.expect = "pong";
        Ok(call)
    }

    async fn send(&self, router: &Router<Full<Bytes>>) -> Result<(HeaderMap, Collected<Bytes>), Failure> {
        let mut request = Request::post("/mcp").body(Full::new(self.body.clone()))?;
        request.headers_mut().clone_from(&self.headers);
        let (head, body) = router.answer(request, Peer::UNKNOWN).await.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?;
        Ok((head.headers, body))
    }

    /// Sends it and looks into the answer. That is done once: looking costs more than answering.
    async fn checked(&self, router: &Router<Full<Bytes>>) -> Result<HeaderMap, Failure> {
        let (headers, body) = self.send(router).await?;
        let body = body.to_bytes();
        if memchr::memmem::find(&body, self.expect.as_bytes()).is_none() {
            return Err(format!("an answer without {:?}: {}", self.expect, String::from_utf8_lossy(&body)).into());
        }
        Ok(headers)
    }
}

fn base_headers() -> HeaderMap {
    let pairs = [
        ("host", "127.0.0.1:8808"),
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("x-api-key", KEY),
    ];
    pairs
        .into_iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
        .collect()
}
