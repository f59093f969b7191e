//! The outside things that tools use.

mod credentials;
mod database;
mod files;
mod http;
mod mcp;
mod messages;
mod secret;
mod store;
mod vector;

pub use credentials::{
    Credentials, KeyForm, OauthAssertion, OauthExchange, Place as SecretPlace, SignatureEncoding, SignatureHash,
};
pub use database::{ActAs, Database, Pool, Tls, TlsMode};
pub use files::{FileLimits, Folder, Gcs, S3};
pub use http::{Http as HttpConnection, HttpCache, HttpLimits, HttpTls, RateLimit, Retries};
pub use mcp::{Mcp as McpConnection, McpProtocol, McpTransport, Program};
pub use messages::{Slack, Smtp, Twilio};
pub use secret::SecretRef;
pub use store::{MongoStore, RedisStore, StoreTls};
pub use vector::{Embedding, Metric, VectorStore};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something outside that tools use, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Connection {
    /// PostgreSQL 10 or newer (`postgres` is accepted too).
    Postgresql(Database),
    /// MySQL 5.7 or newer.
    Mysql(Database),
    /// MariaDB 10.2 or newer.
    Mariadb(Database),
    /// An SQLite file, or `sqlite::memory:`.
    Sqlite(Database),
    /// An HTTP API.
    Http(Box<HttpConnection>),
    /// A Redis server.
    Redis(RedisStore),
    /// A MongoDB server or replica set.
    Mongodb(MongoStore),
    /// A GraphQL API.
    Graphql(Box<HttpConnection>),
    /// gRPC services.
    Grpc(Box<HttpConnection>),
    /// A folder of the machine.
    Files(Folder),
    /// An S3 bucket.
    S3(S3),
    /// A Google Cloud Storage bucket.
    Gcs(Gcs),
    /// Slack.
    Slack(Slack),
    /// A mail server.
    Smtp(Smtp),
    /// Short messages.
    Twilio(Twilio),
    /// Texts that are found by what they are like.
    Vector(Box<VectorStore>),
    /// Another MCP server.
    Mcp(Box<McpConnection>),
}

/// The kinds of connection that this build can open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionKind {
    /// PostgreSQL.
    Postgresql,
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
    /// SQLite.
    Sqlite,
    /// An HTTP API.
    Http,
    /// Redis.
    Redis,
    /// MongoDB.
    Mongodb,
    /// A GraphQL API.
    Graphql,
    /// gRPC services.
    Grpc,
    /// A folder of the machine.
    Files,
    /// An S3 bucket.
    S3,
    /// A Google Cloud Storage bucket.
    Gcs,
    /// Slack.
    Slack,
    /// A mail server.
    Smtp,
    /// Short messages.
    Twilio,
    /// Texts that are found by what they are like.
    Vector,
    /// Another MCP server.
    Mcp,
}

impl ConnectionKind {
    /// The word used in specs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
            Self::Sqlite => "sqlite",
            Self::Http => "http",
            Self::Redis => "redis",
            Self::Mongodb => "mongodb",
            Self::Graphql => "graphql",
            Self::Grpc => "grpc",
            Self::Files => "files",
            Self::S3 => "s3",
            Self::Gcs => "gcs",
            Self::Slack => "slack",
            Self::Smtp => "smtp",
            Self::Twilio => "twilio",
            Self::Vector => "vector",
            Self::Mcp => "mcp",
        }
    }

    /// Whether it is a SQL database.
    pub fn is_database(self) -> bool {
        matches!(self, Self::Postgresql | Self::Mysql | Self::Mariadb | Self::Sqlite)
    }

    /// Whether it holds files.
    pub fn is_store(self) -> bool {
        matches!(self, Self::Files | Self::S3 | Self::Gcs)
    }

    /// Whether it takes messages to people.
    pub fn is_messenger(self) -> bool {
        matches!(self, Self::Slack | Self::Smtp | Self::Twilio)
    }

    /// Whether a connection has to say where it leads: others have a place that is the same for all.
    pub fn needs_url(self) -> bool {
        !matches!(self, Self::S3 | Self::Gcs | Self::Slack | Self::Twilio)
    }

    /// The key that says where it leads, beside `envVar`.
    pub fn url_key(self) -> &'static str {
        if self == Self::Files { "root" } else { "url" }
    }

    /// The schemes of its URLs, the usual one first.
    pub fn schemes(self) -> &'static [&'static str] {
        match self {
            Self::Postgresql => &["postgresql", "postgres"],
            Self::Mysql | Self::Mariadb => &["mysql", "mariadb"],
            Self::Sqlite => &["sqlite"],
            Self::Http | Self::Graphql | Self::Mcp | Self::S3 | Self::Gcs | Self::Slack | Self::Twilio => {
                &["https", "http"]
            }
            Self::Grpc => &["https", "http", "grpcs", "grpc"],
            Self::Redis => &["redis", "rediss"],
            Self::Mongodb => &["mongodb"],
            Self::Smtp => &["smtp", "smtps"],
            Self::Files => &[],
            Self::Vector => &["postgresql", "postgres", "sqlite"],
        }
    }

    /// An example of its URLs, without credentials.
    pub fn example(self) -> &'static str {
        match self {
            Self::Postgresql | Self::Vector => "postgresql://localhost/mydb",
            Self::Mysql | Self::Mariadb => "mysql://localhost/mydb",
            Self::Sqlite => "sqlite:data.db",
            Self::Http => "https://api.example.com/v1",
            Self::Redis => "redis://localhost:6379",
            Self::Mongodb => "mongodb://localhost:27017/mydb",
            Self::Graphql => "https://api.example.com/graphql",
            Self::Grpc => "https://grpc.example.com",
            Self::S3 | Self::Gcs | Self::Slack | Self::Twilio => "https://api.example.com/v1",
            Self::Smtp => "smtp://mail.example.com:587",
            Self::Files => "/srv/documents",
            Self::Mcp => "https://mcp.example.com/mcp",
        }
    }
}

