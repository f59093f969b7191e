//! What statements may not do.

use connect::{Database, ErrorKind};
use serde_json::json;

use super::world::World;
use crate::support::{Call, statement};

const SCHEMA: &str = "
    CREATE TABLE t (x INT) ENGINE=InnoDB;;
    INSERT INTO t VALUES (1);;
    CREATE TABLE old (x INT) ENGINE=MyISAM;;
    CREATE SEQUENCE s;;
    CREATE FUNCTION writes() RETURNS INT BEGIN INSERT INTO t VALUES (2); RETURN 1; END;;
    CREATE FUNCTION writes_old() RETURNS INT BEGIN INSERT INTO old VALUES (2); RETURN 1; END;;
    CREATE FUNCTION frees_itself() RETURNS INT BEGIN SET SESSION tx_read_only = 0; INSERT INTO t VALUES (3); RETURN 1; END;;
    CREATE FUNCTION unlocks() RETURNS INT BEGIN SET SESSION tx_read_only = 0; RETURN 1; END;;
    CREATE FUNCTION counts() RETURNS INT RETURN NEXTVAL(s);;
    CREATE PROCEDURE commits() BEGIN COMMIT; SET SESSION tx_read_only = 0; INSERT INTO t VALUES (4); COMMIT; END;;
    CREATE VIEW sly AS SELECT writes() AS x;;
    CREATE VIEW slier AS SELECT * FROM sly;;
    CREATE VIEW unlocking AS SELECT unlocks() AS x";

/// Every way to change something that a tool that reads could try.
const WRITES: &[&str] = &[
    "INSERT INTO t VALUES (2)",
    "INSERT INTO t VALUES (2) RETURNING x",
    "INSERT INTO t SELECT 2",
    "REPLACE INTO t VALUES (2)",
    "UPDATE t SET x = 2",
    "DELETE FROM t",
    "DELETE FROM t RETURNING x",
    "TRUNCATE t",
    "WITH w AS (SELECT 1) DELETE FROM t",
    "SELECT writes()",
    "SELECT writes_old()",
    "SELECT * FROM sly",
    "SELECT * FROM slier",
    "SELECT frees_itself()",
    "SELECT x FROM t WHERE writes() = 1",
    "SELECT x FROM t ORDER BY writes()",
    "VALUES (writes())",
    "DO writes()",
    "DO 1",
    "CALL commits()",
    "SELECT NEXTVAL(s)",
    "SELECT NEXT VALUE FOR s",
    "SELECT SETVAL(s, 9)",
    "SELECT counts()",
    "SELECT 1 INTO @x",
    "SELECT @x := 1",
    "SELECT x INTO OUTFILE '/tmp/mcp-factory-never' FROM t",
    "SELECT x FROM t INTO DUMPFILE '/tmp/mcp-factory-never'",
    "SELECT x FROM t /*!INTO OUTFILE '/tmp/mcp-factory-never' */",
    "SELECT x FROM t /*M!100000 INTO OUTFILE '/tmp/mcp-factory-never' */",
    "SELECT LOAD_FILE('/etc/hostname')",
    "LOAD DATA INFILE '/etc/hostname' INTO TABLE t",
    "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE t",
    "LOAD XML INFILE '/etc/hostname' INTO TABLE t",
    "SET @@SESSION.tx_read_only = 0",
    "SET SESSION TRANSACTION READ WRITE",
    "SET TRANSACTION READ WRITE",
    "SET @x = 1",
    "SET GLOBAL max_connections = 5",
    "SET PASSWORD = ''",
    "SET STATEMENT tx_read_only = 0 FOR INSERT INTO t VALUES (2)",
    "START TRANSACTION READ WRITE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT a",
    "BEGIN NOT ATOMIC INSERT INTO t VALUES (5); END",
    "IF 1 THEN INSERT INTO t VALUES (5); END IF",
    "SELECT x FROM t FOR UPDATE",
    "LOCK TABLES t WRITE",
    "UNLOCK TABLES",
    "FLUSH TABLES WITH READ LOCK",
    "SELECT GET_LOCK('mcp', 0)",
    "CREATE TABLE u (x INT)",
    "CREATE TEMPORARY TABLE u (x INT)",
    "CREATE TABLE u AS SELECT 1 AS x",
    "CREATE VIEW v AS SELECT 1",
    "CREATE FUNCTION f() RETURNS INT RETURN 1",
    "CREATE DATABASE mcp_factory_never",
    "CREATE USER mcp_factory_never",
    "CREATE INDEX i ON t (x)",
    "DROP TABLE t",
    "ALTER TABLE t ADD y INT",
    "RENAME TABLE t TO u",
    "GRANT SELECT ON *.* TO nobody",
    "ANALYZE TABLE t",
    "ANALYZE INSERT INTO t VALUES (2)",
    "OPTIMIZE TABLE t",
    "REPAIR TABLE t",
    "HANDLER t OPEN",
    "PREPARE p FROM 'INSERT INTO t VALUES (2)'",
    "EXECUTE p",
    "EXECUTE IMMEDIATE 'INSERT INTO t VALUES (2)'",
    "DEALLOCATE PREPARE p",
    "XA START 'a'",
    "XA RECOVER",
    "KILL 1",
    "SHUTDOWN",
    "INSTALL PLUGIN x SONAME 'x.so'",
    "USE mysql",
    "RESET QUERY CACHE",
    "CHANGE MASTER TO MASTER_HOST = 'x'",
    "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)",
    "SELECT 1; INSERT INTO t VALUES (2)",
];

/// What may run, since it leaves everything as it was.
const HARMLESS: &[&str] = &["SELECT unlocks()", "SELECT * FROM unlocking", "SELECT `unlocks`()", "SELECT @x"];

