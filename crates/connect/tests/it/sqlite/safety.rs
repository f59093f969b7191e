//! What statements may not do.

use connect::{Database, ErrorKind};
use serde_json::json;

use super::{file, memory};
use crate::support::{Call, config, statement};

/// Every way to change something that a tool that reads could try.
const WRITES: &[&str] = &[
    "INSERT INTO t VALUES (2)",
    "INSERT INTO t VALUES (2) RETURNING x",
    "UPDATE t SET x = 2",
    "DELETE FROM t",
    "REPLACE INTO t VALUES (3)",
    "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
    "CREATE TABLE u (x)",
    "CREATE TEMP TABLE u (x)",
    "CREATE TABLE u AS SELECT 1",
    "CREATE INDEX i ON t (x)",
    "CREATE VIEW v AS SELECT 1",
    "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM t; END",
    "CREATE VIRTUAL TABLE f USING fts5(a)",
    "DROP TABLE t",
    "ALTER TABLE t RENAME TO u",
    "REINDEX",
    "ANALYZE",
    "VACUUM",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = WAL",
    "PRAGMA journal_mode(WAL)",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA wal_checkpoint",
    "PRAGMA incremental_vacuum",
    "PRAGMA optimize",
    "UPDATE sqlite_schema SET sql = ''",
];

/// What not even a tool that writes may do: leave its database, its transaction or its settings.
const NEVER: &[&str] = &[
    "ATTACH 'other.db' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH main",
    "VACUUM INTO 'copy.db'",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT s",
    "SELECT load_extension('x.so')",
    "SELECT writefile('x', 'y')",
    "SELECT readfile('/etc/passwd')",
    "SELECT fts3_tokenizer('x')",
    "PRAGMA writable_schema = ON",
    "PRAGMA query_only = OFF",
    "PRAGMA journal_mode = WAL",
    "PRAGMA temp_store_directory = '/tmp'",
    "PRAGMA foreign_keys = OFF",
    "UPDATE sqlite_schema SET sql = ''",
];

#[tokio::test]
async fn a_tool_that_reads_cannot_write() {
    let (dir, database) = file(&["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"]).await;
    for text in WRITES.iter().chain(NEVER) {
        for repeat in 0..2 {
            let error = Call::read(text, &[]).run(&database).await.map(drop).expect_err(text);
            let refused = matches!(error.kind, ErrorKind::Denied | ErrorKind::Statement);
            assert!(refused, "{text} ({repeat}): {:?} {error}", error.kind);
        }
        // Behind a harmless statement, in one transaction.
        let mut call = Call::read("SELECT 1", &[]);
        call.statements.push(statement(text, 0));
        call.run(&database).await.map(drop).expect_err(text);
    }
    assert_eq!(Call::read("SELECT x FROM t", &[]).rows(&database).await, json!([{ "x": 1 }]));
    let files: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["shop.db"], "no file was made");
}

#[tokio::test]
async fn a_tool_that_reads_cannot_write_in_memory() {
    let database = memory(&["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"]).await;
    for text in WRITES.iter().chain(NEVER) {
        Call::read(text, &[]).run(&database).await.map(drop).expect_err(text);
    }
    assert_eq!(Call::read("SELECT x FROM t", &[]).rows(&database).await, json!([{ "x": 1 }]));
}

#[tokio::test]
async fn a_tool_that_writes_stays_in_its_database() {
    let (dir, database) = file(&["CREATE TABLE t (x)"]).await;
    for text in NEVER {
        let error = Call::write(text, &[]).run(&database).await.map(drop).expect_err(text);
        // VACUUM is told that it is in a transaction.
        let refused = matches!(error.kind, ErrorKind::Denied | ErrorKind::Statement) || text.starts_with("VACUUM");
        assert!(refused, "{text}: {:?} {error}", error.kind);
    }
    // Not in the middle of a transaction either.
    let mut call = Call::write("INSERT INTO t VALUES (1)", &[]);
    call.statements.push(statement("COMMIT", 0));
    call.statements.push(statement("SELECT * FROM nothing", 0));
    call.error(&database).await;
    assert_eq!(Call::read("SELECT x FROM t", &[]).rows(&database).await, json!([]));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn reading_what_is_there_is_allowed() {
    let (_dir, database) =
        file(&["CREATE TABLE t (x)", "CREATE VIRTUAL TABLE f USING fts5(a)", "INSERT INTO f VALUES ('hello world')"])
            .await;
    let cases = [
        ("SELECT name FROM pragma_table_info('t')", json!([{ "name": "x" }])),
        ("PRAGMA user_version", json!([{ "user_version": 0 }])),
        ("SELECT name FROM sqlite_schema WHERE name = 't'", json!([{ "name": "t" }])),
        ("SELECT a FROM f WHERE f MATCH 'hello'", json!([{ "a": "hello world" }])),
        ("SELECT value FROM json_each('[1,2]')", json!([{ "value": 1 }, { "value": 2 }])),
        ("VALUES (1)", json!([{ "column1": 1 }])),
    ];
    for (text, wanted) in cases {
        assert_eq!(Call::read(text, &[]).rows(&database).await, wanted, "{text}");
    }
}

#[tokio::test]
async fn the_users_journal_mode_stays_and_a_wal_database_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wal.db");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)").unwrap();
    let database = Database::open(config(&format!("sqlite:{}", path.display()))).unwrap();
    other.execute_batch("BEGIN; INSERT INTO t VALUES (2)").unwrap();
    assert_eq!(
        Call::read("SELECT x FROM t", &[]).rows(&database).await,
        json!([{ "x": 1 }]),
        "a writer does not stop a reader"
    );
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(Call::write("INSERT INTO t VALUES (3)", &[]).run(&database).await.unwrap().0.affected, 1);
    let mode: String = other.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[tokio::test]
async fn a_read_only_url_is_read_only_for_all() {
    let (dir, database) = file(&["CREATE TABLE t (x)"]).await;
    database.close().await;
    for parameters in ["mode=ro", "immutable=1"] {
        let database =
            Database::open(config(&format!("sqlite:{}/shop.db?{parameters}", dir.path().display()))).unwrap();
        assert_eq!(Call::read("SELECT x FROM t", &[]).rows(&database).await, json!([]));
        assert_eq!(Call::write("INSERT INTO t VALUES (1)", &[]).error(&database).await.kind, ErrorKind::Denied);
        assert_eq!(database.describe(&statement("DELETE FROM t", 0)).await.unwrap_err().kind, ErrorKind::Denied);
    }
}
