//! Statements, batches, transactions, answers, errors.

use connect::catalogue::Kind;
use connect::{Database, ErrorKind, Statement};
use serde_json::{Value, json};

use super::world::World;
use crate::support::{Call, config, statement};

const TABLE: &str =
    "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE, n INT CHECK (n < 100))";

#[tokio::test]
async fn rows_come_back_as_json_with_kept_values() {
    let schema = format!("{TABLE};; INSERT INTO t (name) VALUES ('a'), ('b'), ('c')");
    let Some(world) = World::new("mysql rows_come_back_as_json", &schema).await else { return };
    let database = world.database();
    let call = Call {
        keep: vec!["id".to_owned(), "nope".to_owned()],
        ..Call::read("SELECT id, name FROM t WHERE id >= ? ORDER BY id", &[json!(2)])
    };
    let (answer, rows) = call.run(&database).await.expect("it runs");
    assert_eq!(rows, json!([{ "id": 2, "name": "b" }, { "id": 3, "name": "c" }]));
    assert_eq!((answer.rows, answer.truncated, answer.affected, answer.has_rows), (2, false, 0, true));
    assert_eq!(answer.last, [json!(3), Value::Null]);
    let one = |text: &str| Call { single: true, ..Call::read(text, &[]) };
    assert_eq!(one("SELECT name FROM t ORDER BY id").rows(&database).await, json!({ "name": "a" }));
    assert_eq!(one("SELECT name FROM t WHERE id = 9").rows(&database).await, Value::Null);
    assert!(database.ping().await.expect("it answers").contains(' '));
}

#[tokio::test]
async fn a_value_may_fill_several_placeholders() {
    let Some(world) = World::new("mysql a_value_may_fill_several", "").await else { return };
    let text = Statement { text: "SELECT ? AS a, ? AS b, ? AS c".into(), order: [0, 1, 0].into(), targets: [].into() };
    let call = Call { statements: vec![text], ..Call::read("", &[json!("x"), json!(null)]) };
    assert_eq!(call.rows(&world.database()).await, json!([{ "a": "x", "b": null, "c": "x" }]));
    let error = Call::read("SELECT ?, ?", &[json!(1)]).error(&world.database()).await;
    assert_eq!(error.kind, ErrorKind::Statement, "{error}");
}

#[tokio::test]
async fn several_statements_are_one_transaction() {
    let Some(world) = World::new("mysql several_statements", TABLE).await else { return };
    let database = world.database();
    let mut call = Call::write("INSERT INTO t (name) VALUES (?)", &[json!("a")]);
    call.statements.push(statement("UPDATE t SET name = CONCAT(name, '!')", 0));
    call.statements.push(statement("SELECT id, name FROM t WHERE id = LAST_INSERT_ID()", 0));
    let (answer, rows) = call.run(&database).await.expect("it runs");
    assert_eq!((rows, answer.affected, answer.has_rows), (json!([{ "id": 1, "name": "a!" }]), 2, true));
    call.statements[2] = statement("INSERT INTO t (name) VALUES ('a!')", 0);
    let error = call.error(&database).await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Constraint, Some("1062/23000")), "{error}");
    let rows = Call::read("SELECT name FROM t", &[]).rows(&database).await;
    assert_eq!(rows, json!([{ "name": "a!" }]), "all of it was rolled back");
}

#[tokio::test]
async fn a_batch_is_one_transaction() {
    let Some(world) = World::new("mysql a_batch_is_one_transaction", TABLE).await else { return };
    let database = world.database();
    let batch = |names: &[&str]| Call {
        arguments: names.iter().map(|name| vec![json!(name)]).collect(),
        ..Call::write("INSERT INTO t (name) VALUES (?)", &[json!("")])
    };
    assert_eq!(batch(&["a", "b", "c"]).run(&database).await.expect("it runs").0.affected, 3);
    assert_eq!(batch(&["d", "a"]).error(&database).await.kind, ErrorKind::Constraint);
    assert_eq!(world.see("SELECT COUNT(*) FROM t").await, "3");
    // The last run's rows are the answer.
    let call =
        Call { statements: vec![statement("INSERT INTO t (name) VALUES (?) RETURNING name", 1)], ..batch(&["x", "y"]) };
    let (answer, rows) = call.run(&database).await.expect("it runs");
    assert_eq!((answer.affected, rows), (2, json!([{ "name": "y" }])));
}

