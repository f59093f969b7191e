//! Events that call tools. Parsed and validated; run by the trigger system.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// An event that calls a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Trigger {
    /// A schedule.
    Cron {
        /// Five fields, or six with seconds first; names and `@daily` are accepted.
        schedule: String,
        /// IANA time zone.
        #[serde(default = "utc")]
        timezone: String,
        /// Tool to call.
        tool: String,
        /// Arguments of the call.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        arguments: Map<String, Value>,
    },
    /// An HTTP request.
    Webhook {
        /// Path, from `/`.
        path: String,
        /// Tool to call.
        tool: String,
        /// Environment variable of the signing secret.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        env_var: Option<String>,
        /// Header of the signature.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
        /// Arguments of the call.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        arguments: Map<String, Value>,
    },
    /// A change in the file system.
    File {
        /// File or folder to watch.
        path: String,
        /// File name pattern, such as `*.csv`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pattern: Option<String>,
        /// What counts. Default: all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        events: Vec<FileEvent>,
        /// Tool to call.
        tool: String,
        /// Arguments of the call.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        arguments: Map<String, Value>,
    },
    /// A message of a queue.
    Queue {
        /// Which queue system.
        engine: QueueEngine,
        /// Queue, stream or channel.
        queue: String,
        /// Environment variable of the URL.
        env_var: String,
        /// Tool to call.
        tool: String,
        /// Arguments of the call.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        arguments: Map<String, Value>,
    },
    /// A notification of a database connection.
    Database {
        /// Connection of this spec.
        connection: String,
        /// Channel (`LISTEN`).
        channel: String,
        /// Tool to call.
        tool: String,
        /// Arguments of the call.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        arguments: Map<String, Value>,
    },
    /// Once, when the server starts.
    Startup {
        /// Tool to call.
        tool: String,
        /// Arguments of the call.
        #[serde(default, skip_serializing_if = "Map::is_empty")]
        arguments: Map<String, Value>,
    },
}

impl Trigger {
    /// The tool that it calls.
    pub fn tool(&self) -> &str {
        match self {
            Self::Cron { tool, .. }
            | Self::Webhook { tool, .. }
            | Self::File { tool, .. }
            | Self::Queue { tool, .. }
            | Self::Database { tool, .. }
            | Self::Startup { tool, .. } => tool,
        }
    }
}

fn utc() -> String {
    "UTC".to_owned()
}

/// A change in the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileEvent {
    /// A file came.
    Created,
    /// A file changed.
    Modified,
    /// A file went.
    Deleted,
}

/// A queue system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum QueueEngine {
    /// Redis lists and streams.
    Redis,
    /// RabbitMQ (AMQP 0-9-1).
    Rabbitmq,
    /// Amazon SQS.
    Sqs,
}
