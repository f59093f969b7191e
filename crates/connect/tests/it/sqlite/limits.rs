//! Time, cancellation, rows, bytes, connections.

use std::time::{Duration, Instant};

use connect::{Config, Database, ErrorKind};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{file, memory};
use crate::support::{Call, config, statement};

const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) AS x FROM n";
/// A generous bound on how soon a statement ends after it must, for slow machines.
const SOON: Duration = Duration::from_secs(3);

#[tokio::test]
async fn an_endless_query_is_interrupted_in_time() {
    let database = memory(&[]).await;
    let began = Instant::now();
    let error = Call { timeout: Duration::from_millis(100), ..Call::read(ENDLESS, &[]) }.error(&database).await;
    assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
    assert!(began.elapsed() < SOON);
    assert_eq!(Call::read("SELECT 1 AS a", &[]).rows(&database).await, json!([{ "a": 1 }]), "the connection is fine");
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_its_statement() {
    let database = memory(&[]).await;
    let cancel = CancellationToken::new();
    let call = Call { cancel: cancel.clone(), ..Call::read(ENDLESS, &[]) };
    let (error, ()) = tokio::join!(call.error(&database), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    });
    assert_eq!(error.kind, ErrorKind::Cancelled, "{error}");
    // Dropped without a word: the one connection is free again soon.
    let database = Database::open(Config { pool_max: 1, acquire_timeout: SOON, ..config("sqlite::memory:") }).unwrap();
    let call = Call::read(ENDLESS, &[]);
    assert!(tokio::time::timeout(Duration::from_millis(50), call.run(&database)).await.is_err());
    assert_eq!(Call::read("SELECT 1 AS a", &[]).rows(&database).await, json!([{ "a": 1 }]));
}

#[tokio::test]
async fn a_write_that_timed_out_is_rolled_back() {
    let (_dir, database) = file(&["CREATE TABLE t (x)"]).await;
    let mut call = Call { timeout: Duration::from_millis(150), ..Call::write("INSERT INTO t VALUES (1)", &[]) };
    call.statements.push(statement(ENDLESS, 0));
    assert_eq!(call.error(&database).await.kind, ErrorKind::Timeout);
    assert_eq!(Call::read("SELECT * FROM t", &[]).rows(&database).await, json!([]));
}

#[tokio::test]
async fn a_lock_is_waited_for_until_the_time_limit() {
    let (dir, database) = file(&["CREATE TABLE t (x)"]).await;
    let other = rusqlite::Connection::open(dir.path().join("shop.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let call = Call { timeout: Duration::from_millis(100), ..Call::write("INSERT INTO t VALUES (1)", &[]) };
    let error = call.error(&database).await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::PoolTimeout, Some("SQLITE_BUSY")), "{error}");
    let call = Call::write("INSERT INTO t VALUES (1)", &[]);
    let (done, ()) = tokio::join!(call.run(&database), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        other.execute_batch("COMMIT").unwrap();
    });
    assert_eq!(done.unwrap().0.affected, 1);
}

#[tokio::test]
async fn no_more_rows_than_the_limit_are_read() {
    let database = memory(&[]).await;
    // Endless: it only ends because nobody steps it further.
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
    let (answer, rows) = Call { row_limit: 3, ..Call::read(endless, &[]) }.run(&database).await.unwrap();
    assert_eq!((answer.rows, answer.truncated, rows), (3, true, json!([{ "x": 1 }, { "x": 2 }, { "x": 3 }])));
    let exact = Call { row_limit: 1, ..Call::read("SELECT 1 AS a", &[]) }.run(&database).await.unwrap();
    assert_eq!((exact.0.rows, exact.0.truncated), (1, false));
}

#[tokio::test]
async fn an_answer_over_the_byte_limit_is_an_error() {
    let database = memory(&[]).await;
    let endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
    let call = Call { byte_limit: 1000, row_limit: usize::MAX, ..Call::read(endless, &[]) };
    assert_eq!(call.error(&database).await.kind, ErrorKind::Limit);
    let call = Call::read("SELECT zeroblob(900000000) AS a", &[]);
    assert_eq!(call.error(&database).await.kind, ErrorKind::Limit, "no value is larger than any answer may be");
}

#[tokio::test]
async fn a_busy_pool_says_so() {
    let database =
        Database::open(Config { pool_max: 1, acquire_timeout: Duration::from_millis(50), ..config("sqlite::memory:") })
            .unwrap();
    let long = Call { timeout: Duration::from_millis(400), ..Call::read(ENDLESS, &[]) };
    let (timeout, busy) = tokio::join!(long.error(&database), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Call::read("SELECT 1", &[]).error(&database).await
    });
    assert_eq!((timeout.kind, busy.kind), (ErrorKind::Timeout, ErrorKind::PoolTimeout), "{busy}");
}

#[tokio::test]
async fn a_folder_is_no_database() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::open(config(&format!("sqlite:{}", dir.path().display()))).unwrap();
    for call in [Call::read("SELECT 1 AS a", &[]), Call::write("CREATE TABLE t (x)", &[])] {
        let error = call.error(&database).await;
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert!(error.message.ends_with("is a folder"), "{error}");
    }
}
