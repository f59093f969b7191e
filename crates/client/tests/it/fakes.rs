//! Servers that do what the reference servers never do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use client::{Client, Protocol, Transport};
use connect::ErrorKind;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{at, bounded, caller, object, piped, text};

type Handler = fn(&Fake, &HeaderMap, &Value) -> Response;

struct Fake {
    handler: Handler,
    sessions: AtomicUsize,
    seen: parking_lot::Mutex<Vec<Value>>,
}

/// A server of one function; gives its origin.
async fn serve(handler: Handler) -> (String, Arc<Fake>) {
    let fake = Arc::new(Fake { handler, sessions: AtomicUsize::new(0), seen: parking_lot::Mutex::default() });
    let answer = |State(fake): State<Arc<Fake>>, headers: HeaderMap, body: String| async move {
        let message: Value = serde_json::from_str(&body).unwrap_or_default();
        fake.seen.lock().push(message.clone());
        (fake.handler)(&fake, &headers, &message)
    };
    let router = Router::new().route("/mcp", post(answer).get(|| async { StatusCode::METHOD_NOT_ALLOWED }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = router.with_state(Arc::clone(&fake));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (origin, fake)
}

fn json_answer(message: &Value, result: &Value) -> Response {
    let body = json!({"jsonrpc": "2.0", "id": message["id"], "result": result}).to_string();
    ([("content-type", "application/json")], body).into_response()
}

fn begun() -> Value {
    json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": {"name": "f", "version": "1"}})
}

fn said(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

/// The first session is gone when it is used.
fn forgetful(fake: &Fake, headers: &HeaderMap, message: &Value) -> Response {
    match message["method"].as_str() {
        Some("initialize") => {
            let session = format!("s{}", fake.sessions.fetch_add(1, Ordering::SeqCst));
            let mut response = json_answer(message, &begun());
            response.headers_mut().insert("mcp-session-id", session.parse().unwrap());
            response
        }
        Some("server/discover") => StatusCode::BAD_REQUEST.into_response(),
        Some("tools/call") if headers["mcp-session-id"] == "s0" => StatusCode::NOT_FOUND.into_response(),
        Some("tools/call") => {
            assert_eq!(headers["mcp-protocol-version"], "2025-06-18");
            json_answer(message, &said("here again"))
        }
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

#[tokio::test]
async fn a_session_that_is_gone_is_opened_again() {
    let (origin, fake) = serve(forgetful).await;
    let client = at(&origin, "/mcp", Transport::Auto, Protocol::Auto);
    assert_eq!(text(&client, "any", json!({})).await, "here again");
    assert_eq!(fake.sessions.load(Ordering::SeqCst), 2);
}

/// Speaks the stateless revision alone, and wants its headers.
fn stateless(_: &Fake, headers: &HeaderMap, message: &Value) -> Response {
    let meta = &message["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
    assert!(meta["io.modelcontextprotocol/clientCapabilities"].is_object());
    assert_eq!(headers["mcp-protocol-version"], "2026-07-28");
    assert_eq!(headers["mcp-method"].to_str().unwrap(), message["method"].as_str().unwrap());
    let region = json!({"type": "string", "x-mcp-header": "Region"});
    match message["method"].as_str() {
        Some("server/discover") => {
            json_answer(message, &json!({"supportedVersions": ["2026-07-28"], "capabilities": {}}))
        }
        Some("tools/list") => {
            let schema = json!({"type": "object", "properties": {"region": region}});
            json_answer(message, &json!({"tools": [{"name": "wörld", "inputSchema": schema}]}))
        }
        Some("tools/call") if message["params"]["arguments"]["region"] == "ask" => {
            let question =
                json!({"method": "elicitation/create", "params": {"message": "Who?", "requestedSchema": {}}});
            json_answer(message, &json!({"resultType": "input_required", "inputRequests": {"who": question}}))
        }
        Some("tools/call") => {
            assert_eq!(headers["mcp-name"], "=?base64?d8O2cmxk?=");
            assert_eq!(headers["mcp-param-region"], "eu");
            json_answer(message, &said("stateless"))
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[tokio::test]
async fn the_stateless_revision_is_spoken_where_it_is_known() {
    let (origin, _) = serve(stateless).await;
    let client = at(&origin, "/mcp", Transport::Auto, Protocol::Auto);
    assert_eq!(text(&client, "wörld", json!({"region": "eu"})).await, "stateless");
    let cancel = CancellationToken::new();
    let asks = client.call("wörld", &object(json!({"region": "ask"})), caller(&cancel, 5)).await;
    assert!(asks.unwrap_err().message.contains("asks for more input"));
}

/// Asks back in the middle of an answer, and says how far it is.
fn asking(_: &Fake, _: &HeaderMap, message: &Value) -> Response {
    if message["method"] != "tools/call" {
        return match message["method"].as_str() {
            Some("initialize") => json_answer(message, &begun()),
            Some("server/discover") => {
                let error = json!({"code": -32601, "message": "Method not found"});
                let body = json!({"jsonrpc": "2.0", "id": message["id"], "error": error}).to_string();
                ([("content-type", "application/json")], body).into_response()
            }
            _ => StatusCode::ACCEPTED.into_response(),
        };
    }
    let events = [
        json!({"jsonrpc": "2.0", "id": "q", "method": "sampling/createMessage", "params": {}}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
        json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}),
        json!({"jsonrpc": "2.0", "id": message["id"], "result": said("asked")}),
    ];
    let body: String = events.iter().map(|event| format!("event: message\ndata: {event}\n\n")).collect();
    ([("content-type", "text/event-stream")], body).into_response()
}

#[tokio::test]
async fn questions_of_a_server_are_answered_politely() {
    let (origin, fake) = serve(asking).await;
    let client = at(&origin, "/mcp", Transport::Streamable, Protocol::Auto);
    assert_eq!(text(&client, "any", json!({})).await, "asked");
    let answered = |seen: &[Value]| {
        seen.iter().any(|message| message["id"] == "q" && message["error"]["code"] == -32601)
            && seen.iter().any(|message| message["id"] == 1 && message["result"] == json!({}))
    };
    let began = std::time::Instant::now();
    while !answered(&fake.seen.lock()) {
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", fake.seen.lock());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Answers whatever it is asked, in many bytes.
fn large(_: &Fake, _: &HeaderMap, message: &Value) -> Response {
    match message["method"].as_str() {
        Some("initialize") => json_answer(message, &begun()),
        Some("tools/call") => json_answer(message, &said(&"x".repeat(100_000))),
        Some("server/discover") => StatusCode::BAD_REQUEST.into_response(),
        _ => StatusCode::ACCEPTED.into_response(),
    }
}

async fn failure(client: &Client) -> connect::Error {
    let cancel = CancellationToken::new();
    client.call("any", &object(json!({})), caller(&cancel, 20)).await.unwrap_err()
}

#[tokio::test]
async fn answers_have_a_size() {
    let (origin, _) = serve(large).await;
    let client = bounded(&origin, "/mcp", Transport::Streamable, Protocol::Auto, 50_000);
    assert_eq!(failure(&client).await.kind, ErrorKind::Limit);
}

/// Has no server behind it at all.
fn broken(_: &Fake, _: &HeaderMap, _: &Value) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "no such thing").into_response()
}

#[tokio::test]
async fn what_is_no_server_is_an_error() {
    let (origin, _) = serve(broken).await;
    for transport in [Transport::Auto, Transport::Streamable, Transport::Sse] {
        let error = failure(&at(&origin, "/mcp", transport, Protocol::Auto)).await;
        assert_eq!(error.attempted, "reach another MCP server", "{error}");
    }
    let error = failure(&at("http://127.0.0.1:9", "/mcp", Transport::Auto, Protocol::Auto)).await;
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_ends_is_an_error_with_its_last_words() {
    let error = failure(&piped("sh", &["-c", "echo no such option >&2; exit 3"], Protocol::Initialize)).await;
    assert!(error.message.starts_with("the program"), "{error}");
    let error =
        failure(&piped("sh", &["-c", "while :; do :; done > /dev/null & read line; exit"], Protocol::Initialize)).await;
    assert!(error.message.contains("the program ended"), "{error}");
}

/// A server as a shell script: it answers `initialize`, then each call with its own process number, and ends after two.
const SHORT_LIVED: &str = r#"
read line
echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2024-11-05","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}'
read line
read line
echo "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"$$\"}]}}"
exit
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_ended_is_started_again() {
    let client = piped("sh", &["-c", SHORT_LIVED], Protocol::Initialize);
    let first = text(&client, "any", json!({})).await;
    // The end of the program may be seen only when the next call is on its way.
    let cancel = CancellationToken::new();
    let began = std::time::Instant::now();
    let second = loop {
        match client.call("any", &object(json!({})), caller(&cancel, 20)).await {
            Ok(result) => break result.content[0]["text"].as_str().unwrap().to_owned(),
            Err(error) => assert_eq!(error.kind, ErrorKind::Transient, "{error}"),
        }
        assert!(began.elapsed() < Duration::from_secs(10));
    };
    assert_ne!(first, second);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_that_a_program_started_ends_with_its_client() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("child");
    let script = format!("sleep 1000 & echo $! > {}\n{}", file.display(), SHORT_LIVED.replace("exit", "sleep 1000"));
    let client = piped("sh", &["-c", &script], Protocol::Initialize);
    text(&client, "any", json!({})).await;
    let child: u32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
    let runs = || std::fs::read_to_string(format!("/proc/{child}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    assert!(runs());
    drop(client);
    let began = std::time::Instant::now();
    while runs() {
        assert!(began.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
