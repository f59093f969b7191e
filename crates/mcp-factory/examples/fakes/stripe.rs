//! A fake of Stripe's REST API (<https://docs.stripe.com/api>): customers and payment intents, forms with nested names, idempotency keys.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};

use super::shared::{answer, bearer, header, pairs, value};

#[derive(Default)]
struct Account {
    customers: Vec<Value>,
    intents: Vec<Value>,
    /// Answers by idempotency key.
    given: Vec<(String, Value)>,
}

type Shared = State<Arc<Mutex<Account>>>;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/v1/customers", get(list_customers).post(add_customer))
        .route("/v1/customers/{id}", get(read_customer))
        .route("/v1/payment_intents", post(add_intent))
        .with_state(Arc::default())
}

fn fault(status: u16, kind: &str, message: &str, param: Option<&str>) -> Response {
    answer(status, json!({ "error": { "type": kind, "message": message, "param": param } }))
}

fn allowed(headers: &HeaderMap) -> bool {
    bearer(headers) == "stripe-key"
}

fn unauthorized() -> Response {
    fault(401, "invalid_request_error", "Invalid API Key provided", None)
}

/// A form whose names may be nested: `metadata[order]=7`, `items[0][price]=p`.
fn nested(body: &[u8]) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, value) in pairs(&String::from_utf8_lossy(body)) {
        match name.split_once('[') {
            Some((outer, inner)) => {
                let inner = inner.trim_end_matches(']').replace("][", ".");
                let slot = out.entry(outer).or_insert_with(|| json!({}));
                slot[inner] = value.into();
            }
            None => {
                out.insert(name, value.into());
            }
        }
    }
    out
}

async fn add_customer(State(state): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if !allowed(&headers) {
        return unauthorized();
    }
    let mut state = state.lock();
    let key = header(&headers, "idempotency-key");
    if let Some((_, before)) = state.given.iter().find(|(known, _)| known == key) {
        return answer(200, before.clone());
    }
    let mut customer = nested(&body);
    if let Some(name) =
        customer.keys().find(|name| !["name", "email", "description", "metadata"].contains(&name.as_str()))
    {
        return fault(400, "invalid_request_error", &format!("Received unknown parameter: {name}"), Some(name));
    }
    customer.insert("id".to_owned(), format!("cus_{}", state.customers.len() + 1).into());
    customer.insert("object".to_owned(), "customer".into());
    let customer = Value::Object(customer);
    state.customers.push(customer.clone());
    if !key.is_empty() {
        state.given.push((key.to_owned(), customer.clone()));
    }
    answer(200, customer)
}

async fn list_customers(State(state): Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    if !allowed(&headers) {
        return unauthorized();
    }
    let query = pairs(query.as_deref().unwrap_or_default());
    let limit: usize = value(&query, "limit").and_then(|text| text.parse().ok()).unwrap_or(10);
    let state = state.lock();
    let after = value(&query, "starting_after");
    let start = after.and_then(|id| state.customers.iter().position(|one| one["id"] == *id)).map_or(0, |at| at + 1);
    let shown: Vec<&Value> = state.customers.iter().skip(start).take(limit).collect();
    let more = state.customers.len() > start + shown.len();
    answer(200, json!({ "object": "list", "data": shown, "has_more": more }))
}

async fn read_customer(State(state): Shared, headers: HeaderMap, Path(id): Path<String>) -> Response {
    if !allowed(&headers) {
        return unauthorized();
    }
    let state = state.lock();
    let found = state.customers.iter().find(|one| one["id"] == *id);
    let none = || fault(404, "invalid_request_error", &format!("No such customer: '{id}'"), Some("id"));
    found.map_or_else(none, |one| answer(200, one.clone()))
}

async fn add_intent(State(state): Shared, headers: HeaderMap, body: Bytes) -> Response {
    if !allowed(&headers) {
        return unauthorized();
    }
    let given = nested(&body);
    let amount = given.get("amount").and_then(Value::as_str).and_then(|text| text.parse::<u64>().ok());
    let Some(amount) = amount else {
        return fault(400, "invalid_request_error", "Invalid integer", Some("amount"));
    };
    if amount > 99_999_999 {
        return fault(402, "card_error", "Your card was declined.", None);
    }
    let mut state = state.lock();
    let intent = json!({ "id": format!("pi_{}", state.intents.len() + 1), "object": "payment_intent", "amount": amount,
        "currency": given.get("currency"), "customer": given.get("customer"), "status": "requires_payment_method",
        "metadata": given.get("metadata") });
    state.intents.push(intent.clone());
    answer(200, intent)
}
