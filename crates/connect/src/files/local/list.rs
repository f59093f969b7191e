//! Lists of local folders, in the order of their paths.

use std::os::fd::AsFd as _;

use rustix::fs::Dir;

use super::Stop;
use super::fault::{Fault, Outcome};
use super::jail::{Jail, entry_in};
use crate::ErrorKind;
use crate::files::{EntryKind, Limits, Listing, Path, Wanted};

/// Most entries of one folder: they are sorted, so all of them are held at once.
const FOLDER_ENTRIES_MAX: usize = 200_000;

struct Walk<'a> {
    jail: &'a Jail,
    stop: &'a Stop,
    wanted: &'a Wanted,
    hidden: bool,
    limits: &'a Limits,
    /// Entries before it, and itself, were on earlier pages.
    after: Vec<String>,
    visited: usize,
    listing: Listing,
    done: bool,
}

pub(super) fn list(jail: &Jail, stop: &Stop, wanted: &Wanted, hidden: bool, limits: &Limits) -> Outcome<Listing> {
    let after = match &wanted.cursor {
        Some(cursor) => {
            let wrong = |_| Fault::coded(ErrorKind::Value, "cursor", "the cursor is not one of this list");
            Path::parse(cursor, true, None).map_err(wrong)?.parts().map(str::to_owned).collect()
        }
        None => Vec::new(),
    };
    let mut walk =
        Walk { jail, stop, wanted, hidden, limits, after, visited: 0, listing: Listing::default(), done: false };
    let mut parts: Vec<String> = wanted.folder.parts().map(str::to_owned).collect();
    walk.folder(&mut parts, 0)?;
    Ok(walk.listing)
}

impl Walk<'_> {
    fn folder(&mut self, parts: &mut Vec<String>, depth: usize) -> Outcome<()> {
        let shown = parts.join("/");
        let names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let folder = match self.jail.folder(&names, &shown) {
            // Below the folder that was asked for, one that cannot be entered or is gone is passed by.
            Err(_) if depth > 0 => return Ok(()),
            other => other?,
        };
        let mut names = self.names(&folder, &shown)?;
        names.sort_unstable();
        for name in names {
            self.stop.check()?;
            parts.push(name);
            let earlier = parts.as_slice() <= self.after.as_slice();
            let holds_after = earlier && self.after.starts_with(parts);
            if !earlier || holds_after {
                self.entry(&folder, parts, earlier, depth)?;
            }
            parts.pop();
            if self.done {
                break;
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        folder: &std::os::fd::OwnedFd,
        parts: &mut Vec<String>,
        earlier: bool,
        depth: usize,
    ) -> Outcome<()> {
        let path = parts.join("/");
        if self.wanted.excludes(&path) {
            return Ok(());
        }
        let name = parts.last().map(String::as_str).unwrap_or_default();
        // It may have gone since the folder was read.
        let Ok(entry) = entry_in(folder.as_fd(), name, &path) else { return Ok(()) };
        self.visited += 1;
        let is_folder = entry.kind == EntryKind::Folder;
        if !earlier && self.wanted.takes(&path) {
            if self.listing.entries.len() == self.wanted.limit {
                self.listing.next = self.listing.entries.last().map(|last| last.path.clone());
                self.done = true;
                return Ok(());
            }
            self.listing.entries.push(entry);
        }
        if self.visited > self.limits.visited {
            self.listing.next = Some(path);
            self.done = true;
        } else if self.wanted.recursive && is_folder && depth + 1 < self.limits.depth {
            self.folder(parts, depth + 1)?;
        }
        Ok(())
    }

    fn names(&self, folder: &std::os::fd::OwnedFd, shown: &str) -> Outcome<Vec<String>> {
        let failed = |error: rustix::io::Errno| Fault::io(shown, &error.into());
        let mut names = Vec::new();
        for entry in Dir::read_from(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // A name that is no text cannot be asked for.
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name == "." || name == ".." || (name.starts_with('.') && !self.hidden) {
                continue;
            }
            // Neither can one that a path of a caller may not hold.
            let path = if shown.is_empty() { name.to_owned() } else { format!("{shown}/{name}") };
            if Path::parse(&path, self.hidden, None).is_err() {
                continue;
            }
            if names.len() == FOLDER_ENTRIES_MAX {
                let why = format!("the folder `{shown}` has more than {FOLDER_ENTRIES_MAX} entries");
                return Err(Fault::coded(ErrorKind::Limit, "too_large", why));
            }
            names.push(name.to_owned());
        }
        Ok(names)
    }
}
