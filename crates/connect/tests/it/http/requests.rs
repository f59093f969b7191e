//! What is sent: bodies, headers, repetitions, deadlines.

use std::time::Duration;

use connect::ErrorKind;
use connect::http::{Api, AtOnce, Body, Call, Method, Part, Rate, Settings};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::world::{Upstream, answer, failed, get, ok, send, soon};

#[tokio::test]
async fn a_request_arrives_as_declared() {
    let upstream = Upstream::start(|_, _, _| ok("{}")).await;
    let api = Api::open(Settings { headers: vec![("X-Client".into(), "1".into())], ..upstream.settings() }).unwrap();
    let mut call = Call::new(Method::POST, "/a%2Fb");
    call.query = vec![("q".into(), "a b&c=d/é".into()), ("q".into(), "2".into())];
    call.headers = vec![("X-Call".into(), "2".into())];
    call.body = Body::Json("{\"a\":1}".into());
    send(&api, &call).await.unwrap();
    let seen = upstream.last();
    assert_eq!((seen.method.as_str(), seen.uri.as_str()), ("POST", "/v1/a%2Fb?q=a+b%26c%3Dd%2F%C3%A9&q=2"));
    assert_eq!((seen.header("x-client"), seen.header("x-call")), ("1", "2"));
    assert_eq!((seen.header("content-type"), &seen.body[..]), ("application/json", &b"{\"a\":1}"[..]));
}

#[tokio::test]
async fn a_query_of_the_base_url_goes_along_and_its_secrets_are_masked() {
    let echo = |_: usize, head: &http::request::Parts, _: &bytes::Bytes| ok(head.uri.to_string());
    let upstream = Upstream::start(echo).await;
    let base = format!("{}/hook?sig=s3cr3t&format=json", upstream.url);
    let api = Api::open(Settings { base: base::Secret::new(base), ..upstream.settings() }).unwrap();
    let reply = send(&api, &get("")).await.unwrap();
    assert_eq!(
        (upstream.last().uri.as_str(), &*reply.text()),
        ("/hook?sig=s3cr3t&format=json", "/hook?sig=***&format=json")
    );
    let mut call = get("/more");
    call.query = vec![("q".into(), "1".into())];
    send(&api, &call).await.unwrap();
    assert_eq!(upstream.last().uri, "/hook/more?sig=s3cr3t&format=json&q=1");
    let fetched = api.fetch(&get(""), soon(), &CancellationToken::new()).await.unwrap();
    assert!(fetched.url.ends_with("/hook?sig=***&format=json"), "{}", fetched.url);
    let error =
        Api::open(Settings { base: base::Secret::new("http://127.0.0.1/a#b"), ..upstream.settings() }).unwrap_err();
    assert!(error.to_string().contains("fragment"), "{error}");
}

#[tokio::test]
async fn what_is_under_way_is_bounded_and_a_wait_between_attempts_is_none_of_it() {
    let fails = |nth: usize, _: &http::request::Parts, _: &bytes::Bytes| {
        if nth == 0 { answer(503, &[("retry-after", "1")], "later") } else { ok("done") }
    };
    let upstream = Upstream::start(fails).await;
    let at_once = Some(AtOnce { requests: 1, waiting: 1 });
    let api = Api::open(Settings { at_once, ..upstream.settings() }).unwrap();
    let began = Instant::now();
    let (first, second) = (get("/first"), get("/second"));
    let (one, other) = tokio::join!(send(&api, &first), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        send(&api, &second).await.unwrap();
        began.elapsed()
    });
    assert!(one.is_ok() && other < Duration::from_millis(900), "{other:?}");
}

#[tokio::test]
async fn bodies_are_encoded() {
    let upstream = Upstream::start(|_, _, _| ok("")).await;
    let api = upstream.api();
    let mut call = Call::new(Method::POST, "/x");
    call.body = Body::Form(vec![("a".into(), "1 &2".into()), ("b".into(), "é".into())]);
    send(&api, &call).await.unwrap();
    assert_eq!(upstream.last().body, "a=1+%262&b=%C3%A9");
    assert_eq!(upstream.last().header("content-type"), "application/x-www-form-urlencoded");
    call.body = Body::Raw { content_type: "text/csv".into(), bytes: "a,b".into() };
    send(&api, &call).await.unwrap();
    assert_eq!((upstream.last().body, upstream.last().header("content-type")), ("a,b".into(), "text/csv"));
    let part = |name: &str, file: Option<&str>, kind: Option<&str>| Part {
        name: name.into(),
        file_name: file.map(str::to_owned),
        content_type: kind.map(str::to_owned),
        bytes: "v".into(),
    };
    call.body = Body::Multipart(vec![part("a\"\r\nX: y", None, None), part("f", Some("f.txt"), Some("text/plain"))]);
    send(&api, &call).await.unwrap();
    let seen = upstream.last();
    let boundary = seen.header("content-type").strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"a%22%0D%0AX: y\"\r\n\r\nv\r\n--{boundary}\r\n\
         Content-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\nContent-Type: text/plain\r\n\r\nv\r\n--{boundary}--\r\n"
    );
    assert_eq!(String::from_utf8_lossy(&seen.body), expected);
}

