//! Fakes of Slack and Twilio, from their public documents: they check login and shapes, and limit rates.
//! They are no substitute for the services: what those change, these do not notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

pub(super) const TOKEN: &str = "xoxb-1234-secret-token";
pub(super) const HOOK: &str = "/services/T000/B000/hookSecret";
pub(super) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(super) const AUTH: &str = "twilio-secret-token";

/// A server that stops with its value.
pub(super) struct Fake {
    pub(super) url: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(router: Router) -> Fake {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    Fake { url, task }
}

/// Slack: every fourth message of the channel `C_BUSY` comes too soon.
pub(super) async fn slack() -> Fake {
    let busy = Arc::new(AtomicUsize::new(0));
    serve(Router::new().route("/api/chat.postMessage", post(post_message)).route(HOOK, post(webhook)).with_state(busy))
        .await
}

fn slack_error(code: &str) -> Response {
    Json(json!({"ok": false, "error": code})).into_response()
}

async fn post_message(State(busy): State<Arc<AtomicUsize>>, headers: HeaderMap, body: Bytes) -> Response {
    match headers.get("authorization").and_then(|value| value.to_str().ok()) {
        None => return slack_error("not_authed"),
        Some(value) if value != format!("Bearer {TOKEN}") => {
            // Some upstreams say back what they were told.
            return Json(json!({"ok": false, "error": "invalid_auth", "seen": value})).into_response();
        }
        Some(_) => {}
    }
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind != "application/json; charset=utf-8" {
        return Json(json!({"ok": false, "error": "invalid_form_data", "warning": "missing_charset"})).into_response();
    }
    let Ok(message) = serde_json::from_slice::<Value>(&body) else { return slack_error("invalid_json") };
    let known = ["channel", "text", "blocks", "thread_ts", "reply_broadcast"];
    if message.as_object().is_none_or(|fields| fields.keys().any(|name| !known.contains(&name.as_str()))) {
        return slack_error("invalid_arguments");
    }
    match message["channel"].as_str().unwrap_or_default() {
        "C_BUSY" if busy.fetch_add(1, Ordering::Relaxed) % 4 == 0 => {
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "30")], "{\"ok\":false,\"error\":\"ratelimited\"}")
                .into_response()
        }
        "C_SCOPE" => {
            Json(json!({"ok": false, "error": "missing_scope", "needed": "chat:write", "provided": "users:read"}))
                .into_response()
        }
        "C_ODD" => slack_error(&format!("odd {TOKEN}")),
        "C_NONE" => slack_error("channel_not_found"),
        channel => {
            if let Some(ts) = message.get("thread_ts")
                && ts.as_str().is_none_or(|ts| ts.split('.').count() != 2)
            {
                return slack_error("invalid_thread_ts");
            }
            Json(json!({"ok": true, "channel": channel, "ts": "1763700000.000100", "message": message})).into_response()
        }
    }
}

async fn webhook(body: Bytes) -> Response {
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    match message["text"].as_str() {
        None => (StatusCode::BAD_REQUEST, "no_text").into_response(),
        Some("echo") => (StatusCode::FORBIDDEN, format!("no hook {HOOK}")).into_response(),
        Some(_) => "ok".into_response(),
    }
}

/// Twilio.
pub(super) async fn twilio() -> Fake {
    serve(Router::new().route("/2010-04-01/Accounts/{account}/Messages.json", post(messages))).await
}

fn twilio_error(status: StatusCode, code: u64, message: &str) -> Response {
    let info = format!("https://www.twilio.com/docs/errors/{code}");
    (status, Json(json!({"code": code, "message": message, "more_info": info, "status": status.as_u16()})))
        .into_response()
}

async fn messages(Path(account): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    use base64::Engine as _;
    let login = base64::engine::general_purpose::STANDARD.encode(format!("{ACCOUNT}:{AUTH}"));
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if shown != format!("Basic {login}") || account != ACCOUNT {
        return twilio_error(StatusCode::UNAUTHORIZED, 20003, &format!("Authenticate: {shown} is not right"));
    }
    if headers.get("content-type").is_none_or(|kind| kind != "application/x-www-form-urlencoded") {
        return twilio_error(StatusCode::UNSUPPORTED_MEDIA_TYPE, 20415, "Unsupported Media Type");
    }
    let form: std::collections::HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("From").is_empty() == field("MessagingServiceSid").is_empty() {
        return twilio_error(StatusCode::BAD_REQUEST, 21603, "A 'From' phone number is required.");
    }
    match field("To") {
        "+15005550001" => {
            twilio_error(StatusCode::BAD_REQUEST, 21211, "The 'To' number +15005550001 is not a valid phone number.")
        }
        "+15005550004" => twilio_error(StatusCode::BAD_REQUEST, 21610, "Attempt to send to unsubscribed recipient"),
        "+15005550429" => twilio_error(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests"),
        to => {
            let segments = if field("Body").chars().count() > 160 { "2" } else { "1" };
            let body = json!({"sid": "SM00000000000000000000000000000001", "status": "queued", "to": to, "body": field("Body"),
                "num_segments": segments, "account_sid": account, "direction": "outbound-api"});
            (StatusCode::CREATED, Json(body)).into_response()
        }
    }
}
