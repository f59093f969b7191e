//! Certificates of both sides and HTTP/2, as a spec declares them.

use std::collections::HashMap;

use engine::{FailureKind, Outcome, Toolset};
use serde_json::Value;

use crate::world::parse;

#[path = "../../../connect/tests/it/http/secure.rs"]
#[allow(dead_code, reason = "the tests of the connector use the rest")]
mod upstream;

use upstream::{Authority, Kind, SecureUpstream, echo};

/// A server with one tool, whose API is asked by HTTPS with these settings of TLS.
async fn server(port: u16, tls: &str, variables: &HashMap<String, String>) -> Result<Toolset, String> {
    let spec = parse(&format!(
        "
name: secure-server
connections: [{{name: api, type: http, url: 'https://localhost:{port}/v1', retries: {{max: 0}}, tls: {{{tls}}}}}]
tools: [{{name: get, description: Asks, parameters: {{}}, http: {{path: /x, result: full}}}}]
"
    ));
    let lookup = |name: &str| match name {
        host::ALLOW_NETWORK => Some("localhost".to_owned()),
        name => variables.get(name).cloned(),
    };
    let opened = host::open(&spec, &lookup, false);
    if let Some(found) = opened.diagnostics.first() {
        return Err(format!("{}: {}", found.code, found.message));
    }
    let (plan, _) = host::make_plan(&spec, &opened.connections, None).await;
    Ok(host::toolset(&spec, &plan, opened).unwrap())
}

async fn call(toolset: &Toolset) -> Outcome {
    let cancel = tokio_util::sync::CancellationToken::new();
    toolset.call(&engine::CallContext::new(&cancel), "get", None).await.unwrap()
}

#[tokio::test]
async fn an_upstream_that_asks_who_we_are_is_told() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let own = ours.client();
    let other = theirs.client();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (chain, key) = (file("client.pem", own.chain.expose()), file("client.key", own.key.expose()));
    let variables = HashMap::from([
        ("CHAIN".to_owned(), own.chain.expose().to_owned()),
        ("KEY".to_owned(), own.key.expose().to_owned()),
        ("OTHER_CHAIN".to_owned(), other.chain.expose().to_owned()),
        ("OTHER_KEY".to_owned(), other.key.expose().to_owned()),
    ]);
    let authority = format!("caFile: '{}'", ours.file.display());
    let expired = {
        let (chain, key) = ours.certify("client", 2019, 2020);
        format!("certificate: {{file: '{}'}}, key: {{file: '{}'}}", file("old.pem", &chain), file("old.key", &key))
    };
    let cases = [
        (format!("certificate: {{file: '{chain}'}}, key: {{file: '{key}'}}"), None),
        ("certificate: {env: CHAIN}, key: {env: KEY}".to_owned(), None),
        ("certificate: '${env:CHAIN}', key: '${env:KEY}'".to_owned(), None),
        (String::new(), Some("shows none")),
        ("certificate: {env: OTHER_CHAIN}, key: {env: OTHER_KEY}".to_owned(), Some("refuses the certificate")),
        (expired, Some("refuses the certificate")),
    ];
    for alpn in [&[b"h2".as_slice()], &[b"http/1.1".as_slice()]] {
        let kind = Kind { clients: Some(&ours), ..Kind::new(&ours, alpn) };
        let upstream = SecureUpstream::start(kind, echo()).await;
        for (settings, refused) in &cases {
            let tls = if settings.is_empty() { authority.clone() } else { format!("{authority}, {settings}") };
            let outcome = call(&server(upstream.port, &tls, &variables).await.unwrap()).await;
            match (&outcome.failure, refused) {
                (None, None) => assert!(outcome.text().contains("/v1/x"), "{outcome:?}"),
                (Some(failure), Some(reason)) => {
                    assert!(failure.text.contains(reason) && failure.text.contains("localhost"), "{}", failure.text);
                    assert!(!failure.text.contains("PRIVATE"), "{}", failure.text);
                    assert_eq!(failure.kind, FailureKind::Denied, "{}", failure.text);
                }
                _ => panic!("{settings}: {outcome:?}"),
            }
        }
    }
    // What cannot be used is told when the server is made, without the key.
    for (settings, code) in [
        ("certificate: {env: CHAIN}, key: {env: OTHER_KEY}", "cannot be used"),
        ("certificate: {env: KEY}, key: {env: KEY}", "no certificate"),
        ("certificate: {env: MISSING}, key: {env: KEY}", "MISSING"),
    ] {
        let said = server(1, &format!("{authority}, {settings}"), &variables).await.map(drop).unwrap_err();
        assert!(said.contains(code) && !said.contains("PRIVATE"), "{said}");
    }
}

#[tokio::test]
async fn http_2_is_spoken_where_the_upstream_has_it() {
    let ours = Authority::new();
    let tls = format!("caFile: '{}'", ours.file.display());
    type Protocols = &'static [&'static [u8]];
    let cases: [(Protocols, &str); 3] =
        [(&[b"h2", b"http/1.1"], "HTTP/2.0"), (&[b"http/1.1"], "HTTP/1.1"), (&[], "HTTP/1.1")];
    for (alpn, version) in cases {
        let upstream = SecureUpstream::start(Kind::new(&ours, alpn), echo()).await;
        let toolset = server(upstream.port, &tls, &HashMap::new()).await.unwrap();
        for _ in 0..3 {
            let outcome = call(&toolset).await;
            let seen: Value = serde_json::from_slice(&outcome.structured.unwrap()).unwrap();
            assert_eq!((&seen["headers"]["x-version"], &seen["status"]), (&version.into(), &200.into()), "{seen}");
        }
        assert_eq!(upstream.connections(), 1, "the connection is kept");
    }
}
