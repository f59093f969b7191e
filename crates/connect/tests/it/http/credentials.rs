//! What is shown to the upstream, and what of it must never come back.

use base::Secret;
use base64::Engine as _;
use connect::http::{Body, Call, Credentials, Encoding, Hash, Method, OAuth, Signing};

use super::world::{Upstream, answer, get, ok, send};

const KEY: &str = "s3cr3t/+\"é key";

/// Sends everything back that it was sent, in the body and in a header.
async fn echo() -> Upstream {
    Upstream::start(|_, head, body| {
        let authorization = head.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or("none");
        answer(
            200,
            &[("x-echo", authorization), ("x-uri", &head.uri.to_string())],
            format!("{} {:?} {}", head.uri, head.headers, String::from_utf8_lossy(body)),
        )
    })
    .await
}

#[tokio::test]
async fn credentials_are_shown_and_never_come_back() {
    let secret = || Secret::new("t0p-s3cr3t/+ key");
    let basic = base64::engine::general_purpose::STANDARD.encode("me:t0p-s3cr3t/+ key");
    let cases = [
        (Credentials::Basic { user: "me".into(), password: secret() }, "authorization", format!("Basic {basic}")),
        (Credentials::Bearer(secret()), "authorization", "Bearer t0p-s3cr3t/+ key".to_owned()),
        (Credentials::Header { name: "X-Api-Key".into(), value: secret() }, "x-api-key", "t0p-s3cr3t/+ key".to_owned()),
        (Credentials::Query { name: "key".into(), value: secret() }, "", String::new()),
    ];
    for (credentials, header, value) in cases {
        let upstream = echo().await;
        let reply = send(&upstream.with(credentials), &get("/x")).await.unwrap();
        let seen = upstream.last();
        if header.is_empty() {
            assert_eq!(seen.uri, "/v1/x?key=t0p-s3cr3t%2F%2B+key");
        } else {
            assert_eq!(seen.header(header), value);
        }
        let shown = format!("{:?} {}", reply.headers, String::from_utf8_lossy(&reply.body));
        assert!(!shown.contains("t0p-s3cr3t") && !shown.contains(&basic) && shown.contains("***"), "{shown}");
    }
}

#[tokio::test]
async fn secrets_are_masked_in_every_spelling() {
    let json = serde_json::to_string(KEY).unwrap();
    let base64 = base64::engine::general_purpose::STANDARD.encode(KEY);
    let form = "s3cr3t%2F%2B%22%C3%A9+key";
    let text = format!("{KEY} {json} {base64} {form} {} {}", form.replace('+', "%20"), form.to_lowercase());
    let upstream = Upstream::start(move |_, _, _| ok(text.clone())).await;
    let key = Credentials::Signing(signing(&[("X-Sig", "{signature}")], "{body}"));
    let reply = send(&upstream.with(key), &get("/x")).await.unwrap();
    assert_eq!(reply.body, "*** \"***\" *** *** *** ***");
}

#[tokio::test]
async fn credentials_stay_at_their_origin() {
    let other = echo().await;
    let target = format!("{}/elsewhere", other.url);
    let upstream = Upstream::start(move |_, _, _| answer(307, &[("location", &target)], "")).await;
    let api = upstream.with(Credentials::Bearer(Secret::new("t0p-s3cr3t")));
    let mut call = get("/x");
    call.headers = vec![("Cookie".into(), "session=1".into())];
    // The same host on another port is allowed by the list of hosts, and is another origin.
    send(&api, &call).await.unwrap();
    assert_eq!((other.last().header("authorization"), other.last().header("cookie")), ("", ""));
    assert_eq!(upstream.last().header("authorization"), "Bearer t0p-s3cr3t");
}

fn signing(headers: &[(&str, &str)], message: &str) -> Signing {
    Signing {
        key: Secret::new(KEY),
        hash: Hash::Sha256,
        encoding: Encoding::Hex,
        message: message.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
    }
}

#[tokio::test]
async fn requests_are_signed_as_github_and_stripe_do() {
    let upstream = echo().await;
    // The example of GitHub's documentation on validating webhook deliveries.
    let mut github = signing(&[("X-Hub-Signature-256", "sha256={signature}")], "{body}");
    github.key = Secret::new("It's a Secret to Everybody");
    let mut call = Call::new(Method::POST, "/x");
    call.body = Body::Raw { content_type: "text/plain".into(), bytes: "Hello, World!".into() };
    send(&upstream.with(Credentials::Signing(github)), &call).await.unwrap();
    assert_eq!(
        upstream.last().header("x-hub-signature-256"),
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    );
    let stripe = signing(&[("Stripe-Signature", "t={timestamp},v1={signature}")], "{timestamp}.{body}");
    send(&upstream.with(Credentials::Signing(stripe)), &call).await.unwrap();
    let seen = upstream.last();
    let (time, signature) = seen.header("stripe-signature").split_once(",v1=").expect("both parts");
    let time = time.strip_prefix("t=").expect("a time");
    assert_eq!(signature, hmac(KEY, &format!("{time}.Hello, World!")));
    let aws_like = signing(&[("X-Sig", "{signature}")], "{method}\n{path}\n{query}\n{body_sha256}");
    call.query = vec![("a".into(), "1".into())];
    send(&upstream.with(Credentials::Signing(aws_like)), &call).await.unwrap();
    let digest = "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f";
    assert_eq!(upstream.last().header("x-sig"), hmac(KEY, &format!("POST\n/v1/x\na=1\n{digest}")));
    assert!(signing(&[("X", "{nothing}")], "").check().is_err() && signing(&[], "{signature}").check().is_err());
}

fn hmac(key: &str, message: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn oauth(upstream: &Upstream) -> OAuth {
    OAuth {
        token_url: format!("{}/token", upstream.url),
        client_id: "me".into(),
        client_secret: Some(Secret::new("cl13nt-s3cr3t")),
        refresh_token: None,
        scopes: vec!["read".into(), "write".into()],
        audience: None,
        secret_in_form: false,
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
