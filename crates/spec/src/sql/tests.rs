mod engines;

use proptest::prelude::*;

use super::{Class, Dialect, Risk, Template, check};

const ALL: [Dialect; 3] = [Dialect::Postgresql, Dialect::Mysql, Dialect::Sqlite];

fn names(sql: &str, dialect: Dialect) -> Vec<String> {
    let template = Template::parse(sql, dialect).unwrap_or_else(|error| panic!("{sql}: {error}"));
    template.parameters().into_iter().map(str::to_owned).collect()
}

fn native(sql: &str, dialect: Dialect) -> String {
    Template::parse(sql, dialect).unwrap().native(dialect).0
}

#[test]
fn parameters_are_found_where_they_are() {
    for dialect in ALL {
        assert_eq!(names("SELECT :a, :b WHERE x = :a -- :c\n AND y = :größe", dialect), ["a", "b", "größe"]);
        assert_eq!(names("SELECT ':a', 'it''s :b', /* :c */ :d", dialect), ["d"]);
        assert_eq!(names("SELECT * FROM t LIMIT :limit OFFSET :offset", dialect), ["limit", "offset"]);
    }
    let pg: [(&str, &[&str]); 12] = [
        ("SELECT a::text, :b::int", &["b"]),
        ("SELECT a[1:2], a[lo:hi], a[:n], a[1 : n]", &["n"]),
        ("SELECT ARRAY[:x, :y], ARRAY[CASE WHEN a THEN :z END]", &["x", "y", "z"]),
        ("SELECT E'\\':a', :b", &["b"]),
        ("SELECT '\\', :b", &["b"]),
        ("SELECT $$ :a $$, $x$ :b $$ $x$, :c", &["c"]),
        ("SELECT /* /* :a */ :b */ :c", &["c"]),
        ("SELECT \":a\" , :b", &["b"]),
        ("SELECT data ? :k, data ?| :ks, data ?& :all, data @? '$.a'", &["k", "ks", "all"]),
        ("SELECT f(a := 1, b => :x)", &["x"]),
        ("SELECT foo$bar$:a", &["a"]),
        ("SELECT data ?:k", &["k"]),
    ];
    for (sql, expected) in pg {
        assert_eq!(names(sql, Dialect::Postgresql), expected, "{sql}");
    }
    let mysql: [(&str, &[&str]); 6] = [
        ("SELECT 'a\\':b', :c", &["c"]),
        ("SELECT \"a\\\" :b\", :c", &["c"]),
        ("SELECT `:a`, :b # :c\n, :d", &["b", "d"]),
        ("SELECT 1--:a", &["a"]),
        ("SELECT 1 -- :a", &[]),
        ("SELECT @v := :a", &["a"]),
    ];
    for (sql, expected) in mysql {
        assert_eq!(names(sql, Dialect::Mysql), expected, "{sql}");
    }
    assert_eq!(names("SELECT [:a], `:b`, \":c\", '\\', :d", Dialect::Sqlite), ["d"]);
}

#[test]
fn native_text_has_placeholders() {
    let sql = "SELECT:a, :b WHERE x = :a";
    assert_eq!(native(sql, Dialect::Postgresql), "SELECT $1, $2 WHERE x = $1");
    assert_eq!(native(sql, Dialect::Sqlite), "SELECT ?1, ?2 WHERE x = ?1");
    let (text, order) = Template::parse(sql, Dialect::Mysql).unwrap().native(Dialect::Mysql);
    assert_eq!(text, "SELECT ?, ? WHERE x = ?");
    assert_eq!(order, ["a", "b", "a"]);
    let sql = "SELECT 1 WHERE CAST(:a AS text) IS NULL OR x = :a OR :a::numeric(3, 1) > 1 OR cast(:a as TEXT) = 'x'";
    let (text, order) = Template::parse(sql, Dialect::Postgresql).unwrap().native(Dialect::Postgresql);
    assert_eq!(
        text,
        "SELECT 1 WHERE CAST($1 AS text) IS NULL OR x = $2 OR $3::numeric(3, 1) > 1 OR cast($1 as TEXT) = 'x'"
    );
    assert_eq!(order, ["a", "a", "a"]);
}

