//! Servers that end, hang and come back; callers that go away.

use std::time::{Duration, Instant};

use connect::ErrorKind;
use connect::mongo::{Limits, Mongo, Settings, Verb};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::fake::{Field, Server, found, primary};
use super::world::{request, run, settings, soon};

#[tokio::test]
async fn a_server_that_comes_back_is_used_again() {
    let mut server = Server::start(|command| if command.name == "hello" { primary() } else { found(Vec::new()) }).await;
    let mongo = server.mongo("", "");
    let find = request(Verb::Find, json!({}));
    run(&mongo, &find).await.expect("an answer");
    server.stop().await;
    let gone = run(&mongo, &find).await.expect_err("nobody listens");
    assert_eq!(gone.kind, ErrorKind::Unreachable, "{gone}");
    assert!(gone.to_string().contains("check that the server runs"), "{gone}");
    server.again().await;
    run(&mongo, &find).await.expect("an answer");
}

#[tokio::test]
async fn a_read_is_asked_again_and_a_write_is_not() {
    for verb in [Verb::Find, Verb::Delete] {
        let count = std::sync::atomic::AtomicUsize::new(0);
        // Closes the connection instead of answering the second operation.
        let server = Server::start(move |command| {
            if command.name == "hello" {
                return primary();
            }
            match count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                1 => None,
                _ => found(Vec::new()),
            }
        })
        .await;
        let mongo = server.mongo("", "");
        let request = request(verb, json!({"filter": {"a": 1}}));
        run(&mongo, &request).await.expect("an answer");
        let second = run(&mongo, &request).await;
        assert_eq!(second.is_ok(), verb == Verb::Find, "{second:?}");
        if let Err(error) = second {
            assert!(error.to_string().contains("may have been carried out"), "{error}");
        }
    }
}

#[tokio::test]
async fn a_call_ends_with_its_caller_and_at_its_deadline() {
    let find = request(Verb::Find, json!({}));
    let started = Instant::now();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("mongodb://{}/db", silent.local_addr().expect("an address"));
    let mongo = Mongo::open(settings(&url)).expect("settings that can be used");
    let deadline = tokio::time::Instant::now() + Duration::from_millis(50);
    let late = mongo.run(&find, deadline, &CancellationToken::new()).await.expect_err("no answer");
    assert_eq!(late.kind, ErrorKind::Timeout, "{late}");
    let cancel = CancellationToken::new();
    let (outcome, ()) = tokio::join!(mongo.run(&find, soon(), &cancel), async { cancel.cancel() });
    assert_eq!(outcome.expect_err("cancelled").kind, ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn long_and_wrong_answers_are_refused() {
    let text = "x".repeat(100_000);
    let server = Server::start(move |command| match command.name.as_str() {
        "hello" => primary(),
        _ => found(vec![vec![("long", Field::Text(text.clone()))]]),
    })
    .await;
    let limits = Limits { answer_bytes: 50_000, ..Limits::default() };
    let url = format!("mongodb://{}/db", server.address);
    let mongo = Mongo::open(Settings { limits, ..settings(&url) }).expect("settings that can be used");
    let error = run(&mongo, &request(Verb::Find, json!({}))).await.expect_err("too long");
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("mongodb://{}/db", listener.local_addr().expect("an address"));
    let http = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = [0; 1024];
        let _ = stream.read(&mut bytes).await;
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    });
    let mongo = Mongo::open(settings(&url)).expect("settings that can be used");
    let error = run(&mongo, &request(Verb::Find, json!({}))).await.expect_err("no MongoDB");
    assert!(error.to_string().contains("is there a MongoDB server"), "{error}");
    http.await.expect("the fake ends");
}
