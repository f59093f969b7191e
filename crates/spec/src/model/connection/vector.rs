//! Texts that are found by what they are like.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Credentials, Pool, Tls};
use crate::limits;

/// A table of texts with their vectors, in PostgreSQL with the extension pgvector or in SQLite, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VectorStore {
    /// Name that tools refer to.
    pub name: String,
    /// Environment variable that holds the URL of the database. One of `envVar` and `url` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// URL of the database without credentials: `postgresql://host/db`, `sqlite:path`.
    /// `${env:NAME}` and `${file:/path}` are replaced at the moment of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is in it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The table: `notes`, or with its schema `app.notes`. Its columns are `id`, `content`, `metadata` and `embedding`.
    #[serde(default = "default_table")]
    pub table: String,
    /// Whether the table is made before its first use when it is not there.
    #[serde(default = "default_create")]
    pub create: bool,
    /// How nearness is measured.
    #[serde(default)]
    pub metric: Metric,
    /// What makes vectors of texts.
    #[serde(default)]
    pub embedding: Embedding,
    /// Most rows that a search in SQLite looks at: it compares every row, and is refused when there are more.
    #[serde(default = "default_scan")]
    pub scan_rows: u64,
    /// Limits of the connection pool.
    #[serde(default)]
    pub pool: Pool,
    /// Transport security of the database.
    #[serde(default)]
    pub tls: Tls,
}

/// How near two vectors are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// The angle between them.
    #[default]
    Cosine,
    /// The straight line between them.
    L2,
    /// Their inner product.
    InnerProduct,
}

/// What makes vectors of texts. Without `model` it is the built-in lexical embedding: it compares words and parts of words, in any
/// language, sends nothing anywhere, and knows nothing of meaning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Embedding {
    /// The model, by the name that its API knows: `text-embedding-3-small`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Numbers of a vector. Needed with `model`; the built-in embedding has 384 unless told otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u64>,
    /// Whether the model is asked for so many numbers: for models that can give several.
    #[serde(skip_serializing_if = "is_false")]
    pub shortened: bool,
    /// Environment variable that holds the base URL of the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// Base URL of an API with `POST /embeddings`, as OpenAI's and those of many servers of models. Default: `https://api.openai.com/v1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is shown to the API.
    #[serde(skip_serializing_if = "is_none")]
    pub credentials: Credentials,
}

fn is_none(credentials: &Credentials) -> bool {
    *credentials == Credentials::None
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn default_table() -> String {
    "texts".to_owned()
}

fn default_create() -> bool {
    true
}

fn default_scan() -> u64 {
    limits::VECTOR_SCAN_ROWS
}
