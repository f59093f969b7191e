//! Servers as one archive: a compressed tar file with a manifest, the spec as it was written, its canonical form and its plan for
//! each version. Holds no secrets: specs refer to them.

mod pack;
mod tar;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Store;

use crate::{Code, Context, Error};

pub use pack::{ARCHIVE_BYTES_MAX, Manifest};

/// What is said of a version where another content is stored.
const CONFLICT: &str = "conflict";

/// What to export.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportInput {
    /// This server alone; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportOutput {
    /// What is in it.
    pub manifest: Manifest,
    /// The archive (`.tar.gz`), Base64.
    pub archive: String,
}

/// What to import.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportInput {
    /// The archive (`.tar.gz`), Base64.
    pub archive: String,
    /// Replace stored versions that have another content.
    #[serde(default)]
    pub force: bool,
    /// Only say what would be stored.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImportOutput {
    /// Whether this was only tried.
    pub dry_run: bool,
    /// The versions, in the order in which they were stored. The last one of each server becomes its current one, unless a newer one is there.
    pub versions: Vec<Imported>,
}

/// A version that was imported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Imported {
    /// Name of the server.
    pub name: String,
    /// The version.
    pub version: String,
    /// `created`, `updated`, `unchanged`; `conflict` in a dry run where another content is stored and is not replaced.
    pub result: String,
}

/// Packs servers with all their versions.
///
/// # Errors
/// There is no such server; the catalogue cannot be read; the archive is too large.
pub async fn export(context: &Context, input: ExportInput) -> Result<ExportOutput, Error> {
    let packed = context
        .store(move |store| {
            let names = match input.name {
                Some(name) => vec![store.server(&name)?.name],
                None => store.names()?,
            };
            let mut versions = Vec::new();
            for name in names {
                // Oldest first, and the current one last: so they are stored again.
                let mut of_server = Vec::new();
                for one in store.versions(&name)?.into_iter().rev() {
                    of_server.push(store.version(&name, Some(&one.version))?);
                }
                of_server.sort_by_key(|version| version.current);
                versions.extend(of_server);
            }
            Ok(versions)
        })
        .await?;
    let (manifest, bytes) = pack::pack(&packed)?;
    Ok(ExportOutput { manifest, archive: BASE64_STANDARD.encode(bytes) })
}

/// Stores what an archive holds, all of it or nothing.
///
/// # Errors
/// The archive cannot be read or was changed; versions with another content are stored already.
pub async fn import(context: &Context, input: ImportInput) -> Result<ImportOutput, Error> {
    let bytes = BASE64_STANDARD
        .decode(input.archive.trim())
        .map_err(|error| pack::bad(format!("it is not Base64: {error}")))?;
    let releases = pack::unpack(&bytes)?;
    for release in &releases {
        crate::reserved::check(context, &release.name)?;
    }
    let named: Vec<(String, String)> = releases.iter().map(|one| (one.name.clone(), one.version.clone())).collect();
    let (force, dry_run, by) = (input.force, input.dry_run || context.tries, crate::access::by(context).await?);
    let outcomes: Vec<String> = match dry_run && !context.has_store() {
        true => vec!["created".to_owned(); named.len()],
        false => {
            context
                .store(move |store| {
                    let seen = look(store, &releases, force)?;
                    let conflicts = seen.iter().any(|result| result == CONFLICT);
                    if !dry_run && !conflicts {
                        store.import(&by, releases, force)?;
                    }
                    Ok(seen)
                })
                .await?
        }
    };
    let versions: Vec<Imported> =
        named.into_iter().zip(outcomes).map(|((name, version), result)| Imported { name, version, result }).collect();
    let conflicts: Vec<String> = versions
        .iter()
        .filter(|one| one.result == CONFLICT)
        .map(|one| format!("`{}` {}", one.name, one.version))
        .collect();
    if !conflicts.is_empty() && !dry_run {
        let what = format!("nothing was imported: {} stored with another content", are(&conflicts));
        return Err(Error::new(Code::ImportConflict, what)
            .hint("`mcp-factory diff` compares versions of one catalogue; raise `version` in one of the specs to keep both")
            .hint("or replace what is stored with `force` (`--force`)"));
    }
    Ok(ImportOutput { dry_run, versions })
}

fn are(conflicts: &[String]) -> String {
    let verb = if conflicts.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", conflicts.join(", "))
}

/// What storing would do. What is forced replaces another content.
fn look(store: &Store, releases: &[store::Release], force: bool) -> Result<Vec<String>, store::Error> {
    let each = releases.iter().map(|release| {
        Ok(match store.version(&release.name, Some(&release.version)) {
            Ok(known) if known.release.digest != release.digest && !force => CONFLICT,
            Ok(known) if known.release.digest == release.digest && known.release.plan == release.plan => "unchanged",
            Ok(_) | Err(store::Error::NoVersion { .. }) => "updated",
            Err(store::Error::NoServer { .. }) => "created",
            Err(error) => return Err(error),
        }
        .to_owned())
    });
    each.collect()
}
