//! Answers that are kept, and those that are not.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use base::Secret;
use connect::http::{Api, Caching, Call, Credentials, Events, Method, Settings};

use super::world::{Upstream, answer, get, send};

fn cached(upstream: &Upstream) -> Api {
    Api::open(Settings { cache: Some(Caching { bytes_max: 64 * 1024 }), ..upstream.settings() }).unwrap()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[tokio::test]
async fn answers_are_kept_as_their_upstream_allows() {
    // Headers of the answer, and how many of three requests reach the upstream.
    let cases: [(&[(&str, &str)], usize); 14] = [
        (&[("cache-control", "max-age=60")], 1),
        (&[("cache-control", "private, MAX-AGE=\"60\"")], 1),
        (&[("expires", "Fri, 01 Jan 2100 00:00:00 GMT")], 1),
        (&[("cache-control", "max-age=60"), ("age", "60")], 3),
        (&[("cache-control", "max-age=0"), ("expires", "Fri, 01 Jan 2100 00:00:00 GMT")], 3),
        (&[("expires", "Thu, 01 Jan 1970 00:00:00 GMT")], 3),
        (&[("expires", "0")], 3),
        (&[("cache-control", "max-age=60, no-store")], 3),
        (&[("cache-control", "max-age=60, no-cache")], 3),
        (&[("cache-control", "max-age=x")], 3),
        (&[("cache-control", "max-age=60"), ("vary", "*")], 3),
        (&[("cache-control", "max-age=60"), ("vary", "Accept")], 1),
        (&[("etag", "\"a\"")], 3),
        (&[], 3),
    ];
    for (headers, requests) in cases {
        let upstream = Upstream::start(|_, _, _| answer(200, headers, "body")).await;
        let api = cached(&upstream);
        for _ in 0..3 {
            assert_eq!(send(&api, &get("/x")).await.unwrap().body, "body");
        }
        assert_eq!(upstream.count(), requests, "{headers:?}");
    }
    let plain = Upstream::start(|_, _, _| answer(200, &[("cache-control", "max-age=60")], "body")).await;
    for _ in 0..2 {
        send(&plain.api(), &get("/x")).await.unwrap();
    }
    assert_eq!(plain.count(), 2, "nothing is kept unless the connection says so");
}

#[tokio::test]
async fn validators_are_sent_and_answers_renewed() {
    let upstream = Upstream::start(|nth, head: &Parts, _| {
        let known =
            text(&head.headers, "if-none-match") == "\"v1\"" && !text(&head.headers, "if-modified-since").is_empty();
        let date = ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT");
        match (known, nth) {
            (true, 1) => answer(304, &[("etag", "\"v1\""), ("x-nth", "1")], ""),
            (true, 2) => answer(304, &[("etag", "\"v1\""), ("cache-control", "max-age=60")], ""),
            _ => answer(200, &[("etag", "\"v1\""), date, ("x-nth", "0")], "body"),
        }
    })
    .await;
    let api = cached(&upstream);
    for nth in ["0", "1"] {
        let reply = send(&api, &get("/x")).await.unwrap();
        assert_eq!((reply.status.as_u16(), &reply.body[..]), (200, &b"body"[..]));
        assert_eq!(text(&reply.headers, "x-nth"), nth);
    }
    // The third answer makes it fresh.
    for _ in 0..5 {
        assert_eq!(send(&api, &get("/x")).await.unwrap().body, "body");
    }
    assert_eq!(upstream.count(), 3);
    let mut own = get("/x");
    own.headers = vec![("If-None-Match".into(), "\"v1\"".into()), ("If-Modified-Since".into(), "x".into())];
    assert_eq!(send(&api, &own).await.unwrap().body, "body", "the caller's own question goes to the upstream");
    assert_eq!(upstream.count(), 4);
}

#[tokio::test]
async fn what_differs_by_request_is_kept_apart() {
    let upstream = Upstream::start(|_, head: &Parts, _| {
        let body = format!("{} {}", head.uri, text(&head.headers, "accept-language"));
        answer(200, &[("cache-control", "max-age=60"), ("vary", "Accept-Language")], body)
    })
    .await;
    let api = cached(&upstream);
    let in_language = |language: &str| {
        let mut call = get("/x");
        call.headers = vec![("Accept-Language".into(), language.into())];
        call
    };
    for _ in 0..2 {
        assert_eq!(send(&api, &in_language("de")).await.unwrap().body, "/v1/x de");
    }
    assert_eq!(send(&api, &in_language("fr")).await.unwrap().body, "/v1/x fr");
    let mut query = get("/x");
    query.query = vec![("a".into(), "1".into())];
    assert_eq!(send(&api, &query).await.unwrap().body, "/v1/x?a=1 ");
    assert_eq!(upstream.count(), 3);
    for header in ["Authorization", "Cookie", "Range", "Cache-Control"] {
        let before = upstream.count();
        let mut call = get("/own");
        call.headers = vec![(header.into(), "x".into())];
        send(&api, &call).await.unwrap();
        send(&api, &call).await.unwrap();
        assert_eq!(upstream.count() - before, 2, "{header}");
    }
    let before = upstream.count();
    let mut events = get("/events");
    events.events = Some(Events::default());
    for mut call in [events, get("/user")] {
        call.subject = Some(Secret::new("user's token"));
        send(&api, &call).await.unwrap();
        send(&api, &call).await.unwrap();
    }
    assert_eq!(upstream.count() - before, 4);
}

#[tokio::test]
async fn a_change_makes_the_kept_answer_void() {
    for (method, status, requests) in
        [(Method::POST, 200, 3), (Method::PUT, 204, 3), (Method::DELETE, 303, 4), (Method::PATCH, 400, 2)]
    {
        let upstream = Upstream::start(move |_, head: &Parts, _| match head.method {
            axum::http::Method::GET => answer(200, &[("cache-control", "max-age=60")], "body"),
            _ => answer(status, &[("location", "/v1/other")], ""),
        })
        .await;
        let api = cached(&upstream);
        for method in [Method::GET, method.clone(), Method::GET] {
            send(&api, &Call::new(method, "/x")).await.unwrap();
        }
        assert_eq!(upstream.count(), requests, "{method} {status}");
    }
}

#[tokio::test]
async fn memory_is_bounded() {
    let upstream = Upstream::start(|_, head: &Parts, _| {
        let size = if head.uri.path() == "/v1/large" { 17_000 } else { 10_000 };
        answer(200, &[("cache-control", "max-age=60")], vec![b'x'; size])
    })
    .await;
    let api = cached(&upstream);
    let calls: Vec<_> = (0..8).map(|nth| get(&format!("/{nth}"))).collect();
    for call in &calls {
        send(&api, call).await.unwrap();
    }
    assert_eq!(upstream.count(), 8);
    // Six fit: the newest are there, the oldest are not.
    for (nth, requests) in [(7, 8), (2, 8), (0, 9), (1, 10)] {
        send(&api, &calls[nth]).await.unwrap();
        assert_eq!(upstream.count(), requests, "{nth}");
    }
    for requests in [11, 12] {
        send(&api, &get("/large")).await.unwrap();
        assert_eq!(upstream.count(), requests, "too large a part of the whole");
    }
}

#[tokio::test]
async fn kept_answers_hold_no_secrets() {
    let upstream = Upstream::start(|_, head: &Parts, _| {
        let shown = text(&head.headers, "authorization");
        answer(200, &[("cache-control", "max-age=60"), ("x-echo", shown)], shown.to_owned())
    })
    .await;
    let settings = Settings { cache: Some(Caching::default()), ..upstream.settings() };
    let api = Api::open(Settings { credentials: Credentials::Bearer(Secret::new("t0p-s3cr3t")), ..settings }).unwrap();
    for _ in 0..2 {
        let reply = send(&api, &get("/x")).await.unwrap();
        assert_eq!((&reply.body[..], text(&reply.headers, "x-echo")), (&b"Bearer ***"[..], "Bearer ***"));
    }
    assert_eq!(upstream.count(), 1);
}
