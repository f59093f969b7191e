//! A provider that says whatever a test wants it to say.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::Clock;
use identity::accounts::{Accounts, Role};
use identity::oauth::Parameters;
use identity::openid::{Allow, Failure, Finished, OpenId, Person, Settings};
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use store::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(super) const REDIRECT: &str = "http://127.0.0.1:8800/sign-in/openid/callback";
pub(super) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
pub(super) const DESCRIPTION: &str = "/.well-known/openid-configuration";
pub(super) const CLIENT: &str = "factory";
pub(super) const CODE: &str = "c0de-that-nobody-sees";

/// What is answered at a path.
#[derive(Clone)]
pub(super) enum Says {
    /// A JSON document, with this status.
    Json(u16, Value),
    /// Sends elsewhere.
    Elsewhere,
    /// So many bytes.
    Huge(usize),
    /// Nothing, for ever.
    Nothing,
}

/// A provider, and a control plane that relies on it.
pub(super) struct World {
    pub(super) issuer: String,
    pub(super) openid: Arc<OpenId>,
    pub(super) accounts: Accounts,
    pub(super) store: Arc<Store>,
    pub(super) now: Arc<AtomicI64>,
    says: Arc<Mutex<HashMap<String, Says>>>,
    asked: Arc<Mutex<Vec<String>>>,
    key: EcdsaKeyPair,
    _home: tempfile::TempDir,
}

/// A sign-in that was begun.
pub(super) struct Begun {
    pub(super) page: HashMap<String, String>,
    pub(super) cookie: String,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with("owner:root@example.com, *@example.com", |_| {}).await
    }

    pub(super) async fn with(allow: &str, change: impl FnOnce(&mut Settings)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let (says, asked) = (Arc::<Mutex<HashMap<String, Says>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let (answers, heard) = (Arc::clone(&says), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(answer(socket, Arc::clone(&answers), Arc::clone(&heard)));
            }
        });
        let mut settings = Settings::new(&issuer, CLIENT);
        settings.allow = Allow::parse(allow.split(','), Role::Member).unwrap();
        change(&mut settings);
        let home = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(home.path()).unwrap());
        let now = Arc::new(AtomicI64::new(1_700_000_000));
        let time = Arc::clone(&now);
        let clock = Clock::of(move || time.load(Ordering::Relaxed));
        let openid = Arc::new(OpenId::open(settings, &store, clock.clone()).unwrap());
        let accounts = Accounts::open(store.clone(), clock).unwrap();
        let world = Self { issuer, openid, accounts, store, now, says, asked, key: new_key(), _home: home };
        world.describe(json!({}));
        world.say("/keys", Says::Json(200, json!({ "keys": [world.public("k1")] })));
        world
    }

    /// Another process on the same store, which waits so long for an answer.
    pub(super) fn beside(&self, timeout: Duration) -> OpenId {
        let settings = Settings { timeout, ..self.openid.settings().clone() };
        let time = Arc::clone(&self.now);
        OpenId::open(settings, &self.store, Clock::of(move || time.load(Ordering::Relaxed))).unwrap()
    }

    pub(super) fn say(&self, path: &str, what: Says) {
        self.says.lock().insert(path.to_owned(), what);
    }

    /// Describes itself, with changes.
    pub(super) fn describe(&self, changes: Value) {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut about = json!({ "issuer": self.issuer, "authorization_endpoint": at("/auth?tenant=a"),
            "token_endpoint": at("/token"), "jwks_uri": at("/keys"), "userinfo_endpoint": at("/me") });
        change(&mut about, &changes);
        self.say(DESCRIPTION, Says::Json(200, about));
    }

    /// The requests that came, with their bodies.
    pub(super) fn asked(&self, path: &str) -> Vec<String> {
        let of = |one: &&String| one.split(' ').nth(1) == Some(path);
        self.asked.lock().iter().filter(of).cloned().collect()
    }

    pub(super) fn public(&self, name: &str) -> Value {
        public(&self.key, name)
    }

    pub(super) fn key_bytes(&self) -> Vec<u8> {
        self.key.public_key().as_ref().to_vec()
    }

    pub(super) async fn begin(&self) -> Begun {
        let begun = self.openid.begin(HERE, REDIRECT, Some("/docs")).await.unwrap();
        let page = url::Url::parse(&begun.page).unwrap();
        assert!(begun.page.starts_with(&format!("{}/auth?tenant=a&", self.issuer)), "{}", begun.page);
        Begun { page: page.query_pairs().into_owned().collect(), cookie: begun.cookie }
    }

    pub(super) async fn finish(&self, parameters: &[(&str, &str)], cookie: Option<&str>) -> Finished {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.openid.finish(&Parameters::form(query.as_bytes()).unwrap(), cookie, REDIRECT).await
    }

    /// The claims of a good token, with changes.
    pub(super) fn claims(&self, nonce: &str, changes: &Value) -> Value {
        let now = self.now.load(Ordering::Relaxed);
        let mut claims = json!({ "iss": self.issuer, "aud": CLIENT, "sub": "1", "nonce": nonce, "iat": now, "exp": now + 300,
            "email": "ann@example.com", "email_verified": true });
        change(&mut claims, changes);
        claims
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        sign(&self.key, header, claims)
    }

    /// A sign-in whose token has these claims.
    pub(super) async fn come(&self, changes: Value) -> Result<Person, Failure> {
        self.come_with(|world, nonce| {
            world.sign(&json!({ "alg": "ES256", "kid": "k1" }), &world.claims(nonce, &changes))
        })
        .await
    }

    /// A sign-in with this token.
    pub(super) async fn come_with(&self, token: impl FnOnce(&Self, &str) -> String) -> Result<Person, Failure> {
        let begun = self.begin().await;
        let token = token(self, &begun.page["nonce"]);
        let tokens = json!({ "id_token": token, "access_token": "acce55", "token_type": "Bearer" });
        self.say("/token", Says::Json(200, tokens));
        let state = &begun.page["state"];
        self.finish(&[("code", CODE), ("state", state)], Some(&begun.cookie)).await.outcome
    }

    /// The same, to an account.
    pub(super) async fn enter(&self, changes: Value) -> Result<(String, &'static str), Failure> {
        let person = self.come(changes).await?;
        let (entered, came) = self.accounts.enter_by(&self.openid, &person)?;
        assert!(self.accounts.known(&entered.token).is_some());
        Ok((entered.account.name, came.as_str()))
    }
}

