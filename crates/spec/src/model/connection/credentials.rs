//! What a connection shows to its upstream.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;

/// What a connection shows to its upstream. It is sent to the origin of the connection's URL only; a caller's own
/// token is never passed on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Credentials {
    /// Nothing.
    #[default]
    None,
    /// A user and a password (RFC 7617).
    Basic {
        /// The user; `${env:NAME}` is replaced.
        user: String,
        /// The password.
        password: SecretRef,
    },
    /// `Authorization: Bearer …` (RFC 6750).
    Bearer {
        /// The token.
        token: SecretRef,
    },
    /// A key in a request header.
    Header {
        /// The header's name.
        #[serde(default = "default_header")]
        header: String,
        /// What stands before the key, such as `Token `.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        prefix: String,
        /// The key.
        value: SecretRef,
    },
    /// A key in the query.
    Query {
        /// The parameter's name.
        parameter: String,
        /// The key.
        value: SecretRef,
    },
    /// Tokens by OAuth 2.0, fetched and renewed as needed (RFC 6749, sections 4.4 and 6).
    Oauth2 {
        /// The token endpoint.
        token_url: String,
        /// The client's identifier; `${env:NAME}` is replaced.
        client_id: String,
        /// The client's secret; none for a public client with a refresh token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_secret: Option<SecretRef>,
        /// The refresh token; without it the client's own credentials are the grant.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refresh_token: Option<SecretRef>,
        /// The scopes that are asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        scopes: Vec<String>,
        /// The audience, for servers that want one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
        /// Where the client's secret is shown.
        #[serde(default)]
        secret_in: Place,
    },
    /// Each request is signed with a shared key (HMAC, RFC 2104). In `message` and `headers` these are replaced:
    /// `{timestamp}` (seconds), `{method}`, `{host}`, `{path}`, `{query}`, `{body}`, `{body_sha256}`, and in `headers`
    /// also `{signature}`: `t={timestamp},v1={signature}`.
    Hmac {
        /// The key.
        key: SecretRef,
        /// The hash.
        #[serde(default)]
        hash: SignatureHash,
        /// How the signature is written.
        #[serde(default)]
        encoding: SignatureEncoding,
        /// What is signed.
        message: String,
        /// The headers that show it.
        headers: BTreeMap<String, String>,
    },
}

/// Where the secret of an OAuth client is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In `Authorization: Basic` (`client_secret_basic`).
    #[default]
    Header,
    /// In the form (`client_secret_post`).
    Form,
}

/// The hash of a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignatureHash {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SignatureEncoding {
    /// Lower-case hexadecimal.
    #[default]
    Hex,
    /// Base64 with padding.
    Base64,
}

fn default_header() -> String {
    "X-API-Key".to_owned()
}
