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
        /// The grant is an assertion that a key of the client signs (RFC 7523), as service accounts have it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assertion: Option<Box<OauthAssertion>>,
        /// The token that the calling user showed is exchanged for one of the upstream (RFC 8693); it goes to the token
        /// endpoint alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        exchange: Option<OauthExchange>,
        /// Further fields of the request for a token, such as `resource`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        form: BTreeMap<String, String>,
    },
    /// Tokens of the calling user, who authorised this server once with `mcp-factory connect` (RFC 6749, section 4.1, with
    /// PKCE). A caller without an authorisation is refused.
    Oauth2User {
        /// The page where a user authorises.
        authorization_url: String,
        /// The token endpoint.
        token_url: String,
        /// The client's identifier; `${env:NAME}` is replaced.
        client_id: String,
        /// The client's secret; none for a public client.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_secret: Option<SecretRef>,
        /// The scopes that are asked for.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        scopes: Vec<String>,
        /// The audience, for servers that want one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        audience: Option<String>,
        /// Where the client's secret is shown.
        #[serde(default)]
        secret_in: Place,
        /// Further parameters of the page where a user authorises, such as `access_type: offline`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        parameters: BTreeMap<String, String>,
    },
    /// Each request is signed as AWS wants it (Signature Version 4).
    Sigv4 {
        /// The identifier of the key; `${env:NAME}` is replaced.
        key_id: String,
        /// The key.
        secret: SecretRef,
        /// The token of a temporary key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session_token: Option<SecretRef>,
        /// The region: `eu-central-1`; `${env:NAME}` is replaced.
        region: String,
        /// The service: `s3`, `dynamodb`, `execute-api`.
        service: String,
    },
    /// Each request is signed with a shared key (HMAC, RFC 2104). These are replaced: `{timestamp}` (seconds),
    /// `{timestamp_ms}`, `{timestamp_iso}`, `{timestamp_basic}`, `{date}`, `{method}`, `{url}`, `{host}`, `{path}`, `{query}`,
    /// `{query_sorted}`, `{header:NAME}`, `{body}`, `{body_sha256}`, `{body_sha512}`, `{body_base64}`, `{nonce}`; in `message`
    /// and `headers` also `{canonical}`, `{canonical_sha256}` and `{canonical_sha512}`, and in `headers` `{signature}`:
    /// `t={timestamp},v1={signature}`.
    Hmac {
        /// The key.
        key: SecretRef,
        /// The hash.
        #[serde(default)]
        hash: SignatureHash,
        /// How the key is written.
        #[serde(default)]
        key_form: KeyForm,
        /// How the signature is written.
        #[serde(default)]
        encoding: SignatureEncoding,
        /// A text that `message` refers to, often by its hash: the canonical request of clouds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        canonical: Option<String>,
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
    /// Base64 for URLs, without padding.
    Base64url,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KeyForm {
    /// Its characters are its bytes.
    #[default]
    Text,
    /// Base64.
    Base64,
    /// Hexadecimal digits.
    Hex,
}

/// Who asks for a token, and the key that proves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OauthAssertion {
    /// The issuer, such as the address of a service account; `${env:NAME}` is replaced.
    pub issuer: String,
    /// Whom it speaks for, when that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who is meant to read it. Default: the token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The identifier of the key, when servers want to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// The RSA key, PEM (PKCS #8).
    pub key: SecretRef,
}

/// How the token of a calling user is exchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OauthExchange {
    /// What kind of token the caller's is. Default: `urn:ietf:params:oauth:token-type:access_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_token_type: Option<String>,
    /// What kind of token is asked for, when the server wants to be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_token_type: Option<String>,
}

fn default_header() -> String {
    "X-API-Key".to_owned()
}
