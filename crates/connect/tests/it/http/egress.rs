//! Where requests may go.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use connect::ErrorKind;
use connect::egress::{Policy, Reach, Resolver, reach};
use connect::http::{Api, Settings};

use super::world::{Upstream, answer, failed, get, ok, send, unescape};

const CORPUS: &str = include_str!("../../ssrf.txt");

fn lines() -> impl Iterator<Item = &'static str> {
    CORPUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn resolver(answers: Vec<IpAddr>) -> Resolver {
    Arc::new(move |_| {
        let answers = answers.clone();
        Box::pin(async move { Ok(answers) })
    })
}

#[tokio::test]
async fn every_spelling_of_the_corpus_is_refused() {
    let policy = Policy::default().allow_plain(true);
    let mut passed = Vec::new();
    for line in lines() {
        let refused = match line.strip_prefix("dns ").and_then(|rest| rest.split_once(' ')) {
            Some((name, answers)) => {
                assert!(policy.check(&format!("http://{name}/")).is_ok() || name.ends_with("nip.io"), "{name}");
                let answers = answers.split(',').map(|ip| ip.parse().expect("an address")).collect();
                let error = policy.connect(&resolver(answers), name, 9).await.expect_err("refused");
                error.kind() == std::io::ErrorKind::PermissionDenied
            }
            None => policy.check(&unescape(line)).is_err(),
        };
        if !refused {
            passed.push(line);
        }
    }
    assert!(lines().count() >= 300 && passed.is_empty(), "not refused: {passed:#?}");
}

#[test]
fn public_urls_pass() {
    let policy = Policy::default().allow_plain(true);
    for url in [
        "https://example.com",
        "https://EXAMPLE.com/a/../b?x=http://127.0.0.1/#@localhost",
        "http://example.com:8080/x",
        "https://xn--bcher-kva.example/",
        "https://1.1.1.1/",
        "https://172.32.0.1/",
        "https://100.63.255.255/",
        "https://[2606:4700::1111]/",
        "https://[::ffff:808:808]/",
        "https://[64:ff9b::808:808]:8443/",
    ] {
        assert!(policy.check(url).is_ok(), "{url}: {:?}", policy.check(url));
    }
    assert!(Policy::default().check("http://example.com/").is_err());
}

#[test]
fn the_operator_allows_private_networks_but_never_metadata() {
    let policy = Policy::default().allow_plain(true).allow_private(true);
    for url in ["http://127.0.0.1:1/", "http://localhost/", "http://[::1]/", "http://10.0.0.1/", "http://db.internal/"]
    {
        assert!(policy.check(url).is_ok(), "{url}");
    }
    for url in
        ["http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://metadata.google.internal/", "http://0.0.0.0/"]
    {
        assert!(policy.check(url).is_err(), "{url}");
    }
    assert_eq!(reach("8.8.8.8".parse().unwrap()), Reach::Public);
}

#[test]
fn only_listed_hosts_pass() {
    let policy = Policy::default().allow_host("api.example.com").allow_host("*.example.org");
    for (url, passes) in [
        ("https://api.example.com/", true),
        ("https://API.example.com/", true),
        ("https://a.b.example.org/", true),
        ("https://example.org/", false),
        ("https://evil-example.org/", false),
        ("https://api.example.com.evil.net/", false),
        ("https://1.1.1.1/", false),
    ] {
        assert_eq!(policy.check(url).is_ok(), passes, "{url}");
    }
}

#[test]
fn a_refusal_shows_no_credentials() {
    let refused = Policy::default().check("https://user:hunter2@example.com/x?key=hunter3").unwrap_err();
    assert_eq!(refused.to_string(), "`https://example.com/x` is refused: it holds credentials; declare them in `auth`");
}

/// A name that is public when it is checked and private when it is asked again: it is asked once for a connection.
#[tokio::test]
async fn a_name_that_changes_its_address_reaches_nothing() {
    let upstream = Upstream::start(|_, _, _| ok("inside")).await;
    let port = upstream.url.rsplit(':').next().unwrap().to_owned();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let resolver: Resolver = Arc::new(move |_| {
        let nth = counter.fetch_add(1, Ordering::SeqCst);
        // Public first, and from then on the upstream itself.
        let ip: IpAddr = if nth == 0 { "192.0.2.1" } else { "127.0.0.1" }.parse().expect("an address");
        Box::pin(async move { Ok(vec![ip]) })
    });
    let settings = Settings {
        base: base::Secret::new(format!("http://rebind.example.com:{port}")),
        policy: Policy::default(),
        resolver,
        ..upstream.settings()
    };
    let api = Api::open(settings).unwrap();
    for _ in 0..3 {
        let (kind, message) = failed(send(&api, &get("/")).await);
        assert!(kind == ErrorKind::Denied && message.contains("rebind.example.com ("), "{message}");
    }
    assert_eq!((asked.load(Ordering::SeqCst), upstream.count()), (3, 0));
}

#[tokio::test]
async fn redirects_to_the_corpus_are_refused() {
    let targets: Vec<String> = lines()
        .filter(|line| !line.starts_with("dns ") && line.contains("//"))
        .map(unescape)
        .filter(|target| target.bytes().all(|byte| byte >= b' ' && byte != 0x7f))
        .map(|target| target.replace("example.com", "example.net"))
        .collect();
    let asked = targets.clone();
    let upstream = Upstream::start(move |_, head, _| {
        let nth: usize = head.uri.path().rsplit('/').next().and_then(|nth| nth.parse().ok()).expect("a number");
        axum::http::Response::builder()
            .status(302)
            .header("location", axum::http::HeaderValue::from_bytes(asked[nth].as_bytes()).expect("a header"))
            .body(axum::body::Body::empty())
            .expect("an answer")
    })
    .await;
    // The upstream is on a loopback address, so private networks are allowed; it has a name, and only that is listed.
    let port = upstream.url.rsplit(':').next().expect("a port");
    let settings = Settings {
        base: base::Secret::new(format!("http://api.example.com:{port}")),
        resolver: resolver(vec!["127.0.0.1".parse().expect("an address")]),
        ..upstream.settings()
    };
    let api = Api::open(settings).unwrap();
    for (nth, target) in targets.iter().enumerate() {
        let (kind, message) = failed(send(&api, &get(&format!("/{nth}"))).await);
        assert!(kind == ErrorKind::Denied && message.contains("redirects"), "{target}: {message}");
    }
    assert!(targets.len() >= 200 && upstream.count() == targets.len());
}

#[tokio::test]
async fn redirects_within_the_api_are_followed_to_a_bound() {
    let upstream = Upstream::start(|_, head, _| match head.uri.path() {
        "/v1/loop" => answer(302, &[("location", "/v1/loop")], ""),
        "/v1/old" => answer(301, &[("location", "new?x=1")], ""),
        "/v1/post" => answer(303, &[("location", "/v1/new")], ""),
        "/v1/keep" => answer(307, &[("location", "/v1/new")], ""),
        _ => ok(format!("{} {}", head.method, head.uri)),
    })
    .await;
    let api = upstream.api();
    assert_eq!(send(&api, &get("/old")).await.unwrap().body, "GET /v1/new?x=1");
    let mut call = get("/post");
    call.method = connect::http::Method::POST;
    assert_eq!(send(&api, &call).await.unwrap().body, "GET /v1/new");
    call.path = "/keep".to_owned();
    assert_eq!(send(&api, &call).await.unwrap().body, "POST /v1/new");
    assert!(failed(send(&api, &get("/loop")).await).1.contains("more than 5 redirects"));
}
