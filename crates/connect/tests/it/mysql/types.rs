//! Values of every type, as JSON and back.

use connect::{ErrorKind, Target};
use serde_json::{Value, json};

use super::world::World;
use crate::support::{Call, statement};

/// Type, SQL of a value, JSON that it is read as, and the JSON that writes it (`=`: the same, `-`: none does).
const CASES: &str = include_str!("types.tsv");

struct Case<'a> {
    ty: &'a str,
    literal: &'a str,
    wanted: Value,
    sent: Option<Value>,
}

fn cases() -> Vec<Case<'static>> {
    let lines = CASES.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [ty, literal, wanted, sent] = fields[..] else { panic!("four fields: {line}") };
            let read =
                |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{line}: {error}"));
            let wanted = read(wanted);
            let sent = match sent {
                "=" => Some(wanted.clone()),
                "-" => None,
                other => Some(read(other)),
            };
            Case { ty, literal, wanted, sent }
        })
        .collect()
}

/// A table with a column of each case; its values are written by the server.
async fn world(test: &str) -> Option<World> {
    let world = World::new(test, "").await?;
    // Dates that are none are old data.
    world.execute("SET sql_mode = ''").await;
    for (number, case) in cases().iter().enumerate() {
        world.execute(&format!("CREATE TABLE t{number} (v {} NULL)", case.ty)).await;
        world.execute(&format!("INSERT INTO t{number} VALUES ({}), (NULL)", case.literal)).await;
    }
    Some(world)
}

