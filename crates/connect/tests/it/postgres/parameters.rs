//! Values bound to placeholders. That each type takes the JSON it is written as, `types` shows.

use connect::{ErrorKind, Statement};
use serde_json::{Value, json};

use super::world::World;
use crate::support::{Call, statement};

#[tokio::test]
async fn values_are_bound_not_pasted() {
    let Some(world) = World::new("values_are_bound_not_pasted", "").await else { return };
    let database = world.database();
    let cases = [
        ("text", json!("x' OR '1'='1"), json!("x' OR '1'='1")),
        ("text", json!("'; DROP TABLE t; --"), json!("'; DROP TABLE t; --")),
        ("text", json!("\\' $1 {} \u{1F600}\n"), json!("\\' $1 {} \u{1F600}\n")),
        ("text", json!(5), json!("5")),
        ("text", json!(true), json!("true")),
        ("text", json!({ "a": 1 }), json!("{\"a\":1}")),
        ("int", json!("7"), json!(7)),
        ("int8", json!("9007199254740993"), json!("9007199254740993")),
        ("int8", json!(i64::MIN), json!(i64::MIN.to_string())),
        ("numeric", json!(1.5), json!("1.5")),
        ("numeric", json!("123456789012345678901234567890.5"), json!("123456789012345678901234567890.5")),
        ("float8", json!("NaN"), json!("NaN")),
        ("bool", json!("yes"), json!(true)),
        ("jsonb", json!("text"), json!("text")),
        ("jsonb", json!([1, null]), json!([1, null])),
        ("text[]", json!(["a,b", "NULL", null, "\"\\"]), json!(["a,b", "NULL", null, "\"\\"])),
        ("text[]", json!("{a,b}"), json!(["a", "b"])),
        ("bytea", json!("AP8Q"), json!("AP8Q")),
        ("timestamptz", json!("2024-01-02T03:04:05+02:00"), json!("2024-01-02T01:04:05Z")),
        ("inet", json!("10.0.0.1"), json!("10.0.0.1")),
    ];
    for (ty, value, wanted) in cases {
        let text = format!("SELECT $1::{ty} AS v, $1::{ty} IS NULL AS n");
        let rows = Call::read(&text, std::slice::from_ref(&value)).rows(&database).await;
        assert_eq!(rows, json!([{ "v": wanted, "n": false }]), "{ty} {value}");
        let rows = Call::read(&text, &[Value::Null]).rows(&database).await;
        assert_eq!(rows, json!([{ "v": null, "n": true }]), "{ty} null");
    }
}

#[tokio::test]
async fn values_that_do_not_fit_are_errors_of_values() {
    let Some(world) = World::new("values_that_do_not_fit", "CREATE TYPE mood AS ENUM ('sad')").await else { return };
    let database = world.database();
    let cases = [
        ("int", json!("abc")),
        ("int", json!(1.5)),
        ("int", json!(3_000_000_000_i64)),
        ("numeric(3,1)", json!(12345)),
        ("bool", json!("maybe")),
        ("uuid", json!("123")),
        ("date", json!("2024-02-30")),
        ("timestamptz", json!("yesterday-ish")),
        ("bytea", json!("not base64!")),
        ("text", json!("a\0b")),
        ("int[]", json!([1, "x"])),
        ("mood", json!("angry")),
        ("inet", json!("10.0.0.256")),
    ];
    for (ty, value) in cases {
        for write in [false, true] {
            let text = format!("SELECT $1::{ty} AS v");
            let call = Call { write, ..Call::read(&text, std::slice::from_ref(&value)) };
            let error = call.error(&database).await;
            assert_eq!(error.kind, ErrorKind::Value, "{ty} {value}: {error}");
            assert!(error.hint.is_some(), "{ty} {value}: {error}");
        }
    }
}

#[tokio::test]
async fn optional_parameters_have_a_type_and_may_repeat() {
    let schema =
        "CREATE TABLE t (id int, name text, at date); INSERT INTO t VALUES (1, 'a', '2024-01-01'), (2, 'b', NULL)";
    let Some(world) = World::new("optional_parameters_have_a_type_and_may_repeat", schema).await else { return };
    let database = world.database();
    let text = "SELECT id FROM t WHERE ($1::text IS NULL OR name = $1) AND ($2::date IS NULL OR at >= $2) ORDER BY id";
    for (arguments, wanted) in [
        ([json!(null), json!(null)], json!([{ "id": 1 }, { "id": 2 }])),
        ([json!("b"), json!(null)], json!([{ "id": 2 }])),
        ([json!(null), json!("2023-12-31")], json!([{ "id": 1 }])),
        ([json!("c"), json!("2023-12-31")], json!([])),
    ] {
        assert_eq!(Call::read(text, &arguments).rows(&database).await, wanted, "{arguments:?}");
    }
    // Placeholders take arguments in the order that the statement says.
    let swapped = Statement { order: [1, 0].into(), ..statement("SELECT $1::int AS a, $2::int AS b", 0) };
    let call = Call { statements: vec![swapped], ..Call::read("", &[json!(1), json!(2)]) };
    assert_eq!(call.rows(&database).await, json!([{ "a": 2, "b": 1 }]));
    for (text, count) in [("SELECT $1::int AS a", 0), ("SELECT $1::int AS a", 2), ("SELECT $2::int AS a", 1)] {
        let call = Call { statements: vec![statement(text, count)], ..Call::read("", &[json!(1), json!(2)]) };
        assert_eq!(call.error(&database).await.kind, ErrorKind::Statement, "{text} {count}");
    }
}
