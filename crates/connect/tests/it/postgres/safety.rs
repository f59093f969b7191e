//! What statements may not do.

use connect::{Database, ErrorKind};
use serde_json::json;

use super::world::World;
use crate::support::{Call, statement};

const SCHEMA: &str = "
    CREATE EXTENSION dblink;
    CREATE TABLE t (x int);
    INSERT INTO t VALUES (1);
    CREATE SEQUENCE s;
    SELECT lo_create(4242);
    CREATE MATERIALIZED VIEW m AS SELECT x FROM t;
    CREATE FUNCTION writes() RETURNS int LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO t VALUES (2); RETURN 1; END $$;
    CREATE FUNCTION frees_itself() RETURNS int LANGUAGE plpgsql AS
      $$ BEGIN PERFORM set_config('transaction_read_only', 'off', true);
         INSERT INTO t VALUES (3); RETURN 1; END $$;
    CREATE FUNCTION unlocks_the_session() RETURNS int LANGUAGE plpgsql AS
      $$ BEGIN PERFORM set_config('default_transaction_read_only', 'off', false); RETURN 1; END $$;
    CREATE FUNCTION large() RETURNS oid LANGUAGE sql AS $$ SELECT lo_create(0) $$;
    CREATE PROCEDURE commits() LANGUAGE plpgsql AS
      $$ BEGIN PERFORM set_config('default_transaction_read_only', 'off', false); COMMIT;
         INSERT INTO t VALUES (4); END $$;
    CREATE VIEW sly AS SELECT writes() AS x;
    CREATE VIEW slier AS SELECT large() AS x;
    CREATE FUNCTION notifies() RETURNS void LANGUAGE sql AS $$ SELECT pg_notify('channel', 'x') $$;
    CREATE FUNCTION locks() RETURNS void LANGUAGE sql AS $$ SELECT pg_advisory_lock(9) $$;";

/// Every way to change something that a tool that reads could try.
const WRITES: &[&str] = &[
    "INSERT INTO t VALUES (2)",
    "INSERT INTO t VALUES (2) RETURNING x",
    "UPDATE t SET x = 2",
    "DELETE FROM t",
    "MERGE INTO t USING (SELECT 1 AS y) u ON x = y WHEN MATCHED THEN DELETE",
    "TRUNCATE t",
    "WITH w AS (INSERT INTO t VALUES (2) RETURNING x) SELECT * FROM w",
    "WITH w AS (DELETE FROM t RETURNING x) SELECT count(*) FROM w",
    "WITH w AS (SELECT 1) UPDATE t SET x = 3",
    "SELECT writes()",
    "SELECT * FROM sly",
    "SELECT frees_itself()",
    "SELECT x FROM t WHERE writes() = 1",
    "VALUES (writes())",
    "EXPLAIN ANALYZE INSERT INTO t VALUES (2)",
    "EXPLAIN (ANALYZE) DELETE FROM t",
    "DO $$ BEGIN INSERT INTO t VALUES (2); END $$",
    "DO $$ BEGIN PERFORM set_config('default_transaction_read_only', 'off', false); COMMIT; INSERT INTO t VALUES (2); END $$",
    "DO $$ BEGIN COMMIT; SET TRANSACTION READ WRITE; INSERT INTO t VALUES (2); END $$",
    "CALL commits()",
    "SELECT nextval('s')",
    "SELECT setval('s', 7)",
    "CREATE TABLE u (x int)",
    "CREATE TEMP TABLE u (x int)",
    "CREATE TABLE u AS SELECT 1 AS x",
    "SELECT 1 AS x INTO u",
    "SELECT 1 AS x INTO TEMP u",
    "CREATE VIEW v AS SELECT 1",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA u",
    "CREATE ROLE t_role",
    "DROP TABLE t",
    "ALTER TABLE t ADD y int",
    "COMMENT ON TABLE t IS 'changed'",
    "GRANT SELECT ON t TO public",
    "CREATE INDEX i ON t (x)",
    "REFRESH MATERIALIZED VIEW m",
    "SELECT x FROM t FOR UPDATE",
    "SELECT x FROM t FOR SHARE",
    "LOCK TABLE t",
    "VACUUM t",
    "ANALYZE t",
    "REINDEX TABLE t",
    "CLUSTER t",
    "CHECKPOINT",
    "COPY t FROM PROGRAM 'echo 5'",
    "COPY t TO PROGRAM 'cat > /dev/null'",
    "COPY t TO '/tmp/mcp-factory-never'",
    "COPY t FROM '/etc/hostname'",
    "COPY t FROM STDIN",
    "COPY t TO STDOUT",
    "SELECT lo_create(0)",
    "SELECT lo_unlink(4242)",
    "SELECT \"lo_create\"(0)",
    "SELECT U&\"lo\\005fcreate\"(0)",
    "SELECT E'\\'', lo_create(0), 'x'",
    "/* /* */ ' */ SELECT lo_create(0) -- '",
    "SELECT pg_catalog.lo_from_bytea(0, 'x')",
    "SELECT $a$ $a$, $_$ ' $_$, lo_create(0) -- '",
    "SELECT dblink_exec('dbname=' || current_database(), 'INSERT INTO t VALUES (6)')",
    "SELECT * FROM dblink('dbname=' || current_database(), 'INSERT INTO t VALUES (6) RETURNING x') AS d(x int)",
    "SELECT pg_notify('channel', 'x')",
    "NOTIFY channel, 'x'",
    "SELECT query_to_xml('INSERT INTO t VALUES (7) RETURNING x', true, false, '')",
    "SET default_transaction_read_only = off",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET TRANSACTION READ WRITE",
    "BEGIN READ WRITE",
    "START TRANSACTION READ WRITE",
    "COMMIT",
    "ROLLBACK",
    "END",
    "ABORT",
    "SAVEPOINT s",
    "PREPARE p AS INSERT INTO t VALUES (2)",
    "DECLARE c CURSOR WITH HOLD FOR SELECT writes()",
    "LISTEN channel",
    "DISCARD ALL",
    "RESET ALL",
    "SET ROLE postgres",
    "LOAD 'auto_explain'",
    "SECURITY LABEL ON TABLE t IS NULL",
    "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)",
    "SELECT 1; INSERT INTO t VALUES (2)",
    "EXPLAIN ANALYZE CREATE TABLE u AS SELECT 1",
    "EXPLAIN ANALYZE SELECT writes()",
    "EXECUTE p",
    "FETCH ALL FROM c",
    "WITH insert AS (SELECT 1 AS x) INSERT INTO t SELECT x FROM insert",
    "SELECT \"pg_catalog\" . \"lo_create\" /* x */ (0)",
    "SELECT 'a'\n'\\' , lo_create(0), 'x'",
    "SELECT query_to_xml('SELECT lo_export(4242, ''/tmp/mcp-factory-never'')', true, false, '')",
    "SELECT * FROM ts_stat('SELECT lo_export(4242, ''/tmp/mcp-factory-never'')::text::tsvector')",
    "SELECT pg_logical_emit_message(false, 'a', 'b')",
    "SELECT pg_create_restore_point('x')",
    "SELECT pg_stat_reset()",
];

