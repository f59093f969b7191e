//! Nothing of one call is seen by the next, and connections are shared as told.

use std::sync::Arc;
use std::time::Duration;

use connect::ErrorKind;
use serde_json::json;

use super::world::World;
use crate::support::{Call, statement};

/// A statement, and a query whose answer it would change for the next one on the same connection.
const LEAKS: &[(&str, &str)] = &[
    ("SELECT sets()", "SELECT @mine AS m"),
    ("SELECT sets()", "SELECT @@sql_select_limit AS l"),
    ("SELECT sets()", "SELECT @@lc_time_names AS l"),
    ("SELECT sets()", "SELECT @@tx_read_only AS r"),
    ("SELECT sets()", "SELECT @@time_zone AS z"),
    ("SELECT * FROM setting", "SELECT @mine AS m"),
    ("INSERT INTO triggering VALUES (1)", "SELECT @mine AS m"),
    ("SELECT tempts()", "SELECT * FROM hidden"),
    ("SELECT locks()", "SELECT IS_USED_LOCK(CONCAT('lock', DATABASE())) IS NULL AS free"),
    ("CALL proc()", "SELECT @mine AS m"),
    ("CALL proc()", "SELECT @@autocommit AS a"),
    ("CALL proc()", "SELECT @@sql_mode AS s"),
    ("CALL leaves_open()", "SELECT @@in_transaction AS i"),
    ("CALL locks_tables()", "SELECT x FROM triggering"),
    ("CREATE TEMPORARY TABLE hidden (x INT)", "SELECT * FROM hidden"),
    ("CREATE TEMPORARY TABLE t (x INT)", "SELECT COUNT(*) AS c FROM t"),
    ("SELECT 1 INTO @mine", "SELECT @mine AS m"),
    ("SELECT @mine := 1", "SELECT @mine AS m"),
    ("SET @mine = 1", "SELECT @mine AS m"),
    ("SET NAMES latin1", "SELECT @@character_set_results AS c"),
    ("USE mysql", "SELECT DATABASE() = 'mysql' AS m"),
    ("LOCK TABLES t WRITE", "SELECT COUNT(*) AS c FROM triggering"),
    ("PREPARE p FROM 'SELECT 1'", "SELECT 1 AS one"),
];

const SCHEMA: &str = "
    CREATE TABLE t (x INT);;
    CREATE TABLE triggering (x INT);;
    CREATE TRIGGER sets_too AFTER INSERT ON triggering FOR EACH ROW SET @mine = 5;;
    CREATE FUNCTION sets() RETURNS INT BEGIN
        SET @mine = 1; SET SESSION lc_time_names = 'de_DE'; SET SESSION sql_select_limit = 3;
        SET SESSION time_zone = '+05:00'; SET SESSION tx_read_only = NOT @@tx_read_only; RETURN 1; END;;
    CREATE FUNCTION locks() RETURNS INT RETURN GET_LOCK(CONCAT('lock', DATABASE()), 0);;
    CREATE FUNCTION tempts() RETURNS INT BEGIN CREATE TEMPORARY TABLE hidden (x INT); RETURN 1; END;;
    CREATE VIEW setting AS SELECT sets() AS x;;
    CREATE PROCEDURE proc() BEGIN SET @mine = 1; SET SESSION sql_mode = ''; SET autocommit = 0; END;;
    CREATE PROCEDURE leaves_open() BEGIN START TRANSACTION; INSERT INTO t VALUES (5); END;;
    CREATE PROCEDURE locks_tables() BEGIN SELECT GET_LOCK('x', 0); SET @mine = 3; END";

#[tokio::test]
async fn nothing_leaks_into_the_next_call() {
    let Some(world) = World::new("mysql nothing_leaks_into_the_next_call", SCHEMA).await else { return };
    for write in [true, false] {
        let database = world.database_with(|config| config.pool_max = 1);
        for (text, probe) in LEAKS {
            let probe = Call { write, ..Call::read(probe, &[]) };
            let seen = async || match probe.run(&database).await {
                Ok((_, rows)) => rows,
                Err(error) => json!(error.code),
            };
            let before = seen().await;
            for second in [None, Some("SELECT 1"), Some("SELECT * FROM nothing")] {
                let mut call = Call { write, ..Call::read(text, &[]) };
                call.statements.extend(second.map(|text| statement(text, 0)));
                let result = call.run(&database).await;
                assert_eq!(seen().await, before, "{text} (write: {write}) {:?}", result.map(|done| done.1));
            }
        }
    }
}

