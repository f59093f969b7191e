//! Answers that make trouble: slow, endless, packed, broken, moved; and an API that fails before it works.

use std::convert::Infallible;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use serde_json::json;

use super::shared::{answer, pairs, value};

/// Unpacked size of the packed answer, bytes.
const BOMB_BYTES: usize = 256 << 20;
/// Most failures that the failing API can be asked for.
const FAILURES_MAX: usize = 10;
/// Size of a piece of an answer, bytes.
const PIECE: usize = 64 << 10;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/slow", get(slow))
        .route("/drip", get(drip))
        .route("/endless", get(endless))
        .route("/endless-events", get(endless_events))
        .route("/bomb", get(bomb))
        .route(
            "/broken-gzip",
            get(async || ([("content-encoding", "gzip"), ("content-type", "text/plain")], "no gzip")),
        )
        .route("/lying", get(async || ([("content-type", "application/json")], "<html>")))
        .route("/many-headers", get(many_headers))
        .route("/deep", get(async || ([("content-type", "application/json")], "[".repeat(1 << 20))))
        .route("/page", get(page))
        .route("/to", any(moved))
        .route("/loop", any(async || (StatusCode::FOUND, [("location", "loop")])))
        .route("/status/{code}", any(async |Path(code): Path<u16>| answer(code, json!({ "error": code }))))
        .route("/flaky/{failures}", any(flaky))
        .with_state(Arc::new(std::array::from_fn(|_| AtomicU32::new(0))))
}

async fn slow() -> Response {
    tokio::time::sleep(Duration::from_secs(60)).await;
    answer(200, json!({}))
}

/// A byte now and then, for ever.
async fn drip() -> Response {
    let bytes = stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
    });
    ([("content-type", "application/json")], Body::from_stream(bytes)).into_response()
}

async fn endless() -> Response {
    let bytes = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; PIECE])));
    ([("content-type", "text/plain")], Body::from_stream(bytes)).into_response()
}

async fn endless_events() -> Response {
    let bytes = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(b"data: {\"n\":1}\n\n")));
    ([("content-type", "text/event-stream")], Body::from_stream(bytes)).into_response()
}

async fn bomb() -> Response {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..BOMB_BYTES / PIECE {
        if packed.write_all(&[0; PIECE]).is_err() {
            return answer(500, json!({}));
        }
    }
    let body = packed.finish().unwrap_or_default();
    ([("content-encoding", "gzip"), ("content-type", "text/plain")], body).into_response()
}

async fn many_headers() -> Response {
    let mut response = answer(200, json!({}));
    for n in 0..2000 {
        let name = axum::http::HeaderName::try_from(format!("x-{n}"));
        if let (Ok(name), Ok(value)) = (name, "v".repeat(64).parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A page of one item, whose next page is where the query says.
async fn page(RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.as_deref().unwrap_or_default());
    answer(200, json!({ "items": [1], "next": value(&query, "next") }))
}

/// Sends the caller to the URL that the query names.
async fn moved(RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.as_deref().unwrap_or_default());
    let to = value(&query, "url").unwrap_or_default().to_owned();
    let status = value(&query, "status").and_then(|text| text.parse().ok()).unwrap_or(302);
    (StatusCode::from_u16(status).unwrap_or(StatusCode::FOUND), [("location", to)]).into_response()
}

/// Fails so many times with 503, then works, then fails again.
async fn flaky(State(asked): State<Arc<[AtomicU32; FAILURES_MAX]>>, Path(failures): Path<u32>) -> Response {
    let Some(asked) = asked.get(failures as usize) else { return answer(404, json!({})) };
    let times = asked.fetch_add(1, Ordering::Relaxed) % (failures + 1) + 1;
    if times <= failures {
        return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")], "not yet").into_response();
    }
    answer(200, json!({ "times": times }))
}
