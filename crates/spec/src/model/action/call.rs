//! Calls of other tools.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A call of another tool: of this server, or, with a `connection` of type `mcp`, of another MCP server. A text is short for `tool`.
/// Without `parameters` the tool takes what the other one takes; without `returns` it gives what that one gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Call {
    /// The other tool, by name.
    pub tool: String,
    /// What it is called with, a value template. Default: the arguments of this tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Map<String, Value>>,
    /// The part of the structured result that is the result: a path (`$.user.name`) or a pointer (`/user/name`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<String>,
    /// Whether the call may change something outside. Default: what the other tool says of itself; one that says nothing may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<bool>,
}