#[tokio::test]
async fn what_would_split_a_request_is_not_sent() {
    let upstream = Upstream::start(|_, _, _| ok("")).await;
    let api = upstream.api();
    for (name, value) in [("X-A", "1\r\nX-B: 2"), ("X A", "1"), ("Host", "evil"), ("content-length", "0"), ("", "1")] {
        let mut call = get("/x");
        call.headers = vec![(name.into(), value.into())];
        assert_eq!(failed(send(&api, &call).await).0, ErrorKind::Value, "{name}");
    }
    for path in ["x", "/../admin", "/a/../../b", "/%2e%2e/x", "/a b", "/a\\b", "/a?b", "/a#b"] {
        assert_eq!(failed(send(&api, &get(path)).await).0, ErrorKind::Value, "{path}");
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn safe_requests_are_repeated_and_others_are_not() {
    for (method, idempotent, status, attempts) in [
        (Method::GET, None, 503, 3),
        (Method::DELETE, None, 429, 3),
        (Method::POST, None, 503, 1),
        (Method::POST, Some(true), 503, 3),
        (Method::GET, Some(false), 503, 1),
        (Method::GET, None, 500, 1),
        (Method::GET, None, 404, 1),
    ] {
        let upstream = Upstream::start(move |_, _, _| answer(status, &[], "")).await;
        let mut call = Call::new(method, "/x");
        call.idempotent = idempotent;
        assert_eq!(send(&upstream.api(), &call).await.unwrap().status.as_u16(), status);
        assert_eq!(upstream.count(), attempts, "{call:?} {status}");
    }
}

#[tokio::test]
async fn retry_after_is_kept_and_bounded() {
    let upstream = Upstream::start(|nth, _, _| match nth {
        0 => answer(429, &[("retry-after", "1")], ""),
        _ => ok("done"),
    })
    .await;
    let start = Instant::now();
    assert_eq!(send(&upstream.api(), &get("/x")).await.unwrap().body, "done");
    assert!(start.elapsed() >= Duration::from_secs(1));
    let far = Upstream::start(|_, _, _| answer(503, &[("retry-after", "3600")], "")).await;
    assert_eq!(send(&far.api(), &get("/x")).await.unwrap().status, 503);
    assert_eq!(far.count(), 1);
}

#[tokio::test]
async fn a_connection_has_a_rate() {
    let upstream = Upstream::start(|_, _, _| ok("")).await;
    let rate = Rate { requests: 20, period: Duration::from_secs(1), burst: 2 };
    let api = Api::open(Settings { rate: Some(rate), ..upstream.settings() }).unwrap();
    let start = Instant::now();
    for _ in 0..6 {
        send(&api, &get("/x")).await.unwrap();
    }
    // Two at once, then one each 50 ms.
    assert!(start.elapsed() >= Duration::from_millis(195), "{:?}", start.elapsed());
    let outcome = api.send(&get("/x"), Instant::now() + Duration::from_millis(5), &CancellationToken::new()).await;
    assert_eq!(failed(outcome).0, ErrorKind::Limit);
}

#[tokio::test]
async fn deadlines_and_cancellation_end_a_request() {
    // Takes connections and never answers.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let upstream = Upstream::start(|_, _, _| ok("")).await;
    let base = base::Secret::new(format!("http://{}", listener.local_addr().unwrap()));
    let api = Api::open(Settings { base, ..upstream.settings() }).unwrap();
    let outcome = api.send(&get("/x"), Instant::now() + Duration::from_millis(100), &CancellationToken::new()).await;
    assert_eq!(failed(outcome).0, ErrorKind::Timeout);
    let cancel = CancellationToken::new();
    let call = get("/x");
    let (outcome, ()) = tokio::join!(api.send(&call, soon(), &cancel), async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut first = [0; 1];
        tokio::io::AsyncReadExt::read_exact(&mut socket, &mut first).await.unwrap();
        cancel.cancel();
    });
    assert_eq!(failed(outcome).0, ErrorKind::Cancelled);
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_named() {
    let upstream = Upstream::start(|_, _, _| ok("")).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = base::Secret::new(format!("http://{}", listener.local_addr().unwrap()));
    drop(listener);
    let api = Api::open(Settings { base, ..upstream.settings() }).unwrap();
    let (kind, message) = failed(send(&api, &get("/x")).await);
    assert_eq!(kind, ErrorKind::Unreachable);
    assert!(message.contains("connection `api`") && message.contains("127.0.0.1"), "{message}");
}