#[test]
fn what_is_refused_has_a_place() {
    let cases = [
        (Dialect::Postgresql, "SELECT $1", 7),
        (Dialect::Postgresql, "SELECT 'a", 7),
        (Dialect::Postgresql, "SELECT $x$ a", 7),
        (Dialect::Postgresql, "SELECT /* /* */", 7),
        (Dialect::Postgresql, "SELECT \"a", 7),
        (Dialect::Postgresql, "SELECT :1", 7),
        (Dialect::Mysql, "SELECT ?", 7),
        (Dialect::Mysql, "SELECT 'a\\'", 7),
        (Dialect::Mysql, "SELECT /*!50000 1 */", 7),
        (Dialect::Sqlite, "SELECT ?1", 7),
        (Dialect::Sqlite, "SELECT @a", 7),
        (Dialect::Sqlite, "SELECT $a", 7),
        (Dialect::Sqlite, "SELECT [a", 7),
        (Dialect::Sqlite, "é \0", 3),
    ];
    for (dialect, sql, offset) in cases {
        let error = Template::parse(sql, dialect).expect_err(sql);
        assert_eq!(error.offset, offset, "{sql}: {error}");
    }
}

#[test]
fn statements_have_a_class() {
    use Class::{Ddl, Other, Read, Write};
    let cases = [
        ("SELECT * FROM t WHERE a = :a;", Read, "SELECT", true),
        ("VALUES (1), (:a)", Read, "VALUES", true),
        ("TABLE t", Read, "TABLE", true),
        ("WITH x AS (SELECT 1) SELECT * FROM x ORDER BY 1 LIMIT :limit OFFSET :offset", Read, "SELECT", true),
        ("WITH x AS (DELETE FROM t WHERE a = 1 RETURNING *) SELECT * FROM x", Write, "SELECT", true),
        ("SELECT * INTO n FROM t", Write, "SELECT", false),
        ("SELECT * FROM t FOR UPDATE", Write, "SELECT", true),
        ("INSERT INTO t (a) VALUES (:a) RETURNING id", Write, "INSERT", true),
        ("UPDATE t SET a = :a WHERE id = :id", Write, "UPDATE", false),
        ("DELETE FROM t WHERE id = :id", Write, "DELETE", false),
        ("TRUNCATE t", Write, "TRUNCATE", false),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = s.b", Write, "MERGE", false),
        ("CREATE TABLE t (a int)", Ddl, "CREATE", false),
        ("DROP TABLE t", Ddl, "DROP", false),
        ("DO $$ BEGIN END $$", Other, "DO", false),
        ("SET search_path = x", Other, "SET", false),
        ("COPY t TO '/tmp/x'", Other, "COPY", false),
        ("BEGIN", Other, "BEGIN", false),
        ("GRANT ALL ON t TO x", Other, "GRANT", false),
        ("CALL p(:a)", Other, "CALL", true),
        ("LOCK TABLE t", Other, "LOCK", false),
        ("EXPLAIN SELECT 1", Read, "EXPLAIN", true),
        ("EXPLAIN ANALYZE DELETE FROM t WHERE a = 1", Write, "EXPLAIN", true),
        ("SHOW search_path", Read, "SHOW", true),
        ("SELECT data ? :k, data @> :j::jsonb, a[1:2], x::text FROM t", Read, "SELECT", true),
        ("SELECT count(*) FILTER (WHERE a) OVER (PARTITION BY b) FROM t, LATERAL unnest(a) u", Read, "SELECT", true),
    ];
    for (sql, class, verb, rows) in cases {
        let found = check(sql, Dialect::Postgresql).unwrap_or_else(|errors| panic!("{sql}: {errors:?}"));
        assert_eq!((found.class, found.verb.as_str(), found.returns_rows), (class, verb, rows), "{sql}");
    }
    let others = [
        (Dialect::Mysql, "SELECT a INTO OUTFILE '/tmp/x' FROM t", Write),
        (Dialect::Mysql, "REPLACE INTO t (a) VALUES (:a)", Write),
        (Dialect::Mysql, "INSERT INTO t (a) VALUES (:a) ON DUPLICATE KEY UPDATE a = VALUES(a)", Write),
        (Dialect::Mysql, "SELECT * FROM t WHERE a <=> :a LIMIT 5, 10", Read),
        (Dialect::Mysql, "SHOW TABLES", Read),
        (Dialect::Sqlite, "PRAGMA table_info(t)", Other),
        (Dialect::Sqlite, "ATTACH 'x' AS y", Other),
        (Dialect::Sqlite, "INSERT OR REPLACE INTO t (a) VALUES (:a)", Write),
        (Dialect::Sqlite, "SELECT * FROM [a b] WHERE \"c d\" LIKE :x ESCAPE '\\' COLLATE NOCASE", Read),
        (Dialect::Sqlite, "VACUUM", Ddl),
    ];
    for (dialect, sql, class) in others {
        match check(sql, dialect) {
            Ok(found) => assert_eq!(found.class, class, "{sql}"),
            // Refused is as good as not Read.
            Err(errors) => assert!(class != Read && sql.contains("OUTFILE"), "{sql}: {errors:?}"),
        }
    }
}

