//! What is different between two versions of a server, and whether it breaks its callers.

mod offer;
mod schema;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Version;

use crate::{Code, Context, Error};
use offer::Offer;

/// Which versions of which server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Name of the server.
    pub name: String,
    /// The older version; when absent, the newest one that was made before `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The newer version; when absent, the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What is different.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Name of the server.
    pub name: String,
    /// The older version.
    pub from: Side,
    /// The newer version.
    pub to: Side,
    /// `same`, `compatible`, or `breaking`.
    pub verdict: Verdict,
    /// What is different, in the order of the newer version.
    pub changes: Vec<Change>,
}

/// One of the versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Side {
    /// The version.
    pub version: String,
    /// Digest of the canonical form.
    pub digest: String,
    /// When it was made, RFC 3339.
    pub created_at: String,
}

/// What the differences mean for callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// There are none.
    Same,
    /// What callers do goes on working.
    Compatible,
    /// Some of what callers do stops working.
    Breaking,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// `tool`, `resource`, `prompt`, `group`, `connection`, or `server`.
    pub of: String,
    /// Its name.
    pub name: String,
    /// `added`, `removed`, or `changed`.
    pub what: String,
    /// Whether it breaks callers.
    pub breaking: bool,
    /// What changed in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Detail>,
}

/// A difference within a thing that both versions have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    /// Where: a part of the input or output schema as a JSON pointer, or a word such as `description`.
    pub at: String,
    /// What changed, as a sentence.
    pub text: String,
    /// Whether it breaks callers.
    pub breaking: bool,
}

impl Detail {
    fn new(at: impl Into<String>, breaking: bool, text: impl Into<String>) -> Self {
        Self { at: at.into(), text: text.into(), breaking }
    }
}

/// Compares two versions of a server.
///
/// # Errors
/// There is no such server or version; there is nothing to compare with; a stored document cannot be read.
pub async fn diff(context: &Context, input: Input) -> Result<Output, Error> {
    let Input { name, from, to } = input;
    let key = name.clone();
    let (versions, new) =
        context.store(move |store| Ok((store.versions(&key)?, store.version(&key, to.as_deref())?))).await?;
    let from = match from {
        Some(from) => from,
        None => {
            let made = |version: &str| versions.iter().position(|one| one.version == version);
            let older = made(&new.release.version).and_then(|at| versions.get(at + 1));
            let older = older.or_else(|| versions.iter().find(|one| one.version != new.release.version));
            older.map(|one| one.version.clone()).ok_or_else(|| {
                Error::new(Code::NothingBefore, format!("`{name}` has one version, and nothing to compare it with"))
                    .hint("make another version of it with `mcp-factory create`")
            })?
        }
    };
    let old = context.store(move |store| store.version(&name, Some(&from))).await?;
    let changes = offer::compare(&read(&old)?, &read(&new)?);
    let verdict = match changes.iter().map(|change| change.breaking).max() {
        None if old.release.digest == new.release.digest => Verdict::Same,
        Some(true) => Verdict::Breaking,
        _ => Verdict::Compatible,
    };
    Ok(Output { name: new.release.name.clone(), from: side(&old), to: side(&new), verdict, changes })
}

fn side(version: &Version) -> Side {
    Side {
        version: version.release.version.clone(),
        digest: version.release.digest.as_str().to_owned(),
        created_at: version.created_at.clone(),
    }
}

fn read(version: &Version) -> Result<Offer, Error> {
    let release = &version.release;
    let damaged = |error: serde_json::Error| {
        let what = format!("version {} of `{}` cannot be read: {error}", release.version, release.name);
        Error::new(Code::Catalogue, what).hint("`mcp-factory doctor` checks the catalogue")
    };
    let spec = serde_json::from_str(&release.canonical).map_err(damaged)?;
    Ok(Offer { spec, plan: serde_json::from_str(&release.plan).map_err(damaged)? })
}
