//! SQL databases.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits;

/// A database that tools use, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Database {
    /// Name that tools refer to.
    pub name: String,
    /// Environment variable that holds the URL. One of `envVar` and `url` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// URL without credentials: `postgresql://host/db`, `mysql://host/db`, `sqlite:path`.
    /// `${env:NAME}` and `${file:/path}` are replaced at the moment of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is in it, for people and for planning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Database schema that tables are looked up in. Default: `public`, or the URL's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// Limits of the connection pool.
    #[serde(default)]
    pub pool: Pool,
    /// Transport security.
    #[serde(default)]
    pub tls: Tls,
    /// Whom each call acts as at the database, PostgreSQL alone. Without it every call has the rights of the URL's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act_as: Option<ActAs>,
}

/// Whom a call acts as at the database: for its transaction and no longer. Templates look up `caller.subject` and
/// `caller.claims.NAME`; a caller of whom these are not known is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ActAs {
    /// The role, as by `SET LOCAL ROLE`: a name, or a template such as `{{ caller.claims.role }}`. The account of the URL must
    /// be a member of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The roles that may come out; needed where `role` is a template.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// Settings for policies, as by `set_config(…, true)`: `{app.user_id: "{{ caller.subject }}"}`. A policy reads them with
    /// `current_setting('app.user_id', true)`. Their names have a dot.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// Limits of a connection pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Pool {
    /// Most connections.
    pub max: u64,
    /// Longest wait for a free connection, milliseconds.
    pub acquire_timeout_ms: u64,
    /// An unused connection is closed after this, milliseconds.
    pub idle_timeout_ms: u64,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            max: limits::POOL_MAX,
            acquire_timeout_ms: limits::ACQUIRE_TIMEOUT_MS,
            idle_timeout_ms: limits::IDLE_TIMEOUT_MS,
        }
    }
}

/// Transport security of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Tls {
    /// How much is asked for.
    pub mode: TlsMode,
    /// PEM file of the accepted certificate authorities. Default: the Mozilla roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
}

/// How much transport security a connection asks for (the words of PostgreSQL's `sslmode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// Never.
    Disable,
    /// If the server offers it, without checking its certificate.
    #[default]
    Prefer,
    /// Always, without checking the certificate.
    Require,
    /// Always, with certificate and host name checked.
    VerifyFull,
}
