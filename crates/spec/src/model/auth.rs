//! What a caller of the server must show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
        /// Default: the server's name in upper case with `_API_KEY`, such as `INVENTORY_MCP_API_KEY`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        env_var: Option<String>,
    },
    /// `Authorization: Bearer …` with a fixed token.
    Bearer {
        /// Environment variable that holds the accepted token, or several separated by commas.
        /// Default: the server's name in upper case with `_TOKEN`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        env_var: Option<String>,
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

fn default_header() -> String {
    "X-API-Key".to_owned()
}
