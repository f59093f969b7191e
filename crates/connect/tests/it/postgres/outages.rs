//! Servers that go away, come back, or never answer; and how often a call goes over the wire.

use std::time::{Duration, Instant};

use connect::{Database, ErrorKind};
use serde_json::json;
use tokio::net::TcpListener;

use super::proxy::Proxy;
use super::world::World;
use crate::support::{Call, config};

const TERMINATE: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'mcp-factory'";
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'mcp-factory'";

#[tokio::test]
async fn a_call_is_one_round_trip() {
    let Some(world) = World::new("a_call_is_one_round_trip", "CREATE TABLE t (x int)").await else { return };
    let proxy = Proxy::new(world.address()).await;
    let url = world.url_at(proxy.address, "?sslmode=disable");
    let database = world.database_with(|config| config.url = base::Secret::new(url));
    let read = Call::read("SELECT x, $1::text AS y FROM t", &[json!("a")]);
    let opaque = Call::read("SELECT pg_advisory_lock(1)::text AS l", &[]);
    let failing = Call::read("SELECT 1 / count(*) AS z FROM t WHERE x < 0", &[]);
    let write = Call::write("INSERT INTO t VALUES ($1)", &[json!(1)]);
    for (name, call) in [("read", read), ("opaque", opaque), ("failing", failing), ("write", write)] {
        let _ = call.run(&database).await;
        let before = proxy.trips();
        for _ in 0..10 {
            let _ = call.run(&database).await;
        }
        assert_eq!(proxy.trips() - before, 10, "{name}");
    }
    // Another limit of time goes along with the call.
    let before = proxy.trips();
    Call { timeout: Duration::from_secs(9), ..Call::write("INSERT INTO t VALUES ($1)", &[json!(1)]) }
        .run(&database)
        .await
        .expect("it writes");
    assert_eq!(proxy.trips() - before, 1);
}

#[tokio::test]
async fn sessions_that_the_server_ended_are_replaced_unseen() {
    let test = "sessions_that_the_server_ended_are_replaced_unseen";
    let Some(world) = World::new(test, "CREATE TABLE t (x int)").await else { return };
    let database = world.database();
    for round in 1..=3 {
        // Several idle sessions of both kinds, all of them ended.
        let read = Call::read("SELECT pg_sleep(0.05)::text AS s", &[]);
        tokio::join!(read.rows(&database), read.rows(&database));
        Call::write("INSERT INTO t VALUES (1)", &[]).run(&database).await.expect("it writes");
        assert_eq!(world.see(TERMINATE).await, "3");
        world.wait_for(SESSIONS, "0").await;
        Call::write("INSERT INTO t VALUES (1)", &[]).run(&database).await.expect("it writes again");
        let rows = Call::read("SELECT count(*) AS c FROM t", &[]).rows(&database).await;
        assert_eq!(rows, json!([{ "c": round * 2 }]));
        world.see(TERMINATE).await;
        world.wait_for(SESSIONS, "0").await;
    }
}

#[tokio::test]
async fn a_session_that_ends_in_a_call_is_an_error_once() {
    let Some(world) = World::new("a_session_that_ends_in_a_call_is_an_error_once", "").await else { return };
    let database = world.database();
    let sleeping = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = 'mcp-factory' AND state = 'active' AND wait_event = 'PgSleep'";
    for write in [false, true] {
        let call = Call { write, ..Call::read("SELECT pg_sleep(20)::text AS s", &[]) };
        let (error, ()) = tokio::join!(call.error(&database), async {
            world.wait_for(sleeping, "1").await;
            world.see(TERMINATE).await;
        });
        assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Transient, Some("57P01")), "{error}");
        let next = Call { write, ..Call::read("SELECT 1 AS x", &[]) };
        assert_eq!(next.rows(&database).await, json!([{ "x": 1 }]));
        world.see(TERMINATE).await;
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_said_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let url = format!("postgresql://user:hunter2@{address}/shop");
    // It accepts, and then says nothing.
    let database = Database::open(config(&url)).expect("the URL is right");
    let began = Instant::now();
    let error = Call { timeout: Duration::from_millis(200), ..Call::read("SELECT 1", &[]) }.error(&database).await;
    assert_eq!((error.kind, error.attempted), (ErrorKind::Unreachable, "connect"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
    drop(listener);
    let error = Call::read("SELECT 1", &[]).error(&database).await;
    assert_eq!((error.kind, error.attempted), (ErrorKind::Unreachable, "connect"), "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_table_that_changed_is_read_as_it_is_now() {
    let schema = "CREATE TABLE t (a int, b inet); INSERT INTO t VALUES (1, '10.0.0.1')";
    let Some(world) = World::new("a_table_that_changed_is_read_as_it_is_now", schema).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let read = Call::read("SELECT * FROM t", &[]);
    let change = Call::write("UPDATE t SET a = a RETURNING *", &[]);
    let steps = [
        ("SELECT 1", json!([{ "a": 1, "b": "10.0.0.1" }])),
        ("ALTER TABLE t ALTER a TYPE text", json!([{ "a": "1", "b": "10.0.0.1" }])),
        ("ALTER TABLE t DROP b", json!([{ "a": "1" }])),
        ("DROP TABLE t; CREATE TABLE t AS SELECT 2::numeric AS a", json!([{ "a": "2" }])),
    ];
    for (step, wanted) in steps {
        world.eyes.batch_execute(step).await.expect(step);
        assert_eq!(read.rows(&database).await, wanted, "{step}");
        assert_eq!(change.rows(&database).await, wanted, "{step}");
    }
}
