//! A connection to an API: what is shared by its requests.

use std::sync::Arc;
use std::time::Duration;

use base::Secret;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::header::HeaderValue;
use http::{HeaderMap, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use sha2::Sha256;
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::cache::Cache;
use super::connector::Connector;
use super::oauth::Source;
use super::places::Places;
use super::rate::Limiter;
use super::wire::Wire;
use super::{Call, Code, Credentials, Fetched, Http2, Reply, Settings, Subject, UserToken, failure, retry};
use crate::egress::Policy;
use crate::mask::Mask;
use crate::{Error, ErrorKind, Tls};

/// Bytes of a fingerprint.
const FINGERPRINT_BYTES: usize = 16;
/// A value in the query of a base URL that is at least so long counts as a secret, whatever it is called.
const SECRET_CHARS: usize = 16;
/// What the connection calls itself.
pub(crate) const USER_AGENT: &str = concat!("mcp-factory/", env!("CARGO_PKG_VERSION"));
/// A connection with HTTP/2 that carries requests is asked this often whether it is still there.
const PING: Duration = Duration::from_secs(20);
/// It is given up when it does not say so in this time.
const PONG: Duration = Duration::from_secs(10);

/// A connection to an API. Sockets are kept and used again, by HTTP/2 where the upstream offers it.
pub struct Api {
    pub(super) settings: Settings,
    /// None: each call names its whole URL.
    pub(super) base: Option<Url>,
    pub(super) policy: Arc<Policy>,
    pub(super) wire: Arc<Wire>,
    pub(super) limiter: Option<Limiter>,
    places: Option<Places>,
    pub(super) tokens: Option<Arc<Source>>,
    pub(super) cache: Option<Cache>,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

impl Api {
    /// The origin of the base URL, without credentials; empty when there is none.
    pub fn origin(&self) -> String {
        self.base.as_ref().map(|base| base.origin().ascii_serialization()).unwrap_or_default()
    }

    /// A word for the account that requests are made with: another base URL or other credentials give another one. With a salt that
    /// nobody else has it tells nothing of them.
    pub fn fingerprint(&self, salt: &[u8]) -> String {
        // A key of HMAC may have any length.
        let mut mac = <Hmac<Sha256>>::new_from_slice(salt).unwrap_or_else(|_| <Hmac<Sha256>>::new(&Default::default()));
        let mut add = |text: &str| {
            mac.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(text.as_bytes());
        };
        add(self.base.as_ref().map_or("", |base| base.as_str().trim_end_matches('/')));
        self.settings.credentials.secrets().iter().for_each(|secret| add(secret.expose()));
        self.settings.secret_headers.iter().for_each(|(_, value)| add(value.expose()));
        let tag = mac.finalize().into_bytes();
        tag.iter().take(FINGERPRINT_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    /// What of the calling user each call brings along.
    pub fn subject(&self) -> Subject {
        match &self.settings.credentials {
            Credentials::OAuth(oauth) if oauth.users.is_some() => Subject::Name,
            Credentials::OAuth(oauth) if oauth.exchange.is_some() => Subject::Token,
            _ => Subject::None,
        }
    }

    /// Turns a user's authorisation into tokens; they are not stored.
    ///
    /// # Errors
    /// The token endpoint gives none, or the connection is not one with authorisations of users.
    pub async fn redeem(&self, code: &Code) -> Result<UserToken, Error> {
        match &self.tokens {
            Some(source) => source.redeem(code).await,
            None => Err(self.error(ErrorKind::Config, "the connection takes no authorisations of users")),
        }
    }

    /// Checks the settings. Nothing is sent.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let config = |message: String| failure(&settings.name, ErrorKind::Config, "open", message);
        let text = settings.base.expose().to_owned();
        let plain = settings.anywhere.map_or_else(|| text.starts_with("http:"), |anywhere| anywhere.plain);
        let mut policy = settings.policy.clone().allow_plain(plain);
        let named = |text: &str| Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
        if settings.anywhere.is_none() {
            policy = policy.allow_host(&named(&text).unwrap_or_default());
        } else if !policy.lists_hosts() {
            return Err(config("it has no URL of its own, and no hosts that requests may go to".to_owned()));
        }
        if let Credentials::OAuth(oauth) = &settings.credentials {
            policy = policy.allow_host(&named(&oauth.token_url).unwrap_or_default());
            oauth.assertion.iter().try_for_each(|assertion| assertion.check().map_err(config))?;
            policy.check(&oauth.token_url).map_err(|refused| config(format!("the token URL {refused}")))?;
        }
        if let Credentials::SigV4(keys) = &settings.credentials {
            keys.check().map_err(|why| config(format!("requests cannot be signed: {why}")))?;
        }
        if let Credentials::Signing(signing) = &settings.credentials {
            signing.check().map_err(|why| config(format!("requests cannot be signed: {why}")))?;
        }
        let base = match settings.anywhere {
            Some(_) => None,
            None => Some(policy.check(&text).map_err(|refused| config(refused.to_string()))?),
        };
        if base.as_ref().is_some_and(|base| base.fragment().is_some()) {
            return Err(config(
                "the base URL holds a fragment, which is never sent; leave out `#` and what follows".to_owned(),
            ));
        }
        let policy = Arc::new(policy);
        let client = client(&settings, Arc::clone(&policy)).map_err(config)?;
        let wire = Arc::new(Wire {
            name: settings.name.clone(),
            answer_bytes: settings.limits.answer_bytes,
            unpack: settings.unpack,
            mask: Mask::default(),
            client,
        });
        let mut secrets = settings.credentials.secrets();
        secrets.extend(settings.client_certificate.as_ref().map(|own| own.key.clone()));
        secrets.extend(settings.secret_headers.iter().map(|(_, value)| value.clone()));
        secrets.extend(base.as_ref().into_iter().flat_map(secrets_of_query));
        secrets.iter().for_each(|secret| wire.mask.add(secret));
        let tokens = match &settings.credentials {
            Credentials::OAuth(oauth) => {
                Some(Arc::new(Source::new(oauth.clone(), Arc::clone(&policy), Arc::clone(&wire))))
            }
            _ => None,
        };
        let limiter = settings.rate.map(Limiter::new);
        let places = settings.at_once.map(Places::new);
        let cache = settings.cache.map(Cache::new);
        Ok(Self { settings, base, policy, wire, limiter, places, tokens, cache })
    }

    /// Sends a request and reads the whole answer. Answers of every status come back; an error says that there is none.
    ///
    /// A request that may be sent twice is sent again when the connection fails or the answer is 408, 425, 429, 502, 503 or
    /// 504, as long as the deadline allows the wait.
    pub async fn send(&self, call: &Call, deadline: Instant, cancel: &CancellationToken) -> Result<Reply, Error> {
        self.fetch(call, deadline, cancel).await.map(|fetched| fetched.reply)
    }

    /// The same with the URL that gave the answer.
    pub async fn fetch(&self, call: &Call, deadline: Instant, cancel: &CancellationToken) -> Result<Fetched, Error> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(self.error(ErrorKind::Cancelled, "the caller went away")),
            outcome = tokio::time::timeout_at(deadline, self.attempts(call, deadline)) => outcome
                .unwrap_or_else(|_| Err(self.error(ErrorKind::Timeout, "there was no answer before the deadline"))),
        }
    }

    async fn attempts(&self, call: &Call, deadline: Instant) -> Result<Fetched, Error> {
        let again = call.idempotent.unwrap_or_else(|| retry::is_idempotent(&call.method));
        let retries = self.settings.retries;
        let mut renewed = false;
        let mut nth = 0;
        loop {
            let (outcome, token) = {
                // Others have it while this one waits to be sent again.
                let _place = self.place(call, deadline).await?;
                self.wait_turn(deadline).await?;
                match self.exchange(call).await {
                    Ok((fetched, token)) => (Ok(fetched), token),
                    Err(error) => (Err(error), None),
                }
            };
            let wait = match &outcome {
                Ok(fetched) if fetched.reply.status == StatusCode::UNAUTHORIZED && !renewed && token.is_some() => {
                    // The upstream refused the token before doing anything: a new one is worth one try.
                    self.forget_token(call.subject.as_ref(), token.as_ref()).await;
                    renewed = true;
                    continue;
                }
                Ok(fetched) if again && retry::is_transient(fetched.reply.status) => {
                    retry::retry_after(&fetched.reply.headers).unwrap_or_else(|| retries.wait(nth))
                }
                Err(error) if again && matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Transient) => {
                    retries.wait(nth)
                }
                _ => return outcome,
            };
            if nth == retries.max || wait > retries.wait_max || Instant::now() + wait >= deadline {
                return outcome;
            }
            nth += 1;
            tokio::time::sleep(wait).await;
        }
    }

    /// Waits until fewer requests are under way than the connection allows.
    async fn place(&self, call: &Call, deadline: Instant) -> Result<Option<SemaphorePermit<'_>>, Error> {
        let Some(places) = &self.places else { return Ok(None) };
        let until = call.turn.map_or(deadline, |turn| deadline.min(Instant::now() + turn));
        let place = places.take(until).await;
        place.map(Some).map_err(|why| self.error(ErrorKind::PoolTimeout, why.to_string()))
    }

    /// Waits until the rate of the connection allows a request.
    pub(crate) async fn wait_turn(&self, deadline: Instant) -> Result<(), Error> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        let late =
            || self.error(ErrorKind::Limit, "the rate limit of the connection leaves no turn before the deadline");
        tokio::time::sleep(limiter.turn(deadline).ok_or_else(late)?).await;
        Ok(())
    }

    /// Drops a token that the upstream refused.
    pub(super) async fn forget_token(&self, subject: Option<&Secret>, token: Option<&Secret>) {
        if let (Some(source), Some(token)) = (&self.tokens, token) {
            source.forget(subject, token).await;
        }
    }

    /// The headers of a request: those of the connection, then those of the call.
    pub(super) fn headers(&self, call: &Call) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        let packed = if self.settings.unpack { "gzip, br, zstd" } else { "identity" };
        headers.insert(http::header::ACCEPT_ENCODING, HeaderValue::from_static(packed));
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(http::header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        for (name, value) in self.settings.headers.iter().chain(&call.headers) {
            self.insert(&mut headers, name, value)?;
        }
        Ok(headers)
    }

    /// Adds a header, without showing its value in an error.
    pub(super) fn insert(&self, headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Error> {
        self.wire.insert(headers, name, value)
    }

    /// Takes a further secret out of what comes back.
    #[cfg(feature = "send")]
    pub(crate) fn hide(&self, secret: &base::Secret) {
        self.wire.mask.add(secret);
    }

    pub(crate) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        self.wire.error(kind, message)
    }
}

