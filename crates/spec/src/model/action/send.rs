//! Messages to people.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sql::Effects;

/// A message by the tool's connection: Slack, a mail server, or short messages. All texts are templates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Send {
    /// Whom it goes to: an address, a number, a channel of Slack. Of a letter also a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
    /// The text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who gets a copy of a letter: an address, or a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cc: Option<Value>,
    /// Who gets a copy of a letter without the others' knowing: an address, or a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bcc: Option<Value>,
    /// Whom a letter comes from, where the connection allows it; the sender of a short message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Whom answers to a letter go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The subject of a letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The text of a letter in HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// The `Message-ID` of the letter that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// Files that come with a letter: a list of `{name, mediaType, base64 | text}`, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Value>,
    /// Blocks of a message in Slack (Block Kit): a list, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Value>,
    /// The message in Slack that this one answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<String>,
    /// Whether an answer in Slack is also shown in the channel: true or false, or a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broadcast: Option<Value>,
}

impl Send {
    /// What it does to the world: twice is not as good as once.
    pub fn effects(&self) -> Effects {
        Effects { read_only: false, destructive: false, idempotent: false }
    }
}
