//! Operations sent to a real server, and what it answers.

use std::time::Duration;

use base::Secret;
use connect::egress::Policy;
use connect::graphql::{Answer, Client, Kind, Request};
use connect::http::{Credentials, Limits, Settings};
use connect::{Error, ErrorKind};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::support::skip;

const SERVER: &str = "MCP_FACTORY_TEST_GRAPHQL";

pub(super) fn settings(test: &str, path: &str) -> Option<Settings> {
    let Ok(url) = std::env::var(SERVER) else {
        skip(test, &format!("{SERVER} is not set"));
        return None;
    };
    let policy = Policy::default().allow_private(true);
    Some(Settings { policy, ..Settings::new("shop", Secret::new(format!("{url}/{path}"))) })
}

pub(super) fn client(test: &str, path: &str) -> Option<Client> {
    settings(test, path).map(|settings| Client::open(settings).expect("settings that can be used"))
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

async fn run(client: &Client, text: &str, variables: Value) -> Result<Answer, Error> {
    let variables: Map<String, Value> = serde_json::from_value(variables).expect("an object");
    let kind = if text.starts_with("mutation") { Kind::Mutation } else { Kind::Query };
    let request = Request { text, name: None, kind, variables: &variables, headers: &[], subject: None };
    client.run(&request, soon(), &CancellationToken::new()).await
}

#[tokio::test]
async fn operations_are_run() {
    let Some(client) = client("graphql operations_are_run", "graphql") else { return };
    let answer =
        run(&client, "query ($id: ID!) { order(id: $id) { id total status tags } }", json!({"id": "1"})).await.unwrap();
    assert_eq!(answer.data, json!({"order": {"id": "1", "total": 100, "status": "OPEN", "tags": ["new"]}}));
    assert!(answer.problems.is_empty());
    let text = "mutation ($input: PlaceOrder!) { placeOrder(input: $input) { total note status } }";
    let lines = json!([{"sku": "a", "count": 2}, {"sku": "b"}]);
    let input = json!({"input": {"customer": "c1", "lines": lines, "note": "{{ x }} \" \\ \u{0} é"}});
    let answer = run(&client, text, input).await.unwrap();
    assert_eq!(answer.data["placeOrder"], json!({"total": 3, "note": "{{ x }} \" \\ \u{0} é", "status": "OPEN"}));
    let variables = Map::new();
    let text = "query A { order(id: 2) { id } } query B { order(id: 3) { id } }";
    let request =
        Request { text, name: Some("B"), kind: Kind::Query, variables: &variables, headers: &[], subject: None };
    let answer = client.run(&request, soon(), &CancellationToken::new()).await.unwrap();
    assert_eq!(answer.data["order"]["id"], "3");
}

#[tokio::test]
async fn data_with_problems_is_an_answer() {
    let Some(client) = client("graphql data_with_problems_is_an_answer", "graphql") else { return };
    let answer = run(&client, "{ orders { id risk } fail(code: \"X\") }", json!({})).await.unwrap();
    assert_eq!(answer.data["orders"][1], json!({"id": "2", "risk": null}));
    assert_eq!(answer.problems_all, 2);
    let told: Vec<_> = answer.problems.iter().map(ToString::to_string).collect();
    assert!(told.contains(&"It fails with NO_RISK, at `orders.1.risk` (NO_RISK)".to_owned()), "{told:?}");
    assert!(told.contains(&"It fails with X, at `fail` (X)".to_owned()), "{told:?}");
}

#[tokio::test]
async fn problems_without_data_are_errors() {
    let Some(client) = client("graphql problems_without_data_are_errors", "graphql") else { return };
    let long = "y".repeat(5000);
    for (text, kind, part) in [
        ("{ me { id } }", ErrorKind::Denied, "It fails with UNAUTHENTICATED, at `me` (UNAUTHENTICATED)"),
        ("{ failAll(code: \"FORBIDDEN\") }", ErrorKind::Denied, "FORBIDDEN"),
        ("{ failAll(code: \"THROTTLED\") }", ErrorKind::Transient, "THROTTLED"),
        ("{ failAll(code: \"ODD\") }", ErrorKind::Other, "ODD"),
        (&format!("{{ failAll(code: \"{long}\") }}"), ErrorKind::Other, "yyy"),
        ("mutation { placeOrder(input: {customer: 1, lines: []}) { id } }", ErrorKind::Value, "BAD_USER_INPUT"),
        ("{ nothing }", ErrorKind::Statement, "nothing"),
        ("{", ErrorKind::Statement, "Syntax Error"),
    ] {
        let error = run(&client, text, json!({})).await.expect_err(text);
        assert!(error.to_string().contains(part) && error.to_string().len() < 1500, "{error}");
        assert!(error.kind == kind || error.kind == ErrorKind::Other, "{text}: {:?} {error}", error.kind);
        assert!(error.to_string().contains("run a GraphQL operation on connection `shop`"), "{error}");
    }
}

#[tokio::test]
async fn credentials_never_come_back() {
    let Some(settings) = settings("graphql credentials_never_come_back", "graphql") else { return };
    let token = "t0p-s3cr3t-token";
    let client = Client::open(Settings { credentials: Credentials::Bearer(Secret::new(token)), ..settings }).unwrap();
    let answer = run(&client, "{ echo me { name } }", json!({})).await.unwrap();
    assert!(answer.data["echo"].as_str().unwrap().contains("Bearer ***"), "{answer:?}");
    let error = run(&client, &format!("{{ failAll(code: \"{token}\") }}"), json!({})).await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains(token) && error.to_string().contains("***"), "{error:?}");
}

#[tokio::test]
async fn answers_are_bounded_in_size_and_time() {
    let Some(settings) = settings("graphql answers_are_bounded_in_size_and_time", "graphql") else { return };
    let limits = Limits { answer_bytes: 100_000, ..Limits::default() };
    let client = Client::open(Settings { limits, ..settings }).unwrap();
    let error = run(&client, "{ large(bytes: 200000) }", json!({})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    let variables = Map::new();
    let text = "{ slow(ms: 60000) }";
    let request = Request { text, name: None, kind: Kind::Query, variables: &variables, headers: &[], subject: None };
    let deadline = Instant::now() + Duration::from_millis(100);
    let error = client.run(&request, deadline, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert_eq!(client.run(&request, soon(), &cancel).await.unwrap_err().kind, ErrorKind::Cancelled);
}

#[tokio::test]
async fn something_else_than_graphql_is_told() {
    let Some(settings) = settings("graphql something_else_than_graphql_is_told", "nothing") else { return };
    let error = run(&Client::open(settings).unwrap(), "{ orders { id } }", json!({})).await.unwrap_err();
    assert!(error.to_string().contains("404") && error.to_string().contains("no GraphQL answer"), "{error}");
}
