//! What is shown to the upstream, and what of it must never come back.

use base::Secret;
use base64::Engine as _;
use connect::http::{Api, Body, Call, Credentials, Encoding, Hash, KeyForm, Method, Settings, Signing};
use sha2::Digest as _;

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
    let settings = Settings {
        credentials: Credentials::Bearer(Secret::new("t0p-s3cr3t")),
        headers: vec![("X-Client".into(), "tests".into())],
        secret_headers: vec![("X-Api-Key".into(), Secret::new("als0-s3cr3t"))],
        ..upstream.settings()
    };
    let api = Api::open(settings).unwrap();
    let mut call = get("/x");
    call.headers = vec![("Cookie".into(), "session=1".into())];
    // The same host on another port is allowed by the list of hosts, and is another origin.
    send(&api, &call).await.unwrap();
    let shown = |seen: &Upstream| {
        ["authorization", "cookie", "x-api-key", "x-client"].map(|name| seen.last().header(name).to_owned())
    };
    assert_eq!(shown(&other), ["", "", "", "tests"]);
    assert_eq!(shown(&upstream), ["Bearer t0p-s3cr3t", "session=1", "als0-s3cr3t", "tests"]);
}

fn signing(headers: &[(&str, &str)], message: &str) -> Signing {
    Signing {
        message: message.to_owned(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Signing::new(Secret::new(KEY))
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
    // The product's own shim: `t=<seconds>,v1=<hexadecimal digits>` over `<t>.<raw body>`.
    let shim = signing(&[("x-signature", "t={timestamp},v1={signature}")], "{timestamp}.{body}");
    send(&upstream.with(Credentials::Signing(shim)), &call).await.unwrap();
    let seen = upstream.last();
    let (time, signature) = seen.header("x-signature").split_once(",v1=").expect("both parts");
    let time = time.strip_prefix("t=").expect("a time");
    assert_eq!(signature, hmac(KEY, &format!("{time}.Hello, World!")));
    assert!(signing(&[("X", "{nothing}")], "").check().is_err() && signing(&[], "{signature}").check().is_err());
}

fn hmac(key: &str, message: &str) -> String {
    mac::<hmac::Hmac<sha2::Sha256>>(key, message).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn mac<M: hmac::KeyInit + hmac::Mac>(key: &str, message: &str) -> Vec<u8> {
    let mut mac = <M as hmac::KeyInit>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[tokio::test]
async fn canonical_requests_are_signed() {
    let upstream = echo().await;
    let names = [
        ("X-Date", "{timestamp_basic}"),
        ("X-Nonce", "{nonce}"),
        ("X-Sent", "{timestamp} {timestamp_ms} {timestamp_iso} {date} {body_base64}"),
        (
            "Authorization",
            "KEY-HMAC-SHA256 Credential=me/{date}, SignedHeaders=content-type;host, Signature={signature}",
        ),
    ];
    let canonical = "{method}\n{path}\n{query_sorted}\ncontent-type:{header:content-type}\nhost:{host}\n{header:x-none}\n{body_sha256}";
    let signing = Signing {
        canonical: Some(canonical.to_owned()),
        ..signing(&names, "KEY-HMAC-SHA256\n{timestamp_basic}\n{nonce}\n{canonical_sha256}")
    };
    let mut call = Call::new(Method::POST, "/a%20b");
    call.query = vec![("b".into(), "2 3".into()), ("a".into(), "1".into())];
    call.body = Body::Json("{}".into());
    send(&upstream.with(Credentials::Signing(signing)), &call).await.unwrap();
    let seen = upstream.last();
    let host = upstream.url.strip_prefix("http://").unwrap();
    let empty_object = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let text = format!("POST\n/v1/a%20b\na=1&b=2+3\ncontent-type:application/json\nhost:{host}\n\n{empty_object}");
    let digest: String = sha2::Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    let (date, nonce) = (seen.header("x-date"), seen.header("x-nonce"));
    let expected = hmac(KEY, &format!("KEY-HMAC-SHA256\n{date}\n{nonce}\n{digest}"));
    assert!(seen.header("authorization").ends_with(&format!("Signature={expected}")), "{seen:?}");
    assert_eq!((date.len(), nonce.len()), (16, 32));
    assert!(seen.header("x-sent").ends_with("e30="), "{seen:?}");
}

#[tokio::test]
async fn keys_and_signatures_are_written_in_several_ways() {
    let upstream = echo().await;
    let mut call = Call::new(Method::POST, "/x");
    call.body = Body::Raw { content_type: "text/plain".into(), bytes: "Hello, World!".into() };
    let cases = [
        ("6b6579", KeyForm::Hex, Hash::Sha256, Encoding::Hex),
        ("a2V5", KeyForm::Base64, Hash::Sha512, Encoding::Base64),
        ("key", KeyForm::Text, Hash::Sha512, Encoding::Base64Url),
    ];
    for (key, key_form, hash, encoding) in cases {
        let signing = Signing {
            key: Secret::new(key),
            key_form,
            hash,
            encoding,
            ..signing(&[("X-Sig", "{signature}")], "{body}")
        };
        send(&upstream.with(Credentials::Signing(signing)), &call).await.unwrap();
        let digest = match hash {
            Hash::Sha256 => mac::<hmac::Hmac<sha2::Sha256>>("key", "Hello, World!"),
            Hash::Sha512 => mac::<hmac::Hmac<sha2::Sha512>>("key", "Hello, World!"),
        };
        let expected = match encoding {
            Encoding::Hex => digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            Encoding::Base64 => base64::engine::general_purpose::STANDARD.encode(digest),
            Encoding::Base64Url => base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest),
        };
        assert_eq!(upstream.last().header("x-sig"), expected, "{key_form:?}");
    }
    for (key, key_form) in [("xyz", KeyForm::Hex), ("abc", KeyForm::Hex), ("*", KeyForm::Base64)] {
        let signing = Signing { key: Secret::new(key), key_form, ..signing(&[("X", "{signature}")], "") };
        let why = signing.check().unwrap_err();
        assert!(why.contains("the key") && !why.contains(key), "{why}");
    }
}
