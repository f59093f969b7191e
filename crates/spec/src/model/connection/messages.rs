//! Ways to people: Slack, mail servers, short messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;

/// Slack, by the token of a bot or by an incoming webhook.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Slack {
    /// Name that tools refer to.
    pub name: String,
    /// The token of a bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
    /// The URL of an incoming webhook, which is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook: Option<SecretRef>,
    /// The channel of messages that name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Environment variable that holds the URL of the methods, when it is not Slack's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// URL of the methods, when it is not Slack's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A mail server that takes letters (SMTP).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Smtp {
    /// Name that tools refer to.
    pub name: String,
    /// Environment variable that holds the server's URL. One of `envVar` and `url` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// The server: `smtp://mail.example.com:587` (TLS by STARTTLS) or `smtps://mail.example.com` (TLS from the start).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whom letters come from: `Name <name@example.com>` or the address alone; `${env:NAME}` is replaced.
    pub from: String,
    /// Whether a letter may come from somebody else.
    #[serde(default)]
    pub any_sender: bool,
    /// The user of the login; `${env:NAME}` is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The password of the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// Domains that letters may go to; all when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Whether nothing is encrypted: only for a server on this machine.
    #[serde(default)]
    pub plain: bool,
    /// PEM file of the accepted certificate authorities. Default: the Mozilla roots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Short messages by Twilio, or an API like it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Twilio {
    /// Name that tools refer to.
    pub name: String,
    /// The account (`AC…`); `${env:NAME}` is replaced.
    pub account: String,
    /// Identifier of an API key (`SK…`), when the login is one; `${env:NAME}` is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The token of the account, or the secret of the API key.
    pub token: SecretRef,
    /// The number, or the messaging service, that messages come from; `${env:NAME}` is replaced.
    pub from: String,
    /// Environment variable that holds the URL of the API, when it is not Twilio's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// URL of the API, when it is not Twilio's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}
