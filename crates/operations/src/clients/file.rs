//! Entries in the files of clients.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::entry::{self, Way};
use super::jsonc::{self, Fault};
use super::known::{Client, Place, Scope};
use super::toml;
use crate::{Code, Environment, Error};

/// Largest configuration file that is changed, bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// What the file as it was is called: this is put behind its name.
const BACKUP_ENDING: &str = "before-mcp-factory";

/// What is to be done with an entry.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// Whose file.
    pub client: Client,
    /// For whom.
    pub scope: Scope,
    /// The folder of the project.
    pub folder: &'a Path,
    /// Name of the entry.
    pub name: &'a str,
    /// Look only.
    pub dry_run: bool,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// The client.
    pub client: Client,
    /// Whom it is for.
    pub scope: Scope,
    /// The file.
    pub file: PathBuf,
    /// Name of the entry.
    pub name: String,
    /// `added`, `changed`, `unchanged`, `removed` or `absent`.
    pub result: String,
    /// The entry as it is in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// The file as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<PathBuf>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// An entry of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The client.
    pub client: Client,
    /// Whom it is for.
    pub scope: Scope,
    /// The file.
    pub file: PathBuf,
    /// Name of the entry.
    pub name: String,
    /// Whether it starts this program, or one of its name.
    pub own: bool,
}

/// Puts an entry into the file of a client. The same entry again changes nothing.
///
/// # Errors
/// The client has no such scope; the file cannot be read, understood or written; there is another entry of this name.
pub fn add(environment: &Environment, change: &Change<'_>, way: &Way, force: bool) -> Result<Changed, Error> {
    let place = change.client.place(change.scope, environment, change.folder)?;
    let text = entry::text(change.client, change.name, way)?;
    let before = read(&place.file)?;
    let document = before.as_deref().unwrap_or_default();
    let known = entries(&place, document)?.into_iter().find(|(name, _)| name == change.name);
    let after = match place.is_toml {
        true => toml::set(document, place.section, change.name, &text),
        false => jsonc::set(document, place.section, change.name, &text),
    };
    let after = after.map_err(|fault| refused(&place.file, document, &fault))?;
    let result = match &known {
        None => "added",
        Some(_) if after == document => "unchanged",
        Some((_, there)) if force || is_own(there) => "changed",
        Some(_) => {
            let name = change.name;
            return Err(Error::new(
                Code::EntryTaken,
                format!("{} has an entry `{name}` that is something else", place.file.display()),
            )
            .hint("choose another name with `--as NAME`, or replace it with `--force`"));
        }
    };
    finish(change, &place, before.as_deref(), &after, result, Some(text))
}

/// Takes an entry out of the file of a client.
///
/// # Errors
/// As of [`add`].
pub fn remove(environment: &Environment, change: &Change<'_>) -> Result<Changed, Error> {
    let place = change.client.place(change.scope, environment, change.folder)?;
    let before = read(&place.file)?;
    let document = before.as_deref().unwrap_or_default();
    let after = match place.is_toml {
        true => toml::remove(document, place.section, change.name),
        false => jsonc::remove(document, place.section, change.name),
    };
    let after = after.map_err(|fault| refused(&place.file, document, &fault))?;
    let result = if after.is_some() { "removed" } else { "absent" };
    finish(change, &place, before.as_deref(), after.as_deref().unwrap_or(document), result, None)
}

/// The entries of clients. Files that are not there have none; scopes that a client does not have are left out.
///
/// # Errors
/// A file cannot be read or understood.
pub fn list(environment: &Environment, clients: &[Client], folder: &Path) -> Result<Vec<Listed>, Error> {
    let mut all = Vec::new();
    for (client, scope) in clients.iter().flat_map(|client| [(*client, Scope::User), (*client, Scope::Project)]) {
        let Ok(place) = client.place(scope, environment, folder) else { continue };
        let Some(document) = read(&place.file)? else { continue };
        for (name, text) in entries(&place, &document)? {
            all.push(Listed { client, scope, file: place.file.clone(), name, own: is_own(text) });
        }
    }
    Ok(all)
}

fn finish(
    change: &Change<'_>,
    place: &Place,
    before: Option<&str>,
    after: &str,
    result: &str,
    entry: Option<String>,
) -> Result<Changed, Error> {
    let differs = before.unwrap_or_default() != after;
    let mut backup = None;
    if differs && !change.dry_run {
        let failed = |error: std::io::Error| {
            Error::new(Code::CannotWrite, format!("cannot write {}: {error}", place.file.display()))
                .hint("check that you may write there, or use `--print` and put the lines there by hand")
        };
        backup = write(&place.file, before.is_some(), after).map_err(failed)?;
    }
    Ok(Changed {
        client: change.client,
        scope: change.scope,
        file: place.file.clone(),
        name: change.name.to_owned(),
        result: result.to_owned(),
        entry,
        backup,
        dry_run: change.dry_run,
    })
}

fn entries<'a>(place: &Place, document: &'a str) -> Result<Vec<(String, &'a str)>, Error> {
    let blank = document.trim_start_matches('\u{feff}').trim().is_empty();
    let found = match place.is_toml {
        _ if blank => Ok(Vec::new()),
        true => toml::entries(document, place.section),
        false => jsonc::entries(document, place.section),
    };
    found.map_err(|fault| refused(&place.file, document, &fault))
}

/// Whether an entry starts this program or one of its name.
fn is_own(entry: &str) -> bool {
    let program = entry.lines().find(|line| line.contains("command")).unwrap_or_default();
    let named = program.contains("mcp-factory")
        || std::env::current_exe().is_ok_and(|own| {
            own.to_str().is_some_and(|own| program.contains(serde_json::Value::from(own).to_string().trim_matches('"')))
        });
    named || entry.contains("\"connect\"")
}

fn refused(file: &Path, text: &str, fault: &Fault) -> Error {
    let before = text.get(..fault.at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error::new(
        Code::ClientFile,
        format!("{}:{line}:{column} cannot be changed: {}; the file is untouched", file.display(), fault.why),
    )
    .hint("mend the file there, or use `--print` and put the lines there by hand")
}

fn read(file: &Path) -> Result<Option<String>, Error> {
    let failed = |why: String| {
        Error::new(Code::FileUnreadable, format!("cannot read {}: {why}", file.display()))
            .hint("check that it is a file of UTF-8 text that you may read")
    };
    let opened = match std::fs::File::open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(|error| failed(error.to_string()))?,
    };
    let mut text = String::new();
    opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(failed(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(Some(text))
}

/// Replaces a file in one step, and keeps the one before beside it. A link stays one, and so do permissions.
fn write(file: &Path, exists: bool, text: &str) -> std::io::Result<Option<PathBuf>> {
    let real = if exists { std::fs::canonicalize(file)? } else { file.to_owned() };
    let beside = |ending: &str| {
        let mut name = real.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{ending}"));
        real.with_file_name(name)
    };
    if let Some(folder) = real.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let backup = exists.then(|| beside(BACKUP_ENDING));
    if let Some(backup) = &backup {
        std::fs::copy(&real, backup)?;
    }
    let new = beside(&format!("{}.new", std::process::id()));
    let written = (|| {
        let mut out = std::fs::File::options().write(true).create_new(true).open(&new)?;
        out.write_all(text.as_bytes())?;
        if exists {
            out.set_permissions(std::fs::metadata(&real)?.permissions())?;
        }
        out.sync_all()?;
        std::fs::rename(&new, &real)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    written.map(|()| backup)
}
