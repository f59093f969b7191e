//! The pair of paths of 2024-11-05.

use std::time::Duration;

use serde_json::json;

use crate::sample::Sample;
use crate::wire::{Server, Wire};

const POST: &str = "HTTP/1.1\nContent-Type: application/json";

async fn open(server: &Server) -> (Wire, String) {
    let mut wire = server.connect().await;
    wire.send("GET /sse HTTP/1.1\nAccept: text/event-stream", "").await;
    assert_eq!(wire.head().await.header("content-type"), Some("text/event-stream"));
    let first = wire.chunk().await.unwrap();
    let path = first.strip_prefix("event: endpoint\ndata: ").expect("the endpoint event").trim().to_owned();
    (wire, path)
}

#[tokio::test]
async fn answers_come_on_the_stream() {
    let server = Server::start(Sample::endpoint()).await;
    let (mut wire, path) = open(&server).await;
    let head = format!("POST {path} {POST}");
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{"sampling":{}}}}"#;
    let answer = server.ask(&head, initialize).await;
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    assert_eq!(wire.event().await.unwrap().1["result"]["protocolVersion"], "2024-11-05");
    server
        .ask(&head, r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","arguments":{}}}"#)
        .await;
    assert_eq!(wire.event().await.unwrap().1["result"]["content"][0]["text"], "{}");
}

#[tokio::test]
async fn posts_need_a_stream_that_is_open() {
    let server = Server::start(Sample::endpoint()).await;
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let (wire, path) = open(&server).await;
    let head = format!("POST {path} {POST}");
    assert_eq!(server.ask(&head, ping).await.status, 202);
    for (head, status) in [
        (format!("POST /messages {POST}"), 404),
        (format!("POST /messages?sessionId=guess {POST}"), 404),
        (head.replace("application/json", "text/plain"), 415),
        (format!("{head}\nOrigin: https://evil.example"), 403),
        (format!("GET {path} HTTP/1.1"), 405),
        ("POST /sse HTTP/1.1".into(), 405),
    ] {
        assert_eq!(server.ask(&head, ping).await.status, status, "{head}");
    }
    drop(wire);
    for _ in 0..100 {
        if server.ask(&head, ping).await.status == 404 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the session outlived its stream");
}

#[tokio::test]
async fn changes_are_told() {
    let server = Server::start(Sample::endpoint()).await;
    let (mut wire, path) = open(&server).await;
    let head = format!("POST {path} {POST}");
    let initialize =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "protocolVersion": "2024-11-05" } });
    server.ask(&head, &initialize.to_string()).await;
    wire.event().await;
    server.ask(&head, r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"touch"}}"#).await;
    // The answer and the announcement come in any order.
    let messages = [wire.event().await.unwrap().1, wire.event().await.unwrap().1];
    assert!(messages.iter().any(|message| message["id"] == 2));
    assert!(messages.iter().any(|message| message["method"] == "notifications/tools/list_changed"));
}
