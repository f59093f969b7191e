//! Other MCP servers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::http::Http;
use super::{Credentials, HttpLimits, HttpTls};

/// Another MCP server, by name: a program that is spoken to over its standard streams (`command`), or an address (`envVar` or `url`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mcp {
    /// Name that tools refer to.
    pub name: String,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The program, which the operator has to allow (`--allow-commands`). It is started when it is first needed, and ends with the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Program>,
    /// Environment variable that holds the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// The address without credentials, such as `https://mcp.example.com/mcp`. `${env:NAME}` and `${file:/path}` are replaced at the
    /// moment of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How messages travel to an address.
    #[serde(default, skip_serializing_if = "McpTransport::is_auto")]
    pub transport: McpTransport,
    /// How the conversation begins.
    #[serde(default, skip_serializing_if = "McpProtocol::is_auto")]
    pub protocol: McpProtocol,
    /// Headers of every request to an address. `${env:NAME}` is replaced; such values count as secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What is shown to an address.
    #[serde(default, skip_serializing_if = "is_none")]
    pub credentials: Credentials,
    /// Transport security of an address.
    #[serde(default, skip_serializing_if = "HttpTls::is_empty")]
    pub tls: HttpTls,
    /// Bounds of one message; `answerBytes` holds for programs too.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: HttpLimits,
}

/// A program that is started. A list is short for the program and its arguments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Program {
    /// The program: a name that is looked up in `PATH`, or an absolute path.
    pub program: String,
    /// Its arguments, each given as it is. `${env:NAME}` and `${file:/path}` are replaced; such values count as secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The folder that it works in, an absolute path. Default: that of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Variables of its environment; `${env:NAME}` and `${file:/path}` are replaced, and such values count as secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Variables of the server's environment that it sees too, besides `PATH`, `HOME`, `LANG`, `LC_ALL`, `TZ` and `TMPDIR`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pass: Vec<String>,
}

/// How messages travel to another server's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum McpTransport {
    /// Streamable HTTP, and HTTP+SSE where the server does not know it.
    #[default]
    Auto,
    /// Streamable HTTP.
    Streamable,
    /// HTTP+SSE of 2024-11-05.
    Sse,
}

/// How a conversation with another server begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum McpProtocol {
    /// Without a session where the server knows 2026-07-28, else with `initialize`.
    #[default]
    Auto,
    /// Without a session (2026-07-28).
    Stateless,
    /// With `initialize` (2024-11-05 to 2025-11-25).
    Initialize,
}

impl McpTransport {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
    fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

impl McpProtocol {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
    fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

fn is_none(credentials: &Credentials) -> bool {
    *credentials == Credentials::None
}

fn is_default(limits: &HttpLimits) -> bool {
    *limits == HttpLimits::default()
}

impl Mcp {
    /// What it has in common with an HTTP API.
    ///
    /// # Errors
    /// Never, as long as the two have the same settings.
    pub fn http(&self) -> Result<Http, serde_json::Error> {
        let shared = json!({
            "name": self.name,
            "headers": self.headers,
            "credentials": self.credentials,
            "tls": self.tls,
            "limits": self.limits,
        });
        let mut http: Http = serde_json::from_value(shared)?;
        http.env_var.clone_from(&self.env_var);
        http.url.clone_from(&self.url);
        Ok(http)
    }
}
