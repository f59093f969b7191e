//! The way to a file: one part after the other from the root, each opened in the folder before it and never through a link.
//!
//! No text of a path is ever given to the system as a whole, so nothing that changes between check and use leads out:
//! a folder that becomes a link is refused by the system itself (`O_NOFOLLOW`).

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use chrono::{DateTime, Utc};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, statat};

use super::fault::{Fault, Outcome, link};
use super::kind;
use crate::ErrorKind;
use crate::files::{Entry, EntryKind, Path};

/// An opened root.
pub(in crate::files) struct Jail {
    root: OwnedFd,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Jail {
    pub(super) fn open(root: &std::path::Path) -> io::Result<Self> {
        let root = rustix::fs::open(root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { root })
    }

    /// Opens a folder.
    pub(super) fn folder(&self, parts: &[&str], shown: &str) -> Outcome<OwnedFd> {
        let mut folder = self.root.try_clone().map_err(|error| Fault::io(shown, &error))?;
        for part in parts {
            folder = enter(folder.as_fd(), part, shown)?;
        }
        Ok(folder)
    }

    /// Opens a folder, and makes those that are missing.
    pub(super) fn make(&self, parts: &[&str], shown: &str) -> Outcome<OwnedFd> {
        let mut folder = self.root.try_clone().map_err(|error| Fault::io(shown, &error))?;
        for part in parts {
            match mkdirat(&folder, *part, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(Fault::io(shown, &error.into())),
            }
            folder = enter(folder.as_fd(), part, shown)?;
        }
        Ok(folder)
    }

    /// What is known of a file or folder.
    pub(super) fn entry(&self, path: &Path) -> Outcome<Entry> {
        if path.is_root() {
            let stat = fstat(&self.root).map_err(|error| Fault::io("", &error.into()))?;
            return Ok(entry(path.as_str(), &stat, None));
        }
        let (above, name) = path.split();
        let folder = self.folder(&above, path.as_str())?;
        entry_in(folder.as_fd(), name, path.as_str())
    }

    /// Opens a file for reading: a regular one, and none that a link stands for.
    pub(super) fn open_file(&self, path: &Path) -> Outcome<(File, Entry)> {
        let (above, name) = path.split();
        let shown = path.as_str();
        let folder = self.folder(&above, shown)?;
        // Looked at first: opening a device may already do something.
        is_file(&stat_in(folder.as_fd(), name, shown)?, shown)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = openat(&folder, name, flags, Mode::empty()).map_err(|error| opened(shown, error))?;
        let stat = fstat(&file).map_err(|error| Fault::io(shown, &error.into()))?;
        is_file(&stat, shown)?;
        let file = File::from(file);
        let made = file.metadata().ok().and_then(|data| data.created().ok());
        Ok((file, entry(shown, &stat, made)))
    }
}

fn enter(folder: BorrowedFd<'_>, part: &str, shown: &str) -> Outcome<OwnedFd> {
    openat(folder, part, FOLDER, Mode::empty()).map_err(|error| {
        let is_link = error == rustix::io::Errno::NOTDIR
            && statat(folder, part, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink);
        if is_link { link(shown) } else { opened(shown, error) }
    })
}

fn opened(shown: &str, error: rustix::io::Errno) -> Fault {
    if error == rustix::io::Errno::LOOP { link(shown) } else { Fault::io(shown, &error.into()) }
}

/// What is known of an entry of a folder, without following a link.
pub(super) fn entry_in(folder: BorrowedFd<'_>, name: &str, shown: &str) -> Outcome<Entry> {
    let stat = stat_in(folder, name, shown)?;
    let made = created(folder, name);
    Ok(entry(shown, &stat, made))
}

pub(super) fn stat_in(folder: BorrowedFd<'_>, name: &str, shown: &str) -> Outcome<Stat> {
    statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| Fault::io(shown, &error.into()))
}

#[cfg(target_os = "linux")]
fn created(folder: BorrowedFd<'_>, name: &str) -> Option<std::time::SystemTime> {
    use rustix::fs::{StatxFlags, statx};
    let stat = statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BTIME).ok()?;
    if stat.stx_mask & StatxFlags::BTIME.bits() == 0 {
        return None;
    }
    let seconds = u64::try_from(stat.stx_btime.tv_sec).ok()?;
    Some(std::time::UNIX_EPOCH + std::time::Duration::new(seconds, stat.stx_btime.tv_nsec))
}

#[cfg(not(target_os = "linux"))]
fn created(_: BorrowedFd<'_>, _: &str) -> Option<std::time::SystemTime> {
    None
}

/// Refuses everything but a regular file.
pub(super) fn is_file(stat: &Stat, shown: &str) -> Outcome<()> {
    match kind(FileType::from_raw_mode(stat.st_mode)) {
        EntryKind::File => Ok(()),
        EntryKind::Folder => Err(Fault::coded(ErrorKind::Value, "is_folder", format!("`{shown}` is a folder"))),
        EntryKind::Link => Err(link(shown)),
        EntryKind::Other => {
            Err(Fault::coded(ErrorKind::Denied, "no_file", format!("`{shown}` is a device, a socket or a pipe")))
        }
    }
}

/// Names the state of a file: its number, size and times.
pub(super) fn version(stat: &Stat) -> String {
    format!("{:x}-{:x}-{:x}.{:x}", stat.st_ino, stat.st_size, stat.st_mtime, stat.st_mtime_nsec)
}

#[allow(clippy::unnecessary_cast, clippy::cast_lossless, reason = "the types of these fields differ between systems")]
fn entry(shown: &str, stat: &Stat, created: Option<std::time::SystemTime>) -> Entry {
    let kind = kind(FileType::from_raw_mode(stat.st_mode));
    let time = |seconds: i64, nanos: i64| {
        u32::try_from(nanos).ok().and_then(|nanos| DateTime::<Utc>::from_timestamp(seconds, nanos))
    };
    let mut entry = Entry::new(shown, kind);
    if kind == EntryKind::File {
        entry.size = u64::try_from(stat.st_size).ok();
        entry.version = Some(version(stat));
    }
    entry.modified = time(stat.st_mtime as i64, stat.st_mtime_nsec as i64);
    entry.accessed = time(stat.st_atime as i64, stat.st_atime_nsec as i64);
    entry.created = created.map(DateTime::<Utc>::from);
    entry.permissions = Some(format!("{:o}", stat.st_mode & 0o777));
    entry
}
