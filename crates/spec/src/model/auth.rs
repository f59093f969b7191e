//! What a caller of the server must show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Server-side authentication on HTTP transports. Keys are named environment variables, never
/// values. On stdio the client owns the process and nothing is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Auth {
    /// Anybody who reaches the server may call it.
    #[default]
    None,
    /// A key in a request header.
    ApiKey {
        /// Header that carries the key.
        #[serde(default = "default_header")]
        header: String,
        /// Environment variable that holds the accepted key, or several separated by commas.
        /// Default: the server's name in upper case with `_API_KEY`, such as `INVENTORY_MCP_API_KEY`;
        /// none where `keys` are given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        env_var: Option<String>,
        /// Keys one by one, each with what is known of its caller.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keys: Vec<CallerKey>,
    },
    /// `Authorization: Bearer …` with a fixed token.
    Bearer {
        /// Environment variable that holds the accepted token, or several separated by commas.
        /// Default: the server's name in upper case with `_TOKEN`; none where `keys` are given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        env_var: Option<String>,
        /// Tokens one by one, each with what is known of its caller.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        keys: Vec<CallerKey>,
    },
    /// OAuth 2.1 resource server. Parsed and validated; enforced by the control plane.
    Oauth2 {
        /// Issuer of the accepted tokens.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issuer: Option<String>,
        /// Scopes that a caller needs.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        scopes: Vec<String>,
        /// Environment variable of the client secret, where the issuer needs one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        env_var: Option<String>,
    },
}

/// One accepted key, and what is known of those who show it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallerKey {
    /// Environment variable that holds the key. One of `env` and `file` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// File that holds the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Who the caller is: `caller.subject` in templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Facts about the caller, for parameters with `claim` and as `caller.claims.NAME` in templates.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub claims: Map<String, Value>,
}

impl Auth {
    /// The keys that are given one by one.
    pub fn keys(&self) -> &[CallerKey] {
        match self {
            Self::ApiKey { keys, .. } | Self::Bearer { keys, .. } => keys,
            Self::None | Self::Oauth2 { .. } => &[],
        }
    }
}

fn default_header() -> String {
    "X-API-Key".to_owned()
}
