//! Redis and MongoDB.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Pool, TlsMode};

/// A Redis server, or one that speaks its protocol, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedisStore {
    /// Name that tools refer to.
    pub name: String,
    /// Environment variable that holds the URL. One of `envVar` and `url` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// URL without credentials: `redis://host:6379/0`, or `rediss:` for TLS, which checks certificate and host name.
    /// `${env:NAME}` and `${file:/path}` are replaced at the moment of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is in it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Limits of the connection pool.
    #[serde(default)]
    pub pool: Pool,
    /// Transport security.
    #[serde(default, skip_serializing_if = "StoreTls::is_empty")]
    pub tls: StoreTls,
}

/// A MongoDB server or replica set, or what speaks its protocol, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MongoStore {
    /// Name that tools refer to.
    pub name: String,
    /// Environment variable that holds the URL. One of `envVar` and `url` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// URL without credentials: `mongodb://host:27017/database`, with `?tls=true` for TLS, which checks certificate and
    /// host name. `${env:NAME}` and `${file:/path}` are replaced at the moment of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is in it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The database, when the URL names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Limits of the connection pool.
    #[serde(default)]
    pub pool: Pool,
    /// Transport security.
    #[serde(default, skip_serializing_if = "StoreTls::is_empty")]
    pub tls: StoreTls,
}

/// Transport security of a Redis or MongoDB connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StoreTls {
    /// How much is asked for. Default: what the URL says. `prefer` is the same as `disable`: neither protocol can ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<TlsMode>,
    /// PEM file of the accepted certificate authorities. Default: the Mozilla roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
}

impl StoreTls {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