/// What may run, since it leaves everything as it was.
const HARMLESS: &[&str] = &[
    "SELECT unlocks_the_session()",
    "SELECT set_config('default_transaction_read_only', 'off', false)",
    "SELECT set_config('transaction_read_only', 'on', true)",
    "SELECT set_config('search_path', 'pg_catalog', false)",
    "SELECT set_config('role', 'pg_monitor', false)",
    "SELECT set_config('statement_timeout', '1', false)",
    "SELECT pg_advisory_lock(5)",
    "SELECT pg_try_advisory_lock_shared(6)",
    "SELECT large()",
    "SELECT * FROM slier",
    "SELECT notifies()::text",
    "SELECT locks()::text",
    "SELECT setseed(0.5)",
];

/// Everything that could have changed.
const STATE: &str = "SELECT concat_ws(' ',
    (SELECT string_agg(x::text, ',') FROM t), (SELECT last_value || ',' || is_called FROM s),
    (SELECT count(*) FROM pg_class WHERE relkind <> 't'), (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_largeobject_metadata),
    (SELECT count(*) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'), (SELECT count(*) FROM pg_roles),
    (SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass), (SELECT relacl FROM pg_class WHERE oid = 't'::regclass),
    obj_description('t'::regclass, 'pg_class'),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())))";

async fn intact(world: &World, before: &str, after: &str) {
    // A session that is thrown away takes its locks with it, a moment later.
    world.wait_for(STATE, before).await;
    let left = std::path::Path::new("/tmp/mcp-factory-never").exists();
    assert!(!left, "a file was written by {after}");
}

async fn refused(database: &Database, text: &str) {
    let error = Call::read(text, &[]).run(database).await.map(drop).expect_err(text);
    assert!(matches!(error.kind, ErrorKind::Denied | ErrorKind::Statement), "{text}: {:?} {error}", error.kind);
}

#[tokio::test]
async fn a_tool_that_reads_cannot_write() {
    let Some(world) = World::new("a_tool_that_reads_cannot_write", SCHEMA).await else { return };
    // One connection, so that whatever is left behind meets the next statement.
    let database = world.database_with(|config| config.pool_max = 1);
    let before = world.see(STATE).await;
    for text in WRITES {
        for _ in 0..2 {
            refused(&database, text).await;
        }
        // Behind and before a harmless statement, in one transaction.
        for texts in [["SELECT 1", text], [text, "SELECT 1"]] {
            let mut call = Call::read(texts[0], &[]);
            call.statements.push(statement(texts[1], 0));
            call.run(&database).await.map(drop).expect_err(text);
        }
        intact(&world, &before, text).await;
    }
}

