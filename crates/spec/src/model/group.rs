//! Parts of a server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the server that is served alone: clients of a group see and call its tools only. Over HTTP it is at
/// `/servers/NAME/groups/GROUP/mcp`; `run --group` serves nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Group {
    /// Name, kebab-case.
    pub name: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its tools, besides those that name it under `groups`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
}
