//! A fake of Slack's Web API: two channels, two people (<https://api.slack.com/methods>). As the real one does, it answers with
//! status 200 and `ok: false` where it refuses.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::any;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::shared::{answer, bearer, header, is_json, object, pairs};

/// What was posted.
type Messages = Arc<Mutex<Vec<Value>>>;

pub(crate) fn router() -> Router {
    Router::new().route("/{method}", any(call)).with_state(Messages::default())
}

fn refused(error: &str) -> Value {
    json!({ "ok": false, "error": error })
}

async fn call(
    State(messages): State<Messages>,
    Path(name): Path<String>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    match bearer(&headers) {
        "" => return answer(200, refused("not_authed")),
        "slack-token" => {}
        _ => return answer(200, refused("invalid_auth")),
    }
    let given = if method == Method::POST && is_json(&headers) {
        match serde_json::from_slice(&body) {
            Ok(given) => given,
            Err(_) => return answer(200, refused("invalid_json")),
        }
    } else {
        let form = header(&headers, "content-type").starts_with("application/x-www-form-urlencoded");
        let text = if form { String::from_utf8_lossy(&body).into_owned() } else { query.unwrap_or_default() };
        Value::Object(object(&pairs(&text)))
    };
    let mut messages = messages.lock();
    answer(200, respond(&name, &method, &given, &mut messages))
}

fn respond(name: &str, method: &Method, given: &Value, messages: &mut Vec<Value>) -> Value {
    let channels = [
        json!({ "id": "C1", "name": "general", "is_archived": false }),
        json!({ "id": "C2", "name": "random", "is_archived": false }),
    ];
    let text = |name: &str| given[name].as_str().unwrap_or_default();
    let known = |id: &str| channels.iter().any(|channel| channel["id"] == *id);
    let of_channel = |messages: &[Value]| -> Vec<Value> {
        messages.iter().rev().filter(|message| message["channel"] == given["channel"]).cloned().collect()
    };
    let limit: usize = given["limit"].as_str().and_then(|text| text.parse().ok()).unwrap_or(100);
    match name {
        "auth.test" => json!({ "ok": true, "team_id": "T1", "user_id": "U1", "bot_id": "B1" }),
        "conversations.list" => {
            let start: usize = text("cursor").trim_start_matches("from-").parse().unwrap_or(0);
            let shown: Vec<&Value> = channels.iter().skip(start).take(limit).collect();
            let next = start + shown.len();
            let cursor = if next < channels.len() { format!("from-{next}") } else { String::new() };
            json!({ "ok": true, "channels": shown, "response_metadata": { "next_cursor": cursor } })
        }
        "chat.postMessage" | "reactions.add" if *method != Method::POST => refused("invalid_post_type"),
        "chat.postMessage" if !known(text("channel")) => refused("channel_not_found"),
        "chat.postMessage" if text("text").is_empty() => refused("no_text"),
        "chat.postMessage" => {
            let ts = format!("1700000000.{:06}", messages.len() + 1);
            let mut message = json!({ "type": "message", "user": "U1", "text": given["text"], "ts": ts, "channel": given["channel"] });
            if let Some(thread) = given.get("thread_ts") {
                message["thread_ts"] = thread.clone();
            }
            messages.push(message.clone());
            json!({ "ok": true, "channel": given["channel"], "ts": ts, "message": message })
        }
        "reactions.add" => {
            let ts = &given["timestamp"];
            let Some(message) = messages.iter_mut().find(|message| message["ts"] == *ts) else {
                return refused("message_not_found");
            };
            if message["reactions"].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == given["name"])) {
                return refused("already_reacted");
            }
            message["reactions"] = json!([{ "name": given["name"], "count": 1, "users": ["U1"] }]);
            json!({ "ok": true })
        }
        "conversations.history" if !known(text("channel")) => refused("channel_not_found"),
        "conversations.history" => {
            let all = of_channel(messages);
            let shown: Vec<&Value> = all.iter().filter(|one| one.get("thread_ts").is_none()).take(limit).collect();
            json!({ "ok": true, "messages": shown, "has_more": all.len() > shown.len() })
        }
        "conversations.replies" => {
            let ts = &given["ts"];
            let all = of_channel(messages);
            let thread: Vec<&Value> =
                all.iter().rev().filter(|one| one["ts"] == *ts || one["thread_ts"] == *ts).collect();
            if thread.is_empty() {
                refused("thread_not_found")
            } else {
                json!({ "ok": true, "messages": thread, "has_more": false })
            }
        }
        "users.list" => json!({ "ok": true, "members": [{ "id": "U1", "name": "ann" }, { "id": "U2", "name": "bob" }],
            "response_metadata": { "next_cursor": "" } }),
        "users.profile.get" if ["U1", "U2"].contains(&text("user")) => {
            json!({ "ok": true, "profile": { "real_name": if text("user") == "U1" { "Ann" } else { "Bob" }, "email": "" } })
        }
        "users.profile.get" => refused("user_not_found"),
        _ => refused("unknown_method"),
    }
}
