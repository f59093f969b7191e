//! Statements, batches, transactions, answers.

use std::time::Duration;

use connect::catalogue::Kind;
use connect::{Database, ErrorKind};
use serde_json::{Value, json};

use super::{file, memory};
use crate::support::{Call, config, statement};

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)";

#[tokio::test]
async fn a_file_that_is_missing_is_said_so_and_created_when_asked() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}/none.db", dir.path().display());
    let error = Database::open(config(&url)).unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config);
    assert!(error.to_string().contains("none.db") && error.to_string().contains("?mode=rwc"), "{error}");
    let database = Database::open(config(&format!("{url}?mode=rwc"))).unwrap();
    assert!(database.ping().await.unwrap().starts_with("SQLite 3."));
    assert!(dir.path().join("none.db").exists());
}

#[tokio::test]
async fn what_is_no_database_is_a_config_error() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(
        dir.path().join("a.db"),
        "this is a text file, not a database at all, and long enough for a header….",
    )
    .unwrap();
    let error =
        Database::open(config(&format!("sqlite:{}/a.db", dir.path().display()))).unwrap().ping().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Config, Some("SQLITE_NOTADB")), "{error}");
}

#[tokio::test]
async fn rows_come_back_as_json_with_kept_values() {
    let database = memory(&[TABLE, "INSERT INTO t (name) VALUES ('a'), ('b'), ('c')"]).await;
    let call = Call {
        keep: vec!["id".to_owned(), "nope".to_owned()],
        ..Call::read("SELECT id, name FROM t WHERE id >= ?1 ORDER BY id", &[json!(2)])
    };
    let (answer, rows) = call.run(&database).await.unwrap();
    assert_eq!(rows, json!([{ "id": 2, "name": "b" }, { "id": 3, "name": "c" }]));
    assert_eq!((answer.rows, answer.truncated, answer.affected, answer.has_rows), (2, false, 0, true));
    assert_eq!(answer.last, [json!(3), Value::Null]);
}

#[tokio::test]
async fn a_single_row_is_an_object_or_null() {
    let database = memory(&[TABLE, "INSERT INTO t (name) VALUES ('a'), ('b')"]).await;
    let one = |text: &str| Call { single: true, ..Call::read(text, &[]) };
    assert_eq!(one("SELECT name FROM t ORDER BY id").rows(&database).await, json!({ "name": "a" }));
    assert_eq!(one("SELECT name FROM t WHERE id = 9").rows(&database).await, Value::Null);
}

#[tokio::test]
async fn one_argument_may_fill_a_numbered_placeholder_twice() {
    let database = memory(&[TABLE]).await;
    let rows = Call::read("SELECT ?1 AS a, ?2 AS b, ?1 AS c", &[json!("x"), json!(null)]).rows(&database).await;
    assert_eq!(rows, json!([{ "a": "x", "b": null, "c": "x" }]));
}

#[tokio::test]
async fn several_statements_are_one_transaction() {
    let (_dir, database) = file(&[TABLE]).await;
    let mut call = Call::write("INSERT INTO t (name) VALUES (?1)", &[json!("a")]);
    call.statements.push(statement("UPDATE t SET name = name || '!'", 0));
    call.statements.push(statement("SELECT name FROM t", 0));
    let (answer, rows) = call.run(&database).await.unwrap();
    assert_eq!((rows, answer.affected, answer.has_rows), (json!([{ "name": "a!" }]), 2, true));

    call.statements[2] = statement("INSERT INTO t (name) VALUES ('a!')", 0);
    let error = call.error(&database).await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Constraint, Some("SQLITE_CONSTRAINT_UNIQUE")));
    let rows = Call::read("SELECT name FROM t", &[]).rows(&database).await;
    assert_eq!(rows, json!([{ "name": "a!" }]), "all of it was rolled back");
}

#[tokio::test]
async fn a_batch_is_one_transaction() {
    let (_dir, database) = file(&[TABLE]).await;
    let mut call = Call::write("INSERT INTO t (name) VALUES (?1) RETURNING id", &[json!("a")]);
    call.arguments = vec![vec![json!("a")], vec![json!("b")], vec![json!("c")]];
    let (answer, rows) = call.run(&database).await.unwrap();
    assert_eq!((answer.affected, rows), (3, json!([{ "id": 3 }])));
    call.arguments = vec![vec![json!("d")], vec![json!("a")]];
    assert_eq!(call.error(&database).await.kind, ErrorKind::Constraint);
    assert_eq!(Call::read("SELECT count(*) AS n FROM t", &[]).rows(&database).await, json!([{ "n": 3 }]));
}

#[tokio::test]
async fn affected_counts_changes_of_its_own_only() {
    let (_dir, database) = file(&[TABLE, "INSERT INTO t (name) VALUES ('a'), ('b')"]).await;
    let affected = async |text: &str| Call::write(text, &[]).run(&database).await.unwrap().0.affected;
    assert_eq!(affected("UPDATE t SET name = name || '1'").await, 2);
    assert_eq!(affected("CREATE TABLE u (x)").await, 0);
    assert_eq!(affected("SELECT * FROM t").await, 0);
    assert_eq!(affected("DELETE FROM t WHERE id = 99").await, 0);
    assert_eq!(affected("UPDATE t SET name = name || '2' RETURNING id").await, 2, "rows returned are changes too");
    let short = Call { row_limit: 1, ..Call::write("DELETE FROM t RETURNING id", &[]) };
    let (answer, _) = short.run(&database).await.unwrap();
    assert_eq!((answer.affected, answer.rows, answer.truncated), (2, 1, true));
    assert_eq!(Call::read("SELECT * FROM t", &[]).rows(&database).await, json!([]), "and they stay");
}

