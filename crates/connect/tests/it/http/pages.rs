//! Answers in pages.

use connect::ErrorKind;
use connect::http::{Pages, Select, Turn};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::world::{Upstream, answer, get, ok, soon};

/// Seven items, three to a page, with every way to the next page in each answer.
async fn upstream() -> Upstream {
    Upstream::start(|_, head, _| {
        let url = url::Url::parse(&format!("http://{}{}", head.headers["host"].to_str().unwrap(), head.uri)).unwrap();
        let number = |name: &str| {
            url.query_pairs().find(|(key, _)| key == name).and_then(|(_, value)| value.parse::<usize>().ok())
        };
        let page = number("page").map(|page| (page - 1) * 3);
        let from = page.or(number("offset")).or(number("cursor")).unwrap_or(0);
        let items: Vec<Value> = (from..7.min(from + 3)).map(|n| json!({"n": n})).collect();
        let next = from + 3;
        let link = format!(
            "<http://x.invalid/>; rel=\"prev\", <{}/v1/items?cursor={next}>; rel=\"next\"",
            url.origin().ascii_serialization()
        );
        let more = next < 7;
        let body = json!({
            "data": items,
            "cursor": if more { json!(next.to_string()) } else { Value::Null },
            "next": if more { json!(format!("items?cursor={next}")) } else { Value::Null },
        });
        if more { answer(200, &[("link", &link)], body.to_string()) } else { ok(body.to_string()) }
    })
    .await
}

fn pages(turn: Turn) -> Pages {
    Pages { items: Select::parse("/data").unwrap(), turn, pages_max: 10, items_max: 100 }
}

fn turns() -> Vec<Turn> {
    vec![
        Turn::Page { name: "page".into(), first: 1 },
        Turn::Offset { name: "offset".into() },
        Turn::Cursor { name: "cursor".into(), from: Select::parse("/cursor").unwrap() },
        Turn::Link,
        Turn::Next { from: Select::parse("$.next").unwrap() },
    ]
}

#[tokio::test]
async fn every_way_to_the_next_page_is_followed() {
    let upstream = upstream().await;
    let api = upstream.api();
    let all: Vec<Value> = (0..7).map(|n| json!({"n": n})).collect();
    for turn in turns() {
        let found = api.collect(&get("/items"), &pages(turn.clone()), soon(), &CancellationToken::new()).await.unwrap();
        assert_eq!((found.items, found.truncated), (all.clone(), false), "{turn:?}");
    }
}

#[tokio::test]
async fn bounds_are_kept_and_announced() {
    let upstream = upstream().await;
    let api = upstream.api();
    for turn in turns() {
        for (pages_max, items_max, expected) in [(2, 100, 6), (10, 4, 4), (1, 100, 3), (10, 3, 3)] {
            let wanted = Pages { pages_max, items_max, ..pages(turn.clone()) };
            let found = api.collect(&get("/items"), &wanted, soon(), &CancellationToken::new()).await.unwrap();
            assert_eq!((found.items.len(), found.truncated), (expected, true), "{turn:?}");
        }
    }
}

#[tokio::test]
async fn a_next_page_elsewhere_or_in_a_circle_is_refused() {
    for (next, kind) in [
        ("http://169.254.169.254/v1/x", ErrorKind::Denied),
        ("http://example.com/v1/x", ErrorKind::Denied),
        ("//example.com/v1/x", ErrorKind::Denied),
        ("/admin", ErrorKind::Denied),
        ("/v1evil", ErrorKind::Denied),
        ("../../admin", ErrorKind::Denied),
        ("/v1/../admin", ErrorKind::Denied),
        ("file:///etc/passwd", ErrorKind::Denied),
        ("/v1/items", ErrorKind::Other),
    ] {
        let body = json!({"data": [1], "next": next}).to_string();
        let upstream = Upstream::start(move |_, _, _| ok(body.clone())).await;
        let wanted = pages(Turn::Next { from: Select::parse("/next").unwrap() });
        let outcome = upstream.api().collect(&get("/items"), &wanted, soon(), &CancellationToken::new()).await;
        assert_eq!(outcome.unwrap_err().kind, kind, "{next}");
        assert_eq!(upstream.count(), 1);
    }
    // Two pages that name each other.
    let upstream = Upstream::start(|_, head, _| {
        let next = if head.uri.query() == Some("b") { "/v1/items" } else { "/v1/items?b" };
        ok(json!({"data": [1], "next": next}).to_string())
    })
    .await;
    let wanted = pages(Turn::Next { from: Select::parse("/next").unwrap() });
    let outcome = upstream.api().collect(&get("/items"), &wanted, soon(), &CancellationToken::new()).await;
    assert_eq!((outcome.unwrap_err().kind, upstream.count()), (ErrorKind::Other, 2));
}

#[tokio::test]
async fn a_failed_page_is_the_answer() {
    let upstream = Upstream::start(|nth, _, _| match nth {
        0 => ok(r#"{"data":[1],"next":"/v1/b"}"#),
        _ => answer(403, &[], "no"),
    })
    .await;
    let wanted = pages(Turn::Next { from: Select::parse("/next").unwrap() });
    let found = upstream.api().collect(&get("/a"), &wanted, soon(), &CancellationToken::new()).await.unwrap();
    assert_eq!((found.items.len(), found.last.status.as_u16()), (1, 403));
}
