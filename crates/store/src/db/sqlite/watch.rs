//! Whether the file that was opened is still the one at its path. SQLite goes on with a file that was removed, moved away or
//! emptied as if nothing had happened: what is changed then is lost, and what is read is made up.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::Error;

/// How long reads rest on one look at the path, milliseconds. Changes look each time.
const LOOK_EVERY_MS: u64 = 100;
/// The time of the last look when it found the file gone: what comes next looks again.
const NEVER: u64 = u64::MAX;

/// The opened file.
pub(super) struct Watch {
    path: PathBuf,
    opened: Option<Identity>,
    /// Whether anything was in it.
    was_filled: bool,
    begun: Instant,
    /// When it was last found to be the same, milliseconds since `begun`.
    seen: AtomicU64,
    /// Connections know pages that an emptied file does not have any more: whatever is put into it is not what they know.
    is_emptied: AtomicBool,
}

/// What makes a file another one than that of the same name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    device: u64,
    number: u64,
}

impl Watch {
    /// Remembers the file at a path, which was opened before.
    pub(super) fn new(path: &Path) -> Self {
        let metadata = std::fs::metadata(path).ok();
        Self {
            path: path.to_owned(),
            opened: metadata.as_ref().map(Identity::of),
            was_filled: metadata.is_some_and(|metadata| metadata.len() > 0),
            begun: Instant::now(),
            seen: AtomicU64::new(0),
            is_emptied: AtomicBool::new(false),
        }
    }

    /// Looks whether the file is still there.
    ///
    /// # Errors
    /// What became of it.
    pub(super) fn look(&self, attempted: &'static str) -> Result<(), Error> {
        self.became().map_or(Ok(()), |became| Err(self.gone(attempted, became)))
    }

    /// The same unless somebody looked a moment ago.
    pub(super) fn glance(&self, attempted: &'static str) -> Result<(), Error> {
        match self.now().checked_sub(self.seen.load(Ordering::Relaxed)) {
            Some(since) if since < LOOK_EVERY_MS => Ok(()),
            _ => self.look(attempted),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(NEVER)
    }

    /// The refusal of what was attempted.
    pub(super) fn gone(&self, attempted: &'static str, became: &'static str) -> Error {
        let returns = !self.is_emptied.load(Ordering::Relaxed);
        Error::Gone { attempted, path: self.path.clone(), became, returns }
    }

    /// What became of the file; nothing while it is the same. Reads rest on what is found.
    pub(super) fn became(&self) -> Option<&'static str> {
        let became = self.compared();
        let seen = if became.is_none() { self.now() } else { NEVER };
        self.seen.store(seen, Ordering::Relaxed);
        became
    }

    fn compared(&self) -> Option<&'static str> {
        const EMPTIED: &str = "emptied";
        if self.is_emptied.load(Ordering::Relaxed) {
            return Some(EMPTIED);
        }
        // Where the opened file could not be told from others, nothing is known of it.
        let opened = self.opened?;
        match std::fs::metadata(&self.path) {
            Ok(metadata) if Identity::of(&metadata) != opened => Some("replaced by another file"),
            Ok(metadata) if metadata.len() == 0 && self.was_filled => {
                self.is_emptied.store(true, Ordering::Relaxed);
                Some(EMPTIED)
            }
            Ok(_) => None,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some("removed or moved away"),
            Err(_) => Some("taken out of reach"),
        }
    }
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &std::fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device: metadata.dev(), number: metadata.ino() }
    }

    /// Elsewhere a file that is open can be neither removed nor replaced.
    #[cfg(not(unix))]
    fn of(_: &std::fs::Metadata) -> Self {
        Self { device: 0, number: 0 }
    }
}