#[tokio::test]
async fn errors_point_at_the_text() {
    let database = memory(&[TABLE, "CREATE TABLE u (t_id INTEGER REFERENCES t)"]).await;
    let cases: &[(&str, &[Value], ErrorKind, Option<usize>)] = &[
        ("SELECT nmae FROM t", &[], ErrorKind::Statement, Some(7)),
        ("SELECT \"nmae\" FROM t", &[], ErrorKind::Statement, Some(7)),
        ("SELEC 1", &[], ErrorKind::Statement, Some(0)),
        ("SELECT * FROM missing", &[], ErrorKind::Statement, None),
        ("SELECT 1; SELECT 2", &[], ErrorKind::Statement, None),
        ("SELECT ?1, ?2", &[json!(1)], ErrorKind::Statement, None),
        ("", &[], ErrorKind::Statement, None),
        ("-- nothing", &[], ErrorKind::Statement, None),
        ("SELECT json_extract('{', '$.a')", &[], ErrorKind::Value, None),
        ("SELECT ?1", &[json!(u64::MAX)], ErrorKind::Value, None),
    ];
    for (text, arguments, kind, position) in cases {
        let error = Call::read(text, arguments).error(&database).await;
        assert_eq!((error.kind, error.position), (*kind, *position), "{text}: {error}");
        assert_eq!(error.connection, "db");
    }
    let error = Call::write("INSERT INTO u VALUES (77)", &[]).error(&database).await;
    assert_eq!(error.code.as_deref(), Some("SQLITE_CONSTRAINT_FOREIGNKEY"), "foreign keys are kept");
}

#[tokio::test]
async fn a_statement_is_described_without_running() {
    let database = memory(&[TABLE]).await;
    let described =
        database.describe(&statement("SELECT id, name, 1 + 1 AS two FROM t WHERE id = ?1", 1)).await.unwrap();
    assert_eq!(described.parameters, [None]);
    let columns: Vec<_> = described.columns.iter().map(|c| (c.name.as_str(), c.kind, c.native_type.as_str())).collect();
    assert_eq!(columns, [("id", Kind::Bigint, "INTEGER"), ("name", Kind::Text, "TEXT"), ("two", Kind::Json, "")]);
    let described = database.describe(&statement("INSERT INTO t (name) VALUES (?1) RETURNING id", 1)).await.unwrap();
    assert_eq!((described.parameters.len(), described.columns.len()), (1, 1));
    assert_eq!(Call::read("SELECT * FROM t", &[]).rows(&database).await, json!([]), "nothing ran");
    let error = database.describe(&statement("SELECT x FROM t", 0)).await.unwrap_err();
    assert_eq!((error.kind, error.position), (ErrorKind::Statement, Some(7)));
    let error = database.describe(&statement("ATTACH 'x.db' AS x", 0)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
}

#[tokio::test]
async fn a_schema_change_between_two_runs_is_seen() {
    let (_dir, database) = file(&[TABLE, "INSERT INTO t (name) VALUES ('a')"]).await;
    let call = Call::read("SELECT * FROM t", &[]);
    assert_eq!(call.rows(&database).await, json!([{ "id": 1, "name": "a" }]));
    Call::write("ALTER TABLE t ADD COLUMN more BOOLEAN DEFAULT 1", &[]).run(&database).await.unwrap();
    assert_eq!(call.rows(&database).await, json!([{ "id": 1, "name": "a", "more": true }]));
}

#[tokio::test]
async fn memory_is_shared_by_the_pool_and_not_with_others() {
    let database = memory(&[TABLE]).await;
    let other = Database::open(config("sqlite::memory:")).unwrap();
    for number in 0..8 {
        Call::write("INSERT INTO t (name) VALUES (?1)", &[json!(number.to_string())]).run(&database).await.unwrap();
    }
    let read = Call::read("SELECT count(*) AS n FROM t", &[]);
    let (a, b, c) = tokio::join!(read.rows(&database), read.rows(&database), read.rows(&database));
    assert_eq!((&a, &b, &c), (&json!([{ "n": 8 }]), &json!([{ "n": 8 }]), &json!([{ "n": 8 }])));
    assert_eq!(read.error(&other).await.kind, ErrorKind::Statement);
}

#[tokio::test]
async fn idle_connections_are_closed_and_memory_stays() {
    let database =
        Database::open(connect::Config { idle_timeout: Duration::from_millis(20), ..config("sqlite::memory:") })
            .unwrap();
    super::fill(&database, &[TABLE]).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(Call::read("SELECT * FROM t", &[]).rows(&database).await, json!([]));
    database.close().await;
    assert_eq!(Call::read("SELECT 1", &[]).error(&database).await.kind, ErrorKind::Unreachable);
}
