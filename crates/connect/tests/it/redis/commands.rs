//! Commands and the JSON of their answers.

use connect::ErrorKind;
use connect::redis::{Batch, Command};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::world::{World, one, soon};

#[tokio::test]
async fn answers_have_the_shape_of_what_they_mean() {
    let Some(world) = World::new("redis: answers") else { return };
    let cases: [(&[&str], serde_json::Value); 22] = [
        (&["SET", "@a", "1"], json!("OK")),
        (&["GET", "@a"], json!("1")),
        (&["GET", "@none"], json!(null)),
        (&["INCRBY", "@a", "41"], json!(42)),
        (&["INCRBY", "@big", "9223372036854775807"], json!("9223372036854775807")),
        (&["HSET", "@h", "name", "Ada", "born", "1815"], json!(2)),
        (&["HGETALL", "@h"], json!({"name": "Ada", "born": "1815"})),
        (&["HGETALL", "@none"], json!({})),
        (&["HMGET", "@h", "name", "died"], json!(["Ada", null])),
        (&["RPUSH", "@l", "x", "y"], json!(2)),
        (&["LRANGE", "@l", "0", "-1"], json!(["x", "y"])),
        (&["SADD", "@s", "m"], json!(1)),
        (&["SMEMBERS", "@s"], json!(["m"])),
        (&["ZADD", "@z", "1.5", "b", "1", "a"], json!(2)),
        (&["ZRANGE", "@z", "0", "-1", "WITHSCORES"], json!([{"value": "a", "score": 1}, {"value": "b", "score": 1.5}])),
        (&["ZSCORE", "@z", "b"], json!(1.5)),
        (&["ZADD", "@z", "+inf", "c"], json!(1)),
        (&["ZSCORE", "@z", "c"], json!("inf")),
        (&["EXISTS", "@a"], json!(1)),
        (&["TTL", "@a"], json!(-1)),
        (&["TYPE", "@h"], json!("hash")),
        (&["DEL", "@a", "@h"], json!(2)),
    ];
    for (words, expected) in cases {
        assert_eq!(world.must(words).await, expected, "{words:?}");
    }
}

#[tokio::test]
async fn streams_are_written_read_and_acknowledged() {
    let Some(world) = World::new("redis: streams") else { return };
    assert_eq!(world.must(&["XADD", "@st", "1-1", "kind", "made"]).await, json!("1-1"));
    world.must(&["XADD", "@st", "1-2", "kind", "sent", "kind", "twice"]).await;
    let first = json!({"id": "1-1", "fields": {"kind": "made"}});
    let second = json!({"id": "1-2", "fields": [["kind", "sent"], ["kind", "twice"]]});
    assert_eq!(world.must(&["XRANGE", "@st", "-", "+"]).await, json!([first, second]));
    let key = format!("{}st", world.prefix);
    let read = world.must(&["XREAD", "COUNT", "1", "STREAMS", "@st", "0"]).await;
    assert_eq!(read, json!({key.clone(): [first]}));
    assert_eq!(world.must(&["XREAD", "BLOCK", "10", "STREAMS", "@st", "1-2"]).await, json!({}), "nothing new");
    world.must(&["XGROUP", "CREATE", "@st", "workers", "0"]).await;
    let group = ["XREADGROUP", "GROUP", "workers", "one", "COUNT", "1", "STREAMS", "@st", ">"];
    assert_eq!(world.must(&group).await, json!({key: [first]}));
    assert_eq!(world.must(&["XACK", "@st", "workers", "1-1"]).await, json!(1));
    assert_eq!(world.must(&["XINFO", "STREAM", "@st"]).await["length"], json!(2));
    let again = world.run(&["XGROUP", "CREATE", "@st", "workers", "0"]).await.expect_err("it is there");
    assert_eq!((again.kind, again.code.as_deref()), (ErrorKind::Constraint, Some("BUSYGROUP")));
}

