//! Logins, TLS, and finding the primary.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect::ErrorKind;
use connect::mongo::{Mongo, Settings, Verb};
use ring::{digest, hmac, pbkdf2};
use serde_json::json;

use super::fake::{Command, Field, Fields, Server, found, ok, primary, refused};
use super::world::{request, run, settings};

const SALT: &[u8] = b"a salt of 16 byt";
const ROUNDS: u32 = 4096;

/// The server's side of SCRAM-SHA-256, which lets in whoever knows `hunter2-secret`.
#[derive(Default)]
struct Login {
    first: parking_lot::Mutex<String>,
    /// Whether the server itself does not know the password.
    liar: bool,
}

impl Login {
    fn answer(&self, command: &Command) -> Option<Fields> {
        let step = |text: String, done| {
            let payload = ("payload", Field::Bytes(text.into_bytes()));
            ok(vec![("conversationId", Field::Int(7)), ("done", Field::Bool(done)), payload])
        };
        match command.name.as_str() {
            "hello" => ok(vec![
                ("isWritablePrimary", Field::Bool(true)),
                ("saslSupportedMechs", Field::Texts(vec!["SCRAM-SHA-1".into(), "SCRAM-SHA-256".into()])),
            ]),
            "saslStart" => {
                assert!(command.holds(b"SCRAM-SHA-256"), "the stronger one");
                let first = command.payload().strip_prefix("n,,").expect("no channel is bound").to_owned();
                let nonce = first.split(",r=").nth(1).expect("a nonce").to_owned();
                let said = format!("r={nonce}more,s={},i={ROUNDS}", STANDARD.encode(SALT));
                *self.first.lock() = format!("{first},{said}");
                step(said, false)
            }
            "saslContinue" => {
                let last = command.payload();
                let (without_proof, proof) = last.split_once(",p=").expect("a proof");
                let all = format!("{},{without_proof}", self.first.lock());
                let mut salted = [0; 32];
                let rounds = ROUNDS.try_into().expect("not zero");
                pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, SALT, b"hunter2-secret", &mut salted);
                let sign = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
                let client = sign(&salted, b"Client Key");
                let stored = digest::digest(&digest::SHA256, client.as_ref());
                let signature = sign(stored.as_ref(), all.as_bytes());
                let right: Vec<u8> = client.as_ref().iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
                if STANDARD.decode(proof).expect("base64") != right {
                    return refused(18, "AuthenticationFailed", "Authentication failed for hunter2-wrong.");
                }
                let key = sign(&salted, if self.liar { b"Another Key" } else { b"Server Key" });
                step(format!("v={}", STANDARD.encode(sign(key.as_ref(), all.as_bytes()))), true)
            }
            "find" => found(vec![vec![("hello", Field::Text("world".into()))]]),
            other => panic!("{other} was not expected"),
        }
    }
}

#[tokio::test]
async fn a_password_is_shown_to_be_known() {
    let login = Login::default();
    let server = Server::start(move |command| login.answer(command)).await;
    let mongo = server.mongo("us%40er:hunter2-secret@", "?authSource=admin");
    let documents = run(&mongo, &request(Verb::Find, json!({}))).await.expect("logged in");
    assert_eq!(documents["documents"], json!([{"hello": "world"}]));
    assert!(server.seen.lock().iter().all(|command| !command.holds(b"hunter2")), "the password itself is never sent");
    run(&mongo, &request(Verb::Find, json!({}))).await.expect("logged in");
    assert_eq!(server.count("hello"), 1, "the connection is used again");
    let wrong = run(&server.mongo("user:hunter2-wrong@", ""), &request(Verb::Find, json!({}))).await;
    let wrong = wrong.expect_err("another password");
    assert_eq!(wrong.kind, ErrorKind::Unreachable, "{wrong}");
    assert!(wrong.to_string().contains("authSource") && !wrong.to_string().contains("hunter2"), "{wrong}");
}

#[tokio::test]
async fn a_server_that_does_not_know_the_password_is_not_believed() {
    let login = Login { liar: true, ..Login::default() };
    let server = Server::start(move |command| login.answer(command)).await;
    let error = run(&server.mongo("user:hunter2-secret@", ""), &request(Verb::Find, json!({}))).await;
    let error = error.expect_err("not believed");
    assert!(error.to_string().contains("does not know the password"), "{error}");
}

