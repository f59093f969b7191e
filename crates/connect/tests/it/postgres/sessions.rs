//! Nothing of one call is seen by the next, and connections are shared as told.

use std::sync::Arc;
use std::time::Duration;

use connect::ErrorKind;
use serde_json::json;

use super::world::World;
use crate::support::{Call, statement};

/// A statement, and a query whose answer it would change for the next one on the same connection.
const LEAKS: &[(&str, &str)] = &[
    ("SELECT set_config('search_path', 'pg_temp', false)", "SHOW search_path"),
    ("SET search_path = 'nowhere'", "SHOW search_path"),
    ("SET ROLE pg_monitor", "SELECT current_user AS u"),
    ("SET SESSION AUTHORIZATION pg_monitor", "SELECT session_user::text AS u"),
    ("SET TimeZone = 'Asia/Tokyo'", "SHOW TimeZone"),
    ("SET statement_timeout = 1", "SHOW statement_timeout"),
    ("SET DateStyle = 'German'", "SELECT '2024-01-02'::date::text AS d"),
    ("CREATE TEMP TABLE hidden AS SELECT 1 AS x", "SELECT to_regclass('pg_temp.hidden')::text AS t"),
    ("SELECT 1 AS x INTO TEMP hidden", "SELECT to_regclass('pg_temp.hidden')::text AS t"),
    ("SELECT tempts()", "SELECT to_regclass('pg_temp.hidden')::text AS t"),
    ("SELECT sets()", "SHOW search_path"),
    ("CALL proc()", "SHOW search_path"),
    ("DO $$ BEGIN PERFORM set_config('search_path', 'nowhere', false); END $$", "SHOW search_path"),
    ("PREPARE p AS SELECT 1", "SELECT count(*) AS c FROM pg_prepared_statements WHERE from_sql"),
    ("DECLARE c CURSOR WITH HOLD FOR SELECT 1", "SELECT count(*) AS c FROM pg_cursors"),
    ("LISTEN channel", "SELECT count(*) AS c FROM pg_listening_channels()"),
    ("SELECT pg_advisory_lock(7)", ADVISORY),
    ("SELECT pg_try_advisory_lock(7, 8)", ADVISORY),
    ("SELECT locks()", ADVISORY),
    ("LOAD 'auto_explain'", "SELECT count(*) AS c FROM pg_settings WHERE name = 'auto_explain.log_analyze'"),
];

const ADVISORY: &str = "SELECT count(*) AS c FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()";

const SCHEMA: &str = "
    CREATE TABLE t (x int);
    CREATE FUNCTION sets() RETURNS text LANGUAGE sql AS $$ SELECT set_config('search_path', 'nowhere', false) $$;
    CREATE FUNCTION locks() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_lock(77) $$;
    CREATE FUNCTION tempts() RETURNS int LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE hidden (x int); RETURN 1; END $$;
    CREATE PROCEDURE proc() LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 'nowhere', false); END $$;";

#[tokio::test]
async fn nothing_leaks_into_the_next_call() {
    let Some(world) = World::new("nothing_leaks_into_the_next_call", SCHEMA).await else { return };
    for write in [true, false] {
        let database = world.database_with(|config| config.pool_max = 1);
        for (text, probe) in LEAKS {
            let probe = Call { write, ..Call::read(probe, &[]) };
            let before = probe.rows(&database).await;
            for second in [None, Some("SELECT 1")] {
                let mut call = Call { write, ..Call::read(text, &[]) };
                call.statements.extend(second.map(|text| statement(text, 0)));
                let result = call.run(&database).await;
                assert_eq!(probe.rows(&database).await, before, "{text} (write: {write}) {:?}", result.map(|r| r.1));
            }
        }
    }
}