#[tokio::test]
async fn plain_reads_and_writes_keep_their_connection() {
    let Some(world) = World::new("mysql plain_reads_and_writes_keep", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for write in [false, true] {
        let id = Call { write, ..Call::read("SELECT CONNECTION_ID() AS p", &[]) };
        let first = id.rows(&database).await;
        for text in [
            "SELECT lower('A'), count(*) FROM t",
            "SELECT sets()",
            "SELECT * FROM nothing",
            "SELECT 1 FRM",
            "SHOW TABLES",
            "SELECT ?",
        ] {
            let _ = Call { write, ..Call::read(text, &[]) }.run(&database).await;
            assert_eq!(id.rows(&database).await, first, "{text}");
        }
    }
}

/// Reset only where something may have been left: prepared statements are kept otherwise.
#[tokio::test]
async fn plain_statements_are_prepared_once() {
    let Some(world) = World::new("mysql plain_statements_are_prepared_once", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let prepared =
        "SELECT VARIABLE_VALUE AS v FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'COM_STMT_PREPARE'";
    let probe = Call::read(prepared, &[]);
    let text = "SELECT x FROM t WHERE x = ?";
    Call::read(text, &[json!(1)]).rows(&database).await;
    let before = probe.rows(&database).await;
    for number in 0..5 {
        Call::read(text, &[json!(number)]).rows(&database).await;
    }
    assert_eq!(probe.rows(&database).await, before);
}

#[tokio::test]
async fn the_servers_limits_are_those_of_each_call() {
    let Some(world) = World::new("mysql the_servers_limits", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for (seconds, rows, fail) in [(3, 10, false), (4, 10, true), (3, 5, false), (5, 6, true), (4, 6, false)] {
        let text = "SELECT @@max_statement_time AS t, @@sql_select_limit AS l";
        // A call has used up a little of its time before; that is no reason to set another limit.
        let timeout = Duration::from_secs(seconds) - Duration::from_micros(seconds * 10);
        let mut call = Call { timeout, row_limit: rows, ..Call::read(text, &[]) };
        let wanted = json!([{ "t": seconds as f64 + 0.5, "l": rows + 1 }]);
        assert_eq!(call.rows(&database).await, wanted);
        call.statements.push(statement(if fail { "SELECT nothing" } else { text }, 0));
        assert_eq!(call.run(&database).await.is_err(), fail);
    }
}

#[tokio::test]
async fn settings_of_the_server_do_not_change_what_is_understood() {
    let Some(world) = World::new("mysql settings_of_the_server", SCHEMA).await else { return };
    let database = world.database();
    let modes = Call::read("SELECT @@sql_mode AS m, @@time_zone AS z, @@character_set_client AS c", &[]);
    let rows = modes.rows(&database).await;
    let found = rows[0]["m"].as_str().expect("text");
    assert!(found.contains("STRICT_TRANS_TABLES") && !found.contains("ANSI"), "{rows}");
    assert_eq!((&rows[0]["z"], &rows[0]["c"]), (&json!("+00:00"), &json!("utf8mb4")));
    assert_eq!(Call::read(r#"SELECT "a\"b" AS t"#, &[]).rows(&database).await, json!([{ "t": "a\"b" }]));
}

#[tokio::test]
async fn the_pool_is_bounded_and_says_so() {
    let Some(world) = World::new("mysql the_pool_is_bounded_and_says_so", "").await else { return };
    let database = Arc::new(world.database_with(|config| {
        config.pool_max = 2;
        config.acquire_timeout = Duration::from_millis(200);
    }));
    let slow: Vec<_> = (0..2)
        .map(|_| {
            let database = Arc::clone(&database);
            tokio::spawn(async move { Call::read("SELECT SLEEP(1.5) AS s", &[]).rows(&database).await })
        })
        .collect();
    world.wait_for(&world.sessions("INFO LIKE '%SLEEP(%'"), "2").await;
    let error = Call::read("SELECT 1", &[]).error(&database).await;
    assert_eq!(error.kind, ErrorKind::PoolTimeout);
    assert!(error.to_string().contains("all 2 connections") && error.to_string().contains("`db`"), "{error}");
    for one in slow {
        one.await.expect("it ends");
    }
    // Sessions that write make room for themselves.
    for round in 0..6 {
        Call { write: round % 2 == 0, ..Call::read("SELECT 1 AS x", &[]) }.rows(&database).await;
    }
    let all = world.sessions("TRUE");
    world.wait_for(&all, "2").await;
}

#[tokio::test]
async fn unused_connections_are_closed() {
    let Some(world) = World::new("mysql unused_connections_are_closed", "").await else { return };
    let database = world.database_with(|config| config.idle_timeout = Duration::from_millis(300));
    let all = world.sessions("TRUE");
    world.wait_for(&all, "0").await;
    Call::read("SELECT 1 AS x", &[]).rows(&database).await;
    world.wait_for(&all, "0").await;
    Call::read("SELECT 1 AS x", &[]).rows(&database).await;
    database.close().await;
    world.wait_for(&all, "0").await;
    let error = Call::read("SELECT 1 AS x", &[]).error(&database).await;
    assert!(error.to_string().contains("closed"), "{error}");
}

#[tokio::test]
async fn many_calls_at_once_get_their_own_answers() {
    let Some(world) = World::new("mysql many_calls_at_once", "CREATE TABLE t (x INT)").await else { return };
    let database = Arc::new(world.database());
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let database = Arc::clone(&database);
            tokio::spawn(async move {
                let rows = if number % 3 == 0 {
                    Call::write("INSERT INTO t VALUES (?) RETURNING x", &[json!(number)]).rows(&database).await
                } else {
                    Call::read("SELECT CAST(? AS INT) AS x", &[json!(number)]).rows(&database).await
                };
                assert_eq!(rows, json!([{ "x": number }]));
            })
        })
        .collect();
    for call in calls {
        call.await.expect("it ends");
    }
    assert_eq!(world.see("SELECT COUNT(DISTINCT x) FROM t").await, "67");
}

#[tokio::test]
async fn calls_of_one_limit_set_it_once() {
    let Some(world) = World::new("mysql calls_of_one_limit_set_it_once", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let text =
        "SELECT VARIABLE_VALUE AS v FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'COM_SET_OPTION'";
    let mut counts = Vec::new();
    for micros in [10, 20, 90] {
        let timeout = Duration::from_secs(30) - Duration::from_micros(micros);
        counts.push(Call { timeout, ..Call::read(text, &[]) }.rows(&database).await);
    }
    assert_eq!((&counts[1], &counts[2]), (&counts[0], &counts[0]));
}
