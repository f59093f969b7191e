//! A fake of Jira Cloud's REST API, version 3 (<https://developer.atlassian.com/cloud/jira/platform/rest/v3/>): one project, `SHOP`.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::shared::{answer, basic};

type Shared = State<Arc<Mutex<Vec<Value>>>>;

pub(crate) fn router() -> Router {
    let first = issue(1, &json!({ "summary": "Checkout is slow", "issuetype": { "name": "Bug" } }));
    Router::new()
        .route("/rest/api/3/myself", get(async || answer(200, json!({ "accountId": "a1", "displayName": "Ann" }))))
        .route("/rest/api/3/search/jql", post(search))
        .route("/rest/api/3/issue", post(create))
        .route("/rest/api/3/issue/{key}", get(read).put(change))
        .route("/rest/api/3/issue/{key}/comment", post(comment))
        .route("/rest/api/3/issue/{key}/transitions", get(transitions).post(transition))
        .layer(from_fn(check))
        .with_state(Arc::new(Mutex::new(vec![first])))
}

async fn check(request: Request, next: Next) -> Response {
    match basic(request.headers()) {
        Some((user, token)) if user == "ann@example.com" && token == "jira-token" => next.run(request).await,
        _ => (StatusCode::UNAUTHORIZED, "Client must be authenticated to access this resource.").into_response(),
    }
}

fn issue(number: usize, fields: &Value) -> Value {
    let mut fields = fields.clone();
    fields["status"] = json!({ "name": "To Do" });
    fields["comment"] = json!({ "comments": [], "total": 0 });
    json!({ "id": format!("{}", 10_000 + number), "key": format!("SHOP-{number}"), "fields": fields })
}

fn faults(messages: &Value, errors: &Value, status: u16) -> Response {
    answer(status, json!({ "errorMessages": messages, "errors": errors }))
}

fn missing() -> Response {
    faults(&json!(["Issue does not exist or you do not have permission to see it."]), &json!({}), 404)
}

/// Understands `project = KEY`, `status = "NAME"` and `text ~ "WORD"`, joined with AND.
async fn search(State(state): Shared, axum::Json(given): axum::Json<Value>) -> Response {
    let jql = given["jql"].as_str().unwrap_or_default();
    let state = state.lock();
    let mut found: Vec<&Value> = state.iter().collect();
    for clause in jql.split(" ORDER BY ").next().unwrap_or_default().split(" AND ") {
        let parts: Vec<&str> = clause.trim().splitn(3, ' ').collect();
        let &[field, sign, value] = parts.as_slice() else {
            return faults(&json!([format!("Error in the JQL Query: {clause}")]), &json!({}), 400);
        };
        let value = value.trim_matches('"');
        match (field, sign) {
            ("project", "=") => found.retain(|issue| issue["key"].as_str().is_some_and(|key| key.starts_with(value))),
            ("status", "=") => found.retain(|issue| issue["fields"]["status"]["name"] == *value),
            ("text", "~") => {
                found.retain(|issue| issue["fields"]["summary"].as_str().is_some_and(|text| text.contains(value)))
            }
            _ => return faults(&json!([format!("Field '{field}' does not exist")]), &json!({}), 400),
        }
    }
    answer(200, json!({ "issues": found, "isLast": true }))
}

async fn create(State(state): Shared, axum::Json(given): axum::Json<Value>) -> Response {
    let fields = &given["fields"];
    if fields["summary"].as_str().is_none_or(str::is_empty) {
        return faults(&json!([]), &json!({ "summary": "You must specify a summary of the issue." }), 400);
    }
    if fields["project"]["key"] != "SHOP" {
        return faults(&json!([]), &json!({ "project": "valid project is required" }), 400);
    }
    if !fields["description"].is_null() && fields["description"]["type"] != "doc" {
        return faults(&json!([]), &json!({ "description": "Operation value must be an Atlassian Document" }), 400);
    }
    let mut state = state.lock();
    let made = issue(state.len() + 1, fields);
    let told = json!({ "id": made["id"], "key": made["key"] });
    state.push(made);
    answer(201, told)
}

async fn read(State(state): Shared, Path(key): Path<String>) -> Response {
    let state = state.lock();
    state.iter().find(|issue| issue["key"] == *key).map_or_else(missing, |issue| answer(200, issue.clone()))
}

async fn change(State(state): Shared, Path(key): Path<String>, axum::Json(given): axum::Json<Value>) -> Response {
    let mut state = state.lock();
    let Some(issue) = state.iter_mut().find(|issue| issue["key"] == *key) else { return missing() };
    for (name, value) in given["fields"].as_object().into_iter().flatten() {
        issue["fields"][name] = value.clone();
    }
    StatusCode::NO_CONTENT.into_response()
}

async fn comment(State(state): Shared, Path(key): Path<String>, axum::Json(given): axum::Json<Value>) -> Response {
    let mut state = state.lock();
    let Some(issue) = state.iter_mut().find(|issue| issue["key"] == *key) else { return missing() };
    if given["body"]["type"] != "doc" {
        return faults(&json!([]), &json!({ "comment": "Comment body is not valid!" }), 400);
    }
    let all = &mut issue["fields"]["comment"];
    let made = json!({ "id": format!("{}", all["total"].as_u64().unwrap_or(0) + 1), "body": given["body"] });
    if let Some(list) = all["comments"].as_array_mut() {
        list.push(made.clone());
        all["total"] = list.len().into();
    }
    answer(201, made)
}

/// The states of the project: number and name.
const STATES: [(&str, &str); 3] = [("11", "To Do"), ("21", "In Progress"), ("31", "Done")];

async fn transitions(Path(_): Path<String>) -> Response {
    let each: Vec<Value> = STATES.iter().map(|(id, name)| json!({ "id": id, "name": name })).collect();
    answer(200, json!({ "transitions": each }))
}

async fn transition(State(state): Shared, Path(key): Path<String>, axum::Json(given): axum::Json<Value>) -> Response {
    let mut state = state.lock();
    let Some(issue) = state.iter_mut().find(|issue| issue["key"] == *key) else { return missing() };
    let Some((_, name)) = STATES.iter().find(|(id, _)| given["transition"]["id"] == **id) else {
        return faults(
            &json!(["It seems that you have tried to perform an illegal workflow operation."]),
            &json!({}),
            400,
        );
    };
    issue["fields"]["status"] = json!({ "name": name });
    StatusCode::NO_CONTENT.into_response()
}
