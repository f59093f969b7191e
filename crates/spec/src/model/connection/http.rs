//! HTTP APIs, and what travels like them: GraphQL and gRPC.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Credentials, SecretRef};
use crate::limits;

/// An HTTP API that tools use, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Http {
    /// Name that tools refer to.
    pub name: String,
    /// Environment variable that holds the base URL. One of `envVar` and `url` is needed, or `hosts` where every request of an
    /// `http` connection names its whole URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// Base URL without credentials, such as `https://api.example.com/v1`: every path is below it.
    /// `${env:NAME}` and `${file:/path}` are replaced at the moment of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the server is whole without it: where the variable of `envVar` is not set, scripts find nothing of this name,
    /// and nothing is missed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Headers of every request, such as `Accept`. `${env:NAME}` is replaced; such values count as secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What is shown to the upstream.
    #[serde(default)]
    pub credentials: Credentials,
    /// The schema of the API, for `graphql` in the language of GraphQL, for `grpc` a `.proto` text; `${file:/path}` is replaced.
    /// Default: the API is asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Hosts that redirects and whole URLs may lead to besides the URL's own: `api.example.com`; `*.example.com` stands for all
    /// names below it, `*` for every public host.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// Whether requests to `hosts` may go without TLS, by `http:`, where the connection has no URL of its own that says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// At most so many requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// When a request is sent again.
    #[serde(default)]
    pub retries: Retries,
    /// Answers to reads are kept in memory for as long as the upstream allows (RFC 9111), and asked for again with their
    /// validators. Without it each request is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<HttpCache>,
    /// Transport security.
    #[serde(default, skip_serializing_if = "HttpTls::is_empty")]
    pub tls: HttpTls,
    /// Bounds of one request.
    #[serde(default)]
    pub limits: HttpLimits,
}

impl Http {
    /// Whether it has no URL of its own: each request names its whole URL, on one of `hosts`.
    pub fn is_anywhere(&self) -> bool {
        self.env_var.is_none() && self.url.is_none() && !self.hosts.is_empty()
    }
}

/// At most so many requests of a connection in a time; more wait for their turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RateLimit {
    /// Requests in a period.
    pub requests: u64,
    /// The period, milliseconds.
    #[serde(default = "default_period")]
    pub period_ms: u64,
    /// How many may be sent at once.
    #[serde(default = "default_burst")]
    pub burst: u64,
}

fn default_period() -> u64 {
    limits::RATE_PERIOD_MS
}

fn default_burst() -> u64 {
    1
}

/// When a request that may be sent twice is sent again: after failures of the connection and the statuses 408, 425, 429,
/// 502, 503 and 504. `Retry-After` is followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Retries {
    /// Most attempts after the first one.
    pub max: u64,
    /// Wait before the first repetition, milliseconds; it doubles each time.
    pub backoff_ms: u64,
    /// Longest wait, milliseconds.
    pub wait_max_ms: u64,
}

impl Default for Retries {
    fn default() -> Self {
        Self { max: limits::RETRIES, backoff_ms: limits::BACKOFF_MS, wait_max_ms: limits::RETRY_WAIT_MS }
    }
}

/// Which answers are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HttpCache {
    /// Most bytes of all answers together.
    pub bytes: u64,
}

impl Default for HttpCache {
    fn default() -> Self {
        Self { bytes: limits::HTTP_CACHE_BYTES }
    }
}

/// Transport security of an HTTP connection. Certificates are always checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HttpTls {
    /// PEM file of the accepted certificate authorities. Default: the Mozilla roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// A certificate of ours, PEM, with those between it and its authority, for upstreams that ask for one (mutual TLS).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<SecretRef>,
    /// Its private key, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<SecretRef>,
}

impl HttpTls {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Bounds of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HttpLimits {
    /// Longest wait for a connection, milliseconds.
    pub connect_timeout_ms: u64,
    /// Largest body of a request, bytes.
    pub request_bytes: u64,
    /// Largest answer, unpacked, bytes.
    pub answer_bytes: u64,
    /// Most redirects that are followed.
    pub redirects: u64,
    /// Most requests of the connection that are under way at once, over all calls; further ones wait for their turn, in order.
    /// Default: as many as calls send. `http` and `graphql` know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
    /// Most requests that wait for their turn, where there is a `concurrency`; one more fails at once. Default: 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u64>,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            connect_timeout_ms: limits::CONNECT_TIMEOUT_MS,
            request_bytes: limits::HTTP_BODY_BYTES,
            answer_bytes: limits::HTTP_BODY_BYTES,
            redirects: limits::REDIRECTS,
            concurrency: None,
            waiting: None,
        }
    }
}
