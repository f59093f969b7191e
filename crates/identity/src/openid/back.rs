//! Where people were before they were sent to the provider: in the browser's cookie, or here where that would be too long.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Longest sealed cookie, bytes: browsers keep 4,096 of name and value.
pub(super) const COOKIE_BYTES_MAX: usize = 3_900;
/// Paths that are kept here; the one that ends first makes way. Each has at most [`super::BACK_BYTES_MAX`].
const PATHS_MAX: usize = 1_000;

/// The paths of sign-ins that were begun, by their end and their state.
#[derive(Debug, Default)]
pub(super) struct Paths(Mutex<BTreeMap<(i64, String), String>>);

impl Paths {
    /// Keeps a path for a sign-in.
    pub(super) fn keep(&self, state: &str, end: i64, now: i64, path: &str) {
        let mut kept = self.0.lock();
        while kept.first_key_value().is_some_and(|((end, _), _)| *end <= now) || kept.len() >= PATHS_MAX {
            kept.pop_first();
        }
        kept.insert((end, state.to_owned()), path.to_owned());
    }

    /// Gives it back, if it is still there.
    pub(super) fn take(&self, state: &str, end: i64) -> Option<String> {
        self.0.lock().remove(&(end, state.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::{PATHS_MAX, Paths};

    #[test]
    fn as_many_are_kept_as_there_is_room_for() {
        let paths = Paths::default();
        for number in 0..=PATHS_MAX {
            paths.keep(&number.to_string(), 10 + i64::try_from(number).unwrap(), 0, "/docs");
        }
        assert_eq!(paths.take("0", 10), None, "the first made way");
        assert_eq!(paths.take("1", 11).as_deref(), Some("/docs"));
        assert_eq!(paths.take("1", 11), None, "given back once");
        paths.keep("late", 9_000, 5_000, "/docs");
        assert_eq!(paths.0.lock().len(), 1, "what is over is forgotten");
    }
}
