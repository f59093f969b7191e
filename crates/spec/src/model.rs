//! The one model of a spec. YAML and JSON, and every accepted dialect of them, end up here; what
//! these types serialize to is the canonical form. The published JSON Schema and the reference
//! page are generated from these types and their comments.

mod action;
mod ask;
mod auth;
mod connection;
mod group;
mod parameter;
mod prompt;
mod resource;
mod shape;
mod state;
mod tool;
mod trigger;

pub use action::{
    Action, Call, Command, CommandOutput, Fetch, Files, FilesAs, FilesDiffAs, FilesEdit, FilesList, FilesMode,
    FilesMove, FilesPath, FilesPresign, FilesRead, FilesRoots, FilesSearch, FilesTree, FilesWhich, FilesWrite, Graphql,
    Grpc, Http, HttpBody, HttpEvents, HttpPages, HttpPart, HttpResult, HttpTurn, Media, Mongo, MongoForm, OnError,
    Page, PageBy, Redis, RedisScan, RedisText, RedisType, Reply, ReplyFile, ReplyItem, ReplyLink, Script, ScriptPlace,
    Send, Sql, SqlResult, Step, Steps, TextPlace, Vector, VectorDelete, VectorKeep, VectorSearch,
};
pub use ask::Ask;
pub use auth::{Auth, CallerKey};
pub use connection::{
    ActAs, Connection, ConnectionKind, Credentials, Database, Embedding, FileLimits, Folder, Gcs, HttpCache,
    HttpConnection, HttpLimits, HttpTls, KeyForm, McpConnection, McpProtocol, McpTransport, Metric, MongoStore,
    OauthAssertion, OauthExchange, Pool, Program, RateLimit, RedisStore, Retries, S3, SecretPlace, SecretRef,
    SignatureEncoding, SignatureHash, Slack, Smtp, StoreTls, Tls, TlsMode, Twilio, VectorStore, reference_name,
};
pub use group::Group;
pub use parameter::{Bind, Parameter, Schema};
pub use prompt::{Prompt, PromptArgument, PromptMessage, Role};
pub use resource::Resource;
pub use shape::Shape;
pub use state::State;
pub use tool::{Annotations, TaskUse, Tool, input_schema};
pub use trigger::{FileEvent, QueueEngine, Trigger};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::limits;

/// A server: its name, how it is reached, what it connects to, and the tools, resources and
/// prompts it offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Name of the server, kebab-case: `inventory-mcp`.
    pub name: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Version of this spec, semantic versioning.
    #[serde(default = "default_version")]
    pub version: String,
    /// What the server is for. Derived from the tools when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How a model should use the server; sent to clients on connect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Pictures a client may show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// The transport that `run` uses unless told otherwise.
    #[serde(default)]
    pub transport: Transport,
    /// What a caller must show on HTTP transports. On stdio nothing is asked.
    #[serde(default)]
    pub auth: Auth,
    /// The outside things that tools use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<Connection>,
    /// The tools. At least one tool, resource or prompt is needed.
    #[serde(default)]
    pub tools: Vec<Tool>,
    /// Parts of the server that are served alone, a list, or a map from name to tools.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// Documents that a client can read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// Prompts that a client can offer to people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<Prompt>,
    /// Code that scripts share: ECMAScript modules by name. A tool calls a function that one exports with
    /// `script: {module: NAME, function: EXPORT}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub modules: BTreeMap<String, String>,
    /// What the server remembers. Scripts get it as the objects `state` and `timers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Events that call tools.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// Limits of every call.
    #[serde(default)]
    pub limits: Limits,
}

impl Spec {
    /// The code of a script, and the name of the export that is called when it is not the default one.
    pub fn script<'a>(&'a self, tool: &'a str, script: &'a Script) -> (&'a str, Option<&'a str>) {
        match &script.module {
            None => (&script.code, None),
            Some(module) => {
                let code = self.modules.get(module).map(String::as_str).unwrap_or_default();
                (code, Some(script.function.as_deref().unwrap_or(tool)))
            }
        }
    }

    /// The groups: those that are declared, then those that only tools name.
    pub fn all_groups(&self) -> Vec<Group> {
        let mut groups = self.groups.clone();
        for name in self.tools.iter().flat_map(|tool| &tool.groups) {
            if !groups.iter().any(|group| group.name == *name) {
                groups.push(Group { name: name.clone(), ..Group::default() });
            }
        }
        for group in &mut groups {
            let of_tools = self.tools.iter().filter(|tool| tool.groups.contains(&group.name));
            let more: Vec<String> = of_tools.map(|tool| tool.name.clone()).collect();
            group.tools.extend(more);
            let mut seen = std::collections::HashSet::new();
            group.tools.retain(|tool| seen.insert(tool.clone()));
        }
        groups
    }
}

fn default_version() -> String {
    "1.0.0".to_owned()
}

/// How clients reach the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Standard input and output of a child process.
    #[default]
    Stdio,
    /// Streamable HTTP.
    Http,
    /// The legacy HTTP+SSE transport of 2024-11-05.
    Sse,
}

/// A picture that a client may show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Icon {
    /// `https:` or `data:` URL.
    pub src: String,
    /// Media type, such as `image/png`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Sizes such as `48x48` or `any`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<String>,
    /// Background it was drawn for: `light` or `dark`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
}

/// Limits of every call of this server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Limits {
    /// Longest call, milliseconds.
    pub timeout_ms: u64,
    /// Most rows in one answer.
    pub rows: u64,
    /// Largest answer, bytes.
    pub result_bytes: u64,
    /// Most calls under way at once; more wait, up to `timeoutMs`.
    pub concurrency: u64,
    /// Largest arguments of one call, bytes.
    pub argument_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout_ms: limits::TIMEOUT_MS,
            rows: limits::ROWS,
            result_bytes: limits::RESULT_BYTES,
            concurrency: limits::CONCURRENCY,
            argument_bytes: limits::ARGUMENT_BYTES,
        }
    }
}
