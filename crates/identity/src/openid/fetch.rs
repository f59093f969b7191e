//! Requests to the provider, through the check of outgoing requests.

use std::path::PathBuf;
use std::time::Duration;

use base::Secret;
use connect::egress::{Networks, Policy, Resolver, endpoint, is_loopback};
use connect::http::{Api, Body, Call, Limits, Method, Redirects, Retries, Settings as ApiSettings};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::settings::Settings;

/// Asks the provider.
pub(super) struct Fetch {
    networks: Networks,
    resolver: Resolver,
    ca_file: Option<PathBuf>,
    timeout: Duration,
    /// Whether the issuer is of this machine: only then may its endpoints be without TLS, and only here.
    is_local: bool,
}

/// An answer.
pub(super) struct Fetched {
    pub(super) status: u16,
    pub(super) value: Value,
    /// How long it may be kept, if it says.
    pub(super) max_age: Option<Duration>,
}

impl Fetch {
    pub(super) fn new(settings: &Settings) -> Self {
        let issuer = Url::parse(&settings.issuer).ok();
        let host = issuer.as_ref().and_then(Url::host_str).unwrap_or_default();
        Self {
            // The operator named this host, wherever it is.
            networks: settings.networks.clone().with_host(host),
            resolver: settings.resolver.clone(),
            ca_file: settings.ca_file.clone(),
            timeout: settings.timeout,
            is_local: issuer.is_some_and(|url| url.scheme() == "http" && is_loopback(&url)),
        }
    }

    /// Checks an endpoint that the provider names.
    pub(super) fn check(&self, what: &str, text: &str) -> Result<Url, String> {
        endpoint(text, self.is_local).map_err(|why| format!("{what} `{}` {why}", super::failure::quoted(text)))
    }

    /// Reads a document.
    pub(super) async fn get(&self, what: &str, url: &Url, most: usize, token: Option<&str>) -> Result<Fetched, String> {
        let token = token.map(|token| Secret::new(format!("Bearer {token}")));
        let fetched = self.ask(what, url, Method::GET, Body::None, most, token.as_ref()).await?;
        match fetched.status {
            200 if fetched.value.is_object() => Ok(fetched),
            200 => Err(format!("{what} at {url} is no JSON object")),
            status => Err(format!("{what} at {url} is answered with status {status}")),
        }
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn ask(
        &self,
        what: &str,
        url: &Url,
        method: Method,
        body: Body,
        most: usize,
        authorization: Option<&Secret>,
    ) -> Result<Fetched, String> {
        let mut settings =
            ApiSettings::new("provider of OpenID Connect", Secret::new(url.origin().ascii_serialization()));
        settings.policy = Policy::default().allow_networks(self.networks.clone());
        settings.resolver = self.resolver.clone();
        settings.ca_file.clone_from(&self.ca_file);
        settings.retries = Retries { max: 0, ..Retries::default() };
        settings.limits = Limits { answer_bytes: most, redirects: 0, idle_max: 0, ..Limits::default() };
        let api =
            Api::open(settings).map_err(|error| format!("{what} cannot be asked for at {url}: {}", error.message))?;
        let mut call = Call::new(method, url.path());
        call.query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        call.headers = vec![("accept".to_owned(), "application/json".to_owned())];
        call.headers.extend(authorization.map(|value| ("authorization".to_owned(), value.expose().to_owned())));
        call.redirects = Redirects::Keep;
        call.body = body;
        let reply = api.send(&call, Instant::now() + self.timeout, &CancellationToken::new()).await;
        let reply = reply.map_err(|error| format!("{what} cannot be had from {url}: {}", error.message))?;
        if reply.status.is_redirection() {
            return Err(format!("{what} at {url} sends elsewhere, which is not followed"));
        }
        let said = reply.headers.get("cache-control").and_then(|value| value.to_str().ok());
        let max_age = said.and_then(crate::oauth::documents::max_age);
        let value = serde_json::from_slice(&reply.body).unwrap_or_default();
        Ok(Fetched { status: reply.status.as_u16(), value, max_age })
    }
}
