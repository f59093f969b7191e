//! The official reference servers: everything, memory and filesystem.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use client::{Caller, Client, Protocol, Transport};
use connect::ErrorKind;
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::world::{Listening, at, caller, object, piped, reference, skipped, text};

/// What every transport of the everything server has to give.
async fn everything(client: &Client) {
    let cancel = CancellationToken::new();
    let tools = client.tools(caller(&cancel, 30)).await.unwrap();
    let echo = tools.iter().find(|tool| tool.name == "echo").unwrap();
    assert_eq!(echo.input["properties"]["message"]["type"], "string");
    assert_eq!(text(client, "echo", json!({"message": "Grüße"})).await, "Echo: Grüße");
    assert!(text(client, "get-sum", json!({"a": 2, "b": 3})).await.contains("5"));
    let place = object(json!({"location": "New York"}));
    let weather = client.call("get-structured-content", &place, caller(&cancel, 30)).await;
    assert!(weather.unwrap().structured.unwrap()["temperature"].is_number());
    let picture = client.call("get-tiny-image", &object(json!({})), caller(&cancel, 30)).await.unwrap();
    assert!(picture.content.iter().any(|block| block["type"] == "image" && block["mimeType"] == "image/png"));
    let links = client.call("get-resource-links", &object(json!({"count": 2})), caller(&cancel, 30)).await.unwrap();
    assert!(links.content.iter().any(|block| block["type"] == "resource_link"), "{links:?}");
    // What does not fit is told by the server.
    let refused = client.call("get-sum", &object(json!({"a": "x"})), caller(&cancel, 30)).await;
    assert!(refused.is_err() || refused.unwrap().is_error);
    progress(client).await;
    stops(client).await;
    assert_eq!(text(client, "echo", json!({"message": "still there"})).await, "Echo: still there");
}

async fn progress(client: &Client) {
    let (cancel, reports) = (CancellationToken::new(), AtomicUsize::new(0));
    let report = |done: f64, total: Option<f64>, _: &str| {
        assert!(done > 0.0 && total == Some(3.0));
        reports.fetch_add(1, Ordering::SeqCst);
    };
    let waiting = Caller { progress: Some(&report), ..caller(&cancel, 30) };
    let arguments = object(json!({"duration": 0.3, "steps": 3}));
    client.call("trigger-long-running-operation", &arguments, waiting).await.unwrap();
    assert!(reports.load(Ordering::SeqCst) >= 2, "{reports:?}");
}

/// A call ends when its caller goes away or has no more time.
async fn stops(client: &Client) {
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let began = Instant::now();
    let arguments = object(json!({"duration": 20, "steps": 2}));
    let call = client.call("trigger-long-running-operation", &arguments, caller(&cancel, 30));
    let (outcome, ()) = tokio::join!(call, async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stop.cancel();
    });
    assert_eq!(outcome.unwrap_err().kind, ErrorKind::Cancelled);
    let cancel = CancellationToken::new();
    let late = Caller { deadline: Instant::now() + Duration::from_millis(100), ..caller(&cancel, 30) };
    let outcome = client.call("trigger-long-running-operation", &arguments, late).await;
    assert_eq!(outcome.unwrap_err().kind, ErrorKind::Timeout);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_over_standard_streams() {
    let Some(file) = reference("server-everything") else { return skipped("everything_over_standard_streams") };
    for protocol in [Protocol::Auto, Protocol::Initialize] {
        everything(&piped("node", &[&file.to_string_lossy(), "stdio"], protocol)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_over_streamable_http() {
    let Some(file) = reference("server-everything") else { return skipped("everything_over_streamable_http") };
    let server = Listening::everything(&file, "streamableHttp").await;
    for (transport, protocol) in [(Transport::Auto, Protocol::Auto), (Transport::Streamable, Protocol::Initialize)] {
        everything(&at(&server.origin, "/mcp", transport, protocol)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_over_server_sent_events() {
    let Some(file) = reference("server-everything") else { return skipped("everything_over_server_sent_events") };
    let server = Listening::everything(&file, "sse").await;
    for transport in [Transport::Sse, Transport::Auto] {
        everything(&at(&server.origin, "/sse", transport, Protocol::Auto)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_memory() {
    let (Some(files), Some(memory)) = (reference("server-filesystem"), reference("server-memory")) else {
        return skipped("files_and_memory");
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap().to_string_lossy().into_owned();
    let client = piped("node", &[&files.to_string_lossy(), &root], Protocol::Auto);
    let path = format!("{root}/a.txt");
    text(&client, "write_file", json!({"path": path, "content": "written by a client"})).await;
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "written by a client");
    assert!(text(&client, "read_text_file", json!({"path": path})).await.contains("written by a client"));
    let cancel = CancellationToken::new();
    let outside = client.call("read_text_file", &object(json!({"path": "/etc/passwd"})), caller(&cancel, 30)).await;
    assert!(outside.unwrap().is_error);

    let client = piped("node", &[&memory.to_string_lossy()], Protocol::Auto);
    let entity = json!({"entities": [{"name": "Ada", "entityType": "person", "observations": ["writes programs"]}]});
    text(&client, "create_entities", entity).await;
    assert!(text(&client, "search_nodes", json!({"query": "Ada"})).await.contains("writes programs"));
}
