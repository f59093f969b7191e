//! An API that says back all that it was asked: method, path, query, every header, body.

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde_json::{Map, Value, json};

use super::shared::answer;

/// The smallest PNG.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

pub(crate) fn router() -> Router {
    Router::new()
        .route("/png", get(async || ([("content-type", "image/png")], PNG)))
        .route("/wav", get(async || ([("content-type", "audio/wav")], &b"RIFF\x04\0\0\0WAVE"[..])))
        .route(
            "/html",
            get(async || ([("content-type", "text/html; charset=utf-8")], "<h1>Hello</h1>\n<p>World</p>\n")),
        )
        .route("/csv", get(async || ([("content-type", "text/csv")], "name,n\npen,3\n")))
        .route("/pdf", get(async || ([("content-type", "application/pdf")], &b"%PDF-1.7\n%\xe2\xe3"[..])))
        .route("/events", any(events))
        .route("/moved", any(async || (StatusCode::FOUND, [("location", "text/after")])))
        .route("/status/{code}", any(status))
        .route("/text/{*rest}", any(text))
        .route("/{*rest}", any(echo))
}

/// The same with a status.
async fn status(Path(code): Path<u16>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut told = echo(method, uri, headers, body).await;
    *told.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    told
}

/// The same as an event, and as the rest of one.
async fn events(uri: Uri, headers: HeaderMap) -> Response {
    let lines =
        headers.iter().map(|(name, value)| format!("data: {name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    let body = format!("event: told\nid: 1\ndata: {uri}\n{}\n", lines.collect::<String>());
    ([("content-type", "text/event-stream")], body).into_response()
}

async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let varies = ["host", "user-agent", "content-length", "accept-encoding", "accept"];
    let told = headers.iter().filter(|(name, _)| !varies.contains(&name.as_str()));
    let headers: Map<String, Value> =
        told.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into())).collect();
    let body = String::from_utf8_lossy(&body).into_owned();
    // The boundary of a multipart body is random.
    let boundary = body.strip_prefix("--").and_then(|rest| rest.split("\r\n").next()).map(str::to_owned);
    let mut told = json!({ "method": method.as_str(), "path": uri.path(), "query": uri.query(), "headers": headers, "body": body });
    if let Some(boundary) = boundary {
        told["body"] = body.replace(&boundary, "BOUNDARY").into();
        told["headers"]["content-type"] = "multipart/form-data".into();
    }
    answer(200, told)
}

/// The same as plain text, headers too: what is looked for in it cannot hide behind the escapes of JSON.
async fn text(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let lines = headers.iter().map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    format!("{method} {uri}\n{}\n{}", lines.collect::<String>(), String::from_utf8_lossy(&body)).into_response()
}