#[tokio::test]
async fn every_type_is_written_without_loss_and_as_described() {
    let Some(world) = world("mysql every_type_is_written_without_loss").await else { return };
    let database = world.database();
    let mut wrong = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        let text = format!("SELECT v FROM t{number}");
        let rows = match Call::read(&text, &[]).run(&database).await {
            Ok((_, rows)) => rows,
            Err(error) => {
                wrong.push(format!("{} {}: {error}", case.ty, case.literal));
                continue;
            }
        };
        if rows != json!([{ "v": case.wanted }, { "v": null }]) {
            wrong.push(format!("{} {}: {rows}, not {}", case.ty, case.literal, case.wanted));
        }
        let described = database.describe(&statement(&text, 0)).await.expect("it is right");
        let schema = described.columns[0].schema();
        if !conforms(&case.wanted, &schema) || !described.columns[0].nullable {
            wrong.push(format!("{}: {} is not {schema}", case.ty, case.wanted));
        }
        let catalogue = world.see(&format!("SELECT COUNT(*) FROM t{number}")).await;
        assert_eq!(catalogue, "2");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A column has the same kind in the catalogue and in an answer, or one that is written the same way.
#[tokio::test]
async fn the_catalogue_and_answers_agree_on_kinds() {
    let Some(world) = world("mysql the_catalogue_and_answers_agree").await else { return };
    let database = world.database();
    let catalogue = database.catalogue().await.expect("it is read");
    for (number, case) in cases().iter().enumerate() {
        let name = format!("t{number}");
        let column = catalogue.table(&name).and_then(|table| table.column("v")).expect("a column");
        assert!(conforms(&case.wanted, &column.kind.schema(true)), "{}: {:?} of {}", case.ty, column.kind, case.wanted);
    }
}

/// What goes in comes out: each value is sent as the JSON that it is written as.
#[tokio::test]
async fn what_is_read_can_be_sent() {
    let Some(world) = world("mysql what_is_read_can_be_sent").await else { return };
    let database = world.database();
    let mut wrong = Vec::new();
    for (number, case) in cases().iter().enumerate() {
        let Some(sent) = &case.sent else { continue };
        world.execute(&format!("DELETE FROM t{number}")).await;
        for value in [sent, &Value::Null] {
            let insert = Call::write(&format!("INSERT INTO t{number} VALUES (?)"), std::slice::from_ref(value));
            if let Err(error) = insert.run(&database).await {
                wrong.push(format!("{} {value}: {error}", case.ty));
            }
        }
        let rows = Call::read(&format!("SELECT v FROM t{number}"), &[]).rows(&database).await;
        if rows != json!([{ "v": case.wanted }, { "v": null }]) {
            wrong.push(format!("{} {sent}: comes back as {rows}", case.ty));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn texts_of_every_character_set_are_unicode() {
    let Some(world) = World::new("mysql texts_of_every_character_set", "").await else { return };
    let database = world.database();
    let text = "SELECT GROUP_CONCAT(CHARACTER_SET_NAME) FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME <> 'binary'";
    let sets = world.see(text).await;
    assert!(sets.split(',').count() > 30, "{sets}");
    for set in sets.split(',') {
        let rows = Call::read(&format!("SELECT CONVERT('plain' USING {set}) AS v"), &[]).rows(&database).await;
        assert_eq!(rows, json!([{ "v": "plain" }]), "{set}");
    }
    for (set, value) in [
        ("latin1", "é€ß"),
        ("cp1251", "Привет"),
        ("greek", "αβγ"),
        ("sjis", "日本"),
        ("gbk", "中文"),
        ("euckr", "한국"),
        ("utf16", "𝄞€"),
        ("utf8mb3", "日€"),
    ] {
        let table = format!("c_{set}");
        world
            .execute(&format!("CREATE TABLE {table} (v VARCHAR(20) CHARACTER SET {set}, w TEXT CHARACTER SET {set})"))
            .await;
        let value = json!(value);
        let insert = format!("INSERT INTO {table} VALUES (?, ?)");
        Call::write(&insert, &[value.clone(), value.clone()])
            .run(&database)
            .await
            .unwrap_or_else(|error| panic!("{set}: {error}"));
        let read = Call::read(&format!("SELECT v, w FROM {table} WHERE v = ?"), std::slice::from_ref(&value));
        assert_eq!(read.rows(&database).await, json!([{ "v": value, "w": value }]), "{set}");
    }
}

#[tokio::test]
async fn expressions_have_their_types_too() {
    let Some(world) = World::new("mysql expressions_have_their_types_too", "").await else { return };
    let text = "SELECT 1 + 1 AS i, COUNT(*) AS c, SUM(1) AS s, AVG(2) AS a, 1.50 AS d, 1.5e0 AS f, 'x' AS t, NULL AS n,
        1 = 1 AS b, X'00FF' AS h, CAST('2024-01-02' AS DATE) AS day, CAST('01:02:03' AS TIME) AS time,
        CAST('2024-01-02 03:04:05.5' AS DATETIME(1)) AS at, -1 AS neg,
        CONCAT('a', 1) AS cat, ? AS p, JSON_OBJECT('a', 1) AS j, ROUND(2.345, 2) AS r, GROUP_CONCAT('x') AS g, 2 > ? AS cmp";
    let rows = Call::read(text, &[json!("é"), json!(1)]).rows(&world.database()).await;
    let wanted = json!([{ "i": 2, "c": 1, "s": "1", "a": "2.0000", "d": "1.50", "f": 1.5, "t": "x", "n": null, "b": 1, "h": "AP8=",
        "day": "2024-01-02", "time": "01:02:03", "at": "2024-01-02T03:04:05.5", "neg": -1,
        "cat": "a1", "p": "é", "j": rows[0]["j"], "r": "2.35", "g": "x", "cmp": 1 }]);
    assert_eq!(rows, wanted);
    // Apart from the sums: beside them MariaDB 10.11.14 itself gives the largest number with a sign.
    let big = Call::read("SELECT CAST(18446744073709551615 AS UNSIGNED) AS big, ? AS p", &[json!(1)]);
    assert_eq!(big.rows(&world.database()).await, json!([{ "big": "18446744073709551615", "p": 1 }]));
}

#[tokio::test]
async fn columns_have_the_target_that_was_declared() {
    let Some(world) = World::new("mysql columns_have_the_target", "").await else { return };
    let database = world.database();
    let text = "SELECT 12.50 a, 9007199254740993 b, 3 c, '{\"x\": [1]}' d, 12.00 e, 1 f, 0 g, TRUE h";
    use Target as T;
    let targets = [T::Number, T::Integer, T::String, T::Json, T::Integer, T::Boolean, T::Boolean, T::Integer];
    let call = Call { single: true, ..Call::read(text, &[]).targets(&targets) };
    let wanted = json!({"a": 12.5, "b": 9007199254740993_u64, "c": "3", "d": {"x": [1]}, "e": 12, "f": true, "g": false, "h": 1});
    assert_eq!(call.rows(&database).await, wanted);
    let call = Call::read("SELECT 1 AS fine, 1.5 AS bad", &[]).targets(&[T::Auto, T::Integer]);
    let error = call.error(&database).await;
    assert_eq!(error.kind, ErrorKind::Value);
    assert!(error.message.contains("`bad`"), "{error}");
}

#[tokio::test]
async fn optional_parameters_may_be_null_or_any_json() {
    let Some(world) = World::new(
        "mysql optional_parameters",
        "CREATE TABLE t (x INT, s VARCHAR(9), d DECIMAL(20,4), b BOOLEAN, j JSON, at DATETIME);;
        INSERT INTO t VALUES (1, 'a', 1.5, TRUE, '[1]', '2024-01-02 03:04:05')",
    )
    .await
    else {
        return;
    };
    let database = world.database_with(|config| config.pool_max = 1);
    for column in ["x", "s", "d", "b", "at"] {
        let text = format!("SELECT x FROM t WHERE ? IS NULL OR {column} = ?");
        let fits = match column {
            "s" => json!("a"),
            "d" => json!("1.5000"),
            "b" => json!(true),
            "at" => json!("2024-01-02T03:04:05"),
            _ => json!(1),
        };
        // The same prepared statement with values of one type after the other.
        for value in [Value::Null, fits, Value::Null] {
            let rows = Call::read(&text, &[value.clone(), value.clone()]).rows(&database).await;
            assert_eq!(rows, json!([{ "x": 1 }]), "{column} = {value}");
        }
    }
    let insert = "INSERT INTO t (j, x, d) VALUES (?, ?, ?)";
    Call::write(insert, &[json!({"a": [1, "é"]}), json!(7), json!(12345678901.25)])
        .run(&database)
        .await
        .expect("it runs");
    let rows = Call::read("SELECT j, d FROM t WHERE x = 7", &[]).rows(&database).await;
    assert_eq!(rows, json!([{ "j": {"a": [1, "é"]}, "d": "12345678901.2500" }]));
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
