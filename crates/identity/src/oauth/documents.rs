//! Programs whose id is the URL of a document about them (client ID metadata documents): fetched through the check of
//! outgoing requests, kept for a while.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::Secret;
use connect::egress::{Networks, Policy};
use connect::http::{Api, Call, Limits, Settings as ApiSettings};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::client::{Client, Method};
use super::refusal::Refusal;
use super::settings::Settings;

/// Largest document, bytes.
pub const DOCUMENT_BYTES_MAX: usize = 16 * 1024;
/// Longest wait for a document.
pub const DOCUMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// A document is kept at least so long.
pub const KEPT_MIN: Duration = Duration::from_secs(60);
/// A document is kept at most so long.
pub const KEPT_MAX: Duration = Duration::from_secs(24 * 3_600);
/// How long a document is kept that does not say.
pub const KEPT_USUALLY: Duration = Duration::from_secs(3_600);
/// A document that could not be had is not asked for again within this time.
pub const REFUSED_FOR: Duration = Duration::from_secs(20);
/// Documents that are kept at a time.
pub const DOCUMENTS_MAX: usize = 500;
/// Documents that are fetched at a time.
pub const FETCHES_MAX: usize = 8;

/// What a document said, or why it cannot be taken.
type Fetched = Result<(Value, Duration), String>;

/// Fetches and keeps documents.
pub struct Documents {
    networks: Networks,
    ca_file: Option<PathBuf>,
    kept: Mutex<HashMap<String, Kept>>,
    places: Semaphore,
}

#[derive(Clone)]
struct Kept {
    until: Instant,
    outcome: Result<Arc<Value>, String>,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("kept", &self.kept.lock().len()).finish_non_exhaustive()
    }
}

impl Documents {
    /// Documents from the public Internet, and from these private networks. `ca_file` is a PEM file of the accepted
    /// certificate authorities; the Mozilla roots otherwise.
    pub fn new(networks: Networks, ca_file: Option<PathBuf>) -> Self {
        Self { networks, ca_file, kept: Mutex::default(), places: Semaphore::new(FETCHES_MAX) }
    }

    /// The program that a document is about.
    pub(crate) async fn client(&self, id: &str, settings: &Settings) -> Result<Client, Refusal> {
        let refused = |why: String| Refusal::new(400, "unauthorized_client", format!("the client's document {why}"));
        let url = checked(id).map_err(|why| refused(why.to_owned()))?;
        let document = self.document(&url).await.map_err(refused)?;
        // No secret can be agreed on with a document that everybody reads.
        if document.get("client_secret").is_some() {
            return Err(refused("holds a `client_secret`".to_owned()));
        }
        if document.get("client_id").and_then(Value::as_str) != Some(id) {
            return Err(refused("has another `client_id` than its URL".to_owned()));
        }
        let mut document = (*document).clone();
        if let Value::Object(fields) = &mut document {
            fields.entry("token_endpoint_auth_method").or_insert_with(|| "none".into());
            // It cannot know the scopes of every server: what it names beside ours is left out.
            fields.remove("scope");
        }
        let client = Client::read(&document, &settings.scopes, settings.limits.redirect_uris)
            .map_err(|refusal| refused(format!("cannot be taken: {}", refusal.description)))?;
        if client.token_endpoint_auth_method != Method::None {
            return Err(refused("asks for a secret, and none can be agreed on with a document".to_owned()));
        }
        Ok(Client { id: id.to_owned(), documented: true, ..client })
    }