#[test]
fn effects_follow() {
    let effects = |sql: &str| {
        check(sql, Dialect::Postgresql).map(|s| (s.effects.read_only, s.effects.destructive, s.effects.idempotent))
    };
    let cases = [
        ("SELECT 1", (true, false, true)),
        ("SELECT nextval('s')", (false, false, false)),
        ("UPDATE t SET a = :a, b = COALESCE(:b, b) WHERE id = :id", (false, true, true)),
        ("UPDATE t SET a = a + :a WHERE id = :id", (false, true, false)),
        ("UPDATE t SET a = COALESCE(a, 0) + :a WHERE id = :id", (false, true, false)),
        ("UPDATE t SET a = now() WHERE id = :id", (false, true, false)),
        ("DELETE FROM t WHERE id = :id", (false, true, true)),
        ("INSERT INTO t (a) VALUES (:a)", (false, false, false)),
        ("INSERT INTO t (a) VALUES (:a) ON CONFLICT DO NOTHING", (false, false, true)),
        ("INSERT INTO t (a) VALUES (:a) ON CONFLICT (a) DO UPDATE SET b = excluded.b", (false, true, true)),
        ("INSERT INTO t (a) VALUES (:a) ON CONFLICT (a) DO UPDATE SET b = t.b + 1", (false, true, false)),
    ];
    for (sql, expected) in cases {
        assert_eq!(effects(sql).unwrap(), expected, "{sql}");
    }
}

#[test]
fn names_and_flags() {
    let sql = "WITH recent AS (SELECT * FROM app.orders) SELECT r.id, p.\"Name\" FROM recent r JOIN products p ON p.id = r.product_id WHERE lower(p.x) = :x";
    let found = check(sql, Dialect::Postgresql).unwrap();
    assert_eq!(found.tables, ["app.orders", "products"]);
    assert!(found.columns.contains(&"Name".to_owned()) && found.columns.contains(&"product_id".to_owned()));
    assert_eq!(found.functions, ["lower"]);
    assert!(found.has_where && !found.ordered && !found.limited);
    assert!(check("UPDATE t SET a = 1", Dialect::Postgresql).unwrap().reaches_all);
    assert!(check("WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x", Dialect::Postgresql).unwrap().reaches_all);
    assert_eq!(check("DELETE FROM a.b WHERE c = 1", Dialect::Postgresql).unwrap().written, ["a.b"]);
    let risky = check(
        "SELECT pg_sleep(1), pg_catalog.set_config('a', 'b', false), \"pg_read_file\"('x') FROM dblink('a', 'b') d",
        Dialect::Postgresql,
    )
    .unwrap();
    let risks: Vec<Risk> = risky.risks().into_iter().map(|(_, risk)| risk).collect();
    assert_eq!(risks.len(), 4, "{:?}", risky.functions);
}

