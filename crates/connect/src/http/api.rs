//! A connection to an API: what is shared by its requests.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::connector::Connector;
use super::mask::Mask;
use super::oauth::Tokens;
use super::rate::Limiter;
use super::{Call, Credentials, Reply, Settings, retry};
use crate::egress::Policy;
use crate::{Error, ErrorKind, Tls};

/// Headers that belong to the connection, not to a caller.
const RESERVED: [&str; 9] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
    "keep-alive",
    "proxy-connection",
];

/// A connection to an API. Sockets are kept and used again, by HTTP/2 where the upstream offers it.
pub struct Api {
    pub(super) settings: Settings,
    pub(super) base: Url,
    pub(super) policy: Arc<Policy>,
    pub(super) client: Client<Connector, Full<Bytes>>,
    pub(super) mask: Mask,
    pub(super) limiter: Option<Limiter>,
    pub(super) tokens: tokio::sync::Mutex<Tokens>,
}

impl Api {
    /// Checks the settings. Nothing is sent.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let config = |message: String| failure(&settings.name, ErrorKind::Config, "open", message);
        let text = settings.base.expose().trim_end_matches('/').to_owned();
        let plain = text.starts_with("http:");
        let mut policy = settings.policy.clone().allow_plain(plain);
        let named = |text: &str| Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
        policy = policy.allow_host(&named(&text).unwrap_or_default());
        if let Credentials::OAuth(oauth) = &settings.credentials {
            policy = policy.allow_host(&named(&oauth.token_url).unwrap_or_default());
            policy.check(&oauth.token_url).map_err(|refused| config(format!("the token URL {refused}")))?;
        }
        if let Credentials::Signing(signing) = &settings.credentials {
            signing.check().map_err(|why| config(format!("requests cannot be signed: {why}")))?;
        }
        let base = policy.check(&text).map_err(|refused| config(refused.to_string()))?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(config("the base URL holds a query or a fragment; declare the query on its own".to_owned()));
        }
        let mut tls = crate::tls::client(Tls::VerifyFull, settings.ca_file.as_deref()).map_err(config)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let policy = Arc::new(policy);
        let connector = Connector {
            policy: Arc::clone(&policy),
            resolver: Arc::clone(&settings.resolver),
            tls: TlsConnector::from(Arc::new(tls)),
            timeout: settings.limits.connect,
        };
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(settings.limits.idle)
            .pool_max_idle_per_host(settings.limits.idle_max)
            .build(connector);
        let mask = Mask::default();
        settings.credentials.secrets().iter().for_each(|secret| mask.add(secret));
        let limiter = settings.rate.map(Limiter::new);
        Ok(Self { settings, base, policy, client, mask, limiter, tokens: tokio::sync::Mutex::default() })
    }

    /// Sends a request and reads the whole answer. Answers of every status come back; an error says that there is none.
    ///
    /// A request that may be sent twice is sent again when the connection fails or the answer is 408, 425, 429, 502, 503 or
    /// 504, as long as the deadline allows the wait.
    pub async fn send(&self, call: &Call, deadline: Instant, cancel: &CancellationToken) -> Result<Reply, Error> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(self.error(ErrorKind::Cancelled, "the caller went away")),
            outcome = tokio::time::timeout_at(deadline, self.attempts(call, deadline)) => outcome
                .unwrap_or_else(|_| Err(self.error(ErrorKind::Timeout, "there was no answer before the deadline"))),
        }
    }

    async fn attempts(&self, call: &Call, deadline: Instant) -> Result<Reply, Error> {
        let again = call.idempotent.unwrap_or_else(|| retry::is_idempotent(&call.method));
        let retries = self.settings.retries;
        let mut renewed = false;
        let mut nth = 0;
        loop {
            if let Some(limiter) = &self.limiter {
                let late = || {
                    self.error(ErrorKind::Limit, "the rate limit of the connection leaves no turn before the deadline")
                };
                tokio::time::sleep(limiter.turn(deadline).ok_or_else(late)?).await;
            }
            let outcome = self.exchange(call).await;
            let wait = match &outcome {
                Ok(reply) if reply.status == StatusCode::UNAUTHORIZED && !renewed && self.forget_token().await => {
                    // The upstream refused the token before doing anything: a new one is worth one try.
                    renewed = true;
                    continue;
                }
                Ok(reply) if again && retry::is_transient(reply.status) => {
                    retry::retry_after(&reply.headers).unwrap_or_else(|| retries.wait(nth))
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

    /// The headers of a request: those of the connection, then those of the call.
    pub(super) fn headers(&self, call: &Call) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd"));
        headers.insert(http::header::ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(
            http::header::USER_AGENT,
            HeaderValue::from_static(concat!("mcp-factory/", env!("CARGO_PKG_VERSION"))),
        );
        for (name, value) in self.settings.headers.iter().chain(&call.headers) {
            self.insert(&mut headers, name, value)?;
        }
        Ok(headers)
    }

    /// Adds a header, without showing its value in an error.
    pub(super) fn insert(&self, headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Error> {
        let parsed = HeaderName::try_from(name)
            .map_err(|_| self.error(ErrorKind::Value, format!("`{}` is no name of a header", name.escape_debug())))?;
        if RESERVED.contains(&parsed.as_str()) {
            return Err(self.error(ErrorKind::Value, format!("the header `{parsed}` cannot be set")));
        }
        let value = HeaderValue::try_from(value).map_err(|_| {
            self.error(ErrorKind::Value, format!("the value of the header `{parsed}` holds a line break"))
        })?;
        headers.insert(parsed, value);
        Ok(())
    }

    pub(super) fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        failure(&self.settings.name, kind, "send a request", self.mask.text(&message.into()))
    }
}

fn failure(connection: &str, kind: ErrorKind, attempted: &'static str, message: String) -> Error {
    let connection = connection.to_owned();
    Error { kind, connection, attempted, message, code: None, position: None, hint: None }
}
