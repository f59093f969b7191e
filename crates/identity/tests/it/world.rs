//! An authorization server with a clock that tests turn.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connect::egress::Networks;
use identity::oauth::{
    Approval, Authority, Bearer, Documents, Lifetimes, Limits, Parameters, Places, Refusal, Settings, Shown, Turned,
};
use identity::{Clock, Principal, Scopes};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use store::Store;

pub(crate) const ISSUER: &str = "https://mcp.example.com";
pub(crate) const CALLBACK: &str = "https://app.example.com/callback";
pub(crate) const VERIFIER: &str = "a-verifier-that-is-long-enough-for-rfc-7636-0123456789";
pub(crate) const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

pub(crate) struct World {
    pub(crate) home: Arc<tempfile::TempDir>,
    pub(crate) now: Arc<AtomicI64>,
    pub(crate) authority: Authority,
}

pub(crate) fn settings() -> Settings {
    Settings {
        realm: "shop-mcp".into(),
        title: "Shop".into(),
        public_origin: Some(ISSUER.into()),
        places: Places::at("/mcp")
            .with("/sse", "/mcp")
            .with("/servers/shop-mcp/groups/a/mcp", "/servers/shop-mcp/groups/a/mcp"),
        scopes: Scopes::of(["mcp", "orders"]),
        most: None,
        required: Scopes::of(["mcp"]),
        approval: Approval::Automatic,
        redirect_hosts: None,
        lifetimes: Lifetimes::default(),
        limits: Limits::default(),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let home = Arc::new(tempfile::tempdir().unwrap());
        Self::at(home, Arc::new(AtomicI64::new(1_700_000_000)), settings)
    }

    pub(crate) fn with_documents(settings: Settings, documents: Documents) -> Self {
        let home = Arc::new(tempfile::tempdir().unwrap());
        Self::open(home, Arc::new(AtomicI64::new(1_700_000_000)), settings, documents)
    }

    fn at(home: Arc<tempfile::TempDir>, now: Arc<AtomicI64>, settings: Settings) -> Self {
        Self::open(home, now, settings, Documents::new(Networks::default(), None))
    }

    fn open(home: Arc<tempfile::TempDir>, now: Arc<AtomicI64>, settings: Settings, documents: Documents) -> Self {
        let store = Arc::new(Store::open(home.path()).unwrap());
        let clock = now.clone();
        let clock = Clock::of(move || clock.load(Ordering::Relaxed));
        let authority = Authority::open(settings, store, clock, documents).unwrap();
        Self { home, now, authority }
    }

    /// Another process on the same home.
    pub(crate) fn beside(&self, settings: Settings) -> Self {
        Self::at(self.home.clone(), self.now.clone(), settings)
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.now.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Registers a program: its id and its secret.
    pub(crate) fn register(&self, more: Value) -> (String, Option<String>) {
        let told = self.try_register(more).unwrap();
        (told["client_id"].as_str().unwrap().to_owned(), told["client_secret"].as_str().map(str::to_owned))
    }

    pub(crate) fn try_register(&self, more: Value) -> Result<Value, Refusal> {
        let mut metadata = json!({"redirect_uris": [CALLBACK]});
        for (name, value) in more.as_object().unwrap() {
            metadata[name] = value.clone();
        }
        self.authority.register(HERE, metadata.to_string().as_bytes())
    }

    /// Asks to be let in with changes to a request that is right: `None` takes a parameter away.
    pub(crate) async fn ask(&self, client: &str, changes: &[(&str, Option<&str>)]) -> Result<String, Turned> {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let right = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", CALLBACK),
            ("state", "s 1"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let asked = self.authority.ask(ISSUER, HERE, &changed(&right, changes)).await?;
        Ok(self.authority.approve(&asked, identity::oauth::OWNER).unwrap())
    }

    pub(crate) async fn code(&self, client: &str, changes: &[(&str, Option<&str>)]) -> String {
        parameter(&self.ask(client, changes).await.unwrap(), "code").unwrap()
    }

    pub(crate) async fn redeem(
        &self,
        code: &str,
        client: &(String, Option<String>),
        changes: &[(&str, Option<&str>)],
    ) -> Result<Value, Refusal> {
        let mut right = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("client_id", &client.0),
        ];
        right.extend(client.1.as_ref().map(|secret| ("client_secret", secret.as_str())));
        self.authority.token(ISSUER, HERE, None, &changed(&right, changes)).await
    }

    /// Redeems with this header and a secret in the body too.
    pub(crate) async fn redeem_with(&self, header: &str, client: &(String, Option<String>)) -> Result<Value, Refusal> {
        let secret = client.1.as_deref().unwrap_or("a secret");
        let given =
            changed(&[("grant_type", "refresh_token"), ("refresh_token", "any"), ("client_secret", secret)], &[]);
        self.authority.token(ISSUER, HERE, Some(header), &given).await
    }

    pub(crate) async fn revoke(&self, token: &str, client: &(String, Option<String>)) -> Result<(), Refusal> {
        let secret = client.1.as_deref().unwrap_or_default();
        let given = changed(&[("token", token), ("client_id", &client.0), ("client_secret", secret)], &[]);
        self.authority.revoke(HERE, None, &given).await
    }

    pub(crate) async fn refresh(
        &self,
        token: &str,
        client: &(String, Option<String>),
        changes: &[(&str, Option<&str>)],
    ) -> Result<Value, Refusal> {
        let mut right = vec![("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", &client.0)];
        right.extend(client.1.as_ref().map(|secret| ("client_secret", secret.as_str())));
        self.authority.token(ISSUER, HERE, None, &changed(&right, changes)).await
    }

    /// Registers, asks and redeems.
    pub(crate) async fn tokens(&self) -> ((String, Option<String>), Value) {
        let client = self.register(json!({}));
        let code = self.code(&client.0, &[]).await;
        let tokens = self.redeem(&code, &client, &[]).await.unwrap();
        (client, tokens)
    }

    /// Shows a token at a path, as a request does.
    pub(crate) fn show(&self, token: &str, path: &str) -> Bearer {
        let shown = Shown { token, path, address: HERE };
        self.authority.known(shown).unwrap_or_else(|| self.authority.look_up(shown))
    }

    pub(crate) fn caller(&self, token: &str) -> Option<Arc<Principal>> {
        match self.show(token, "/mcp") {
            Bearer::Good(principal) => Some(principal),
            _ => None,
        }
    }
}

pub(crate) fn owner(passphrase: &str) -> Approval {
    Approval::Passphrase(Secret::new(passphrase.to_owned()))
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

pub(crate) fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    url::form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn changed(right: &[(&str, &str)], changes: &[(&str, Option<&str>)]) -> Parameters {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(right.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name)));
    query.extend_pairs(changes.iter().filter_map(|(name, value)| Some((name, (*value)?))));
    Parameters::form(query.finish().as_bytes()).unwrap()
}
