//! Streams of events, as the APIs of language models send them: chunks of a chat that end with `[DONE]`, and named events that
//! end with `message_stop`. Embeddings too: a text's vector counts its letters, so that texts which share letters are near.

use axum::Router;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

use super::shared::{answer, bearer};

/// Elements of a vector.
const DIMENSIONS: usize = 8;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/messages", post(messages))
        .route("/v1/embeddings", post(embeddings))
}

fn refused() -> Response {
    answer(401, json!({ "error": { "type": "invalid_request_error", "message": "Incorrect API key provided" } }))
}

async fn chat(headers: HeaderMap, axum::Json(given): axum::Json<Value>) -> Response {
    if bearer(&headers) != "model-key" {
        return refused();
    }
    let said = given["messages"][0]["content"].as_str().unwrap_or_default();
    if given["stream"] != true {
        return answer(
            200,
            json!({ "choices": [{ "message": { "role": "assistant", "content": format!("You said {said}.") } }] }),
        );
    }
    let words = format!("You said {said}.");
    let chunks = words
        .split_inclusive(' ')
        .map(|word| format!("data: {}\n\n", json!({ "choices": [{ "delta": { "content": word } }] })));
    stream(format!("{}data: [DONE]\n\n", chunks.collect::<String>()))
}

async fn messages(axum::Json(_): axum::Json<Value>) -> Response {
    let event = |name: &str, data: &Value| format!("event: {name}\ndata: {data}\n\n");
    let text = ["Hel", "lo"].map(|text| event("content_block_delta", &json!({ "delta": { "text": text } }))).concat();
    stream(format!(
        "{}: ping\n\n{text}{}",
        event("message_start", &json!({ "id": "m1" })),
        event("message_stop", &json!({}))
    ))
}

fn stream(body: String) -> Response {
    ([("content-type", "text/event-stream")], body).into_response()
}

async fn embeddings(headers: HeaderMap, axum::Json(given): axum::Json<Value>) -> Response {
    if bearer(&headers) != "model-key" {
        return refused();
    }
    let texts = match &given["input"] {
        Value::Array(texts) => texts.clone(),
        one => vec![one.clone()],
    };
    let vector = |text: &Value| {
        let mut counts = [0.0_f64; DIMENSIONS];
        text.as_str().unwrap_or_default().bytes().for_each(|byte| counts[usize::from(byte) % DIMENSIONS] += 1.0);
        let length = counts.iter().map(|count| count * count).sum::<f64>().sqrt().max(1.0);
        counts.map(|count| count / length)
    };
    let data: Vec<Value> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| json!({ "object": "embedding", "index": index, "embedding": vector(text) }))
        .collect();
    answer(
        200,
        json!({ "object": "list", "data": data, "model": given["model"], "usage": { "prompt_tokens": 1, "total_tokens": 1 } }),
    )
}
