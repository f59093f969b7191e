//! Tokens by OAuth: fetched once, renewed once, exchanged for each user, and never seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base::Secret;
use connect::ErrorKind;
use connect::http::{Call, Credentials, Exchange, OAuth};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::world::{Upstream, answer, failed, get, ok, send};

fn oauth(upstream: &Upstream) -> OAuth {
    OAuth {
        token_url: format!("{}/token", upstream.url),
        client_id: "me".into(),
        client_secret: Some(Secret::new("cl13nt-s3cr3t")),
        refresh_token: None,
        scopes: vec!["read".into(), "write".into()],
        audience: None,
        secret_in_form: false,
        exchange: None,
        assertion: None,
        form: Vec::new(),
        users: None,
    }
}

#[tokio::test]
async fn tokens_are_fetched_once_and_renewed_when_refused() {
    let upstream = Upstream::start(|nth, head, _| match head.uri.path() {
        "/token" => ok(format!("{{\"access_token\":\"token-{nth}\",\"token_type\":\"Bearer\",\"expires_in\":3600}}")),
        "/v1/expired" if head.headers["authorization"] == "Bearer token-0" => answer(401, &[], ""),
        "/v1/never" => answer(401, &[], ""),
        _ => ok(format!("{:?}", head.headers["authorization"])),
    })
    .await;
    let api = upstream.with(Credentials::OAuth(oauth(&upstream)));
    let (a, b) = (get("/a"), get("/b"));
    let (first, second) = tokio::join!(send(&api, &a), send(&api, &b));
    assert_eq!((first.unwrap().body, second.unwrap().body), ("\"Bearer ***\"".into(), "\"Bearer ***\"".into()));
    let token = upstream.seen.lock()[0].clone();
    assert_eq!(token.body, "grant_type=client_credentials&scope=read+write");
    assert_eq!(token.header("authorization"), "Basic bWU6Y2wxM250LXMzY3IzdA==");
    assert_eq!(upstream.count(), 3);
    assert_eq!(send(&api, &get("/expired")).await.unwrap().status, 200);
    assert_eq!(upstream.last().header("authorization"), "Bearer token-4");
    let before = upstream.count();
    assert_eq!(send(&api, &get("/never")).await.unwrap().status, 401);
    assert_eq!(upstream.count() - before, 3, "one renewal, not a loop");
}