#[tokio::test]
async fn plain_reads_and_writes_keep_their_connection() {
    let Some(world) = World::new("plain_reads_and_writes_keep_their_connection", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for write in [false, true] {
        let pid = Call { write, ..Call::read("SELECT pg_backend_pid() AS p", &[]) };
        let first = pid.rows(&database).await;
        let texts = [
            "SELECT lower('A'), count(*) FROM t",
            "SELECT sets()",
            "SELECT * FROM nothing",
            "SELECT 1/0",
            "SHOW TimeZone",
        ];
        for text in texts {
            let _ = Call { write, ..Call::read(text, &[]) }.run(&database).await;
            assert_eq!(pid.rows(&database).await, first, "{text}");
        }
        let timeout = Call { write, timeout: Duration::from_secs(7), ..Call::read("SHOW statement_timeout", &[]) };
        assert_eq!(timeout.rows(&database).await, json!([{ "statement_timeout": "7s" }]));
    }
}

#[tokio::test]
async fn the_servers_limit_is_that_of_each_call() {
    let Some(world) = World::new("the_servers_limit_is_that_of_each_call", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    for (seconds, fail) in [(3, false), (4, true), (3, false), (5, true), (4, false)] {
        // A call has used up a little of its time before; that is no reason to set another limit.
        let timeout = Duration::from_secs(seconds) - Duration::from_micros(seconds * 10);
        let mut call = Call { timeout, ..Call::read("SHOW statement_timeout", &[]) };
        assert_eq!(call.rows(&database).await, json!([{ "statement_timeout": format!("{seconds}s") }]));
        call.statements.push(statement(if fail { "SELECT 1/0 AS x" } else { "SHOW statement_timeout" }, 0));
        assert_eq!(call.run(&database).await.is_err(), fail);
    }
}

#[tokio::test]
async fn the_pool_is_bounded_and_says_so() {
    let Some(world) = World::new("the_pool_is_bounded_and_says_so", "").await else { return };
    let database = Arc::new(world.database_with(|config| {
        config.pool_max = 2;
        config.acquire_timeout = Duration::from_millis(200);
    }));
    let slow: Vec<_> = (0..2)
        .map(|_| {
            let database = Arc::clone(&database);
            tokio::spawn(async move { Call::read("SELECT pg_sleep(1.5)::text AS s", &[]).rows(&database).await })
        })
        .collect();
    world.wait_for(&active(&world), "2").await;
    let error = Call::read("SELECT 1", &[]).error(&database).await;
    assert_eq!(error.kind, ErrorKind::PoolTimeout);
    assert!(error.to_string().contains("all 2 connections") && error.to_string().contains("`db`"), "{error}");
    for one in slow {
        one.await.expect("it ends");
    }
    Call::read("SELECT 1 AS x", &[]).rows(&database).await;
    // Sessions that write make room for themselves: never more than two.
    for round in 0..6 {
        Call { write: round % 2 == 0, ..Call::read("SELECT 1 AS x", &[]) }.rows(&database).await;
        let count: u32 = world.see(&connections(&world)).await.parse().expect("a number");
        assert!(count <= 3, "{count}");
    }
}

#[tokio::test]
async fn unused_connections_are_closed() {
    let Some(world) = World::new("unused_connections_are_closed", "").await else { return };
    let database = world.database_with(|config| config.idle_timeout = Duration::from_millis(300));
    world.wait_for(&connections(&world), "0").await;
    Call::read("SELECT 1 AS x", &[]).rows(&database).await;
    world.wait_for(&connections(&world), "1").await;
    world.wait_for(&connections(&world), "0").await;
    Call::read("SELECT 1 AS x", &[]).rows(&database).await;
    database.close().await;
    world.wait_for(&connections(&world), "0").await;
    let error = Call::read("SELECT 1 AS x", &[]).error(&database).await;
    assert!(error.to_string().contains("closed"), "{error}");
}

fn active(world: &World) -> String {
    format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid() AND state = 'active'",
        world.name
    )
}

fn connections(world: &World) -> String {
    format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND application_name = 'mcp-factory'",
        world.name
    )
}

#[tokio::test]
async fn many_calls_at_once_get_their_own_answers() {
    let Some(world) = World::new("many_calls_at_once_get_their_own_answers", "CREATE TABLE t (x int)").await else {
        return;
    };
    let database = Arc::new(world.database());
    let calls: Vec<_> = (0..200)
        .map(|number| {
            let database = Arc::clone(&database);
            tokio::spawn(async move {
                let rows = if number % 3 == 0 {
                    Call::write("INSERT INTO t VALUES ($1) RETURNING x", &[json!(number)]).rows(&database).await
                } else {
                    Call::read("SELECT $1::int AS x", &[json!(number)]).rows(&database).await
                };
                assert_eq!(rows, json!([{ "x": number }]));
            })
        })
        .collect();
    for call in calls {
        call.await.expect("it ends");
    }
    assert_eq!(world.see("SELECT count(DISTINCT x) FROM t").await, "67");
}
