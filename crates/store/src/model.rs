//! What the catalogue holds.

mod platform;
mod usage;

use base::Digest;
use serde::{Deserialize, Serialize};

pub use platform::{Claim, Claimant, Deployment, Job, JobEvent, JobState, Lease, NewJob, Reply, Seen, Wanted};
pub use usage::{UsagePeriod, UsageQuery, UsageRow};

/// How a spec was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

impl Format {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }

    pub(crate) fn of_word(word: &str) -> Self {
        if word == "json" { Self::Json } else { Self::Yaml }
    }
}

/// Who stores something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// Whose new things are.
    pub owner: String,
    /// Whether they may change what is somebody else's.
    pub others: bool,
    /// Most servers that they may have; as many as they like when absent.
    pub servers_max: Option<u64>,
}

impl By {
    /// Whoever runs this installation.
    pub fn operator() -> Self {
        Self { owner: "local".to_owned(), others: true, servers_max: None }
    }
}

/// A version of a server as it is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// Name of the server.
    pub name: String,
    /// Version of the spec.
    pub version: String,
    /// Digest of the canonical form.
    pub digest: Digest,
    /// Name for people.
    pub title: Option<String>,
    /// What the server is for.
    pub description: Option<String>,
    /// The transport that the spec asks for.
    pub transport: String,
    /// How many tools it has.
    pub tools: usize,
    /// The spec as the user wrote it.
    pub source: String,
    /// How it was written.
    pub format: Format,
    /// Canonical form of the spec, JSON.
    pub canonical: String,
    /// The plan, JSON.
    pub plan: String,
    /// Whether it was made in development mode (a URL of another engine than the spec's type is
    /// accepted).
    pub dev: bool,
    /// The template that it was made from, if it was; a server keeps it in later versions.
    pub template: Option<String>,
}

/// What putting a release did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The server is new.
    Created,
    /// The server has a new version, a replaced version, a new plan, or another current version.
    Updated,
    /// Everything was there already.
    Unchanged,
}

/// A server in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// Whose it is.
    pub owner: String,
    /// Name.
    pub name: String,
    /// Name for people.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The current version.
    pub version: String,
    /// Digest of the current version.
    pub digest: Digest,
    /// The transport that the spec asks for.
    pub transport: String,
    /// How many tools it has.
    pub tools: usize,
    /// How many versions are kept.
    pub versions: usize,
    /// When the server was made, RFC 3339.
    pub created_at: String,
    /// When it was last changed, RFC 3339.
    pub updated_at: String,
}

/// One version with its documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What was handed in, with the newest plan.
    pub release: Release,
    /// Revision of the plan, from 1.
    pub plan_revision: u32,
    /// When the version was made, RFC 3339.
    pub created_at: String,
    /// When its newest plan was stored, RFC 3339.
    pub planned_at: String,
    /// Whether this is the current version of its server.
    pub current: bool,
}

/// One version in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionSummary {
    /// Version of the spec.
    pub version: String,
    /// Digest of the canonical form.
    pub digest: Digest,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// Whether this is the current version.
    pub current: bool,
}

/// A server, and when it was last changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Name.
    pub name: String,
    /// When it was last changed, RFC 3339.
    pub updated_at: String,
}

/// What is known of the current version of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documents {
    /// Name.
    pub name: String,
    /// The current version.
    pub version: String,
    /// When the server was last changed, RFC 3339.
    pub updated_at: String,
    /// Digest of the canonical form.
    pub digest: String,
    /// Canonical form of the spec, JSON.
    pub canonical: String,
    /// The newest plan, JSON.
    pub plan: String,
    /// Whose the server is.
    pub owner: String,
    /// The template that it was made from.
    pub template: Option<String>,
}

/// What storing a plan gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanRevision {
    /// The newest revision of the plan, from 1.
    pub revision: u32,
    /// `false` when the same plan was stored already.
    pub changed: bool,
}

/// Which part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Most entries; the store's largest page when absent.
    pub limit: Option<usize>,
    /// The cursor that the page before gave.
    pub cursor: Option<String>,
}

/// A part of the list of servers, in name order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The servers.
    pub servers: Vec<Server>,
    /// Where the next page begins; absent at the end.
    pub next: Option<String>,
}

/// The health of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Format of the file.
    pub format: u32,
    /// How many servers it holds.
    pub servers: usize,
    /// What SQLite's own integrity check found; empty when the file is sound.
    pub problems: Vec<String>,
}
