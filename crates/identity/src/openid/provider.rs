//! What a provider says of itself (OpenID Connect Discovery 1.0), and its keys: fetched, checked, and kept for a while.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

use super::failure::quoted;
use super::fetch::Fetch;
use super::jwt::Jwt;
use super::keys::{Keys, Verdict};
use super::settings::Settings;
use super::{Failure, Kind};
use crate::buckets::{Buckets, Rate, Taken};

/// Largest answer of a provider but its keys, bytes.
pub const ANSWER_BYTES_MAX: usize = 128 * 1024;
/// Largest set of keys, bytes.
pub const KEYS_BYTES_MAX: usize = 256 * 1024;
/// What a provider says of itself, and its keys, are kept at least so long.
const KEPT_MIN: Duration = Duration::from_secs(60);
/// They are kept at most so long.
const KEPT_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How long they are kept when the provider does not say.
const KEPT_USUALLY: Duration = Duration::from_secs(3_600);
/// What could not be had is not asked for again within this time.
const REFUSED_FOR: Duration = Duration::from_secs(3);
/// How often keys are fetched anew because none that is known signed a token.
const ANEW: Rate = Rate { count: 6, period: Duration::from_secs(60), burst: 6 };

const DESCRIPTION: &str = "/.well-known/openid-configuration";

/// A provider.
pub(super) struct Provider {
    pub(super) fetch: Fetch,
    issuer: String,
    metadata: Mutex<Kept<Metadata>>,
    keys: Mutex<Kept<Keys>>,
    anew: Buckets<()>,
}

/// What a provider says of itself.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) authorize: Url,
    pub(super) token: Url,
    keys: Url,
    /// Where it says more of a person.
    pub(super) person: Option<Url>,
    /// How clients may prove who they are.
    pub(super) methods: Vec<String>,
    /// Whether its answers say whose they are (RFC 9207).
    pub(super) says_issuer: bool,
}

/// What was fetched, or why it could not be, until when.
type Kept<T> = Option<(Result<Arc<T>, String>, Instant)>;

impl Provider {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            fetch: Fetch::new(settings),
            issuer: settings.issuer.clone(),
            metadata: Mutex::default(),
            keys: Mutex::default(),
            anew: Buckets::new(ANEW),
        }
    }

    /// What the provider says of itself. Whoever comes while it is fetched waits for it.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, Failure> {
        let mut kept = self.metadata.lock().await;
        let found = match kept.as_ref().filter(|(_, until)| *until > Instant::now()) {
            Some((known, _)) => known.clone(),
            None => keep(&mut kept, self.describe().await),
        };
        found.map_err(|why| Failure::new(Kind::Provider, why))
    }

    async fn describe(&self) -> Result<(Metadata, Option<Duration>), String> {
        const WHAT: &str = "the provider's description";
        let place = format!("{}{DESCRIPTION}", self.issuer.trim_end_matches('/'));
        let url = self.fetch.check(WHAT, &place)?;
        let fetched = self.fetch.get(WHAT, &url, ANSWER_BYTES_MAX, None).await?;
        Ok((self.read(&fetched.value)?, fetched.max_age))
    }

    fn read(&self, value: &Value) -> Result<Metadata, String> {
        let text = |name: &str| value[name].as_str();
        let url =
            |name: &str| text(name).map(|url| self.fetch.check(&format!("the provider's `{name}`"), url)).transpose();
        let need = |name: &str| url(name)?.ok_or_else(|| format!("the provider's description names no `{name}`"));
        if text("issuer") != Some(&self.issuer) {
            let named = quoted(text("issuer").unwrap_or_default());
            return Err(format!(
                "the provider calls itself `{named}`, and the issuer of the settings is {}",
                self.issuer
            ));
        }
        let methods = value["token_endpoint_auth_methods_supported"].as_array();
        let methods = methods.map(|all| all.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        Ok(Metadata {
            authorize: need("authorization_endpoint")?,
            token: need("token_endpoint")?,
            keys: need("jwks_uri")?,
            person: url("userinfo_endpoint")?,
            methods: methods.unwrap_or_else(|| vec!["client_secret_basic".to_owned()]),
            says_issuer: value["authorization_response_iss_parameter_supported"].as_bool() == Some(true),
        })
    }

    /// Whether the provider signed a token. Keys are fetched anew for one that no known key signed: not every provider gives a new
    /// key a new name.
    pub(super) async fn verify(&self, metadata: &Metadata, jwt: &Jwt<'_>) -> Result<(), Failure> {
        let mut kept = self.keys.lock().await;
        let (known, is_fresh) = match kept.as_ref().filter(|(_, until)| *until > Instant::now()) {
            Some((known, _)) => (known.clone(), false),
            None => (keep(&mut kept, self.ask_for_keys(metadata).await), true),
        };
        let unfetched = |why| Failure::new(Kind::Provider, why);
        let mut verdict = known.map_err(unfetched)?.verify(jwt);
        if verdict != Verdict::Signed && !is_fresh && matches!(self.anew.take(&()), Taken::Yes { .. }) {
            verdict = keep(&mut kept, self.ask_for_keys(metadata).await).map_err(unfetched)?.verify(jwt);
        }
        match verdict {
            Verdict::Signed => Ok(()),
            Verdict::Forged => Err(Failure::new(Kind::Token, "the ID token's signature is not the issuer's")),
            Verdict::UnknownKey => {
                Err(Failure::new(Kind::Token, "the ID token is signed with a key that the issuer does not publish"))
            }
        }
    }

    async fn ask_for_keys(&self, metadata: &Metadata) -> Result<(Keys, Option<Duration>), String> {
        let url = &metadata.keys;
        let fetched = self.fetch.get("the provider's set of keys", url, KEYS_BYTES_MAX, None).await?;
        let keys = Keys::read(&fetched.value).ok_or_else(|| format!("what {url} answers is no set of keys"))?;
        Ok((keys, fetched.max_age))
    }
}

/// Keeps what was fetched, for as long as it may be.
fn keep<T>(kept: &mut Kept<T>, fetched: Result<(T, Option<Duration>), String>) -> Result<Arc<T>, String> {
    let (found, time) = match fetched {
        Ok((found, said)) => (Ok(Arc::new(found)), said.unwrap_or(KEPT_USUALLY).clamp(KEPT_MIN, KEPT_MAX)),
        Err(why) => (Err(why), REFUSED_FOR),
    };
    *kept = Some((found.clone(), Instant::now() + time));
    found
}
