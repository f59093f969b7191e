//! Values of every built-in type, as JSON and back.

use connect::{Target, catalogue::Kind};
use serde_json::{Value, json};

use super::world::World;
use crate::support::{Call, statement};

/// Type, literal, JSON. `null` stands for "the server's own text".
const CASES: &str = include_str!("types.tsv");

/// Built-in types that no column of a table of somebody's data has.
const INTERNAL: [&str; 7] = [
    "gtsvector",
    "pg_brin_bloom_summary",
    "pg_brin_minmax_multi_summary",
    "pg_dependencies",
    "pg_mcv_list",
    "pg_ndistinct",
    "pg_node_tree",
];

struct Case<'a> {
    ty: &'a str,
    literal: &'a str,
    wanted: Option<Value>,
}

fn cases() -> Vec<Case<'static>> {
    let lines = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [ty, literal, wanted] = fields[..] else { panic!("three fields: {line}") };
            let wanted = (wanted != "text").then(|| serde_json::from_str(wanted).unwrap_or_else(|_| panic!("{line}")));
            Case { ty, literal, wanted }
        })
        .collect()
}

fn quoted(literal: &str) -> String {
    format!("'{}'", literal.replace('\'', "''"))
}

#[tokio::test]
async fn every_built_in_type_is_written_without_loss() {
    let Some(world) = World::new("every_built_in_type_is_written_without_loss", SCHEMA).await else { return };
    let database = world.database();
    let mut wrong = Vec::new();
    for case in cases() {
        let literal = quoted(case.literal);
        let text = format!("SELECT {literal}::{0} AS v, ({literal}::{0})::text AS t", case.ty);
        let rows = match Call::read(&text, &[]).run(&database).await {
            Ok((_, rows)) => rows,
            Err(error) => {
                wrong.push(format!("{} {literal}: {error}", case.ty));
                continue;
            }
        };
        let found = &rows[0]["v"];
        let wanted = case.wanted.unwrap_or_else(|| rows[0]["t"].clone());
        if *found != wanted {
            wrong.push(format!("{} {literal}: {found}, not {wanted}", case.ty));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn no_built_in_type_is_forgotten() {
    let Some(world) = World::new("no_built_in_type_is_forgotten", "").await else { return };
    let query = "SELECT string_agg(typname, ' ') FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace
        AND typtype IN ('b', 'r', 'm', 'e') AND typcategory <> 'A'";
    let known: Vec<&str> = cases().iter().map(|case| case.ty).collect();
    for name in world.see(query).await.split(' ') {
        let there = known.iter().any(|ty| ty.trim_matches('"').eq_ignore_ascii_case(name));
        assert!(there || INTERNAL.contains(&name), "type {name} is not in types.tsv");
    }
}

const SCHEMA: &str = "
    CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION cube;
    CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
    CREATE TYPE place AS (street text, number int, at timestamptz);
    CREATE TYPE span AS RANGE (subtype = float8);
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE DOMAIN even AS positive CHECK (VALUE % 2 = 0);
    CREATE DOMAIN tags AS text[];
    CREATE DOMAIN corner AS point;
    CREATE DOMAIN corners AS point[];
    CREATE DOMAIN address AS inet;
    CREATE DOMAIN addresses AS address[];";

/// What goes in comes out: each value is sent as the JSON that it is written as.
#[tokio::test]
async fn what_is_read_can_be_sent() {
    let Some(world) = World::new("what_is_read_can_be_sent", SCHEMA).await else { return };
    let database = world.database();
    let mut wrong = Vec::new();
    for case in cases() {
        // Functions of the catalogue have no input, some types no equality: so texts are compared.
        let text = format!("SELECT {}::{} AS v", quoted(case.literal), case.ty);
        let value = Call::read(&text, &[]).rows(&database).await[0]["v"].clone();
        let text = format!("SELECT $1::{} AS v", case.ty);
        match Call::read(&text, std::slice::from_ref(&value)).run(&database).await {
            Ok((_, rows)) if rows[0]["v"] == value => {}
            Ok((_, rows)) => wrong.push(format!("{} {value} comes back as {rows}", case.ty)),
            Err(error) => wrong.push(format!("{} {value}: {error}", case.ty)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn numbers_dates_and_intervals_are_as_the_server_writes_them() {
    let Some(world) = World::new("numbers_dates_and_intervals", "").await else { return };
    let database = world.database();
    // Thousands of values at once: ours beside the server's.
    let cases = [
        (
            "numeric",
            "SELECT v, v::text AS t FROM (SELECT (random() * 10 ^ (i % 40 - 20))::numeric(60, 25) AS v FROM generate_series(1, 900) i) x",
        ),
        (
            "trimmed",
            "SELECT v, v::text AS t FROM (SELECT trim_scale((i - 450)::numeric * 10::numeric ^ (i % 30 - 15)) AS v FROM generate_series(1, 900) i) x",
        ),
        (
            "date",
            "SELECT v, CASE WHEN extract(year FROM v) BETWEEN 1 AND 9999 THEN v::text
                            ELSE to_char(extract(year FROM v) + (extract(year FROM v) < 0)::int, 'SG000000') || to_char(v, '-MM-DD') END AS t
               FROM (SELECT '4713-11-24 BC'::date + i * 9973 AS v FROM generate_series(0, 800) i) x WHERE extract(year FROM v) <> -1",
        ),
        (
            "month",
            "SELECT v, v::text AS t FROM (SELECT '0001-01-01'::date + i AS v FROM generate_series(0, 900) i) x",
        ),
        (
            "julian",
            "SELECT (to_char(v, 'J')::int = v - '4714-11-24 BC'::date) AND v::text IS NOT NULL AS v, true AS t
               FROM (SELECT '4713-11-24 BC'::date + i AS v FROM generate_series(0, 900) i) x",
        ),
        (
            "timestamp",
            "SELECT v, replace(v::text, ' ', 'T') AS t FROM (SELECT '0001-01-01'::timestamp + i * interval '17 days 03:04:05.678901' AS v FROM generate_series(0, 900) i) x",
        ),
        (
            "timestamptz",
            "SELECT v, replace(replace(v::text, ' ', 'T'), '+00', 'Z') AS t FROM (SELECT '1901-01-01Z'::timestamptz + i * interval '97 days 03:04:05.67' AS v FROM generate_series(0, 900) i) x",
        ),
        (
            "interval",
            "SELECT v, v::text AS t FROM (SELECT make_interval(months => (i % 7 - 3) * 5, days => i % 5 - 2, secs => (i % 11 - 5) * 1234.5678) AS v FROM generate_series(0, 900) i) x",
        ),
        (
            "time",
            "SELECT v, v::text AS t FROM (SELECT '00:00'::time + i * interval '00:01:36.0031' AS v FROM generate_series(0, 890) i) x",
        ),
        (
            "float8",
            "SELECT v::text::float8 = v AS v, true AS t FROM (SELECT random() * 10 ^ (i % 600 - 300) AS v FROM generate_series(1, 900) i) x",
        ),
    ];
    for (name, text) in cases {
        let rows = Call::read(text, &[]).rows(&database).await;
        let rows = rows.as_array().expect("an array");
        assert!(rows.len() > 700, "{name}: {}", rows.len());
        for row in rows {
            assert_eq!(row["v"], row["t"], "{name}");
        }
    }
}

#[tokio::test]
async fn rows_that_cannot_be_wrapped_have_unusual_types_too() {
    let schema = "CREATE TABLE t (id int PRIMARY KEY, p point, s inet, r int4range)";
    let Some(world) = World::new("rows_that_cannot_be_wrapped", schema).await else { return };
    let database = world.database();
    let wanted = json!([{ "id": 1, "p": "(1,2)", "s": "10.0.0.1", "r": "[1,5)" }]);
    let insert = "INSERT INTO t VALUES (1, '(1,2)', '10.0.0.1', '[1,5)') RETURNING *; -- done";
    assert_eq!(Call::write(insert, &[]).rows(&database).await, wanted);
    let with = "WITH x AS (SELECT 1 AS id) UPDATE t SET p = p FROM x WHERE t.id = x.id RETURNING t.*";
    assert_eq!(Call::write(with, &[]).rows(&database).await, wanted);
    assert_eq!(Call::write("SELECT * FROM t FOR UPDATE", &[]).rows(&database).await, wanted);
    let cte = "WITH d AS (UPDATE t SET p = p RETURNING *) SELECT * FROM d";
    assert_eq!(Call::write(cte, &[]).rows(&database).await, wanted);
    assert_eq!(Call::write("DELETE FROM t RETURNING *", &[]).rows(&database).await, wanted);
}

#[tokio::test]
async fn columns_have_the_target_that_was_declared() {
    let Some(world) = World::new("columns_have_the_target_that_was_declared", "").await else { return };
    let database = world.database();
    let text = "SELECT 12.50::numeric a, 9007199254740993::bigint b, 3::int c, '{\"x\": [1]}'::text d, 12.00::numeric e, 1::int f";
    let targets = [Target::Number, Target::Integer, Target::String, Target::Json, Target::Integer, Target::Boolean];
    let mut out = Vec::new();
    let call = Call::read(text, &[]).targets(&targets);
    let cancel = tokio_util::sync::CancellationToken::new();
    let query = connect::Query {
        statements: &call.statements,
        arguments: &call.arguments,
        write: false,
        row_limit: 5,
        byte_limit: 1000,
        timeout: call.timeout,
        cancel: &cancel,
        keep: &[],
        single: true,
        acting: None,
    };
    database.run(&query, &mut out).await.expect("it runs");
    let found = String::from_utf8(out).expect("text");
    assert_eq!(found, r#"{"a":12.50,"b":9007199254740993,"c":"3","d":{"x": [1]},"e":12,"f":true}"#);
    let error = Call::read("SELECT 1 AS fine, 1.5 AS bad", &[]).targets(&[Target::Auto, Target::Integer]);
    let error = error.error(&database).await;
    assert_eq!(error.kind, connect::ErrorKind::Value);
    assert!(error.message.contains("`bad`"), "{error}");
}

/// The kind that is described is the kind of JSON that comes.
#[tokio::test]
async fn values_conform_to_the_schema_of_their_kind() {
    let Some(world) = World::new("values_conform_to_the_schema_of_their_kind", SCHEMA).await else { return };
    let database = world.database();
    for case in cases() {
        let text = format!("SELECT {}::{} AS v", quoted(case.literal), case.ty);
        let described = database.describe(&statement(&text, 0)).await.expect("it is right");
        let value = Call::read(&text, &[]).rows(&database).await[0]["v"].clone();
        let schema = described.columns[0].schema();
        assert!(conforms(&value, &schema), "{} {value} is not {schema}", case.ty);
        let array = value.is_array() && !case.ty.starts_with("json");
        assert_eq!(
            described.columns[0].kind == Kind::Array,
            array || (value.is_array() && case.ty.ends_with("[]")),
            "{} {value}",
            case.ty
        );
    }
}

fn conforms(value: &Value, schema: &Value) -> bool {
    let word = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() || number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    match &schema["type"] {
        Value::Null => true,
        Value::String(one) => one == word || (one == "number" && word == "integer"),
        Value::Array(types) => types.iter().any(|one| one == word || (one == "number" && word == "integer")),
        _ => false,
    }
}
