//! Programs whose id is the URL of a document about them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use connect::egress::Networks;
use identity::oauth::{DOCUMENT_BYTES_MAX, Documents};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use crate::world::{CALLBACK, World, settings};

/// A host of documents with TLS of its own; what it answers to each path.
struct Host {
    origin: String,
    asked: Arc<AtomicUsize>,
    folder: tempfile::TempDir,
}

impl Host {
    async fn start(answers: impl Fn(&str) -> HashMap<&'static str, String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let chain = vec![CertificateDer::from_pem_slice(own.pem().as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = builder.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let (asked, answers) = (Arc::<AtomicUsize>::default(), Arc::new(answers(&origin)));
        let counted = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let (acceptor, answers) = (acceptor.clone(), Arc::clone(&answers));
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(socket).await else { return };
                    let mut head = vec![0; 4096];
                    let read = stream.read(&mut head).await.unwrap_or(0);
                    let head = String::from_utf8_lossy(&head[..read]).into_owned();
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    let nothing = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned();
                    let _ = stream.write_all(answers.get(path).unwrap_or(&nothing).as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { origin, asked, folder }
    }

    /// An authorization server that may reach it.
    fn world(&self) -> World {
        self.world_of(Networks::parse("private").unwrap())
    }

    fn world_of(&self, networks: Networks) -> World {
        let authority: &Path = &self.folder.path().join("ca.pem");
        World::with_documents(settings(), Documents::new(networks, Some(authority.to_owned())))
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(document: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{document}", document.len())
}

fn about(origin: &str, path: &str, more: &Value) -> String {
    let mut document =
        json!({ "client_id": format!("{origin}{path}"), "client_name": "App", "redirect_uris": [CALLBACK] });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    answer(&document.to_string())
}

#[tokio::test]
async fn a_document_is_a_client_without_a_secret_and_is_fetched_once() {
    let host =
        Host::start(|origin| HashMap::from([("/app.json", about(origin, "/app.json", &json!({ "scope": "x y" })))]))
            .await;
    let world = host.world();
    let id = format!("{}/app.json", host.origin);
    let code = world.code(&id, &[]).await;
    let client = (id.clone(), None);
    let tokens = world.redeem(&code, &client, &[]).await.unwrap();
    assert!(world.caller(tokens["access_token"].as_str().unwrap()).is_some());
    world.refresh(tokens["refresh_token"].as_str().unwrap(), &client, &[]).await.unwrap();
    assert_eq!(host.asked(), 1);
    // It is sent to the addresses of its document alone.
    let elsewhere = world.ask(&id, &[("redirect_uri", Some("https://app.example.com/other"))]).await;
    assert!(format!("{:?}", elsewhere.unwrap_err()).contains("redirect_uri"));
}

#[tokio::test]
async fn documents_that_cannot_be_taken_are_refused() {
    let host = Host::start(|origin| {
        let plain = |path: &str, more: Value| about(origin, path, &more);
        HashMap::from([
            ("/other.json", about(origin, "/another.json", &json!({}))),
            ("/secret.json", plain("/secret.json", json!({ "client_secret": "s" }))),
            ("/method.json", plain("/method.json", json!({ "token_endpoint_auth_method": "client_secret_basic" }))),
            ("/large.json", plain("/large.json", json!({ "client_uri": "x".repeat(DOCUMENT_BYTES_MAX) }))),
            ("/nowhere.json", plain("/nowhere.json", json!({ "redirect_uris": [] }))),
            ("/words.json", answer("no JSON")),
            ("/moved.json", format!("HTTP/1.1 302 Found\r\nLocation: {origin}/app.json\r\nContent-Length: 0\r\n\r\n")),
            ("/app.json", plain("/app.json", json!({}))),
        ])
    })
    .await;
    let world = host.world();
    for (path, why) in [
        ("/other.json", "another `client_id`"),
        ("/secret.json", "holds a `client_secret`"),
        ("/method.json", "asks for a secret"),
        ("/large.json", "cannot be fetched"),
        ("/nowhere.json", "cannot be taken"),
        ("/words.json", "is no JSON"),
        ("/moved.json", "cannot be fetched"),
        ("/none.json", "404"),
        ("/", "without a path"),
        ("/a/../app.json", "not written plainly"),
    ] {
        let refused = world.ask(&format!("{}{path}", host.origin), &[]).await.unwrap_err();
        assert!(format!("{refused:?}").contains(why), "{path}: {refused:?}");
    }
    // What could not be had is not asked for again at once.
    let before = host.asked();
    assert!(world.ask(&format!("{}/none.json", host.origin), &[]).await.is_err());
    assert_eq!(host.asked(), before);
}

#[tokio::test]
async fn a_document_of_a_private_network_is_not_fetched_unless_the_operator_allows_it() {
    let host = Host::start(|origin| HashMap::from([("/app.json", about(origin, "/app.json", &json!({})))])).await;
    let world = host.world_of(Networks::default());
    let refused = world.ask(&format!("{}/app.json", host.origin), &[]).await.unwrap_err();
    assert!(format!("{refused:?}").contains("cannot be fetched"), "{refused:?}");
    assert_eq!(host.asked(), 0);
}
