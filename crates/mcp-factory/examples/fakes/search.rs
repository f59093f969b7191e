//! Fakes of Brave's web search (<https://api-dashboard.search.brave.com/app/documentation>) and of Prometheus's HTTP API
//! (<https://prometheus.io/docs/prometheus/latest/querying/api/>).

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};

use super::shared::{answer, header, pairs, value};

/// The search.
pub(crate) fn brave() -> Router {
    Router::new().route("/res/v1/web/search", get(search))
}

async fn search(headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let fault = |status: u16, code: &str, detail: &str| {
        answer(
            status,
            json!({ "type": "ErrorResponse", "error": { "code": code, "detail": detail, "status": status } }),
        )
    };
    if header(&headers, "x-subscription-token") != "search-key" {
        return fault(422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid.");
    }
    let query = pairs(query.as_deref().unwrap_or_default());
    let number = |name, default| value(&query, name).map_or(Some(default), |text| text.parse::<usize>().ok());
    let words = value(&query, "q").unwrap_or_default();
    let (Some(count @ 1..=20), Some(offset @ 0..=9)) = (number("count", 20), number("offset", 0)) else {
        return fault(422, "VALIDATION", "Unable to validate request parameter(s)");
    };
    if words.is_empty() || words.chars().count() > 400 {
        return fault(422, "VALIDATION", "Unable to validate request parameter(s)");
    }
    let results: Vec<Value> = (1..=25)
        .skip(offset * count)
        .take(count)
        .map(|n| json!({ "title": format!("{words} {n}"), "url": format!("https://example.com/{n}"), "description": format!("About {words}."), "language": "en" }))
        .collect();
    answer(
        200,
        json!({ "type": "search", "query": { "original": words, "more_results_available": offset * count + results.len() < 25 }, "web": { "type": "search", "results": results } }),
    )
}

/// Prometheus with one metric.
pub(crate) fn prometheus() -> Router {
    Router::new()
        .route("/api/v1/query", get(async |RawQuery(query): RawQuery| evaluate(&query.unwrap_or_default(), false)))
        .route("/api/v1/query_range", get(async |RawQuery(query): RawQuery| evaluate(&query.unwrap_or_default(), true)))
        .route(
            "/api/v1/label/{name}/values",
            get(async |Path(name): Path<String>| success(json!(if name == "__name__" { vec!["up"] } else { vec![] }))),
        )
        .route(
            "/api/v1/metadata",
            get(async || {
                success(json!({ "up": [{ "type": "gauge", "help": "Whether the target is up.", "unit": "" }] }))
            }),
        )
        .route(
            "/api/v1/targets",
            get(async || {
                success(json!({ "activeTargets": [{ "scrapePool": "shop", "health": "up" }], "droppedTargets": [] }))
            }),
        )
}

#[allow(clippy::needless_pass_by_value, reason = "called with what was just made")]
fn success(data: Value) -> Response {
    answer(200, json!({ "status": "success", "data": data }))
}

fn evaluate(query: &str, range: bool) -> Response {
    let query = pairs(query);
    let bad = |what: &str| answer(400, json!({ "status": "error", "errorType": "bad_data", "error": what }));
    let metric = json!({ "__name__": "up", "job": "shop" });
    match value(&query, "query") {
        Some("up") if range => {
            let number = |name| value(&query, name).and_then(|text| text.parse::<u64>().ok());
            let (Some(start), Some(end), Some(step @ 1..)) = (number("start"), number("end"), number("step")) else {
                return bad("invalid parameter \"start\": cannot parse \"\" to a valid timestamp");
            };
            let values: Vec<Value> =
                (start..=end).step_by(usize::try_from(step).unwrap_or(1)).map(|at| json!([at, "1"])).collect();
            success(json!({ "resultType": "matrix", "result": [{ "metric": metric, "values": values }] }))
        }
        Some("up") => {
            success(json!({ "resultType": "vector", "result": [{ "metric": metric, "value": [1_700_000_000, "1"] }] }))
        }
        Some(other) => bad(&format!("1:1: parse error: unexpected {other:?}")),
        None => bad("invalid parameter \"query\": unknown position: parse error: no expression found in input"),
    }
}
