//! HTTP/2: many requests on one connection, windows, connections that go away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body as Answer, Bytes};
use connect::ErrorKind;
use connect::http::{Api, Body, Call, Limits, Method, Retries, Settings};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::secure::{Authority, Kind, SecureUpstream, echo};
use super::world::{failed, get, send, soon};

const H2: &[&[u8]] = &[b"h2"];

#[tokio::test]
async fn requests_share_a_connection() {
    let ours = Authority::new();
    // Each request of the group is answered when all of them are there.
    let barrier = Arc::new(tokio::sync::Barrier::new(20));
    let upstream = SecureUpstream::start(
        Kind::new(&ours, H2),
        Arc::new(move |path, _| {
            let (group, barrier) = (path.ends_with("group"), Arc::clone(&barrier));
            Box::pin(async move {
                if group {
                    barrier.wait().await;
                }
                Answer::from("done")
            })
        }),
    )
    .await;
    let api = Api::open(upstream.settings(&ours, "localhost")).unwrap();
    send(&api, &get("/first")).await.unwrap();
    let call = get("/group");
    for outcome in join_all((0..20).map(|_| send(&api, &call))).await {
        assert_eq!(outcome.unwrap().body, "done");
    }
    assert_eq!(upstream.connections(), 1);
}

#[tokio::test]
async fn an_upstream_may_allow_few_requests_at_once() {
    let ours = Authority::new();
    let (now, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let seen = Arc::clone(&most);
    let kind = Kind { streams_max: 2, ..Kind::new(&ours, H2) };
    let upstream = SecureUpstream::start(
        kind,
        Arc::new(move |_, _| {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            Box::pin(async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                now.fetch_sub(1, Ordering::SeqCst);
                Answer::from("done")
            })
        }),
    )
    .await;
    let api = Api::open(upstream.settings(&ours, "localhost")).unwrap();
    send(&api, &get("/first")).await.unwrap();
    let call = get("/x");
    for outcome in join_all((0..12).map(|_| send(&api, &call))).await {
        assert_eq!(outcome.unwrap().body, "done");
    }
    assert_eq!((upstream.connections(), seen.load(Ordering::SeqCst)), (1, 2));
}

#[tokio::test]
async fn bodies_larger_than_the_windows_travel_both_ways() {
    let ours = Authority::new();
    let upstream = SecureUpstream::start(Kind::new(&ours, H2), echo()).await;
    let limits = Limits { answer_bytes: 8 << 20, ..Limits::default() };
    let api = Api::open(Settings { limits, ..upstream.settings(&ours, "localhost") }).unwrap();
    let bytes = Bytes::from_iter((0..3 << 20).map(|n: u32| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]));
    let calls = [0, 1, 2].map(|_| {
        let mut call = Call::new(Method::POST, "/x");
        call.body = Body::Raw { content_type: "application/octet-stream".into(), bytes: bytes.clone() };
        call
    });
    for outcome in join_all(calls.iter().map(|call| send(&api, call))).await {
        assert!(outcome.unwrap().body == bytes);
    }
}

#[tokio::test]
async fn a_connection_that_goes_away_is_replaced() {
    let ours = Authority::new();
    let upstream = SecureUpstream::start(Kind { goes_away: true, ..Kind::new(&ours, H2) }, echo()).await;
    let retries = Retries { max: 2, backoff: Duration::from_millis(1), wait_max: Duration::from_secs(1) };
    let api = Api::open(Settings { retries, ..upstream.settings(&ours, "localhost") }).unwrap();
    for nth in 0..20 {
        assert_eq!(send(&api, &get(&format!("/{nth}"))).await.unwrap().body, format!("/v1/{nth}"));
    }
    assert!(upstream.connections() > 1);
}

#[tokio::test]
async fn an_endless_answer_is_left_and_the_connection_stays() {
    let ours = Authority::new();
    let upstream = SecureUpstream::start(
        Kind::new(&ours, H2),
        Arc::new(|path, _| {
            let (endless, slow) = (path.ends_with("endless"), path.ends_with("slow"));
            Box::pin(async move {
                let chunk = || Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 4096]));
                if endless {
                    return Answer::from_stream(futures_util::stream::repeat_with(chunk));
                }
                if slow {
                    let first = futures_util::stream::once(async move { chunk() });
                    return Answer::from_stream(futures_util::StreamExt::chain(first, futures_util::stream::pending()));
                }
                Answer::from("done")
            })
        }),
    )
    .await;
    let limits = Limits { answer_bytes: 1 << 20, ..Limits::default() };
    let api = Api::open(Settings { limits, ..upstream.settings(&ours, "localhost") }).unwrap();
    for _ in 0..10 {
        assert_eq!(failed(send(&api, &get("/endless")).await).0, ErrorKind::Limit);
    }
    let deadline = tokio::time::Instant::now() + Duration::from_millis(50);
    assert_eq!(failed(api.send(&get("/slow"), deadline, &CancellationToken::new()).await).0, ErrorKind::Timeout);
    let cancel = CancellationToken::new();
    cancel.cancel();
    assert_eq!(failed(api.send(&get("/slow"), soon(), &cancel).await).0, ErrorKind::Cancelled);
    assert_eq!(send(&api, &get("/x")).await.unwrap().body, "done");
    assert_eq!(upstream.connections(), 1);
}
