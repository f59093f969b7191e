//! What each engine takes and does not take.

use crate::sql::{Dialect, check};

/// SQL that the engines take, in the corners where other engines' SQL is refused.
#[test]
fn what_engines_take_is_read() {
    let cases = [
        (Dialect::Postgresql, "SELECT INTERVAL '1' DAY, interval '1 day' * 2 FROM t"),
        (Dialect::Postgresql, "SELECT interval, exclude, extract, qualify, search, cycle, name FROM t"),
        (Dialect::Postgresql, "SELECT a.x FROM a JOIN b JOIN c ON c.x = b.x ON a.x = b.x"),
        (Dialect::Postgresql, "SELECT 1 FROM a NATURAL JOIN b CROSS JOIN c JOIN LATERAL f(a.x) AS g ON true"),
        (Dialect::Postgresql, "SELECT d ? 'k', d ?| array['a'], d ?& array['a'] FROM t WHERE d ? :k"),
        (
            Dialect::Postgresql,
            "SELECT extract(epoch FROM x), x AT TIME ZONE 'UTC', substring(x from 1 for 2), trim(both ' ' from x), overlay(x placing 'a' from 1), position('a' in x) FROM t",
        ),
        (Dialect::Postgresql, "SELECT a FROM t WHERE x = ANY(:k) AND y <> ALL(ARRAY[1,2])"),
        (Dialect::Postgresql, "SELECT a FROM t GROUP BY ROLLUP (a), CUBE (a)"),
        (Dialect::Postgresql, "SELECT a FROM t ORDER BY a OFFSET 5"),
        (Dialect::Postgresql, "SELECT a FROM t OFFSET 5 LIMIT 3"),
        (Dialect::Postgresql, "SELECT interval '1' FROM t"),
        (Dialect::Postgresql, "SELECT a, interval '2 hours'::interval, (:k)::interval FROM t"),
        (Dialect::Postgresql, "SELECT t.*, x.* FROM t, x"),
        (Dialect::Postgresql, "SELECT a FROM t WHERE a LIKE 'x' AND NOT b"),
        (Dialect::Postgresql, "SELECT string_agg(a, ',' ORDER BY a DESC) FROM t"),
        (Dialect::Postgresql, "SELECT a FROM t LEFT JOIN b USING (id)"),
        (Dialect::Postgresql, "SELECT a.x FROM (a LEFT JOIN b ON a.x=b.x) JOIN c ON true"),
        (Dialect::Postgresql, "SELECT a FROM t WHERE x::text ~ :k"),
        (Dialect::Postgresql, "SELECT cast(:k AS interval), now() - cast(:k AS interval)"),
        (
            Dialect::Mysql,
            "SELECT INTERVAL(5, 1, 10), TRIM(LEADING 'x' FROM a), SUBSTRING(a FROM 2), POSITION('a' IN a) FROM t",
        ),
        (
            Dialect::Mysql,
            "SELECT EXTRACT(DAY_HOUR FROM a), a + INTERVAL '1:2' MINUTE_SECOND, INTERVAL 1 DAY + a FROM t",
        ),
        (
            Dialect::Mysql,
            "SELECT a FROM t JOIN b, c WHERE a = ANY (SELECT 1) AND a > ALL (SELECT 2) AND a = SOME (SELECT 3)",
        ),
        (Dialect::Mysql, "SELECT MOD(a, 2), t.mod, a % 2, a MOD -3 FROM t"),
        (Dialect::Mysql, "SELECT a FROM t NATURAL LEFT JOIN b"),
        (Dialect::Mysql, "SELECT a FROM t GROUP BY a WITH ROLLUP HAVING a"),
        (Dialect::Mysql, "SELECT a FROM t WHERE a RLIKE 'x' OR a REGEXP 'y'"),
        (Dialect::Mysql, "SELECT a.x FROM a LEFT JOIN b USING (id) INNER JOIN c"),
        (Dialect::Mysql, "SELECT a->'$.x' FROM t"),
        (Dialect::Mysql, "SELECT ~a, !a FROM t"),
        (Dialect::Mysql, "SELECT a FROM t ORDER BY a FETCH FIRST 5 ROWS ONLY"),
        (Dialect::Mysql, "SELECT JSON_VALUE(a, '$.x'), a - b, a > b, a-1>b FROM t"),
        (Dialect::Mysql, "SELECT MEDIAN(a) OVER (PARTITION BY b) FROM t"),
        (Dialect::Mysql, "SELECT a FROM t ORDER BY a OFFSET 2 ROWS FETCH NEXT 5 ROWS ONLY"),
        (Dialect::Mysql, "SELECT PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) OVER (PARTITION BY b) FROM t"),
        (Dialect::Sqlite, "SELECT trim(a, 'x'), substring(a, 1, 2), substr(a, 2) FROM t"),
        (Dialect::Sqlite, "SELECT a FROM t LIMIT -1 OFFSET 5"),
        (Dialect::Sqlite, "SELECT a FROM t WHERE a NOT IN b AND c IN d OR e IN (1, 2) AND f IN (SELECT 1)"),
        (Dialect::Sqlite, "SELECT a FROM t JOIN b LEFT JOIN c"),
        (Dialect::Sqlite, "SELECT a REGEXP 'x', a MATCH 'x', ~a, a IS NOT b FROM t"),
        (Dialect::Sqlite, "SELECT a FROM t WHERE a IN json_each(b)"),
        (Dialect::Sqlite, "SELECT group_concat(a, ', ' ORDER BY a) FROM t"),
        (Dialect::Sqlite, "SELECT sum(a) FILTER (WHERE a > 1) FROM t"),
        (Dialect::Sqlite, "SELECT a == b, a <> b FROM t"),
        (Dialect::Sqlite, "SELECT a FROM main.t AS x WHERE x.a IN main.u"),
        (Dialect::Postgresql, "INSERT INTO t (a, b) VALUES (1, DEFAULT), (2, 3)"),
        (Dialect::Postgresql, "INSERT INTO t (a, b) SELECT 1, 2"),
        (Dialect::Postgresql, "INSERT INTO t VALUES (1)"),
        (Dialect::Postgresql, "UPDATE t SET a = b[1], c[2] = 3 WHERE id = 1"),
        (Dialect::Postgresql, "DELETE FROM t USING b JOIN c ON b.x = c.x WHERE t.x = b.x"),
        (Dialect::Mysql, "INSERT INTO t () VALUES ()"),
        (Dialect::Mysql, "INSERT INTO t (a) VALUES ROW(1), ROW(2)"),
        (Dialect::Mysql, "DELETE FROM t WHERE a = 1 ORDER BY b LIMIT 3"),
        (Dialect::Mysql, "DELETE FROM t USING t JOIN b ON t.x = b.x WHERE b.y = 1"),
        (Dialect::Mysql, "INSERT INTO t SET a = 1, b = 2"),
        (Dialect::Mysql, "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = VALUES(a)"),
        (Dialect::Sqlite, "INSERT INTO t DEFAULT VALUES"),
        (Dialect::Sqlite, "REPLACE INTO t (a) VALUES (1)"),
        (Dialect::Sqlite, "INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING"),
        (Dialect::Sqlite, "DELETE FROM t WHERE a NOT IN u"),
    ];
    for (dialect, sql) in cases {
        let refused = check(sql, dialect).err();
        assert_eq!(refused, None, "{dialect:?}: {sql}");
    }
}

