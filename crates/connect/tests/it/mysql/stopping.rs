//! Statements that are stopped, and servers that go away.

use std::sync::Arc;
use std::time::{Duration, Instant};

use connect::ErrorKind;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::world::World;
use crate::support::{Call, config, statement};

const SLOW: &str = "SELECT SLEEP(20) AS s";

#[tokio::test]
async fn a_statement_over_its_time_is_killed_at_the_server() {
    let Some(world) = World::new("mysql a_statement_over_its_time", "CREATE TABLE t (x INT)").await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for write in [false, true] {
        let start = Instant::now();
        let call = Call { write, timeout: Duration::from_millis(300), ..Call::read(SLOW, &[]) };
        let error = call.error(&database).await;
        assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
        assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("timeoutMs")), "{error}");
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        world.wait_for(&world.sessions("INFO LIKE '%SLEEP(%'"), "0").await;
        assert_eq!(Call::read("SELECT 1 AS x", &[]).rows(&database).await, json!([{ "x": 1 }]));
    }
}

#[tokio::test]
async fn a_cancelled_statement_is_killed_and_its_work_undone() {
    let Some(world) = World::new("mysql a_cancelled_statement", "CREATE TABLE t (x INT)").await else { return };
    let database = Arc::new(world.database_with(|config| config.pool_max = 1));
    let running = world.sessions("INFO LIKE '%SLEEP(%'");
    let cancel = CancellationToken::new();
    let mut call = Call { cancel: cancel.clone(), ..Call::write("INSERT INTO t VALUES (1)", &[]) };
    call.statements.push(statement(SLOW, 0));
    let task = {
        let database = Arc::clone(&database);
        tokio::spawn(async move { call.error(&database).await })
    };
    world.wait_for(&running, "1").await;
    cancel.cancel();
    assert_eq!(task.await.expect("it ends").kind, ErrorKind::Cancelled);
    world.wait_for(&running, "0").await;
    assert_eq!(world.see("SELECT COUNT(*) FROM t").await, "0");
    // Cancelled before it begins.
    let call = Call { cancel, ..Call::read("SELECT 1 AS x", &[]) };
    assert_eq!(call.error(&database).await.kind, ErrorKind::Cancelled);
}

#[tokio::test]
async fn a_call_that_is_dropped_is_killed() {
    let Some(world) = World::new("mysql a_call_that_is_dropped_is_killed", "").await else { return };
    let database = Arc::new(world.database_with(|config| config.pool_max = 1));
    let running = world.sessions("INFO LIKE '%SLEEP(%'");
    let task = {
        let database = Arc::clone(&database);
        tokio::spawn(async move { Call::read(SLOW, &[]).run(&database).await })
    };
    world.wait_for(&running, "1").await;
    task.abort();
    world.wait_for(&running, "0").await;
    assert_eq!(Call::read("SELECT 1 AS x", &[]).rows(&database).await, json!([{ "x": 1 }]));
}

/// When this process dies, the server itself ends the statement.
#[tokio::test]
async fn the_server_has_the_limit_too() {
    let Some(world) = World::new("mysql the_server_has_the_limit_too", "").await else { return };
    let database = world.database();
    let call = Call { timeout: Duration::from_secs(2), ..Call::read("SELECT @@max_statement_time AS t", &[]) };
    assert_eq!(call.rows(&database).await, json!([{ "t": 2.5 }]));
    let many = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 1000) SELECT n FROM r";
    let call = Call { row_limit: 7, ..Call::read(many, &[]) };
    let (answer, rows) = call.run(&database).await.expect("it runs");
    assert_eq!((answer.rows, answer.truncated, rows.as_array().map(Vec::len)), (7, true, Some(7)));
    let sent = "SELECT VARIABLE_VALUE AS v FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'ROWS_SENT'";
    let count = async |sent: &Call| {
        let rows = sent.rows(&database).await;
        rows[0]["v"].as_str().and_then(|text| text.parse::<u64>().ok()).expect("a number")
    };
    let sent = Call::read(sent, &[]);
    let before = count(&sent).await;
    call.run(&database).await.expect("it runs");
    let after = count(&sent).await;
    assert!(after - before <= 10, "{} rows were sent", after - before);
}

#[tokio::test]
async fn killed_connections_are_replaced() {
    let Some(world) = World::new("mysql killed_connections_are_replaced", "").await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for write in [false, true] {
        let id = Call { write, ..Call::read("SELECT CONNECTION_ID() AS p", &[]) };
        let first = id.rows(&database).await;
        world.execute(&format!("KILL {}", first[0]["p"])).await;
        world.wait_for(&world.sessions(&format!("ID = {}", first[0]["p"])), "0").await;
        let second = id.rows(&database).await;
        assert_ne!(first, second);
    }
}

#[tokio::test]
async fn a_connection_killed_while_it_works_is_an_error_that_passes() {
    let Some(world) = World::new("mysql a_connection_killed_while_it_works", "").await else { return };
    let database = Arc::new(world.database_with(|config| config.pool_max = 1));
    let running = world.sessions("INFO LIKE '%SLEEP(%'");
    let task = {
        let database = Arc::clone(&database);
        tokio::spawn(async move { Call::read(SLOW, &[]).error(&database).await })
    };
    world.wait_for(&running, "1").await;
    let id = world.see(&running.replace("COUNT(*)", "ID")).await;
    world.execute(&format!("KILL {id}")).await;
    assert_eq!(task.await.expect("it ends").kind, ErrorKind::Transient);
    assert_eq!(Call::read("SELECT 1 AS x", &[]).rows(&database).await, json!([{ "x": 1 }]));
}

#[tokio::test]
async fn servers_that_do_not_answer_are_said_so() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    for (address, wanted) in [(closed, "host and port"), (silent.local_addr().expect("an address"), "host and port")] {
        let mut config = config(&format!("mysql://root:hidden@{address}/x"));
        config.acquire_timeout = Duration::from_millis(300);
        let database = connect::Database::open(config).expect("the URL is right");
        let error = Call::read("SELECT 1", &[]).error(&database).await;
        assert_eq!((error.kind, error.attempted), (ErrorKind::Unreachable, "connect"), "{error}");
        assert!(error.to_string().contains(wanted) && !error.to_string().contains("hidden"), "{error}");
    }
}
