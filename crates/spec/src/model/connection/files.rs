//! Places with files: folders of the machine, S3 buckets, Google Cloud Storage buckets.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretRef;
use crate::limits;

/// A folder of the machine that the server runs on. Nothing outside it is reached, whatever a path says; links are not followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Folder {
    /// Name that tools refer to.
    pub name: String,
    /// Environment variable that holds the folder's path. One of `envVar` and `root` is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// The folder's path. `${env:NAME}` is replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether files and folders whose names begin with a dot are there.
    #[serde(default)]
    pub hidden: bool,
    /// Whether a path may also be absolute, when it lies below the folder.
    #[serde(default)]
    pub absolute: bool,
    /// Bounds of one request.
    #[serde(default)]
    pub limits: FileLimits,
}

/// An S3 bucket, or one of a store that speaks its protocol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct S3 {
    /// Name that tools refer to.
    pub name: String,
    /// The bucket; `${env:NAME}` is replaced.
    pub bucket: String,
    /// The region.
    #[serde(default = "default_region")]
    pub region: String,
    /// Environment variable that holds the URL of another store than AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// URL of another store than AWS, such as `https://minio.example.com:9000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the bucket is part of the path rather than of the host's name. Default: with another store than AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// What is seen of the bucket: the keys that begin so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Identifier of the key. Without it the bucket is read as the public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<SecretRef>,
    /// The key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_access_key: Option<SecretRef>,
    /// The token of a temporary key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_token: Option<SecretRef>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Bounds of one request.
    #[serde(default)]
    pub limits: FileLimits,
}

/// A Google Cloud Storage bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gcs {
    /// Name that tools refer to.
    pub name: String,
    /// The bucket; `${env:NAME}` is replaced.
    pub bucket: String,
    /// Environment variable that holds the URL of another server than Google's, such as an emulator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_var: Option<String>,
    /// URL of another server than Google's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What is seen of the bucket: the names that begin so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The key file of a service account, JSON. Without it the bucket is read as the public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<SecretRef>,
    /// What it is, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Bounds of one request.
    #[serde(default)]
    pub limits: FileLimits,
}

/// Bounds of one request for files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FileLimits {
    /// Most bytes that are read at once.
    pub read_bytes: u64,
    /// Most bytes that are written at once.
    pub write_bytes: u64,
    /// Most entries of a page of a list.
    pub entries: u64,
    /// Most files that a search gives.
    pub matches: u64,
    /// Most bytes that a search reads.
    pub search_bytes: u64,
}

impl Default for FileLimits {
    fn default() -> Self {
        Self {
            read_bytes: limits::FILE_READ_BYTES,
            write_bytes: limits::FILE_WRITE_BYTES,
            entries: limits::FILE_ENTRIES,
            matches: limits::FILE_MATCHES,
            search_bytes: limits::FILE_SEARCH_BYTES,
        }
    }
}

fn default_region() -> String {
    "us-east-1".to_owned()
}
