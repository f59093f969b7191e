//! What is answered where.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::world::World;

const JSON: [(&str, &str); 2] =
    [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];

#[tokio::test]
async fn a_stateless_call_is_answered_at_mcp() {
    let world = World::start().await;
    let body = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"ping","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
    let mut headers = JSON.to_vec();
    headers.extend([("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "ping")]);
    let answer = world.request("POST", "/mcp", &headers, body).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(r#""id":7"#) && answer.contains("pong"), "{answer}");
    world.stop().await;
}

#[tokio::test]
async fn legacy_streams_begin_with_their_own_messages_path() {
    let world = World::start().await;
    for (stream, messages) in [("/sse", "/messages"), ("/mcp/sse", "/mcp/messages")] {
        let mut socket = TcpStream::connect(world.address).await.expect("connect");
        let head = format!("GET {stream} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n\r\n", world.address);
        socket.write_all(head.as_bytes()).await.expect("write");
        let mut lines = BufReader::new(socket).lines();
        let endpoint = loop {
            let line = lines.next_line().await.expect("read").expect("a line");
            if let Some(data) = line.strip_prefix("data: ") {
                break data.to_owned();
            }
        };
        assert!(endpoint.starts_with(&format!("{messages}?")), "{endpoint}");
    }
}

#[tokio::test]
async fn health_names_the_server() {
    let world = World::start().await;
    for path in ["/healthz", "/health"] {
        let answer = world.request("GET", path, &[], "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains(r#""status":"ok""#) && answer.contains(r#""server":"ping-mcp""#), "{answer}");
    }
    let refused = world.request("POST", "/healthz", &[], "").await;
    assert!(refused.starts_with("HTTP/1.1 405") && refused.contains("GET, HEAD"), "{refused}");
}

#[tokio::test]
async fn other_paths_are_problems_that_say_where_to_go() {
    let world = World::start().await;
    let answer = world.request("GET", "/nothing", &[], "").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(answer.contains("application/problem+json") && answer.contains("/mcp"), "{answer}");
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused() {
    let world = World::start().await;
    let answer = world.request("POST", "/mcp", &[("Origin", "http://evil.example")], "{}").await;
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}