/// What of the query of a base URL, which goes along with each request, may be a secret: what is called so, and what is long.
fn secrets_of_query(base: &Url) -> Vec<Secret> {
    const CALLED: [&str; 8] = ["key", "token", "secret", "sig", "pass", "code", "auth", "credential"];
    let each = base.query_pairs().filter(|(name, value)| {
        let name = name.to_ascii_lowercase();
        value.len() >= SECRET_CHARS || CALLED.iter().any(|word| name.contains(word))
    });
    each.map(|(_, value)| Secret::new(value)).collect()
}

/// The pool of sockets.
fn client(settings: &Settings, policy: Arc<Policy>) -> Result<Client<Connector, Full<Bytes>>, String> {
    let own = settings.client_certificate.as_ref().map(|own| (own.chain.expose(), own.key.expose()));
    let mut tls = crate::tls::client(Tls::VerifyFull, settings.ca_file.as_deref(), own)?;
    tls.alpn_protocols = match settings.http2 {
        Http2::Offered => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        Http2::Only => vec![b"h2".to_vec()],
    };
    let connector = Connector {
        policy,
        resolver: Arc::clone(&settings.resolver),
        tls: TlsConnector::from(Arc::new(tls)),
        timeout: settings.limits.connect,
        h2_only: settings.http2 == Http2::Only,
    };
    Ok(Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(settings.limits.idle)
        .pool_max_idle_per_host(settings.limits.idle_max)
        .http2_only(settings.http2 == Http2::Only)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(PONG)
        .build(connector))
}
