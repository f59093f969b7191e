//! Documents that a client can read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A document, or with `{name}` in its URI a template of documents. One of `text` and `tool` says
/// where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resource {
    /// URI, or URI template (RFC 6570 level 1) with `{name}` for the tool's parameters
    /// (`uri_template` and `uriTemplate` are accepted too).
    pub uri: String,
    /// Name.
    pub name: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Media type (`mime_type` is accepted too).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// The document itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Tool whose answer is the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
}