/// What every kind of connection says of itself.
#[derive(Clone, Copy, Debug)]
struct Common<'a> {
    name: &'a str,
    env_var: Option<&'a str>,
    url: Option<&'a str>,
    kind: ConnectionKind,
}

impl Database {
    fn common(&self, kind: ConnectionKind) -> Common<'_> {
        Common { name: &self.name, env_var: self.env_var.as_deref(), url: self.url.as_deref(), kind }
    }
}

impl HttpConnection {
    fn common(&self, kind: ConnectionKind) -> Common<'_> {
        Common { name: &self.name, env_var: self.env_var.as_deref(), url: self.url.as_deref(), kind }
    }
}

fn common<'a>(name: &'a str, env_var: &'a Option<String>, url: &'a Option<String>, kind: ConnectionKind) -> Common<'a> {
    Common { name, env_var: env_var.as_deref(), url: url.as_deref(), kind }
}

impl Connection {
    fn common(&self) -> Common<'_> {
        match self {
            Self::Postgresql(of) => of.common(ConnectionKind::Postgresql),
            Self::Mysql(of) => of.common(ConnectionKind::Mysql),
            Self::Mariadb(of) => of.common(ConnectionKind::Mariadb),
            Self::Sqlite(of) => of.common(ConnectionKind::Sqlite),
            Self::Http(of) => of.common(ConnectionKind::Http),
            Self::Graphql(of) => of.common(ConnectionKind::Graphql),
            Self::Grpc(of) => of.common(ConnectionKind::Grpc),
            Self::Mcp(of) => Common {
                name: &of.name,
                env_var: of.env_var.as_deref(),
                url: of.url.as_deref(),
                kind: ConnectionKind::Mcp,
            },
            Self::Redis(of) => Common {
                name: &of.name,
                env_var: of.env_var.as_deref(),
                url: of.url.as_deref(),
                kind: ConnectionKind::Redis,
            },
            Self::Mongodb(of) => Common {
                name: &of.name,
                env_var: of.env_var.as_deref(),
                url: of.url.as_deref(),
                kind: ConnectionKind::Mongodb,
            },
            Self::Files(of) => common(&of.name, &of.env_var, &of.root, ConnectionKind::Files),
            Self::S3(of) => common(&of.name, &of.env_var, &of.url, ConnectionKind::S3),
            Self::Gcs(of) => common(&of.name, &of.env_var, &of.url, ConnectionKind::Gcs),
            Self::Slack(of) => common(&of.name, &of.env_var, &of.url, ConnectionKind::Slack),
            Self::Smtp(of) => common(&of.name, &of.env_var, &of.url, ConnectionKind::Smtp),
            Self::Twilio(of) => common(&of.name, &of.env_var, &of.url, ConnectionKind::Twilio),
            Self::Vector(of) => common(&of.name, &of.env_var, &of.url, ConnectionKind::Vector),
        }
    }

    /// Name that tools refer to.
    pub fn name(&self) -> &str {
        self.common().name
    }

    /// What it is.
    pub fn kind(&self) -> ConnectionKind {
        self.common().kind
    }

    /// Environment variable that holds the URL.
    pub fn env_var(&self) -> Option<&str> {
        self.common().env_var
    }

    /// The variable without which the server is whole, and the connection is not there.
    pub fn optional(&self) -> Option<&str> {
        match self {
            Self::Http(of) | Self::Graphql(of) | Self::Grpc(of) if of.optional => of.env_var.as_deref(),
            _ => None,
        }
    }

    /// The URL, without credentials.
    pub fn url(&self) -> Option<&str> {
        self.common().url
    }

    /// Names of the environment variables that it reads.
    pub fn variables(&self) -> Vec<String> {
        let mut names: Vec<String> = self.env_var().map(str::to_owned).into_iter().collect();
        // Secrets and texts of every kind of connection name their variables in one of two ways.
        collect(&serde_json::to_value(self).unwrap_or_default(), &mut names);
        names
    }

    /// The settings of a SQL database.
    pub fn database(&self) -> Option<&Database> {
        match self {
            Self::Postgresql(of) | Self::Mysql(of) | Self::Mariadb(of) | Self::Sqlite(of) => Some(of),
            _ => None,
        }
    }
}

/// The name in what stands between `${env:` and `}`: `NAME`, or `NAME:-value` with a value for when it is not set.
pub fn reference_name(inside: &str) -> &str {
    inside.split_once(":-").map_or(inside, |(name, _)| name).trim()
}

/// The variables in `{env: NAME}` and `${env:NAME}`.
fn collect(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let references =
                text.split("${env:").skip(1).filter_map(|rest| Some(reference_name(rest.split_once('}')?.0)));
            names.extend(references.map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, names)),
        Value::Object(fields) => {
            if let (Some(Value::String(name)), 1) = (fields.get("env"), fields.len()) {
                names.push(name.clone());
            }
            fields.values().for_each(|field| collect(field, names));
        }
        _ => {}
    }
}
