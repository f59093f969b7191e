//! Values of every declared type, out and in.

use connect::{ErrorKind, Target};
use serde_json::{Value, json};

use super::memory;
use crate::support::Call;

/// Declared type, SQL literal, natural form.
fn cases() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("INTEGER", "1", json!(1)),
        ("INTEGER", "-9007199254740991", json!(-9_007_199_254_740_991_i64)),
        ("INTEGER", "9007199254740993", json!("9007199254740993")),
        ("BIGINT", "-9223372036854775808", json!("-9223372036854775808")),
        ("INTEGER", "'abc'", json!("abc")),
        ("INTEGER", "1.5", json!("1.5")),
        ("SMALLINT", "2.0", json!(2)),
        ("REAL", "1.5", json!(1.5)),
        ("REAL", "1", json!(1.0)),
        ("DOUBLE PRECISION", "1e300", json!(1e300)),
        ("FLOAT", "9e999", json!("Infinity")),
        ("FLOAT", "-9e999", json!("-Infinity")),
        ("DECIMAL(10,2)", "12.5", json!(12.5)),
        ("DECIMAL(10,2)", "12", json!(12)),
        ("NUMERIC", "0.1", json!(0.1)),
        ("NUMERIC", "'12.345678901234567890'", json!(12.345_678_901_234_567)),
        ("BOOLEAN", "1", json!(true)),
        ("BOOLEAN", "0", json!(false)),
        ("BOOLEAN", "'true'", json!(true)),
        ("BOOL", "NULL", json!(null)),
        ("TEXT", "'a \"b\" \u{1F600}\n'", json!("a \"b\" \u{1F600}\n")),
        ("VARCHAR(3)", "12", json!("12")),
        ("TEXT", "'{\"a\":1}'", json!("{\"a\":1}")),
        ("CLOB", "''", json!("")),
        ("STRING", "7", json!("7")),
        ("DATE", "'2024-02-29'", json!("2024-02-29")),
        ("DATE", "20240229", json!("20240229")),
        ("TIME", "'12:30:00'", json!("12:30:00")),
        ("DATETIME", "'2024-02-29 12:30:00'", json!("2024-02-29T12:30:00")),
        ("DATETIME", "'2024-02-29 12:30:00.250'", json!("2024-02-29T12:30:00.250")),
        ("DATETIME", "'2024-02-29T12:30:00Z'", json!("2024-02-29T12:30:00Z")),
        ("TIMESTAMP", "'not a date at all'", json!("not a date at all")),
        ("TIMESTAMP", "1700000000", json!("1700000000")),
        ("JSON", "'{\"a\": [1, 2]}'", json!({ "a": [1, 2] })),
        ("JSON", "'not json'", json!("not json")),
        ("JSON", "5", json!(5)),
        ("UUID", "'0190163d-8694-739b-aea5-966c26f8ad91'", json!("0190163d-8694-739b-aea5-966c26f8ad91")),
        ("UUID", "x'0190163d8694739baea5966c26f8ad91'", json!("0190163d-8694-739b-aea5-966c26f8ad91")),
        ("BLOB", "x'00ff10'", json!("AP8Q")),
        ("BLOB", "x''", json!("")),
        ("BLOB", "'hi'", json!("aGk=")),
        ("VARBINARY(4)", "x'01'", json!("AQ==")),
        ("ANY", "5", json!(5)),
        ("", "'true'", json!("true")),
        ("", "1.25", json!(1.25)),
        ("GEOMETRY", "'POINT(1 2)'", json!("POINT(1 2)")),
    ]
}

#[tokio::test]
async fn every_declared_type_has_its_natural_form() {
    for (declared, literal, wanted) in cases() {
        let database =
            memory(&[&format!("CREATE TABLE t (x {declared})"), &format!("INSERT INTO t VALUES ({literal})")]).await;
        let rows = Call::read("SELECT x FROM t", &[]).rows(&database).await;
        assert_eq!(rows[0]["x"], wanted, "{declared} {literal}");
    }
}

#[tokio::test]
async fn targets_win_over_the_natural_form() {
    let database = memory(&["CREATE TABLE t (i INTEGER, r REAL, s TEXT, d DECIMAL(10,2), b BOOLEAN, x BLOB)"]).await;
    Call::write("INSERT INTO t VALUES (9007199254740993, 2.0, '[1]', 1.5, 1, x'ff')", &[])
        .run(&database)
        .await
        .unwrap();
    use Target::{Auto, Boolean, Integer, Json, Number, String};
    let cases = [
        ("i", String, Some(json!("9007199254740993"))),
        ("i", Integer, Some(json!(9_007_199_254_740_993_i64))),
        ("i", Boolean, None),
        ("r", Integer, Some(json!(2))),
        ("r", String, Some(json!("2.0"))),
        ("s", Json, Some(json!([1]))),
        ("s", Integer, None),
        ("d", String, Some(json!("1.5"))),
        ("d", Number, Some(json!(1.5))),
        ("d", Integer, None),
        ("b", Integer, Some(json!(1))),
        ("b", Boolean, Some(json!(true))),
        ("b", Auto, Some(json!(true))),
        ("x", Number, None),
        ("json_array(1, 'a')", Json, Some(json!([1, "a"]))),
        ("json_array(1, 'a')", Auto, Some(json!("[1,\"a\"]"))),
        ("i > 0", Boolean, Some(json!(true))),
    ];
    for (column, target, wanted) in cases {
        let call = Call::read(&format!("SELECT {column} AS v FROM t"), &[]).targets(&[target]);
        match wanted {
            Some(wanted) => assert_eq!(call.rows(&database).await[0]["v"], wanted, "{column} {target:?}"),
            None => assert_eq!(call.error(&database).await.kind, ErrorKind::Value, "{column} {target:?}"),
        }
    }
}

#[tokio::test]
async fn values_are_bound_not_pasted() {
    let database = memory(&[]).await;
    let cases = [
        (json!("x' OR '1'='1"), "text", json!("x' OR '1'='1")),
        (json!("a\0b"), "text", json!("a\0b")),
        (json!(true), "integer", json!(1)),
        (json!(i64::MIN), "integer", json!(i64::MIN.to_string())),
        (json!(0.1), "real", json!(0.1)),
        (json!(null), "null", json!(null)),
        (json!({ "b": 1, "a": [2] }), "text", json!("{\"b\":1,\"a\":[2]}")),
        (json!([]), "text", json!("[]")),
    ];
    for (value, kind, wanted) in cases {
        let rows =
            Call::read("SELECT typeof(?1) AS kind, ?1 AS value", std::slice::from_ref(&value)).rows(&database).await;
        assert_eq!(rows, json!([{ "kind": kind, "value": wanted }]), "{value}");
    }
}

#[tokio::test]
async fn a_text_that_is_not_utf8_is_an_error() {
    let database = memory(&[]).await;
    let error = Call::read("SELECT CAST(x'ff' AS TEXT) AS t", &[]).error(&database).await;
    assert_eq!(error.kind, ErrorKind::Value);
    assert!(error.to_string().contains("`t`"), "{error}");
}
