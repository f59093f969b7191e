//! Requests to the servers that metadata name.

use std::time::Duration;

use base::Secret;
use connect::Error;
use connect::egress::{endpoint, is_loopback};
use connect::http::{self, Api, Body, Credentials, Method, Redirects, Retries};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::refused;
use crate::limits::{METADATA_BYTES_MAX, METADATA_TIMEOUT};
use crate::wire::Endpoint;

/// Asks servers that metadata name.
pub(super) struct Fetch {
    pub(super) name: String,
    settings: http::Settings,
    /// Whether the server that is signed in at is of this machine: only then may others be asked without TLS, and only here.
    is_local: bool,
}

/// An answer.
pub(super) struct Fetched {
    pub(super) status: u16,
    pub(super) value: Value,
}

impl Fetch {
    pub(super) fn new(name: &str, settings: &http::Settings, resource: &Url) -> Self {
        let settings = http::Settings {
            credentials: Credentials::None,
            headers: Vec::new(),
            secret_headers: Vec::new(),
            client_certificate: None,
            cache: None,
            retries: Retries { max: 0, ..Retries::default() },
            ..settings.clone()
        };
        Self { name: name.to_owned(), settings, is_local: is_loopback(resource) }
    }

    /// Checks a URL that metadata name.
    pub(super) fn check(&self, what: &str, text: &str) -> Result<Url, Error> {
        endpoint(text, self.is_local)
            .map_err(|why| refused(&self.name, format!("{what} `{}` {why}", text.escape_debug())))
    }

    /// Asks for metadata; nothing where there are none.
    pub(super) async fn metadata(&self, what: &str, url: &Url) -> Result<Option<Value>, Error> {
        let fetched = self.ask(what, url, Method::GET, Body::None, None).await?;
        match fetched.status {
            200 if fetched.value.is_object() => Ok(Some(fetched.value)),
            200 => Err(refused(&self.name, format!("{what} at {url} is no JSON object"))),
            400..=499 => Ok(None),
            status => Err(refused(&self.name, format!("{what} cannot be had: {url} answers with status {status}"))),
        }
    }

    pub(super) async fn ask(
        &self,
        what: &str,
        url: &Url,
        method: Method,
        body: Body,
        authorization: Option<&Secret>,
    ) -> Result<Fetched, Error> {
        let origin = url.origin().ascii_serialization();
        let api = Api::open(http::Settings { base: Secret::new(origin), ..self.settings.clone() })?;
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut call = Endpoint::of(&format!("{}{query}", url.path())).call(method, "application/json");
        call.redirects = Redirects::Keep;
        call.body = body;
        call.answer_bytes = Some(METADATA_BYTES_MAX);
        call.headers.extend(authorization.map(|value| ("authorization".to_owned(), value.expose().to_owned())));
        let reply = api.send(&call, deadline(METADATA_TIMEOUT), &CancellationToken::new()).await;
        let reply = reply.map_err(|error| {
            let mut refused = refused(&self.name, format!("{what} cannot be had from {url}: {}", error.message));
            refused.kind = error.kind;
            refused
        })?;
        if reply.status.is_redirection() {
            return Err(refused(&self.name, format!("{what} at {url} sends elsewhere, which is not followed")));
        }
        let value = serde_json::from_slice(&reply.body).unwrap_or_default();
        Ok(Fetched { status: reply.status.as_u16(), value })
    }
}

fn deadline(wait: Duration) -> Instant {
    Instant::now() + wait
}
