//! Walks through keys and members.

use std::collections::BTreeSet;

use connect::redis::Scan;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::world::{World, soon};

#[tokio::test]
async fn every_key_is_found_in_pages() {
    let Some(world) = World::new("redis: scan") else { return };
    for nth in 0..60 {
        world.must(&["SET", &format!("@k{nth}"), "1"]).await;
    }
    world.must(&["SADD", "@set", "x"]).await;
    let mut scan = Scan {
        command: "SCAN".to_owned(),
        pattern: Some(format!("{}*", world.prefix)),
        kind: Some("string".to_owned()),
        limit: 10,
        ..Scan::default()
    };
    let mut found = BTreeSet::new();
    let mut pages = 0;
    loop {
        let page = world.redis.scan(&scan, soon(), &CancellationToken::new()).await.expect("a page");
        found.extend(page.items.iter().filter_map(Value::as_str).map(str::to_owned));
        pages += 1;
        scan.cursor = page.cursor;
        if scan.cursor.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 60, "{found:?}");
    assert!(pages > 1, "the limit ends a page");
    scan.cursor = Some("0; FLUSHALL".to_owned());
    let wrong = world.redis.scan(&scan, soon(), &CancellationToken::new()).await.expect_err("no cursor");
    assert!(wrong.message.contains("no cursor of an earlier page"), "{wrong}");
}

#[tokio::test]
async fn members_come_with_their_values() {
    let Some(world) = World::new("redis: hscan") else { return };
    world.must(&["HSET", "@h", "a", "1"]).await;
    world.must(&["ZADD", "@z", "2.5", "m"]).await;
    world.must(&["SADD", "@s", "x"]).await;
    for (command, key, expected) in [
        ("HSCAN", "h", json!([{"field": "a", "value": "1"}])),
        ("SSCAN", "s", json!(["x"])),
        ("ZSCAN", "z", json!([{"value": "m", "score": "2.5"}])),
    ] {
        let scan = Scan {
            command: command.to_owned(),
            key: Some(format!("{}{key}", world.prefix)),
            limit: 10,
            ..Scan::default()
        };
        let page = world.redis.scan(&scan, soon(), &CancellationToken::new()).await.expect("a page");
        assert_eq!((Value::Array(page.items), page.cursor), (expected, None), "{command}");
    }
}
