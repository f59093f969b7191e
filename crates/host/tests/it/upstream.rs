//! An HTTP API of a test's own, which says back what it was asked.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

/// The smallest PNG.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

/// Starts the API; gives its base URL. It ends with the test.
pub(crate) async fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/v1/echo/{*rest}", any(echo))
        .route("/v1/items", get(items))
        .route("/v1/text", get(async || "plain words"))
        .route("/v1/long", get(async || "für ".repeat(1000)))
        .route("/v1/png", get(async || ([(header::CONTENT_TYPE, "image/png")], PNG)))
        .route("/v1/csv", get(async || ([(header::CONTENT_TYPE, "text/csv")], "a,b\n1,2\n")))
        .route("/v1/zip", get(async || ([(header::CONTENT_TYPE, "application/zip")], &b"PK\x03\x04\xff"[..])))
        .route("/v1/empty", any(async || StatusCode::NO_CONTENT))
        .route("/v1/chat", any(chat))
        .route("/v1/status/{code}", any(status))
        .route("/v1/away", get(async || (StatusCode::FOUND, [(header::LOCATION, "http://10.0.0.1/secret")])))
        .route("/v1/broken", get(async || ([(header::CONTENT_TYPE, "application/json")], "{\"a\":")));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/v1")
}

async fn echo(method: Method, uri: Uri, RawQuery(query): RawQuery, headers: HeaderMap, body: Bytes) -> Response {
    let told = headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        name.starts_with("x-") || name == "authorization" || (name == "content-type" && !body.starts_with(b"--"))
    });
    let headers: Map<String, Value> =
        told.map(|(name, value)| (name.to_string(), value.to_str().unwrap().into())).collect();
    let text = String::from_utf8_lossy(&body);
    // The boundary of a multipart body is random.
    let boundary = text.strip_prefix("--").and_then(|rest| rest.split("\r\n").next()).map(str::to_owned);
    let text = boundary.map_or(text.to_string(), |boundary| text.replace(&boundary, "BOUNDARY"));
    axum::Json(json!({
        "method": method.as_str(), "path": uri.path(), "query": query, "headers": headers, "body": text,
    }))
    .into_response()
}

/// Seven items in pages of three.
async fn items(RawQuery(query): RawQuery) -> Response {
    let start: usize = query.and_then(|query| query.strip_prefix("cursor=c")?.parse().ok()).unwrap_or(0);
    let found: Vec<Value> = (start..7.min(start + 3)).map(|n| json!({ "id": n })).collect();
    let next = (start + 3 < 7).then(|| format!("c{}", start + 3));
    axum::Json(json!({ "data": { "items": found }, "next": next })).into_response()
}

async fn chat() -> Response {
    let words = ["Hel", "lo", "!"].map(|word| format!("event: delta\ndata: {}\n\n", json!({ "text": word })));
    let body = format!("{}: comment\n\ndata: [DONE]\n\ndata: late\n\n", words.concat());
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

async fn status(Path(code): Path<u16>, headers: HeaderMap) -> Response {
    let told = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = json!({ "error": "no such thing", "name": "Bob", "you_sent": told });
    (StatusCode::from_u16(code).unwrap(), axum::Json(body)).into_response()
}