    async fn document(&self, url: &Url) -> Result<Arc<Value>, String> {
        if let Some(kept) = self.kept(url.as_str()) {
            return kept;
        }
        let _place = self.places.acquire().await.map_err(|error| error.to_string())?;
        // Another request may have fetched it meanwhile.
        if let Some(kept) = self.kept(url.as_str()) {
            return kept;
        }
        let (outcome, time) = match self.fetch(url).await {
            Ok((document, time)) => (Ok(Arc::new(document)), time),
            Err(why) => (Err(why), REFUSED_FOR),
        };
        let mut table = self.kept.lock();
        if table.len() >= DOCUMENTS_MAX {
            let now = Instant::now();
            table.retain(|_, kept| kept.until > now);
        }
        if table.len() < DOCUMENTS_MAX {
            table.insert(url.as_str().to_owned(), Kept { until: Instant::now() + time, outcome: outcome.clone() });
        }
        outcome
    }

    fn kept(&self, url: &str) -> Option<Result<Arc<Value>, String>> {
        let table = self.kept.lock();
        table.get(url).filter(|kept| kept.until > Instant::now()).map(|kept| kept.outcome.clone())
    }

    async fn fetch(&self, url: &Url) -> Fetched {
        let origin = url.origin().ascii_serialization();
        let mut settings = ApiSettings::new("client document", Secret::new(origin));
        settings.policy = Policy::default().allow_networks(self.networks.clone());
        settings.ca_file.clone_from(&self.ca_file);
        settings.limits = Limits { answer_bytes: DOCUMENT_BYTES_MAX, redirects: 0, idle_max: 0, ..Limits::default() };
        let api = Api::open(settings).map_err(|error| format!("cannot be fetched: {error}"))?;
        let mut call = Call::new(connect::http::Method::GET, url.path());
        call.query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        call.headers = vec![("accept".to_owned(), "application/json".to_owned())];
        let deadline = Instant::now() + DOCUMENT_TIMEOUT;
        let sent = api.send(&call, deadline, &CancellationToken::new()).await;
        let reply = sent.map_err(|error| format!("cannot be fetched: {error}"))?;
        if reply.status != connect::http::StatusCode::OK {
            return Err(format!("cannot be fetched: its host answered {}", reply.status));
        }
        let document = serde_json::from_slice(&reply.body).map_err(|_| "is no JSON".to_owned())?;
        let said = reply.headers.get("cache-control").and_then(|value| value.to_str().ok()).and_then(max_age);
        Ok((document, said.unwrap_or(KEPT_USUALLY).clamp(KEPT_MIN, KEPT_MAX)))
    }
}

/// How long an answer may be kept (RFC 9111).
pub(crate) fn max_age(cache_control: &str) -> Option<Duration> {
    let mut parts = cache_control.split(',').map(str::trim);
    if parts.clone().any(|part| part.eq_ignore_ascii_case("no-store") || part.eq_ignore_ascii_case("no-cache")) {
        return Some(Duration::ZERO);
    }
    let seconds = parts.find_map(|part| part.strip_prefix("max-age=")?.trim_matches('"').parse().ok())?;
    Some(Duration::from_secs(seconds))
}

/// The URL of an id, if it is one that a document can have.
fn checked(id: &str) -> Result<Url, &'static str> {
    let url = Url::parse(id).map_err(|_| "has no URL that can be read")?;
    if url.scheme() != "https" || url.as_str() != id {
        return Err("has a URL that is not written plainly with https");
    }
    if url.path() == "/" || !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("has a URL without a path, or with credentials or a fragment");
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{checked, max_age};

    #[test]
    fn ids_are_plain_https_urls_with_a_path() {
        assert!(checked("https://app.example.com/oauth/client.json").is_ok());
        for bad in [
            "https://app.example.com/",
            "https://app.example.com",
            "http://app.example.com/x",
            "https://u:p@app.example.com/x",
            "https://app.example.com/x#y",
            "https://app.example.com/a/../x",
            "https://APP.example.com/x",
            "https://app.example.com:443/x",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_are_kept_as_long_as_they_say() {
        assert_eq!(max_age("public, max-age=300"), Some(Duration::from_secs(300)));
        assert_eq!(max_age("no-store, max-age=300"), Some(Duration::ZERO));
        assert_eq!(max_age("public"), None);
    }
}