/// Everything that could have changed.
fn state(world: &World) -> String {
    format!(
        "SELECT CONCAT_WS(' ', (SELECT GROUP_CONCAT(x) FROM t), (SELECT COUNT(*) FROM old),
           (SELECT next_not_cached_value FROM s),
           (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{0}'),
           (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = '{0}'),
           (SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '{0}'),
           (SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = '{0}'),
           (SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'mcp_factory_never'),
           (SELECT COUNT(*) FROM mysql.user WHERE User = 'mcp_factory_never'), IS_FREE_LOCK('mcp'))",
        world.name
    )
}

async fn intact(world: &World, before: &str, after: &str) {
    assert_eq!(world.see(&state(world)).await, before, "after {after}");
    let left = std::path::Path::new("/tmp/mcp-factory-never").exists();
    assert!(!left, "a file was written by {after}");
}

async fn refused(database: &Database, text: &str) {
    let error = Call::read(text, &[]).run(database).await.map(drop).expect_err(text);
    assert!(matches!(error.kind, ErrorKind::Denied | ErrorKind::Statement), "{text}: {:?} {error}", error.kind);
}

#[tokio::test]
async fn a_tool_that_reads_cannot_write() {
    let Some(world) = World::new("mysql a_tool_that_reads_cannot_write", SCHEMA).await else { return };
    // One connection, so that whatever is left behind meets the next statement.
    let database = world.database_with(|config| config.pool_max = 1);
    let before = world.see(&state(&world)).await;
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
    let Some(world) = World::new("mysql what_a_session_keeps", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let before = world.see(&state(&world)).await;
    for first in HARMLESS {
        for second in ["SELECT writes()", "SELECT * FROM slier", "SELECT counts()", "SELECT frees_itself()"] {
            Call::read(first, &[]).run(&database).await.map(drop).unwrap_or_else(|error| panic!("{first}: {error}"));
            refused(&database, second).await;
            let mut call = Call::read(first, &[]);
            call.statements.push(statement(second, 0));
            call.run(&database).await.map(drop).expect_err(first);
        }
        intact(&world, &before, first).await;
    }
}

/// Neither as a statement that reads nor as one that writes.
#[tokio::test]
async fn describing_runs_nothing() {
    let Some(world) = World::new("mysql describing_runs_nothing", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let before = world.see(&state(&world)).await;
    let mut described = 0;
    for text in WRITES.iter().chain(HARMLESS) {
        described += u32::from(database.describe(&statement(text, 0)).await.is_ok());
        intact(&world, &before, text).await;
    }
    assert!(described > 25, "{described} could be described");
    let found = database.describe(&statement("UPDATE t SET x = ? WHERE x = ?", 2)).await.expect("it is right");
    assert_eq!((found.parameters.len(), found.columns.len()), (2, 0));
    let error = database.describe(&statement("UPDATE t SET nothing = 1", 0)).await.expect_err("no such column");
    assert_eq!(error.kind, ErrorKind::Statement, "{error}");
    // The session that it was done on keeps nothing open.
    world.execute("ALTER TABLE t ADD y INT").await;
}

/// What not even a tool that writes may do.
#[tokio::test]
async fn transactions_are_not_left() {
    let Some(world) = World::new("mysql transactions_are_not_left", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let before = world.see(&state(&world)).await;
    for leave in [
        "COMMIT",
        "ROLLBACK",
        "ROLLBACK AND CHAIN",
        "/**/ commit",
        "SET autocommit = 1",
        "CREATE TABLE u (x INT)",
        "LOCK TABLES t WRITE",
    ] {
        let mut call = Call::write("INSERT INTO t VALUES (2)", &[]);
        for text in [leave, "INSERT INTO t VALUES (3)", "SELECT * FROM nothing"] {
            call.statements.push(statement(text, 0));
        }
        let error = call.error(&database).await;
        assert_eq!(error.kind, ErrorKind::Denied, "{leave}: {error}");
        intact(&world, &before, leave).await;
    }
}

#[tokio::test]
async fn what_reads_may_run() {
    let Some(world) = World::new("mysql what_reads_may_run", SCHEMA).await else { return };
    let database = world.database_with(|config| config.pool_max = 1);
    let cases = [
        ("SELECT x FROM t", json!([{ "x": 1 }])),
        ("SELECT x FROM t;", json!([{ "x": 1 }])),
        ("SELECT x FROM t ; -- done\n", json!([{ "x": 1 }])),
        (
            "  -- a comment\n# one more\n/* another */ (SELECT x FROM t) UNION ALL (SELECT 5) ORDER BY x;",
            json!([{ "x": 1 }, { "x": 5 }]),
        ),
        ("WITH w AS (SELECT 2 AS y) SELECT y FROM w", json!([{ "y": 2 }])),
        (
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r",
            json!([{"n":1},{"n":2},{"n":3}]),
        ),
        ("SELECT @@tx_read_only AS r", json!([{ "r": 1 }])),
        (
            "SELECT 'INSERT INTO t; COMMIT; € INTO OUTFILE' AS `into`",
            json!([{ "into": "INSERT INTO t; COMMIT; € INTO OUTFILE" }]),
        ),
        ("SELECT INSERT('abc', 1, 1, 'x') AS a, REPLACE('b', 'b', 'c') AS b", json!([{ "a": "xbc", "b": "c" }])),
        ("SHOW TABLES LIKE 't'", json!([{ format!("Tables_in_{} (t)", world.name): "t" }])),
        ("SELECT LASTVAL(s) AS l", json!([{ "l": null }])),
    ];
    for (text, wanted) in cases {
        for _ in 0..2 {
            let (_, rows) =
                Call::read(text, &[]).run(&database).await.unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(rows, wanted, "{text}");
        }
    }
}
