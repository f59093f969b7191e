//! Vectors from an API, a real server of the test's own.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use base::Secret;
use connect::egress::Policy;
use connect::http::{Credentials, Limits, Retries, Settings};
use connect::vector::{ApiEmbedder, Embedder};
use connect::{Error, ErrorKind};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::stores::soon;

type Seen = Arc<Mutex<Vec<Value>>>;

/// Each vector is the length of its text and how often it has an `a`. Texts that begin with `!` say what goes wrong.
async fn embeddings(State(seen): State<Seen>, headers: HeaderMap, body: Bytes) -> (StatusCode, Json<Value>) {
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    seen.lock().push(body.clone());
    let texts: Vec<&str> = body["input"].as_array().expect("texts").iter().filter_map(Value::as_str).collect();
    let one = |nth: usize, text: &str| json!({"index": nth, "embedding": [text.len() as f64, text.matches('a').count() as f64]});
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let good = StatusCode::OK;
    let (status, answer) = match texts[0] {
        "!denied" => (StatusCode::UNAUTHORIZED, json!({"error": {"message": format!("no such key: {shown}")}})),
        "!few" => (good, json!({"data": []})),
        "!many" => (good, json!({"data": [one(0, "x"), one(1, "y")]})),
        "!words" => (good, json!({"data": [{"embedding": ["x"]}]})),
        "!huge" => (good, json!({"data": [{"embedding": [1e300]}]})),
        "!html" => (good, json!("hello")),
        "!zero" => (good, json!({"data": [{"embedding": [0.0, 0.0]}]})),
        _ => (
            good,
            json!({"data": texts.iter().enumerate().rev().map(|(nth, text)| one(nth, text)).collect::<Vec<_>>()}),
        ),
    };
    (status, Json(answer))
}

async fn embedder() -> (Embedder, Seen) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = Secret::new(format!("http://{}/v1", listener.local_addr().expect("an address")));
    let seen = Seen::default();
    let router = Router::new().route("/v1/embeddings", post(embeddings)).with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = Settings {
        credentials: Credentials::Bearer(Secret::new("t0p-s3cr3t")),
        policy: Policy::default().allow_private(true),
        limits: Limits::default(),
        retries: Retries { max: 0, ..Retries::default() },
        ..Settings::new("models", base)
    };
    (Embedder::Api(Box::new(ApiEmbedder::open(settings, "small", Some(2)).expect("good settings"))), seen)
}

async fn embed(embedder: &Embedder, texts: &[&str]) -> Result<Vec<Vec<f32>>, Error> {
    embedder.embed("notes", texts, soon(), &CancellationToken::new()).await
}

#[tokio::test]
async fn an_api_gives_vectors_in_the_order_of_the_texts() {
    let (embedder, seen) = embedder().await;
    let vectors = embed(&embedder, &["a", "banana", "xy"]).await.unwrap();
    assert_eq!(vectors, [[1.0, 1.0], [6.0, 3.0], [2.0, 0.0]]);
    let body = json!({"model": "small", "input": ["a", "banana", "xy"], "encoding_format": "float", "dimensions": 2});
    assert_eq!(*seen.lock(), [body]);
    let texts: Vec<String> = (1..=200).map(|length| "x".repeat(length)).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let vectors = embed(&embedder, &texts).await.unwrap();
    assert!(vectors.iter().zip(1_u16..).all(|(vector, length)| vector[0] == f32::from(length)));
    assert_eq!(seen.lock().len(), 4, "three requests for two hundred texts");
}

#[tokio::test]
async fn answers_that_are_no_vectors_are_refused() {
    let (embedder, _) = embedder().await;
    for (text, kind, part) in [
        ("!denied", ErrorKind::Denied, "no such key: Bearer ***"),
        ("!few", ErrorKind::Other, "fewer vectors"),
        ("!many", ErrorKind::Other, "more vectors"),
        ("!words", ErrorKind::Other, "no vectors"),
        ("!huge", ErrorKind::Other, "number"),
        ("!html", ErrorKind::Other, "no vectors"),
        ("!zero", ErrorKind::Value, "no letter"),
        (" \n", ErrorKind::Value, "empty"),
    ] {
        let error = embed(&embedder, &[text]).await.map(drop).expect_err(text);
        assert_eq!(error.kind, kind, "{text}: {error}");
        assert!(error.to_string().contains(part) && !format!("{error:?}").contains("s3cr3t"), "{text}: {error}");
    }
    let large = "x".repeat(70_000);
    assert_eq!(embed(&embedder, &[&large]).await.map(drop).unwrap_err().kind, ErrorKind::Limit);
}