#[tokio::test]
async fn refresh_tokens_rotate_and_may_stay_the_same() {
    let upstream = Upstream::start(|nth, head, _| match (head.uri.path(), nth) {
        ("/token", 0) => ok(r#"{"access_token":"token-a","refresh_token":"refresh-2"}"#),
        ("/token", _) => ok(r#"{"access_token":"token-a","refresh_token":"refresh-2"}"#),
        _ => answer(401, &[], ""),
    })
    .await;
    let refresh_token = Some(Secret::new("refresh-1"));
    let api = upstream.with(Credentials::OAuth(OAuth { refresh_token, secret_in_form: true, ..oauth(&upstream) }));
    send(&api, &get("/x")).await.unwrap();
    send(&api, &get("/x")).await.unwrap();
    let sent: Vec<_> =
        upstream.seen.lock().iter().filter(|seen| seen.uri == "/token").map(|seen| seen.body.clone()).collect();
    assert!(sent[0].starts_with(b"grant_type=refresh_token&refresh_token=refresh-1&"), "{sent:?}");
    assert!(
        sent[1..].iter().all(|body| body.starts_with(b"grant_type=refresh_token&refresh_token=refresh-2&")),
        "{sent:?}"
    );
    let used = upstream.last();
    assert_eq!(used.header("authorization"), "Bearer token-a");
}

#[tokio::test]
async fn a_refused_token_request_says_why_without_secrets() {
    let upstream = Upstream::start(|_, _, body| {
        answer(400, &[], format!("{{\"error\":\"invalid_client {}\"}}", String::from_utf8_lossy(body)))
    })
    .await;
    let api = upstream.with(Credentials::OAuth(OAuth { secret_in_form: true, ..oauth(&upstream) }));
    let error = send(&api, &get("/x")).await.unwrap_err().to_string();
    assert!(error.contains("400") && error.contains("invalid_client") && !error.contains("cl13nt"), "{error}");
}

#[tokio::test]
async fn many_calls_renew_once() {
    let fetched = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&fetched);
    let upstream = Upstream::start(move |_, head, _| match head.uri.path() {
        "/token" => {
            let nth = count.fetch_add(1, Ordering::SeqCst);
            ok(format!("{{\"access_token\":\"token-number-{nth}\",\"expires_in\":3600}}"))
        }
        // The first token is refused, each time.
        _ if head.headers["authorization"] == "Bearer token-number-0" => answer(401, &[], ""),
        _ => ok("done"),
    })
    .await;
    let api = upstream.with(Credentials::OAuth(oauth(&upstream)));
    let call = get("/x");
    for outcome in join_all((0..50).map(|_| send(&api, &call))).await {
        assert_eq!(outcome.unwrap().body, "done");
    }
    assert_eq!(fetched.load(Ordering::SeqCst), 2, "one token, and one more after it was refused");
}

#[tokio::test]
async fn many_calls_share_a_failure() {
    let upstream = Upstream::start(|_, _, _| answer(400, &[], "{\"error\":\"invalid_client\"}")).await;
    let api = upstream.with(Credentials::OAuth(oauth(&upstream)));
    let call = get("/x");
    for outcome in join_all((0..50).map(|_| send(&api, &call))).await {
        assert_eq!(failed(outcome).0, ErrorKind::Denied);
    }
    assert_eq!(upstream.count(), 1);
    // Who comes later asks again.
    failed(send(&api, &call).await);
    assert_eq!(upstream.count(), 2);
}

#[tokio::test]
async fn a_caller_that_leaves_does_not_lose_the_token() {
    let cancel = CancellationToken::new();
    let leave = cancel.clone();
    let upstream = Upstream::start(move |_, head, _| match head.uri.path() {
        "/token" => {
            leave.cancel();
            ok(r#"{"access_token":"token-a","refresh_token":"refresh-2","expires_in":3600}"#)
        }
        _ => ok("done"),
    })
    .await;
    let refresh_token = Some(Secret::new("refresh-1"));
    let api = upstream.with(Credentials::OAuth(OAuth { refresh_token, ..oauth(&upstream) }));
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    assert_eq!(failed(api.send(&get("/x"), deadline, &cancel).await).0, ErrorKind::Cancelled);
    assert_eq!(send(&api, &get("/x")).await.unwrap().body, "done");
    let tokens = upstream.seen.lock().iter().filter(|seen| seen.uri == "/token").count();
    assert_eq!(tokens, 1, "the refresh token that was replaced is not shown twice");
}

fn of_user(path: &str, token: &str) -> Call {
    let mut call = get(path);
    call.subject = Some(Secret::new(token));
    call
}

#[tokio::test]
async fn tokens_of_users_are_exchanged_and_kept_apart() {
    let upstream = Upstream::start(|_, head, body| match head.uri.path() {
        "/token" => {
            let form = String::from_utf8_lossy(body).into_owned();
            let user = if form.contains("ann") { "ann" } else { "bob" };
            let kind = "urn:ietf:params:oauth:token-type:jwt";
            ok(format!(
                "{{\"access_token\":\"upstream-{user}\",\"issued_token_type\":\"{kind}\",\"token_type\":\"N_A\"}}"
            ))
        }
        "/v1/refuse" => answer(401, &[], ""),
        _ => ok(format!("{:?} ann-token upstream-ann", head.headers["authorization"])),
    })
    .await;
    let exchange = Exchange { requested_token_type: Some("urn:x:type".into()), ..Exchange::default() };
    let form = vec![("resource".to_owned(), "https://api.example.com".to_owned())];
    let oauth = OAuth { exchange: Some(exchange), form, ..oauth(&upstream) };
    let api = upstream.with(Credentials::OAuth(oauth));
    for _ in 0..3 {
        let reply = send(&api, &of_user("/x", "ann-token")).await.unwrap();
        assert_eq!(reply.body, "\"Bearer ***\" *** ***", "neither token comes back");
        assert_eq!(upstream.last().header("authorization"), "Bearer upstream-ann");
        send(&api, &of_user("/x", "bob-token")).await.unwrap();
        assert_eq!(upstream.last().header("authorization"), "Bearer upstream-bob");
    }
    let seen = upstream.seen.lock().clone();
    let asked: Vec<_> = seen.iter().filter(|seen| seen.uri == "/token").collect();
    assert_eq!(asked.len(), 2);
    assert_eq!(
        String::from_utf8_lossy(&asked[0].body),
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=ann-token\
         &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token\
         &requested_token_type=urn%3Ax%3Atype&scope=read+write&resource=https%3A%2F%2Fapi.example.com"
    );
    assert!(!seen.iter().filter(|seen| seen.uri != "/token").any(|seen| format!("{seen:?}").contains("ann-token")));
    assert_eq!(send(&api, &of_user("/refuse", "ann-token")).await.unwrap().status, 401);
    // Without a user nothing is sent, not even with the credentials of the connection.
    let before = upstream.count();
    let (kind, message) = failed(send(&api, &get("/x")).await);
    assert_eq!(kind, ErrorKind::Denied);
    assert!(message.contains("calling user") && upstream.count() == before, "{message}");
}

#[tokio::test]
async fn a_refused_exchange_says_why_without_the_token() {
    let upstream = Upstream::start(|_, _, body| {
        answer(400, &[], format!("{{\"error\":\"invalid_grant {}\"}}", String::from_utf8_lossy(body)))
    })
    .await;
    let api = upstream.with(Credentials::OAuth(OAuth { exchange: Some(Exchange::default()), ..oauth(&upstream) }));
    let (kind, message) = failed(send(&api, &of_user("/x", "ann-token")).await);
    assert_eq!(kind, ErrorKind::Denied);
    assert!(message.contains("invalid_grant") && !message.contains("ann-token"), "{message}");
}