#[tokio::test]
async fn changed_rows_are_found_rows() {
    let schema = format!("{TABLE};; INSERT INTO t (name, n) VALUES ('a', 1), ('b', 1)");
    let Some(world) = World::new("mysql changed_rows_are_found_rows", &schema).await else { return };
    let database = world.database();
    let update = Call::write("UPDATE t SET n = 1", &[]).run(&database).await.expect("it runs").0;
    assert_eq!((update.affected, update.has_rows), (2, false));
    let (answer, rows) = Call { row_limit: 1, ..Call::write("DELETE FROM t RETURNING name", &[]) }
        .run(&database)
        .await
        .expect("it runs");
    assert_eq!((answer.affected, answer.truncated, rows), (2, true, json!([{ "name": "a" }])));
    assert_eq!(world.see("SELECT COUNT(*) FROM t").await, "0");
}

#[tokio::test]
async fn procedures_give_their_first_rows() {
    let schema = "CREATE TABLE t (x INT);;
        CREATE PROCEDURE two(a INT) BEGIN INSERT INTO t VALUES (a); SELECT x, 'é' AS e FROM t; SELECT 2 AS y; END";
    let Some(world) = World::new("mysql procedures_give_their_first_rows", schema).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for number in 1..3 {
        let rows = Call::write("CALL two(?)", &[json!(number)]).rows(&database).await;
        assert_eq!(
            (&rows[number - 1], rows.as_array().map(Vec::len)),
            (&json!({ "x": number, "e": "é" }), Some(number))
        );
    }
}

#[tokio::test]
async fn answers_have_limits() {
    let Some(world) = World::new("mysql answers_have_limits", "").await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let wide = Call { byte_limit: 100, ..Call::read("SELECT REPEAT('x', 200) AS x", &[]) };
    let narrow = wide.run(&database).await;
    // The engine's own bound on bytes is checked where rows are written.
    let error = narrow.expect_err("it is too much");
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    let all = Call { row_limit: 3, ..Call::read("SELECT 1 AS x UNION ALL SELECT 2 UNION ALL SELECT 3", &[]) };
    assert!(!all.run(&database).await.expect("it runs").0.truncated);
    let more = Call { row_limit: 2, ..all };
    let (answer, rows) = more.run(&database).await.expect("it runs");
    assert_eq!((answer.truncated, rows), (true, json!([{ "x": 1 }, { "x": 2 }])));
    // The server does not limit this one.
    let shown = Call { row_limit: 2, ..Call::read("SHOW VARIABLES", &[]) };
    assert!(shown.run(&database).await.expect("it runs").0.truncated);
    assert_eq!(Call::read("SELECT 1 AS x", &[]).rows(&database).await, json!([{ "x": 1 }]));
}

#[tokio::test]
async fn errors_say_what_where_and_what_to_do() {
    let schema = format!(
        "{TABLE};; CREATE TABLE child (t INT, FOREIGN KEY (t) REFERENCES t (id));; INSERT INTO t VALUES (1, 'a', 1)"
    );
    let Some(world) = World::new("mysql errors_say_what_where", &schema).await else { return };
    let database = world.database();
    use ErrorKind as K;
    let cases: &[(&str, Value, K, u16, Option<&str>)] = &[
        ("SELECT nothing FROM t", json!([]), K::Statement, 1054, Some("nothing")),
        ("SELECT id FROM nowhere", json!([]), K::Statement, 1146, Some("nowhere")),
        ("SELECT id\nFRM t", json!([]), K::Statement, 1064, Some("t")),
        ("SELECT (1", json!([]), K::Statement, 1064, Some("")),
        ("SELECT no_such(1)", json!([]), K::Statement, 1305, Some("no_such")),
        ("SELECT 1 FROM t WHERE €", json!([]), K::Statement, 1054, None),
        ("INSERT INTO t (name) VALUES ('a')", json!([]), K::Constraint, 1062, None),
        ("INSERT INTO t (name) VALUES (?)", json!([null]), K::Constraint, 1048, None),
        ("INSERT INTO t (name, n) VALUES ('q', 100)", json!([]), K::Constraint, 4025, None),
        ("INSERT INTO child VALUES (9)", json!([]), K::Constraint, 1452, None),
        ("INSERT INTO t (n) VALUES (1)", json!([]), K::Constraint, 1364, None),
        ("INSERT INTO t (name) VALUES (?)", json!(["x".repeat(21)]), K::Value, 1406, None),
        ("INSERT INTO t (name, n) VALUES ('c', ?)", json!(["abc"]), K::Value, 1366, None),
        ("INSERT INTO t (name, n) VALUES ('c', ?)", json!([3_000_000_000_u32]), K::Value, 1264, None),
    ];
    for (text, arguments, kind, code, at) in cases {
        let arguments = arguments.as_array().expect("a list");
        let error = Call::write(text, arguments).error(&database).await;
        let found = error.code.as_deref().and_then(|code| code.split('/').next()?.parse().ok());
        assert_eq!((error.kind, found), (*kind, Some(*code)), "{text}: {error}");
        if let Some(at) = at {
            let position = error.position.unwrap_or_else(|| panic!("{text}: {error} has no position"));
            assert!(text[position..].starts_with(at), "{text}: {position}");
        }
        if *kind == K::Value {
            assert!(error.hint.is_some(), "{error}");
        }
    }
}