pub(super) fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let bytes = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes.as_ref(), &random).unwrap()
}

pub(super) fn public(key: &EcdsaKeyPair, name: &str) -> Value {
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    json!({ "kty": "EC", "crv": "P-256", "use": "sig", "kid": name, "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
}

/// What is signed of a token.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

pub(super) fn sign(key: &EcdsaKeyPair, header: &Value, claims: &Value) -> String {
    let text = unsigned(header, claims);
    let signature = key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Puts values into an object; `null` takes one away.
fn change(object: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            value => object[name] = value.clone(),
        }
    }
}

async fn answer(mut socket: TcpStream, says: Arc<Mutex<HashMap<String, Says>>>, asked: Arc<Mutex<Vec<String>>>) {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let Ok(read @ 1..) = socket.read(&mut buffer).await else { return };
        text.extend_from_slice(&buffer[..read]);
        let said = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = said.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().push(text);
    let what = says.lock().get(&path).cloned();
    let whole = |status: u16, body: &str| {
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let answer = match what {
        Some(Says::Json(status, value)) => whole(status, &value.to_string()),
        Some(Says::Huge(bytes)) => whole(200, &json!({ "keys": [], "x": "x".repeat(bytes) }).to_string()),
        Some(Says::Elsewhere) => {
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                .to_owned()
        }
        Some(Says::Nothing) => return tokio::time::sleep(Duration::from_secs(600)).await,
        None => whole(404, "{}"),
    };
    let _ = socket.write_all(answer.as_bytes()).await;
    let _ = socket.shutdown().await;
}
