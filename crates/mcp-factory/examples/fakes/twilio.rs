//! A fake of Twilio's messages (<https://www.twilio.com/docs/messaging/api/message-resource>).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::shared::{answer, basic, header, pairs, value};

/// The account of the fake.
const ACCOUNT: &str = "AC00000000000000000000000000000001";

type Shared = State<Arc<Mutex<Vec<Value>>>>;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/2010-04-01/Accounts/{account}/Messages.json", post(send).get(list))
        .route("/2010-04-01/Accounts/{account}/Messages/{sid}", get(read))
        .with_state(Arc::default())
}

fn fault(status: u16, code: u32, message: &str) -> Response {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    answer(status, json!({ "code": code, "message": message, "more_info": more, "status": status }))
}

fn known(account: &str, headers: &HeaderMap) -> bool {
    account == ACCOUNT && basic(headers).is_some_and(|(user, token)| user == ACCOUNT && token == "twilio-token")
}

/// Whether a number is written as E.164 has it.
fn is_number(text: &str) -> bool {
    text.strip_prefix('+')
        .is_some_and(|digits| (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

async fn send(State(state): Shared, Path(account): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    if !known(&account, &headers) {
        return fault(401, 20003, "Authenticate");
    }
    if !header(&headers, "content-type").starts_with("application/x-www-form-urlencoded") {
        return fault(415, 20415, "Unsupported media type");
    }
    let form = pairs(&String::from_utf8_lossy(&body));
    let Some(to) = value(&form, "To") else { return fault(400, 21604, "A 'To' phone number is required.") };
    if !is_number(to) {
        return fault(400, 21211, &format!("Invalid 'To' Phone Number: {to}"));
    }
    let Some(text) = value(&form, "Body").filter(|text| !text.is_empty()) else {
        return fault(400, 21602, "Message body is required.");
    };
    if text.chars().count() > 1600 {
        return fault(400, 21617, "The concatenated message body exceeds the 1600 character limit");
    }
    let Some(from) = value(&form, "From").filter(|from| is_number(from)) else {
        return fault(400, 21603, "A 'From' phone number is required.");
    };
    let mut state = state.lock();
    let message = json!({ "sid": format!("SM{:032}", state.len() + 1), "status": "queued", "to": to, "from": from, "body": text,
        "account_sid": ACCOUNT, "num_segments": format!("{}", text.chars().count().div_ceil(160)), "error_code": null });
    state.push(message.clone());
    answer(201, message)
}

async fn list(State(state): Shared, Path(account): Path<String>, headers: HeaderMap) -> Response {
    if !known(&account, &headers) {
        return fault(401, 20003, "Authenticate");
    }
    let state = state.lock();
    answer(200, json!({ "messages": *state, "page": 0, "page_size": 50, "next_page_uri": null }))
}

async fn read(State(state): Shared, Path((account, sid)): Path<(String, String)>, headers: HeaderMap) -> Response {
    if !known(&account, &headers) {
        return fault(401, 20003, "Authenticate");
    }
    let state = state.lock();
    let found = state.iter().find(|message| message["sid"] == *sid.trim_end_matches(".json"));
    found.map_or_else(|| fault(404, 20404, "The requested resource was not found"), |one| answer(200, one.clone()))
}
