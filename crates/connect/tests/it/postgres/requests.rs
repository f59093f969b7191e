//! Statements, batches, transactions, answers, descriptions.

use connect::ErrorKind;
use connect::catalogue::Kind;
use serde_json::{Value, json};

use super::world::World;
use crate::support::{Call, statement};

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, name text NOT NULL UNIQUE)";

#[tokio::test]
async fn several_statements_and_batches_are_one_transaction() {
    let Some(world) = World::new("several_statements_and_batches", TABLE).await else { return };
    let database = world.database();
    let mut call = Call::write("INSERT INTO t (name) VALUES ($1)", &[json!("a")]);
    call.statements.push(statement("UPDATE t SET name = name || '!'", 0));
    call.statements.push(statement("SELECT name FROM t", 0));
    let (answer, rows) = call.run(&database).await.expect("it writes");
    assert_eq!((rows, answer.affected, answer.has_rows), (json!([{ "name": "a!" }]), 2, true));
    call.statements[2] = statement("INSERT INTO t (name) VALUES ('a!')", 0);
    let error = call.error(&database).await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Constraint, Some("23505")), "{error}");
    assert!(error.message.contains("t_name_key"), "{error}");
    assert_eq!(world.see("SELECT string_agg(name, ' ') FROM t").await, "a!", "all of it was rolled back");

    let mut call = Call::write("INSERT INTO t (name) VALUES ($1) RETURNING name", &[]);
    call.statements[0] = statement("INSERT INTO t (name) VALUES ($1) RETURNING name", 1);
    call.arguments = vec![vec![json!("b")], vec![json!("c")], vec![json!("d")]];
    let (answer, rows) = call.run(&database).await.expect("it writes");
    assert_eq!((answer.affected, rows), (3, json!([{ "name": "d" }])));
    call.arguments = vec![vec![json!("e")], vec![json!("b")]];
    assert_eq!(call.error(&database).await.kind, ErrorKind::Constraint);
    assert_eq!(world.see("SELECT count(*) FROM t").await, "4");
}

#[tokio::test]
async fn answers_hold_what_was_asked_for() {
    let Some(world) = World::new("answers_hold_what_was_asked_for", TABLE).await else { return };
    let database = world.database();
    let affected = async |text: &str| Call::write(text, &[]).run(&database).await.expect("it writes").0.affected;
    assert_eq!(affected("INSERT INTO t (name) VALUES ('a'), ('b'), ('c')").await, 3);
    assert_eq!(affected("UPDATE t SET name = upper(name) WHERE id > 1 RETURNING id").await, 2);
    assert_eq!(affected("CREATE TABLE u (x int)").await, 0);
    assert_eq!(affected("SELECT * FROM t FOR UPDATE").await, 0, "a locked row is not a changed one");
    assert_eq!(affected("DELETE FROM t WHERE id = 99").await, 0);

    let read = "SELECT id, name FROM t WHERE id >= $1 ORDER BY id";
    let keep = vec!["id".to_owned(), "nope".to_owned()];
    let (answer, rows) = Call { keep, ..Call::read(read, &[json!(2)]) }.run(&database).await.expect("rows");
    assert_eq!(rows, json!([{ "id": 2, "name": "B" }, { "id": 3, "name": "C" }]));
    assert_eq!((answer.rows, answer.truncated, answer.affected, answer.has_rows), (2, false, 0, true));
    assert_eq!(answer.last, [json!(3), Value::Null]);
    let one = |id: u32| Call { single: true, ..Call::read(read, &[json!(id)]) };
    assert_eq!(one(1).rows(&database).await, json!({ "id": 1, "name": "a" }));
    assert_eq!(one(9).rows(&database).await, Value::Null);
}

#[tokio::test]
async fn errors_point_at_the_text() {
    let Some(world) = World::new("errors_point_at_the_text", TABLE).await else { return };
    let database = world.database();
    let cases = [
        ("SELECT nmae FROM t", ErrorKind::Statement, Some("42703"), Some(7)),
        ("SELECT 'ü', nmae FROM t", ErrorKind::Statement, Some("42703"), Some(13)),
        ("SELECT * FROM missing", ErrorKind::Statement, Some("42P01"), Some(14)),
        ("SELEC 1", ErrorKind::Denied, None, None),
        ("SELECT 1 FRM t", ErrorKind::Statement, Some("42601"), Some(13)),
        ("SELECT 1; SELECT 2", ErrorKind::Statement, Some("42601"), None),
        ("SELECT 1 / 0 AS x", ErrorKind::Value, Some("22012"), None),
        ("SELECT $1 AS x", ErrorKind::Statement, None, None),
        ("", ErrorKind::Statement, None, None),
        ("-- nothing", ErrorKind::Statement, None, None),
        (";", ErrorKind::Statement, None, None),
    ];
    for (text, kind, code, position) in cases {
        let error = Call::read(text, &[]).error(&database).await;
        assert_eq!((error.kind, error.code.as_deref(), error.position), (kind, code, position), "{text}: {error}");
        assert_eq!(error.connection, "db");
    }
}

#[tokio::test]
async fn a_statement_is_described_without_running() {
    let Some(world) = World::new("a_statement_is_described_without_running", TABLE).await else { return };
    let database = world.database();
    let text = "INSERT INTO t (name) VALUES ($1) RETURNING id, name, now() AS at, 1.5 AS n, '{}'::int[] AS l; -- end";
    let described = database.describe(&statement(text, 1)).await.expect("it is right");
    assert_eq!(described.parameters, [Some(Kind::Text)]);
    let columns: Vec<_> = described.columns.iter().map(|column| (column.name.as_str(), column.kind)).collect();
    let wanted = [
        ("id", Kind::Integer),
        ("name", Kind::Text),
        ("at", Kind::Timestamptz),
        ("n", Kind::Numeric),
        ("l", Kind::Array),
    ];
    assert_eq!(columns, wanted);
    assert_eq!(world.see("SELECT count(*) FROM t").await, "0");
    let nothing = database.describe(&statement("DELETE FROM t WHERE id = $1", 1)).await.expect("it is right");
    assert_eq!((nothing.parameters.as_slice(), nothing.columns.len()), (&[Some(Kind::Integer)][..], 0));
    for (text, words) in [
        ("SELECT id, 1 AS id FROM t", "two columns are named `id`"),
        ("SELECT nmae FROM t", "nmae"),
        ("COMMIT", "transaction"),
        ("", "no statement"),
        ("INSERT INTO t (name) VALUES ('x') ON CONFLICT (id, name) DO NOTHING", "ON CONFLICT"),
    ] {
        let error = database.describe(&statement(text, 0)).await.expect_err(text);
        assert!(error.to_string().contains(words) && error.attempted == "prepare", "{text}: {error}");
    }
    assert!(database.ping().await.expect("it answers").starts_with("PostgreSQL 1"));
}
