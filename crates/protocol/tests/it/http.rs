//! Stateless requests and the rules of HTTP.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;
use protocol::http::{AuthOutcome, Challenge, DRAIN_TIMEOUT, Peer};
use protocol::{EndpointOptions, Principal, RuntimeOptions};
use tokio::io::AsyncWriteExt as _;

use crate::sample::Sample;
use crate::wire::{POST, Server, modern, modern_body};

#[tokio::test]
async fn a_request_is_answered_with_json_of_known_length() {
    let server = Server::start(Sample::endpoint()).await;
    let body = modern_body(1, "tools/call", r#""name":"rows""#);
    let answer = server.ask(&modern("tools/call", "rows"), &body).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.json()["result"]["structuredContent"], serde_json::json!([1, 2]));
    assert_eq!(answer.header("mcp-session-id"), None);
}

#[tokio::test]
async fn headers_must_repeat_the_body() {
    let server = Server::start(Sample::endpoint()).await;
    let body = modern_body(1, "tools/call", r#""name":"rows""#);
    let cases = [
        (modern("tools/call", ""), -32020),
        (modern("tools/call", "echo"), -32020),
        (modern("tools/list", "rows"), -32020),
        (format!("{POST}\nMcp-Method: tools/call\nMcp-Name: rows"), -32020),
        (format!("{POST}\nMCP-Protocol-Version: 2025-06-18\nMcp-Method: tools/call\nMcp-Name: rows"), -32020),
        (format!("{}\nMcp-Name: rows", modern("tools/call", "rows")), -32020),
    ];
    for (head, code) in cases {
        let answer = server.ask(&head, &body).await;
        assert_eq!((answer.status, answer.code()), (400, code), "{head}");
    }
    let answer = server.ask(&modern("nothing", ""), &modern_body(1, "nothing", "")).await;
    assert_eq!((answer.status, answer.code()), (404, -32601));
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_turned_away() {
    let server = Server::start(Sample::endpoint()).await;
    let body = modern_body(1, "tools/list", "");
    let head = modern("tools/list", "");
    for (header, status) in [
        ("Origin: http://localhost:5173", 200),
        ("Origin: https://evil.example", 403),
        ("Origin: null", 403),
        ("Host: evil.example", 403),
        ("Host: 127.0.0.1:80", 200),
    ] {
        assert_eq!(server.ask(&format!("{head}\n{header}"), &body).await.status, status, "{header}");
    }
    let preflight = "OPTIONS /mcp HTTP/1.1\nOrigin: http://localhost:5173\nAccess-Control-Request-Method: POST";
    let answer = server.ask(preflight, "").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (204, Some("http://localhost:5173")));
    let usual = answer.header("access-control-allow-headers").unwrap();
    assert!(usual.contains("authorization") && usual.contains("mcp-session-id"), "{usual}");
    assert_eq!(server.ask(&preflight.replace("localhost", "evil.example"), "").await.status, 403);
    // A page may send the header that a server names for its key, whatever that is.
    let answer = server.ask(&format!("{preflight}\nAccess-Control-Request-Headers: content-type,x-my-key"), "").await;
    assert_eq!(answer.header("access-control-allow-headers"), Some("content-type,x-my-key"));
}

#[tokio::test]
async fn http_faults_have_their_status() {
    let runtime = RuntimeOptions { max_body: 1_000, ..RuntimeOptions::default() };
    let server = Server::start(Sample::endpoint_with(runtime, EndpointOptions::default())).await;
    let body = modern_body(1, "tools/list", "");
    let head = modern("tools/list", "");
    for (head, body, status) in [
        (head.replace("application/json\n", "text/plain\n"), body.clone(), 415),
        (head.replace("Accept: application/json, text/event-stream", "Accept: text/html"), body.clone(), 406),
        (head.replace("POST", "PUT"), body.clone(), 405),
        ("GET /mcp HTTP/1.1".into(), String::new(), 405),
        ("DELETE /mcp HTTP/1.1".into(), String::new(), 405),
        ("GET /other HTTP/1.1".into(), String::new(), 404),
        (head.replace("POST /mcp ", "POST /mcp/ "), body.clone(), 200),
        (head.replace("POST /mcp ", "POST /mcp// "), body.clone(), 404),
        (head.clone(), " ".repeat(1_001), 413),
        (head.clone(), "{".into(), 400),
        (head.clone(), "\u{feff}{}".into(), 400),
        (head.clone(), format!("[{body}]"), 400),
        (head.clone(), r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#.into(), 202),
        (head.clone(), r#"{"jsonrpc":"2.0","method":"../../../etc/passwd"}"#.into(), 400),
        (head.replace("application/json, text/event-stream", "application/json"), body.clone(), 200),
    ] {
        let answer = server.ask(&head, &body).await;
        assert_eq!(answer.status, status, "{head}\n{body}\n{answer:?}");
    }
    let answer = server.ask("PATCH /mcp HTTP/1.1", "").await;
    assert_eq!(answer.header("allow"), Some("POST, GET, DELETE, OPTIONS"));
}

#[tokio::test]
async fn what_is_no_object_is_refused_in_words_for_people() {
    let server = Server::start(Sample::endpoint()).await;
    for body in ["null", "5", "\"x\"", "true"] {
        let answer = server.ask(&modern("tools/list", ""), body).await;
        assert_eq!((answer.status, answer.code()), (400, -32600), "{body}");
        assert_eq!(answer.json()["error"]["message"], "Not a JSON-RPC message: it must be an object");
    }
}

#[tokio::test]
async fn a_handler_that_panics_fails_its_own_call_alone() {
    let server = Server::start(Sample::endpoint()).await;
    let mut wire = server.connect().await;
    for _ in 0..2 {
        wire.send(&modern("tools/call", "panics"), &modern_body(1, "tools/call", r#""name":"panics""#)).await;
        assert_eq!(wire.answer().await.code(), -32603);
    }
    wire.send(&modern("tools/call", "rows"), &modern_body(2, "tools/call", r#""name":"rows""#)).await;
    assert_eq!(wire.answer().await.json()["result"]["structuredContent"], serde_json::json!([1, 2]));
}

#[tokio::test]
async fn a_body_without_declared_length_is_bounded_too() {
    let runtime = RuntimeOptions { max_body: 1_000, ..RuntimeOptions::default() };
    let server = Server::start(Sample::endpoint_with(runtime, EndpointOptions::default())).await;
    let mut wire = server.connect().await;
    let head =
        format!("{}\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", modern("x", "").replace('\n', "\r\n"));
    wire.socket.write_all(head.as_bytes()).await.unwrap();
    wire.socket.write_all(format!("400\r\n{}\r\n", " ".repeat(1_024)).as_bytes()).await.unwrap();
    assert_eq!(wire.head().await.status, 413);
    let answer = server.ask(&modern("x", ""), &" ".repeat(1_001)).await;
    let said = answer.json()["error"]["message"].to_string();
    assert!(said.contains("larger than 1000 bytes") && said.contains("send less"), "{said}");
}

#[tokio::test]
async fn a_client_that_sends_too_much_and_then_reads_sees_why() {
    let runtime = RuntimeOptions { max_body: 1_000, ..RuntimeOptions::default() };
    let server = Server::start(Sample::endpoint_with(runtime, EndpointOptions::default())).await;
    let start = |framing: &str| {
        let head = format!("{}\r\nHost: localhost\r\n{framing}\r\n\r\n", modern("x", "").replace('\n', "\r\n"));
        head.into_bytes()
    };
    // More than the socket holds: without draining the writes would fail.
    let much = vec![b' '; 12 * 1024 * 1024];
    let declared = [start(&format!("Content-Length: {}", much.len())), much.clone()].concat();
    let chunk = [format!("{:x}\r\n", much.len()).into_bytes(), much, b"\r\n0\r\n\r\n".to_vec()].concat();
    let chunked = [start("Transfer-Encoding: chunked"), chunk].concat();
    for whole in [declared, chunked] {
        let mut wire = server.connect().await;
        wire.socket.write_all(&whole).await.unwrap();
        assert_eq!(wire.answer().await.status, 413);
    }
    // Who asks before sending is refused at once, and so is one who announces more than is worth reading.
    for framing in ["Expect: 100-continue\r\nContent-Length: 2000", "Content-Length: 99000000"] {
        let mut wire = server.connect().await;
        wire.socket.write_all(&start(framing)).await.unwrap();
        let answer = tokio::time::timeout(DRAIN_TIMEOUT / 2, wire.head()).await.unwrap();
        assert_eq!(answer.status, 413, "{framing}");
    }
}

#[tokio::test]
async fn a_message_that_needs_an_answer_and_has_no_id_is_refused_in_a_session_too() {
    let server = Server::start(Sample::endpoint()).await;
    let head = "POST /mcp HTTP/1.1\nContent-Type: application/json\nAccept: application/json, text/event-stream";
    let open = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},
        "clientInfo":{"name":"t","version":"1"}}}"#;
    let answer = server.ask(head, open).await;
    let head = format!("{head}\nMcp-Session-Id: {}", answer.header("mcp-session-id").unwrap());
    for (method, status) in [("tools/list", 400), ("../../../etc/passwd", 400), ("notifications/x", 202)] {
        let answer = server.ask(&head, &format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#)).await;
        assert_eq!(answer.status, status, "{method}");
        assert_eq!((status == 400).then(|| answer.code()), (status == 400).then_some(-32600), "{method}");
    }
}

#[tokio::test]
async fn a_slow_body_is_given_up() {
    let runtime = RuntimeOptions { body_timeout: Duration::from_millis(50), ..RuntimeOptions::default() };
    let server = Server::start(Sample::endpoint_with(runtime, EndpointOptions::default())).await;
    let mut wire = server.connect().await;
    let head = format!("{}\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{{", modern("x", "").replace('\n', "\r\n"));
    wire.socket.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(wire.head().await.status, 408);
}

#[tokio::test]
async fn progress_turns_the_answer_into_a_stream() {
    let server = Server::start(Sample::endpoint()).await;
    let body = modern_body(1, "tools/call", r#""name":"progress""#)
        .replace(r#""_meta":{"#, r#""_meta":{"progressToken":"t","#);
    let mut wire = server.connect().await;
    wire.send(&modern("tools/call", "progress"), &body).await;
    let head = wire.head().await;
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("x-accel-buffering"), Some("no"));
    let (id, first) = wire.event().await.unwrap();
    assert_eq!((id, first["method"].as_str()), (None, Some("notifications/progress")));
    assert_eq!(wire.event().await.unwrap().1["result"]["resultType"], "complete");
    assert!(wire.event().await.is_none());
    // A client that takes JSON alone gets the answer without the notification.
    let head = modern("tools/call", "progress").replace("application/json, text/event-stream", "application/json");
    assert_eq!(server.ask(&head, &body).await.json()["result"]["resultType"], "complete");
}

#[tokio::test]
async fn a_long_silence_turns_the_answer_into_a_stream_with_comments() {
    let runtime = RuntimeOptions {
        stream_after: Duration::from_millis(20),
        keep_alive: Duration::from_millis(20),
        ..RuntimeOptions::default()
    };
    let server = Server::start(Sample::endpoint_with(runtime, EndpointOptions::default())).await;
    let mut wire = server.connect().await;
    wire.send(&modern("tools/call", "slow"), &modern_body(1, "tools/call", r#""name":"slow""#)).await;
    assert_eq!(wire.head().await.header("content-type"), Some("text/event-stream"));
    assert!(wire.chunk().await.unwrap().starts_with(':'));
    assert_eq!(wire.event().await.unwrap().1["result"]["content"][0]["text"], "late");
}

#[tokio::test]
async fn subscriptions_tell_what_was_asked_for_and_end_gracefully() {
    let endpoint = Sample::endpoint();
    let server = Server::start(endpoint.clone()).await;
    let mut wire = server.connect().await;
    let body = modern_body(5, "subscriptions/listen", r#""notifications":{"resourceSubscriptions":["sample://one"]}"#);
    wire.send(&modern("subscriptions/listen", ""), &body).await;
    wire.head().await;
    let (_, acknowledged) = wire.event().await.unwrap();
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    server.ask(&modern("tools/call", "touch"), &modern_body(6, "tools/call", r#""name":"touch""#)).await;
    let (_, updated) = wire.event().await.unwrap();
    assert_eq!(updated["params"]["uri"], "sample://one");
    assert_eq!(updated["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 5);
    endpoint.runtime().shut_down();
    let (_, ended) = wire.event().await.unwrap();
    assert_eq!((&ended["id"], &ended["result"]["resultType"]), (&5.into(), &"complete".into()));
    assert!(wire.event().await.is_none());
}

fn by_header(head: &Parts, _: &Peer) -> AuthOutcome {
    let outcome = match head.headers.get("authorization").and_then(|value| value.to_str().ok()) {
        Some(token) => Ok(Principal::new(token)),
        None => Err(Challenge::unauthorized(HeaderValue::from_static("Bearer"))),
    };
    AuthOutcome::Later(Box::pin(async move { outcome }))
}

#[tokio::test]
async fn callers_are_known_before_their_body_is_read() {
    let options = EndpointOptions { authenticator: Some(Arc::new(by_header)), ..EndpointOptions::default() };
    let server = Server::start(Sample::endpoint_with(RuntimeOptions::default(), options)).await;
    let body = modern_body(1, "tools/call", r#""name":"who""#);
    let head = modern("tools/call", "who");
    let answer = server.ask(&head, "not even JSON").await;
    assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    let answer = server.ask(&format!("{head}\nAuthorization: ada"), &body).await;
    assert_eq!(answer.json()["result"]["content"][0]["text"], "ada");
    // Whoever holds the id of somebody else's session has no session.
    let initialize =
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}"#;
    let opened = server.ask(&format!("{POST}\nAuthorization: ada"), initialize).await;
    let session = opened.header("mcp-session-id").unwrap();
    let ping = r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
    for (caller, status) in [("ada", 200), ("bob", 404)] {
        let head = format!("{POST}\nAuthorization: {caller}\nMcp-Session-Id: {session}");
        assert_eq!(server.ask(&head, ping).await.status, status);
    }
}

#[tokio::test]
async fn running_requests_end_before_the_server_does() {
    let server = Server::start(Sample::endpoint()).await;
    let mut wire = server.connect().await;
    wire.send(&modern("tools/call", "slow"), &modern_body(1, "tools/call", r#""name":"slow""#)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.shutdown.cancel();
    assert_eq!(wire.answer().await.json()["result"]["content"][0]["text"], "late");
}
