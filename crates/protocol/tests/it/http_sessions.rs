//! Sessions over Streamable HTTP.

use std::time::Duration;

use protocol::{EndpointOptions, RuntimeOptions, SessionLimits};
use serde_json::json;

use crate::sample::Sample;
use crate::wire::{POST, Server};

async fn open(server: &Server, version: &str) -> String {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": version,
        "capabilities": { "elicitation": {} },
        "clientInfo": { "name": "t", "version": "1" },
    } });
    let answer = server.ask(POST, &body.to_string()).await;
    assert_eq!(answer.json()["result"]["protocolVersion"], version);
    let head = format!("{POST}\nMcp-Session-Id: {}", answer.header("mcp-session-id").expect("a session"));
    let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(server.ask(&head, initialized).await.status, 202);
    head
}

#[tokio::test]
async fn a_session_lives_until_it_is_ended() {
    let server = Server::start(Sample::endpoint()).await;
    let head = open(&server, "2025-11-25").await;
    let ping = r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
    assert_eq!(server.ask(&head, ping).await.json()["result"], json!({}));
    assert_eq!(server.ask(POST, ping).await.status, 400);
    assert_eq!(server.ask(&format!("{head}x"), ping).await.status, 404);
    let delete = head.replace("POST", "DELETE");
    assert_eq!(server.ask(&delete, "").await.status, 204);
    assert_eq!(server.ask(&delete, "").await.status, 404);
    assert_eq!(server.ask(&head, ping).await.status, 404);
    let get = head.replace("POST", "GET");
    assert_eq!(server.ask(&get, "").await.status, 404);
}

#[tokio::test]
async fn sessions_are_bounded() {
    let sessions = SessionLimits { total: 1, ..SessionLimits::default() };
    let runtime = RuntimeOptions { sessions, ..RuntimeOptions::default() };
    let server = Server::start(Sample::endpoint_with(runtime, EndpointOptions::default())).await;
    open(&server, "2025-06-18").await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#;
    assert_eq!(server.ask(POST, body).await.status, 503);
}

#[tokio::test]
async fn batches_belong_to_the_revisions_that_have_them() {
    let server = Server::start(Sample::endpoint()).await;
    let batch = r#"[{"jsonrpc":"2.0","id":2,"method":"ping"},{"jsonrpc":"2.0","id":"x","method":"nothing"}]"#;
    let old = open(&server, "2025-03-26").await;
    let answer = server.ask(&old, batch).await.json();
    assert_eq!((&answer[0]["id"], &answer[1]["error"]["code"]), (&json!(2), &json!(-32601)));
    let only = r#"[{"jsonrpc":"2.0","method":"notifications/initialized"}]"#;
    assert_eq!(server.ask(&old, only).await.status, 202);
    let new = open(&server, "2025-06-18").await;
    assert_eq!(server.ask(&new, batch).await.status, 400);
}

#[tokio::test]
async fn the_server_asks_on_the_stream_of_the_request() {
    let server = Server::start(Sample::endpoint()).await;
    let head = open(&server, "2025-06-18").await;
    let mut wire = server.connect().await;
    let call = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"name"}}"#;
    wire.send(&head, call).await;
    assert_eq!(wire.head().await.header("content-type"), Some("text/event-stream"));
    let (id, question) = wire.event().await.unwrap();
    assert_eq!((id.as_deref(), &question["method"]), (Some("1-1"), &json!("elicitation/create")));
    let reply = json!({ "jsonrpc": "2.0", "id": question["id"], "result": { "action": "decline" } });
    assert_eq!(server.ask(&head, &reply.to_string()).await.status, 202);
    assert_eq!(wire.event().await.unwrap().1["result"]["content"][0]["text"], "none");
    // Without a stream there is no way to ask.
    let plain = head.replace("application/json, text/event-stream", "application/json");
    assert_eq!(server.ask(&plain, call).await.code(), -32600);
}

#[tokio::test]
async fn a_lost_stream_is_taken_up_again() {
    let runtime = RuntimeOptions { stream_after: Duration::from_millis(10), ..RuntimeOptions::default() };
    let server = Server::start(Sample::endpoint_with(runtime, EndpointOptions::default())).await;
    let head = open(&server, "2025-11-25").await;
    let mut wire = server.connect().await;
    wire.send(&head, r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow"}}"#).await;
    wire.head().await;
    let priming = wire.chunk().await.unwrap();
    assert!(priming.starts_with("id: 1-0\n"), "{priming}");
    drop(wire);
    // The work goes on without the connection.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let mut again = server.connect().await;
    let get = format!("{}\nLast-Event-ID: 1-0", head.replace("POST", "GET").replace("application/json, ", ""));
    again.send(&get, "").await;
    again.head().await;
    let (id, answer) = again.event().await.unwrap();
    assert_eq!((id.as_deref(), &answer["result"]["content"][0]["text"]), (Some("1-1"), &json!("late")));
    assert!(again.event().await.is_none());
}

#[tokio::test]
async fn changes_come_on_the_standalone_stream() {
    let server = Server::start(Sample::endpoint()).await;
    let head = open(&server, "2025-06-18").await;
    let mut wire = server.connect().await;
    wire.send(&head.replace("POST", "GET").replace("application/json, ", ""), "").await;
    wire.head().await;
    let watch = r#"{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"sample://one"}}"#;
    server.ask(&head, watch).await;
    server.ask(&head, r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"touch"}}"#).await;
    let methods = [wire.event().await.unwrap().1, wire.event().await.unwrap().1];
    assert_eq!(methods[0]["method"], "notifications/resources/updated");
    assert_eq!(methods[1]["method"], "notifications/tools/list_changed");
    server.ask(&head.replace("POST", "DELETE"), "").await;
    assert!(wire.event().await.is_none(), "the stream ends with the session");
}