#[tokio::test]
async fn what_a_session_keeps_does_not_help_the_next_call() {
    let Some(world) = World::new("what_a_session_keeps_does_not_help_the_next_call", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let before = world.see(STATE).await;
    for first in HARMLESS {
        for second in ["INSERT INTO t VALUES (9)", "SELECT writes()", "SELECT nextval('s')", "SELECT frees_itself()"] {
            // Harmless or refused; either way nothing is changed, now and by the next call.
            let _ = Call::read(first, &[]).run(&database).await;
            refused(&database, second).await;
            let mut call = Call::read(first, &[]);
            call.statements.push(statement(second, 0));
            call.run(&database).await.map(drop).expect_err(first);
        }
        intact(&world, &before, first).await;
    }
}

/// In a transaction of several statements that would end it and begin another one.
#[tokio::test]
async fn transactions_are_not_left() {
    let Some(world) = World::new("transactions_are_not_left", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let before = world.see(STATE).await;
    for leave in ["COMMIT", "ROLLBACK", "END", "ABORT", "ROLLBACK AND CHAIN", "PREPARE TRANSACTION 'x'", "/**/ commit"]
    {
        for then in ["BEGIN READ WRITE", "SET default_transaction_read_only = off", "SELECT 1"] {
            for write in [false, true] {
                let mut call = Call { write, ..Call::read(leave, &[]) };
                // The last one fails when it runs, not before: all that ran by then must be taken back.
                for text in [then, "INSERT INTO t VALUES (2)", "SELECT 1 / (x - 1) FROM t"] {
                    call.statements.push(statement(text, 0));
                }
                let error = call.error(&database).await;
                assert!(matches!(error.kind, ErrorKind::Denied | ErrorKind::Statement), "{leave} {then}: {error}");
                intact(&world, &before, leave).await;
            }
        }
    }
}

#[tokio::test]
async fn what_reads_may_run() {
    let Some(world) = World::new("what_reads_may_run", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let cases = [
        ("SELECT x FROM t", json!([{ "x": 1 }])),
        (
            "  -- a comment\n/* another */ (SELECT x FROM t) UNION ALL (SELECT 5) ORDER BY x;",
            json!([{ "x": 1 }, { "x": 5 }]),
        ),
        ("TABLE t", json!([{ "x": 1 }])),
        ("VALUES (1, 'a')", json!([{ "column1": 1, "column2": "a" }])),
        ("WITH w AS (SELECT 2 AS y) SELECT y FROM w -- end", json!([{ "y": 2 }])),
        (
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r",
            json!([{"n":1},{"n":2},{"n":3}]),
        ),
        ("SHOW transaction_read_only", json!([{ "transaction_read_only": "on" }])),
        ("SELECT current_setting('default_transaction_read_only') AS s", json!([{ "s": "on" }])),
        (
            "SELECT 'INSERT INTO t; COMMIT; lo_create(0)' AS words",
            json!([{ "words": "INSERT INTO t; COMMIT; lo_create(0)" }]),
        ),
        ("SELECT 1 AS \"update\", 2 AS \"set_config\"", json!([{ "update": 1, "set_config": 2 }])),
        (
            "SELECT count(*) FILTER (WHERE x > 0) AS c, max(x) OVER () AS m FROM t GROUP BY x",
            json!([{ "c": 1, "m": 1 }]),
        ),
    ];
    for (text, wanted) in cases {
        for _ in 0..2 {
            assert_eq!(Call::read(text, &[]).rows(&database).await, wanted, "{text}");
        }
    }
    let plan = Call::read("EXPLAIN (COSTS off) SELECT * FROM t", &[]).rows(&database).await;
    assert_eq!(plan, json!([{ "QUERY PLAN": "Seq Scan on t" }]));
}

/// On a database whose own default is something else.
#[tokio::test]
async fn a_default_of_the_database_changes_nothing() {
    let Some(world) = World::new("a_default_of_the_database_changes_nothing", SCHEMA).await else { return };
    for default in ["off", "on"] {
        world.see(&format!("ALTER DATABASE {} SET default_transaction_read_only = {default}", world.name)).await;
        let database = world.database();
        refused(&database, "INSERT INTO t VALUES (2)").await;
        let answer = Call::write("INSERT INTO t VALUES (2)", &[]).run(&database).await.expect("it may write").0;
        assert_eq!(answer.affected, 1);
        let url = world.url("?options=-c%20default_transaction_read_only%3Doff");
        let database = world.database_with(|config| config.url = base::Secret::new(url));
        refused(&database, "INSERT INTO t VALUES (2)").await;
    }
}