#[tokio::test]
async fn secrets_are_masked_in_whatever_the_server_says() {
    for echo in ["hunter2-secret", "user:hunter2-secret", "mongodb://user:hunter2-secret@host"] {
        for wrong in [true, false] {
            let login = Login::default();
            let server = Server::start(move |command| match command.name.as_str() {
                "find" if wrong => refused(2, "BadValue", &format!("cannot read {echo}")),
                "find" => found(vec![vec![("echo", Field::Text(echo.to_owned()))]]),
                _ => login.answer(command),
            })
            .await;
            let said = match run(&server.mongo("user:hunter2-secret@", ""), &request(Verb::Find, json!({}))).await {
                Ok(value) => value.to_string(),
                Err(error) => format!("{error} {error:?}"),
            };
            assert!(said.contains("***") && !said.contains("hunter2"), "{said}");
        }
    }
}

#[tokio::test]
async fn the_primary_is_found_from_any_server() {
    let main = Server::start(|command| match command.name.as_str() {
        "hello" => ok(vec![("isWritablePrimary", Field::Bool(true)), ("setName", Field::Text("rs".into()))]),
        _ => found(vec![vec![("from", Field::Text("primary".into()))]]),
    })
    .await;
    let address = main.address.to_string();
    let other = Server::start(move |_| {
        ok(vec![
            ("isWritablePrimary", Field::Bool(false)),
            ("setName", Field::Text("rs".into())),
            ("hosts", Field::Texts(vec![address.clone()])),
        ])
    })
    .await;
    let mongo = other.mongo("", "?replicaSet=rs");
    let documents = run(&mongo, &request(Verb::Find, json!({}))).await.expect("found");
    assert_eq!(documents["documents"], json!([{"from": "primary"}]));
    let wrong = run(&other.mongo("", "?replicaSet=another"), &request(Verb::Find, json!({}))).await;
    assert!(wrong.expect_err("another set").to_string().contains("not in the replica set"));
}

#[tokio::test]
async fn a_server_that_leads_inward_is_not_followed() {
    let server = Server::start(|_| {
        ok(vec![
            ("isWritablePrimary", Field::Bool(false)),
            ("primary", Field::Text("169.254.169.254:80".into())),
            ("hosts", Field::Texts(vec!["169.254.169.254:80".into(), "metadata.google.internal:80".into()])),
        ])
    })
    .await;
    let error = run(&server.mongo("", ""), &request(Verb::Find, json!({}))).await.expect_err("refused");
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
    assert!(error.to_string().contains("is refused"), "{error}");
}

#[tokio::test]
async fn a_new_primary_is_looked_for() {
    let deposed = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&deposed);
    let server = Server::start(move |command| match command.name.as_str() {
        "hello" => primary(),
        _ if flag.swap(false, Ordering::SeqCst) => refused(10107, "NotWritablePrimary", "not primary"),
        _ => ok(vec![("n", Field::Int(1))]),
    })
    .await;
    let mongo = server.mongo("", "");
    let insert = request(Verb::Insert, json!({"document": {"a": 1}}));
    run(&mongo, &insert).await.expect("written");
    deposed.store(true, Ordering::SeqCst);
    run(&mongo, &insert).await.expect("written at the new primary");
    assert_eq!((server.count("hello"), server.count("insert")), (2, 3));
}

#[tokio::test]
async fn certificates_are_checked() {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, signed.cert.pem()).expect("a file");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .expect("a configuration");
    let server = Server::secure(config, |command| match command.name.as_str() {
        "hello" => primary(),
        _ => found(Vec::new()),
    })
    .await;
    let at = |options: &str| settings(&format!("mongodb://localhost:{}/db?{options}", server.address.port()));
    let find = request(Verb::Find, json!({}));
    let ask = async |settings: Settings| run(&Mongo::open(settings).expect("settings"), &find).await;
    let unknown = ask(at("tls=true")).await.expect_err("an unknown authority");
    assert!(unknown.message.contains("certificate"), "{unknown}");
    ask(at("tls=true&tlsAllowInvalidCertificates=true")).await.expect("an answer");
    ask(at(&format!("tls=true&tlsCAFile={}", file.display()))).await.expect("an answer");
    let plain = ask(at("")).await.expect_err("the server wants TLS");
    assert!(plain.to_string().contains("tls=true"), "{plain}");
}