#[tokio::test]
async fn logins_that_fail_say_so_without_the_password() {
    let Some(world) = World::new("mysql logins_that_fail", "").await else { return };
    let name = &world.name;
    world.execute(&format!("CREATE USER 'u_{name}' IDENTIFIED BY 'p@ss:w/rd% €'")).await;
    world.execute(&format!("GRANT SELECT ON {name}.* TO 'u_{name}'")).await;
    let base = world.url("");
    let (_, place) = base.split_once('@').expect("a URL with a user");
    let ask = async |scheme: &str, password: &str, place: &str| {
        let database = Database::open(config(&format!("{scheme}://u_{name}:{password}@{place}")))?;
        Call::read("SELECT 1 AS x", &[]).run(&database).await
    };
    for scheme in ["mysql", "mariadb", "MySQL"] {
        ask(scheme, "p%40ss%3Aw%2Frd%25%20%E2%82%AC", place).await.unwrap_or_else(|error| panic!("{scheme}: {error}"));
    }
    let error = ask("mysql", "wrong-secret", place).await.expect_err("the password is wrong");
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Unreachable, Some("1045/28000")), "{error}");
    assert!(!error.to_string().contains("wrong-secret") && error.hint.is_some(), "{error}");
    let elsewhere = place.replace(name.as_str(), "mcp_factory_never");
    let error =
        ask("mysql", "p%40ss%3Aw%2Frd%25%20%E2%82%AC", &elsewhere).await.expect_err("there is no such database");
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    world.execute(&format!("CREATE TABLE {name}.t (x INT)")).await;
    let url = format!("mysql://u_{name}:p%40ss%3Aw%2Frd%25%20%E2%82%AC@{place}");
    let error = Call::write("INSERT INTO t VALUES (1)", &[]).error(&Database::open(config(&url)).expect("a URL")).await;
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Denied, Some("1142/42000")), "{error}");
    world.execute(&format!("DROP USER 'u_{name}'")).await;
}

#[tokio::test]
async fn statements_are_described() {
    let Some(world) = World::new("mysql statements_are_described", TABLE).await else { return };
    let database = world.database();
    let found =
        database.describe(&statement("SELECT id, name, n + 1 AS more, NULL AS nil FROM t WHERE id = ?;", 1)).await;
    let found = found.expect("it is right");
    let columns: Vec<_> = found.columns.iter().map(|c| (c.name.as_str(), c.kind, c.nullable)).collect();
    assert_eq!(
        columns,
        [
            ("id", Kind::Integer, false),
            ("name", Kind::Text, false),
            ("more", Kind::Bigint, true),
            ("nil", Kind::Json, true)
        ]
    );
    assert_eq!(found.parameters, [None]);
    let error = database.describe(&statement("SELECT nope FROM t", 0)).await.expect_err("there is no such column");
    assert_eq!((error.kind, error.position), (ErrorKind::Statement, Some(7)), "{error}");
    let error = database.describe(&statement("COMMIT", 0)).await.expect_err("it may not run");
    assert_eq!(error.kind, ErrorKind::Denied, "{error}");
}
