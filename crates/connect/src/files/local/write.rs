//! Changes of local files: each is seen whole or not at all, and is on the disk when it is answered.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode as Permissions, OFlags, fchmod, fstat, linkat, openat, renameat, unlinkat};

use super::fault::{Fault, Outcome};
use super::jail::{Jail, entry_in, is_file, stat_in, version};
use crate::ErrorKind;
use crate::files::{Entry, Mode, Path, Write};

pub(super) fn write(jail: &Jail, path: &Path, write: &Write, most: u64) -> Outcome<Entry> {
    let (above, name) = path.split();
    let shown = path.as_str();
    let folder = if write.parents { jail.make(&above, shown)? } else { jail.folder(&above, shown)? };
    let there = match stat_in(folder.as_fd(), name, shown) {
        Ok(stat) => {
            is_file(&stat, shown)?;
            Some(stat)
        }
        Err(Fault::Reason { code: Some("not_found"), .. }) => None,
        Err(fault) => return Err(fault),
    };
    if write.mode == Mode::Create && there.is_some() {
        return Err(Fault::coded(ErrorKind::Constraint, "exists", format!("`{shown}` is there already")));
    }
    if let Some(wanted) = &write.if_version
        && there.as_ref().map(version).as_ref() != Some(wanted)
    {
        let why = format!("`{shown}` was changed or deleted since its version `{wanted}`");
        return Err(Fault::coded(ErrorKind::Constraint, "changed", why));
    }
    let mut before = Vec::new();
    if let (Mode::Append, Some(stat)) = (write.mode, &there) {
        let size = u64::try_from(stat.st_size).unwrap_or(u64::MAX);
        if size.saturating_add(write.bytes.len() as u64) > most {
            return Err(Fault::coded(
                ErrorKind::Limit,
                "too_large",
                format!("`{shown}` would have more than {most} bytes"),
            ));
        }
        let (mut file, _) = jail.open_file(path)?;
        std::io::Read::read_to_end(&mut file, &mut before).map_err(|error| Fault::io(shown, &error))?;
    }
    let permissions = there.as_ref().map(|stat| Permissions::from_raw_mode(stat.st_mode & 0o777));
    let draft = Draft::make(&folder, shown, permissions, &[&before, &write.bytes])?;
    draft.place(name, shown, write.mode == Mode::Create)?;
    entry_in(folder.as_fd(), name, shown)
}

/// A file under a name of its own, removed unless it is given the one that it is meant for.
struct Draft<'a> {
    folder: &'a OwnedFd,
    name: String,
}

/// Beginning of the names of files that are being written. It begins with a dot, so that no list shows them.
const DRAFT: &str = ".mcp-factory-draft-";

impl<'a> Draft<'a> {
    fn make(folder: &'a OwnedFd, shown: &str, permissions: Option<Permissions>, parts: &[&[u8]]) -> Outcome<Self> {
        let name = format!("{DRAFT}{}", uuid::Uuid::new_v4().simple());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(folder, &name, flags, Permissions::from_raw_mode(0o666))
            .map_err(|error| Fault::io(shown, &error.into()))?;
        let draft = Self { folder, name };
        if let Some(permissions) = permissions {
            fchmod(&file, permissions).map_err(|error| Fault::io(shown, &error.into()))?;
        }
        let mut file = File::from(file);
        let written = parts.iter().try_for_each(|part| file.write_all(part)).and_then(|()| file.sync_all());
        written.map_err(|error| Fault::io(shown, &error))?;
        Ok(draft)
    }

    fn place(self, name: &str, shown: &str, new: bool) -> Outcome<()> {
        let failed = |error: rustix::io::Errno| Fault::io(shown, &error.into());
        if new {
            // A link is made only where nothing is; a rename would replace.
            linkat(self.folder, &self.name, self.folder, name, AtFlags::empty()).map_err(failed)?;
        } else {
            renameat(self.folder, &self.name, self.folder, name).map_err(failed)?;
        }
        sync(self.folder);
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // After a rename it is not there.
        let _ = unlinkat(self.folder, &self.name, AtFlags::empty());
    }
}

/// Puts the names of a folder on the disk. Some file systems cannot, and then the names are written when they like.
fn sync(folder: &OwnedFd) {
    let _ = rustix::fs::fsync(folder);
}

pub(super) fn delete(jail: &Jail, path: &Path) -> Outcome<()> {
    let (above, name) = path.split();
    let folder = jail.folder(&above, path.as_str())?;
    let stat = stat_in(folder.as_fd(), name, path.as_str())?;
    let is_folder = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let flags = if is_folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    unlinkat(&folder, name, flags).map_err(|error| Fault::io(path.as_str(), &error.into()))?;
    sync(&folder);
    Ok(())
}

pub(super) fn rename(jail: &Jail, from: &Path, to: &Path, overwrite: bool) -> Outcome<Entry> {
    if to.as_str().strip_prefix(from.as_str()).is_some_and(|rest| rest.starts_with('/')) {
        let message = format!("`{}` cannot be moved to `{}`, which lies below it", from.as_str(), to.as_str());
        return Err(Fault::coded(ErrorKind::Value, "path", message));
    }
    let ((from_above, from_name), (to_above, to_name)) = (from.split(), to.split());
    let from_folder = jail.folder(&from_above, from.as_str())?;
    let to_folder = jail.folder(&to_above, to.as_str())?;
    stat_in(from_folder.as_fd(), from_name, from.as_str())?;
    if overwrite {
        renameat(&from_folder, from_name, &to_folder, to_name)
            .map_err(|error| Fault::io(to.as_str(), &error.into()))?;
    } else {
        rename_new(&from_folder, from_name, &to_folder, to_name, to.as_str())?;
    }
    sync(&to_folder);
    if fstat(&from_folder).ok().map(|stat| stat.st_ino) != fstat(&to_folder).ok().map(|stat| stat.st_ino) {
        sync(&from_folder);
    }
    entry_in(to_folder.as_fd(), to_name, to.as_str())
}

#[cfg(target_os = "linux")]
fn rename_new(from: &OwnedFd, from_name: &str, to: &OwnedFd, to_name: &str, shown: &str) -> Outcome<()> {
    use rustix::fs::{RenameFlags, renameat_with};
    match renameat_with(from, from_name, to, to_name, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // A file system that cannot refuse to replace.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => checked_rename(from, from_name, to, to_name, shown),
        Err(error) => Err(Fault::io(shown, &error.into())),
    }
}

#[cfg(not(target_os = "linux"))]
fn rename_new(from: &OwnedFd, from_name: &str, to: &OwnedFd, to_name: &str, shown: &str) -> Outcome<()> {
    checked_rename(from, from_name, to, to_name, shown)
}

fn checked_rename(from: &OwnedFd, from_name: &str, to: &OwnedFd, to_name: &str, shown: &str) -> Outcome<()> {
    if stat_in(to.as_fd(), to_name, shown).is_ok() {
        return Err(Fault::coded(ErrorKind::Constraint, "exists", format!("`{shown}` is there already")));
    }
    renameat(from, from_name, to, to_name).map_err(|error| Fault::io(shown, &error.into()))
}
