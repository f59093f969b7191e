//! Receivers of signed webhooks. They compute the signature of what arrived themselves, as the documents of the senders say:
//! Stripe (<https://docs.stripe.com/webhooks#verify-manually>), GitHub
//! (<https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries>) and Slack
//! (<https://api.slack.com/authentication/verifying-requests-from-slack>).

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::shared::{answer, header, hex};

/// How old a signature may be, seconds.
const TOLERANCE: u64 = 300;

pub(crate) fn router() -> Router {
    Router::new().route("/stripe", post(stripe)).route("/github", post(github)).route("/slack", post(slack))
}

fn signature(key: &str, parts: &[&[u8]]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return String::new() };
    parts.iter().for_each(|part| mac.update(part));
    hex(&mac.finalize().into_bytes())
}

fn fresh(timestamp: &str) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_secs());
    timestamp.parse::<u64>().is_ok_and(|at| now.abs_diff(at) <= TOLERANCE)
}

fn verdict(fits: bool, body: &[u8]) -> Response {
    if fits {
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        answer(200, json!({ "received": true, "event": event }))
    } else {
        answer(400, json!({ "error": "signature verification failed" }))
    }
}

async fn stripe(headers: HeaderMap, body: Bytes) -> Response {
    let parts: Vec<(&str, &str)> =
        header(&headers, "stripe-signature").split(',').filter_map(|part| part.split_once('=')).collect();
    let of = |name| parts.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
    let expected = signature("stripe-signing-key", &[of("t").as_bytes(), b".", &body]);
    verdict(fresh(of("t")) && of("v1") == expected, &body)
}

async fn github(headers: HeaderMap, body: Bytes) -> Response {
    let expected = format!("sha256={}", signature("github-signing-key", &[&body]));
    verdict(header(&headers, "x-hub-signature-256") == expected, &body)
}

async fn slack(headers: HeaderMap, body: Bytes) -> Response {
    let timestamp = header(&headers, "x-slack-request-timestamp");
    let expected = format!("v0={}", signature("slack-signing-key", &[b"v0:", timestamp.as_bytes(), b":", &body]));
    verdict(fresh(timestamp) && header(&headers, "x-slack-signature") == expected, &body)
}