/// Values that would be more than a value if they were put into a line of text.
#[tokio::test]
async fn a_value_is_never_more_than_a_value() {
    let Some(world) = World::new("redis: values") else { return };
    let hostile = [
        "",
        " ",
        "\r\n",
        "x\r\nFLUSHALL\r\n",
        "*1\r\n$8\r\nFLUSHALL\r\n",
        "\"",
        "'",
        "\\",
        "\0",
        "a b",
        "$-1\r\n",
        "+OK\r\n",
        "; FLUSHALL",
        "\u{1f680}",
        "{{ args.x }}",
        "$(id)",
        "`id`",
        "%0d%0aFLUSHALL",
        "\u{feff}",
        "-ERR",
    ];
    world.must(&["SET", "@canary", "alive"]).await;
    for text in hostile {
        world.must(&["SET", "@v", text]).await;
        assert_eq!(world.must(&["GET", "@v"]).await, json!(text), "{text:?}");
        let key = format!("@{text}k");
        world.must(&["SET", &key, "1"]).await;
        assert_eq!(world.must(&["GET", &key]).await, json!("1"), "{text:?}");
    }
    assert_eq!(world.must(&["GET", "@canary"]).await, json!("alive"));
}

#[tokio::test]
async fn bytes_and_json_come_out_whole() {
    let Some(world) = World::new("redis: bytes") else { return };
    let key = format!("{}b", world.prefix);
    one(&world.redis, Command::new([b"SET", key.as_bytes(), &[0xff, 0xfe, 0x00]])).await.expect("bytes are written");
    assert_eq!(world.must(&["GET", "@b"]).await, json!({"base64": "//4A"}));
    world.must(&["SET", "@j", r#"{"a": [1, null]}"#]).await;
    let parsed = one(&world.redis, world.command(&["GET", "@j"]).as_json()).await.expect("an answer");
    assert_eq!(parsed, json!({"a": [1, null]}));
}

#[tokio::test]
async fn several_commands_are_one_transaction_or_none() {
    let Some(world) = World::new("redis: transactions") else { return };
    let batch = |commands: &[&[&str]], atomic| Batch {
        commands: commands.iter().map(|words| world.command(words)).collect(),
        atomic,
        reads: false,
    };
    let run = async |batch: Batch| world.redis.run(&batch, soon(), &CancellationToken::new()).await;
    for atomic in [false, true] {
        let values = run(batch(&[&["SET", "@n", "1"], &["INCR", "@n"], &["GET", "@n"]], atomic)).await;
        assert_eq!(values.expect("answers"), [json!("OK"), json!(2), json!("2")]);
    }
    let wrong = run(batch(&[&["SET", "@n", "9"], &["NOSUCH"], &["INCR", "@n"]], true)).await.expect_err("refused");
    assert!(wrong.to_string().contains("`NOSUCH` (command 2 of 3)"), "{wrong}");
    assert_eq!(world.must(&["GET", "@n"]).await, json!("2"), "nothing of it was carried out");
    let wrong = run(batch(&[&["LPUSH", "@n", "x"]], true)).await.expect_err("refused");
    assert_eq!((wrong.kind, wrong.code.as_deref()), (ErrorKind::Statement, Some("WRONGTYPE")));
    assert_eq!(world.must(&["GET", "@n"]).await, json!("2"), "the connection is whole");
}

#[tokio::test]
async fn errors_say_what_to_do_without_the_values() {
    let Some(world) = World::new("redis: errors") else { return };
    world.must(&["SET", "@t", "text"]).await;
    let cases: [(&[&str], ErrorKind, &str); 5] = [
        (&["LPUSH", "@t", "x"], ErrorKind::Statement, "`TYPE` tells which"),
        (&["INCR", "@t"], ErrorKind::Value, "integer of 64 bits"),
        (&["GET"], ErrorKind::Statement, "documentation"),
        (&["NOSUCHCOMMAND", "sesame"], ErrorKind::Statement, "version may be older"),
        (&["SUBSCRIBE", "x"], ErrorKind::Statement, "shared by all calls"),
    ];
    for (words, kind, word) in cases {
        let error = world.run(words).await.expect_err("refused");
        assert_eq!(error.kind, kind, "{words:?}: {error}");
        assert!(error.to_string().contains(word), "{words:?}: {error}");
    }
    for name in
        ["SELECT", "auth", "MULTI", "Exec", "WATCH", "MONITOR", "CLIENT", "RESET", "QUIT", "PSUBSCRIBE", "HELLO"]
    {
        let error = world.run(&[name, "1"]).await.expect_err("refused");
        assert!(error.message.contains("changes the connection"), "{error}");
    }
}
