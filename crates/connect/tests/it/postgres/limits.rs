//! Time, rows and bytes.

use std::time::{Duration, Instant};

use connect::ErrorKind;
use serde_json::json;

use super::world::World;
use crate::support::{Call, statement};

/// A generous bound on how soon a statement ends after it must, for slow machines.
const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_statement_that_takes_too_long_ends_at_the_server() {
    let test = "a_statement_that_takes_too_long_ends_at_the_server";
    let Some(world) = World::new(test, "CREATE TABLE t (x int)").await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for write in [false, true] {
        for text in ["SELECT pg_sleep(60)::text AS s", "SELECT count(*) AS c FROM generate_series(1, 1000000000000) g"]
        {
            // Connecting counts too: it is done before.
            Call { write, ..Call::read("SELECT 1", &[]) }.rows(&database).await;
            let began = Instant::now();
            // Long enough for the statement to have begun, on slow machines too: it is to be ended at the server.
            let mut call = Call { write, timeout: Duration::from_secs(1), ..Call::read(text, &[]) };
            let error = call.error(&database).await;
            // The server says so itself, or is told to by whoever waited; which of them is first is a matter of load.
            assert!(
                error.kind == ErrorKind::Timeout && matches!(error.code.as_deref(), None | Some("57014")),
                "{error}"
            );
            if write {
                Call::write("SELECT 1", &[]).rows(&database).await;
                call.statements.insert(0, statement("INSERT INTO t VALUES (1)", 0));
                assert_eq!(call.error(&database).await.kind, ErrorKind::Timeout);
            }
            assert!(began.elapsed() < SOON);
            let next = Call::read("SELECT count(*) AS c FROM t", &[]);
            assert_eq!(next.rows(&database).await, json!([{ "c": 0 }]), "nothing is left of it");
        }
    }
}

#[tokio::test]
async fn a_lock_is_waited_for_until_the_time_limit() {
    let schema = "CREATE TABLE t (x int); INSERT INTO t VALUES (1)";
    let Some(world) = World::new("a_lock_is_waited_for_until_the_time_limit", schema).await else { return };
    let database = world.database();
    Call::write("SELECT 1", &[]).rows(&database).await;
    world.eyes.batch_execute("BEGIN; UPDATE t SET x = 2").await.expect("a lock");
    let call = Call { timeout: Duration::from_millis(150), ..Call::write("UPDATE t SET x = 3", &[]) };
    assert_eq!(call.error(&database).await.kind, ErrorKind::Timeout);
    assert_eq!(Call::read("SELECT x FROM t", &[]).rows(&database).await, json!([{ "x": 1 }]), "readers do not wait");
    let call = Call::write("UPDATE t SET x = x + 10", &[]);
    let (done, ()) = tokio::join!(call.run(&database), async {
        world.eyes.batch_execute("COMMIT").await.expect("unlocked");
    });
    assert_eq!(done.expect("it waited").0.affected, 1);
    assert_eq!(world.see("SELECT x FROM t").await, "12");
}

#[tokio::test]
async fn no_more_rows_than_the_limit_come() {
    let schema = "CREATE TABLE t (x int); INSERT INTO t SELECT generate_series(1, 5)";
    let Some(world) = World::new("no_more_rows_than_the_limit_come", schema).await else { return };
    let database = world.database();
    // It would take hours, if the server did not stop at the limit.
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n; -- more";
    let (answer, rows) = Call { row_limit: 3, ..Call::read(endless, &[]) }.run(&database).await.expect("rows");
    assert_eq!((answer.rows, answer.truncated, rows), (3, true, json!([{ "x": 1 }, { "x": 2 }, { "x": 3 }])));
    let cases = [
        ("SELECT x FROM t ORDER BY x", false, 5, false),
        ("SELECT x FROM t ORDER BY x", false, 4, true),
        ("SELECT x FROM t ORDER BY x LIMIT 2", false, 3, false),
        ("TABLE t", false, 1, true),
        ("VALUES (1), (2)", false, 0, true),
        ("SELECT x FROM t ORDER BY x FOR UPDATE", true, 2, true),
        ("WITH u AS (UPDATE t SET x = x RETURNING x) SELECT x FROM u", true, 2, true),
        ("UPDATE t SET x = x RETURNING x", true, 2, true),
        ("SHOW ALL", false, 2, true),
    ];
    for (text, write, row_limit, truncated) in cases {
        let call = Call { write, row_limit, ..Call::read(text, &[]) };
        let (answer, rows) = call.run(&database).await.expect(text);
        let count = rows.as_array().expect("rows").len();
        assert_eq!((answer.truncated, answer.rows), (truncated, count), "{text}");
        assert!(count <= row_limit, "{text}: {count}");
    }
    let (answer, _) =
        Call { row_limit: 2, ..Call::write("DELETE FROM t RETURNING x", &[]) }.run(&database).await.expect("rows");
    assert_eq!((answer.rows, answer.affected, answer.truncated), (2, 5, true));
    assert_eq!(world.see("SELECT count(*) FROM t").await, "0", "and all of them are gone");
}

#[tokio::test]
async fn an_answer_over_the_byte_limit_is_an_error() {
    let Some(world) = World::new("an_answer_over_the_byte_limit_is_an_error", "").await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for text in ["SELECT repeat('x', 1000) AS a", "SELECT x FROM generate_series(1, 1000) x"] {
        let error = Call { byte_limit: 900, ..Call::read(text, &[]) }.error(&database).await;
        assert_eq!(error.kind, ErrorKind::Limit, "{error}");
        assert!(error.to_string().contains("900 bytes"), "{error}");
    }
    assert_eq!(Call::read("SELECT 1 AS x", &[]).rows(&database).await, json!([{ "x": 1 }]), "the session is fine");
}
