//! Who is talked to, and who talks: certificates of both sides.

use base::Secret;
use connect::ErrorKind;
use connect::http::{Api, ClientCertificate, Http2, Settings};

use super::secure::{Authority, Kind, SecureUpstream, echo};
use super::world::{failed, get, send};

#[tokio::test]
async fn the_upstream_has_to_be_who_it_says() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let cases = [
        (ours.certify("localhost", 2020, 2100), &ours, "localhost", None),
        (ours.certify("127.0.0.1", 2020, 2100), &ours, "127.0.0.1", None),
        (ours.certify("localhost", 2020, 2100), &ours, "127.0.0.1", Some("not valid for")),
        (ours.certify("other.example.com", 2020, 2100), &ours, "localhost", Some("not valid for")),
        (ours.certify("localhost", 2019, 2020), &ours, "localhost", Some("expired")),
        (ours.certify("localhost", 2090, 2100), &ours, "localhost", Some("not valid yet")),
        (theirs.certify("localhost", 2020, 2100), &ours, "localhost", Some("BadSignature")),
    ];
    for (certificate, trusted, host, refused) in cases {
        let upstream = SecureUpstream::start(Kind { certificate, ..Kind::new(&ours, &[b"h2"]) }, echo()).await;
        let api = Api::open(upstream.settings(trusted, host)).unwrap();
        let outcome = send(&api, &get("/x")).await;
        match refused {
            None => assert_eq!(outcome.unwrap().body, "/v1/x"),
            Some(reason) => {
                let (kind, message) = failed(outcome);
                assert_eq!(kind, ErrorKind::Unreachable, "{message}");
                assert!(message.contains(reason) && message.contains(host), "{reason}: {message}");
                assert_eq!(upstream.connections(), 0, "nothing is sent to an upstream that is not trusted");
            }
        }
    }
    // The authority of the test is none of those that everybody trusts.
    let upstream = SecureUpstream::start(Kind::new(&ours, &[b"h2"]), echo()).await;
    let api = Api::open(Settings { ca_file: None, ..upstream.settings(&ours, "localhost") }).unwrap();
    assert!(failed(send(&api, &get("/x")).await).1.contains("UnknownIssuer"));
}

#[tokio::test]
async fn the_upstream_may_ask_who_we_are() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    for alpn in [&[b"h2".as_slice()], &[b"http/1.1".as_slice()]] {
        let upstream = SecureUpstream::start(Kind { clients: Some(&ours), ..Kind::new(&ours, alpn) }, echo()).await;
        let with = |client_certificate| {
            Api::open(Settings { client_certificate, ..upstream.settings(&ours, "localhost") }).unwrap()
        };
        assert_eq!(send(&with(Some(ours.client())), &get("/x")).await.unwrap().body, "/v1/x");
        for (certificate, reason) in [(None, "shows none"), (Some(theirs.client()), "refuses the certificate")] {
            let (kind, message) = failed(send(&with(certificate), &get("/x")).await);
            assert_eq!(kind, ErrorKind::Denied, "{message}");
            assert!(message.contains(reason) && message.contains("localhost"), "{message}");
            assert!(!message.contains("PRIVATE"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_told_without_its_key() {
    let ours = Authority::new();
    let upstream = SecureUpstream::start(Kind::new(&ours, &[b"h2"]), echo()).await;
    let (good, other) = (ours.client(), ours.client());
    let key = good.key.expose().to_owned();
    let cases = [
        (Secret::new("nothing"), good.key.clone(), "no certificate"),
        (good.chain.clone(), Secret::new(key.replace("PRIVATE KEY", "NOTHING")), "no PEM text with a private key"),
        (good.chain.clone(), other.key.clone(), "cannot be used"),
    ];
    for (chain, key, reason) in cases {
        let secret = key.expose().lines().nth(1).unwrap().to_owned();
        let settings = Settings {
            client_certificate: Some(ClientCertificate { chain, key }),
            ..upstream.settings(&ours, "localhost")
        };
        let error = Api::open(settings).map(drop).expect_err("it is refused");
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
        assert!(error.message.contains(reason) && !error.message.contains(&secret), "{error}");
    }
}

#[tokio::test]
async fn versions_of_http_are_agreed_on() {
    let ours = Authority::new();
    type Protocols = &'static [&'static [u8]];
    let cases: [(Protocols, Http2, Option<&str>); 5] = [
        (&[b"h2", b"http/1.1"], Http2::Offered, Some("HTTP/2.0")),
        (&[b"http/1.1"], Http2::Offered, Some("HTTP/1.1")),
        (&[], Http2::Offered, Some("HTTP/1.1")),
        (&[b"h2", b"http/1.1"], Http2::Only, Some("HTTP/2.0")),
        (&[], Http2::Only, None),
    ];
    for (alpn, http2, version) in cases {
        let upstream = SecureUpstream::start(Kind::new(&ours, alpn), echo()).await;
        let api = Api::open(Settings { http2, ..upstream.settings(&ours, "localhost") }).unwrap();
        match (send(&api, &get("/x")).await, version) {
            (Ok(reply), Some(version)) => assert_eq!(reply.headers["x-version"], version),
            (Err(error), None) => assert!(error.message.contains("does not speak HTTP/2"), "{error}"),
            (outcome, _) => panic!("{alpn:?} {http2:?}: {outcome:?}"),
        }
    }
}
