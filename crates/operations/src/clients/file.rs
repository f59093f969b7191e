//! Entries in the files of clients.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::entry::{self, Way};
use super::jsonc::{self, Fault};
use super::known::{Client, Place, Scope};
use super::there::There;
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
    /// The variables whose values somebody has to fill in: this client does not take them from its surroundings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fill_in: Vec<String>,
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

/// Puts an entry into the file of a client. Of one that is there what people added to it stays, and the values of its
/// variables; the same entry again changes nothing.
///
/// # Errors
/// The client has no such scope; the file cannot be read, understood or written; there is another entry of this name.
pub fn add(environment: &Environment, change: &Change<'_>, way: &Way, force: bool) -> Result<Changed, Error> {
    if change.name.trim().is_empty() {
        return Err(Error::new(Code::Usage, "an entry needs a name, and this one is empty")
            .hint("choose one with `--as NAME`, or leave `--as` out"));
    }
    let place = change.client.place(change.scope, environment, change.folder)?;
    let parts = entry::parts(change.client, way)?;
    let text = parts.text(change.name)?;
    let before = read(&place.file)?;
    let document = before.as_deref().unwrap_or_default();
    let is_known = entries(&place, document)?.iter().any(|(name, _)| name == change.name);
    let there = There { place: &place, document, name: change.name };
    let is_own = is_known && (there.is_own() || there.is_at(way));
    let failed = |fault: Fault| refused(&place.file, document, &fault);
    let kept = if is_own { there.with(&parts).map_err(failed)? } else { None };
    let stays = kept.is_some();
    let after = match kept {
        Some(after) => Ok(after),
        None if place.is_toml => toml::set(document, place.section, change.name, &text),
        None => jsonc::set(document, place.section, change.name, &text),
    };
    let after = after.map_err(failed)?;
    let result = match is_known {
        false => "added",
        true if after == document => "unchanged",
        true if force || is_own => "changed",
        true => {
            return Err(
                taken(&place, change.name).hint("choose another name with `--as NAME`, or replace it with `--force`")
            );
        }
    };
    let mut changed = finish(change, &place, before.as_deref(), &after, result)?;
    let written = entries(&place, &after)?.into_iter().find(|(name, _)| name == change.name && stays);
    changed.entry = Some(written.map_or(text, |(_, text)| text.to_owned()));
    changed.fill_in = There { document: &after, ..there }.left_open(way);
    Ok(changed)
}

/// Takes an entry out of the file of a client; one that is none of ours only by force.
///
/// # Errors
/// As of [`add`].
pub fn remove(environment: &Environment, change: &Change<'_>, force: bool) -> Result<Changed, Error> {
    let place = change.client.place(change.scope, environment, change.folder)?;
    let before = read(&place.file)?;
    let document = before.as_deref().unwrap_or_default();
    let after = match place.is_toml {
        true => toml::remove(document, place.section, change.name),
        false => jsonc::remove(document, place.section, change.name),
    };
    let after = after.map_err(|fault| refused(&place.file, document, &fault))?;
    let is_ours = There { place: &place, document, name: change.name }.is_ours();
    if after.is_some() && !is_ours && !force {
        return Err(taken(&place, change.name).hint(
            "`mcp-factory clients list` shows which entries start mcp-factory; remove it all the same with `--force`",
        ));
    }
    let result = if after.is_some() { "removed" } else { "absent" };
    finish(change, &place, before.as_deref(), after.as_deref().unwrap_or(document), result)
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
        for (name, _) in entries(&place, &document)? {
            let own = There { place: &place, document: &document, name: &name }.is_own();
            all.push(Listed { client, scope, file: place.file.clone(), name, own });
        }
    }
    Ok(all)
}

/// An entry of this name is not ours.
fn taken(place: &Place, name: &str) -> Error {
    Error::new(Code::EntryTaken, format!("{} has an entry `{name}` that is something else", place.file.display()))
}

fn finish(
    change: &Change<'_>,
    place: &Place,
    before: Option<&str>,
    after: &str,
    result: &str,
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
        entry: None,
        fill_in: Vec::new(),
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

fn refused(file: &Path, text: &str, fault: &Fault) -> Error {
    let before = text.get(..fault.at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error::new(
        Code::ClientFile,
        format!("{}:{line}:{column} cannot be changed: {}; the file is untouched", file.display(), fault.why),
    )
    .hint("mend the file there and try again; or move it away, and a new one is made")
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
        let mut out = created(&new, exists)?;
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

/// A new file. What takes the place of another one may hold its secrets, so nobody else reads it until its permissions are set.
fn created(file: &Path, is_private: bool) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if is_private {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = is_private;
    options.open(file)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::{created, write};

    #[test]
    fn what_takes_the_place_of_a_file_is_never_readable_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let mode = |file: &std::path::Path| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
        let new = folder.path().join("new");
        created(&new, true).unwrap();
        assert_eq!(mode(&new), 0o600);
        let file = folder.path().join("settings.json");
        for wanted in [0o600, 0o640, 0o644] {
            std::fs::write(&file, "{}").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(wanted)).unwrap();
            let backup = write(&file, true, "{ }").unwrap().unwrap();
            assert_eq!((mode(&file), mode(&backup)), (wanted, wanted));
        }
    }
}
