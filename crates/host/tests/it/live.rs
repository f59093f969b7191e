//! What needs a clock or several calls at once.

use std::time::{Duration, Instant};

use engine::{CallContext, FailureKind};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Place, Variables, World};

const SPEC: &str = "
name: slow-server
connections: [{name: db, type: sqlite, envVar: DATABASE_URL}]
limits: {concurrency: 1, timeoutMs: 20000}
tools:
  - name: endless
    description: Never ends by itself.
    connection: db
    parameters: {}
    sql: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n'
  - name: hasty
    description: Never ends by itself, and may not take long.
    connection: db
    parameters: {}
    timeoutMs: 100
    sql: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n'
  - name: quick
    description: Ends at once.
    connection: db
    parameters: {}
    sql: SELECT 1 AS one
  - name: add
    description: Adds rows.
    connection: db
    parameters: {rows: {type: array, items: {type: object, properties: {id: {type: integer}}, required: [id]}, required: true}}
    sql: {query: 'INSERT INTO t (id) VALUES (:id)', write: true, batch: rows}
  - name: list
    description: Lists rows.
    connection: db
    parameters: {}
    sql: {query: 'SELECT id FROM t', page: {size: 10, by: keyset, key: [id]}}
";

async fn world() -> World {
    World::new(Place::sqlite(), SPEC, &["CREATE TABLE t (id INTEGER PRIMARY KEY)"], Variables::new()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_call_ends_quickly() {
    let world = world().await;
    let cancel = CancellationToken::new();
    let canceller = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        canceller.cancel();
    });
    let began = Instant::now();
    let outcome = world.call_with(&CallContext::new(&cancel), "endless", "{}").await;
    assert_eq!(outcome.failure.unwrap().kind, FailureKind::Cancelled);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(!world.call("quick", "{}").await.is_error(), "the permit and the connection are free again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_over_its_time_ends() {
    let world = world().await;
    let failure = world.call("hasty", "{}").await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Timeout, "{}", failure.text);
    let cancel = CancellationToken::new();
    let context = CallContext::new(&cancel).deadline(Instant::now() + Duration::from_millis(100));
    let failure = world.call_with(&context, "endless", "{}").await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Timeout, "{}", failure.text);
    let metrics = serde_json::to_value(world.toolset.metrics()).unwrap();
    assert_eq!(metrics["tools"][0]["tool"], "endless");
    assert_eq!(metrics["tools"][0]["failures"], json!({"timeout": 1}));
    assert_eq!(metrics["tools"][0]["inFlight"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_over_the_limit_wait_and_then_give_up() {
    let world = std::sync::Arc::new(world().await);
    let cancel = CancellationToken::new();
    let (other, token) = (world.clone(), cancel.clone());
    let running = tokio::spawn(async move { other.call_with(&CallContext::new(&token), "endless", "{}").await });
    while serde_json::to_value(world.toolset.metrics()).unwrap()["tools"][0]["inFlight"] != 1 {
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mine = CancellationToken::new();
    let context = CallContext::new(&mine).deadline(Instant::now() + Duration::from_millis(100));
    let failure = world.call_with(&context, "quick", "{}").await.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Busy, "{}", failure.text);
    let waiting = tokio::spawn({
        let world = world.clone();
        async move { world.call("quick", "{}").await }
    });
    cancel.cancel();
    assert!(running.await.unwrap().is_error());
    assert!(!waiting.await.unwrap().is_error(), "it got the permit that was given back");
}

#[tokio::test]
async fn keyset_pages_give_every_row_once_while_rows_come_and_go() {
    let world = world().await;
    let rows: Vec<Value> = (1..=55).map(|id| json!({ "id": id * 10 })).collect();
    let progress = parking_lot::Mutex::new(Vec::new());
    let report = |done: f64, total: Option<f64>, _: &str| progress.lock().push((done, total));
    let cancel = CancellationToken::new();
    let context = CallContext::new(&cancel).progress(&report);
    let added = world.call_with(&context, "add", &json!({ "rows": rows }).to_string()).await;
    assert_eq!(added.structured.as_deref(), Some(&b"{\"affected\":55}"[..]), "{:?}", added.failure);
    assert_eq!(*progress.lock(), [(0.0, Some(55.0)), (55.0, Some(55.0))]);
    let mut seen = Vec::new();
    let mut arguments = json!({});
    for page in 0.. {
        let outcome = world.call("list", &arguments.to_string()).await;
        let answer: Value = serde_json::from_slice(outcome.structured.as_deref().unwrap()).unwrap();
        seen.extend(answer["items"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()));
        // One row before what was seen, one that was seen goes.
        world.execute(&format!("INSERT INTO t (id) VALUES ({})", 5 - page)).await;
        world.execute(&format!("DELETE FROM t WHERE id = {}", seen[0])).await;
        match answer.get("nextCursor") {
            Some(cursor) => arguments["cursor"] = cursor.clone(),
            None => break,
        }
    }
    assert_eq!(seen, (1..=55).map(|id| id * 10).collect::<Vec<i64>>());
}
