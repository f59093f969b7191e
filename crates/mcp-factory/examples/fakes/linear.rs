//! A fake of Linear's GraphQL API (<https://linear.app/developers/graphql>). It knows five operations by the names of their
//! fields, checks variables against what Linear's schema asks for, and tells no schema: a spec brings it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::shared::{answer, header};

type Shared = State<Arc<Mutex<Vec<Value>>>>;

pub(crate) fn router() -> Router {
    Router::new().route("/graphql", post(query)).with_state(Arc::default())
}

fn fault(code: &str, message: &str) -> Value {
    json!({ "errors": [{ "message": message, "extensions": { "code": code, "userPresentableMessage": message } }] })
}

async fn query(State(state): Shared, headers: HeaderMap, axum::Json(given): axum::Json<Value>) -> Response {
    if header(&headers, "authorization") != "linear-key" {
        return answer(401, fault("AUTHENTICATION_ERROR", "Authentication required, not authenticated"));
    }
    let text = given["query"].as_str().unwrap_or_default();
    let variables = &given["variables"];
    let mut issues = state.lock();
    let body = if text.contains("__schema") {
        fault("FORBIDDEN", "Introspection is not allowed")
    } else if text.contains("issueCreate") {
        let input = &variables["input"];
        if input["title"].as_str().is_none_or(str::is_empty) || input["teamId"] != "team-1" {
            fault("INVALID_INPUT", "Argument Validation Error")
        } else {
            let number = issues.len() + 1;
            let issue = json!({ "id": format!("issue-{number}"), "identifier": format!("ENG-{number}"), "title": input["title"],
                "priority": input["priority"].as_i64().unwrap_or(0), "state": { "name": "Todo" } });
            issues.push(issue.clone());
            json!({ "data": { "issueCreate": { "success": true, "issue": issue } } })
        }
    } else if text.contains("issueUpdate") {
        match issues.iter_mut().find(|issue| issue["id"] == variables["id"]) {
            Some(issue) => {
                for (name, value) in variables["input"].as_object().into_iter().flatten() {
                    issue[name] = value.clone();
                }
                json!({ "data": { "issueUpdate": { "success": true, "issue": issue } } })
            }
            None => fault("INPUT_ERROR", "Entity not found: Issue"),
        }
    } else if text.contains("commentCreate") {
        json!({ "data": { "commentCreate": { "success": true, "comment": { "id": "comment-1", "body": variables["input"]["body"] } } } })
    } else if text.contains("issueSearch") || text.contains("issues") {
        let term = variables["term"].as_str().unwrap_or_default();
        let found: Vec<&Value> =
            issues.iter().filter(|issue| issue["title"].as_str().is_some_and(|title| title.contains(term))).collect();
        json!({ "data": { "issues": { "nodes": found } } })
    } else if text.contains("viewer") {
        json!({ "data": { "viewer": { "id": "user-1", "name": "Ann", "assignedIssues": { "nodes": *issues } } } })
    } else {
        fault("GRAPHQL_VALIDATION_FAILED", "Cannot query field")
    };
    answer(200, body)
}