/// SQL of another engine, and where it is told.
#[test]
fn what_an_engine_does_not_take_is_refused() {
    let cases = [
        (Dialect::Postgresql, "SELECT a FROM t LEFT JOIN b"),
        (Dialect::Postgresql, "SELECT a FROM t WHERE a REGEXP 'x'"),
        (Dialect::Postgresql, "DELETE FROM t WHERE a = 1 LIMIT 1"),
        (Dialect::Postgresql, "SELECT * EXCLUDE (a) FROM t"),
        (Dialect::Postgresql, "SELECT a FROM t WHERE a == 1"),
        (Dialect::Mysql, "SELECT a FROM t LEFT JOIN b"),
        (Dialect::Mysql, "SELECT a IS DISTINCT FROM b FROM t"),
        (Dialect::Mysql, "UPDATE t SET a = 1 WHERE id = 1 RETURNING a"),
        (Dialect::Mysql, "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = 1"),
        (Dialect::Sqlite, "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = 1"),
        (Dialect::Sqlite, "SELECT a FROM t OFFSET 5"),
        (Dialect::Sqlite, "UPDATE t SET a = 1 WHERE b = 2 LIMIT 1"),
        (Dialect::Sqlite, "SELECT a FROM t WHERE a = ANY (SELECT 1)"),
    ];
    for (dialect, sql) in cases {
        assert!(check(sql, dialect).is_err(), "{dialect:?}: {sql}");
    }
}