#[test]
fn bad_statements_have_a_place() {
    let cases = [
        ("SELECT 1; SELECT 2", 10),
        ("SELECT 1;; DROP TABLE t", 11),
        ("SELEC 1", 0),
        ("SELECT é,\n  FROM t", 9),
        ("SELECT é\n  FROM t WHERE a = = b", 29),
        ("", 0),
        (" ; ", 0),
        ("SELECT (1", 9),
    ];
    for (sql, offset) in cases {
        let errors = check(sql, Dialect::Postgresql).expect_err(sql);
        assert_eq!(errors[0].offset, offset, "{sql}: {errors:?}");
    }
    assert!(check("SELECT ';' ; -- done; really", Dialect::Postgresql).is_ok());
}

#[test]
fn no_input_overflows_the_stack() {
    let long = format!("SELECT {}1", "1 + ".repeat(4_900));
    assert!(check(&long, Dialect::Postgresql).is_ok());
    for text in [
        format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT {}1", "NOT ".repeat(9_000)),
        format!("SELECT {}1", "- ".repeat(9_000)),
        format!("SELECT {}", "CASE ".repeat(9_000)),
        format!("SELECT 1 {}", "UNION SELECT 1 ".repeat(3_000)),
        format!("{}SELECT 1", "EXPLAIN ".repeat(9_000)),
        format!("SELECT a{}", "::int".repeat(4_500)),
        format!("SELECT a{}", "[1]".repeat(3_000)),
        format!("SELECT CAST(a AS {}int", "ARRAY<".repeat(4_000)),
        format!("SELECT 1 FROM {}", "a JOIN ".repeat(4_000)),
        "SELECT 1 + ".repeat(200_000),
    ] {
        for dialect in ALL {
            let _ = check(&text, dialect);
        }
    }
}

fn fragment() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "'", "\"", "`", "$$", "$a$", "--", "/*", "*/", "\n", ":a", ":b", "::", ":", "[", "]", "(", ")", "\\", "?",
        "$1", "E'", " ", "x", "1", ";", "#", "é", "SELECT ", ",", ":=", "@", "$",
    ]);
    prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_panics(text in any::<String>(), mixed in fragment()) {
        for dialect in ALL {
            for text in [&text, &mixed] {
                let _ = check(text, dialect);
                if let Ok(template) = Template::parse(text, dialect) {
                    let (native, order) = template.native(dialect);
                    prop_assert_eq!(template.rewrite(|_| None), text.clone());
                    if template.uses().is_empty() {
                        prop_assert_eq!(&native, text);
                    }
                    let (least, most) = (template.parameters().len(), template.uses().len());
                    prop_assert!(order.len() >= least && order.len() <= most);
                    prop_assert!(dialect != Dialect::Mysql || order.len() == most);
                }
            }
        }
    }

    /// Read as the engine reads it, the native text has no name left outside of literals.
    #[test]
    fn no_name_is_left(mixed in fragment()) {
        for dialect in ALL {
            if let Ok(template) = Template::parse(&mixed, dialect) {
                // Names become numbers of the same shape, which the scanner refuses as placeholders
                // unless they are hidden again by a colon.
                let hidden = template.rewrite(|_| Some(" 0 ".to_owned()));
                if let Ok(again) = Template::parse(&hidden, dialect) {
                    prop_assert!(again.uses().is_empty(), "{mixed} -> {hidden}");
                }
            }
        }
    }
}
