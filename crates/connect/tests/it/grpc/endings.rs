//! How calls end: statuses, deadlines, cancellation, and servers that speak something else.

use std::time::Duration;

use base::Secret;
use connect::ErrorKind;
use connect::grpc::{Call, Client, Limits};
use connect::http::Settings;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::world::{PLAIN, call, client, schema, settings, soon};

#[tokio::test]
async fn statuses_are_told() {
    let Some(client) = client("grpc statuses_are_told", PLAIN) else { return };
    for (code, name, kind) in [
        (1, "CANCELLED", ErrorKind::Cancelled),
        (3, "INVALID_ARGUMENT", ErrorKind::Value),
        (5, "NOT_FOUND", ErrorKind::Other),
        (6, "ALREADY_EXISTS", ErrorKind::Constraint),
        (7, "PERMISSION_DENIED", ErrorKind::Denied),
        (8, "RESOURCE_EXHAUSTED", ErrorKind::Transient),
        (13, "INTERNAL", ErrorKind::Other),
        (14, "UNAVAILABLE", ErrorKind::Transient),
        (16, "UNAUTHENTICATED", ErrorKind::Denied),
    ] {
        let error = call(&client, "Fail", json!({"code": code, "message": "ünïcode 100 %\nnext"})).await.unwrap_err();
        assert_eq!((error.kind, error.code.as_deref()), (kind, Some(name)), "{error}");
        assert!(
            error.to_string().contains("call a gRPC method on connection `shop`: the server answered: ünïcode 100 %"),
            "{error}"
        );
    }
    let error = call(&client, "GetOrder", json!({"id": "x"})).await.unwrap_err();
    assert!(error.to_string().contains("No order 'x', nor ünïcode: 100 % (NOT_FOUND)"), "{error}");
}

#[tokio::test]
async fn details_are_told() {
    let Some(client) = client("grpc details_are_told", PLAIN) else { return };
    let error = call(&client, "Fail", json!({"code": 3, "message": "No", "details": true})).await.unwrap_err();
    let text = error.to_string();
    for part in [
        "No; NO_STOCK of shop.example.com {\"sku\":\"a\"}",
        "lines[0].sku: is sold out",
        "try again after 3s",
        "shop.v1.Line {\"sku\":\"own\",\"count\":1}",
        "(INVALID_ARGUMENT)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[tokio::test]
async fn a_stream_that_fails_is_an_error() {
    let Some(client) = client("grpc a_stream_that_fails_is_an_error", PLAIN) else { return };
    let method = schema().method("ListOrders").unwrap();
    let message = json!({"first": 5, "failAfter": 2});
    let mut seen = 0;
    let outcome =
        client.call(&method, &Call::new(&message), soon(), &CancellationToken::new(), &mut |nth, _| seen = nth).await;
    let error = outcome.unwrap_err();
    assert!(error.to_string().contains("The rest is lost") && error.code.as_deref() == Some("DATA_LOSS"), "{error}");
    assert_eq!(seen, 2, "what came before was progress");
}

#[tokio::test]
async fn deadlines_and_cancellation_end_a_call() {
    let Some(client) = client("grpc deadlines_and_cancellation_end_a_call", PLAIN) else { return };
    let message = json!({"milliseconds": 1000});
    for name in ["Slow", "Count"] {
        let method = schema().method(name).unwrap();
        let deadline = Instant::now() + Duration::from_millis(100);
        let outcome =
            client.call(&method, &Call::new(&message), deadline, &CancellationToken::new(), &mut |_, _| {}).await;
        let error = outcome.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
        assert!(Instant::now() < deadline + Duration::from_millis(700));
    }
    let method = schema().method("Count").unwrap();
    let message = json!({"milliseconds": 1});
    let cancel = CancellationToken::new();
    let mut stop = |nth: usize, _: &serde_json::Value| {
        if nth == 3 {
            cancel.cancel();
        }
    };
    let error = client.call(&method, &Call::new(&message), soon(), &cancel, &mut stop).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled, "{error}");
    assert!(call(&client, "GetOrder", json!({"id": "1"})).await.is_ok(), "the connection is still good");
}

#[tokio::test]
async fn what_is_no_grpc_is_told() {
    let Some(settings) = settings("grpc what_is_no_grpc_is_told", PLAIN) else { return };
    // A server of HTTP/1.1, one that says nothing, and one that hangs up.
    for answer in [&b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"[..], b"hello\r\n", b""] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = Secret::new(format!("http://{}", listener.local_addr().unwrap()));
        let client = Client::open(Settings { base, ..settings.clone() }, Limits::default()).unwrap();
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut first = [0; 64];
            let _ = socket.read(&mut first).await;
            socket.write_all(answer).await.unwrap();
        });
        let error = call(&client, "GetOrder", json!({"id": "1"})).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::Transient | ErrorKind::Unreachable), "{:?} {error}", error.kind);
        server.await.unwrap();
    }
    // HTTP/2 without gRPC: the path is not there.
    let Ok(url) = std::env::var(PLAIN) else { return };
    let base = Secret::new(format!("{url}/prefix"));
    let client = Client::open(Settings { base, ..settings }, Limits::default()).unwrap();
    let error = call(&client, "GetOrder", json!({"id": "1"})).await.unwrap_err();
    assert_eq!(error.code.as_deref(), Some("UNIMPLEMENTED"), "{error}");
}
