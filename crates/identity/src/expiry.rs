//! The end of what lets callers in for a time: it is noticed by itself, since nobody revokes it.

use std::collections::HashSet;
use std::sync::Arc;

use ahash::HashMap;
use store::oauth::Hash;

/// Something that lets a caller in until a time.
pub(crate) trait Lasts {
    /// Its end, seconds since 1970.
    fn end(&self) -> i64;

    /// The id of the caller that it lets in.
    fn caller(&self) -> &Arc<str>;
}

/// Whether something has expired. Worth asking before a table is locked for everybody: something expires seldom.
pub(crate) fn is_due<L: Lasts>(table: &HashMap<Hash, L>, now: i64) -> bool {
    table.values().any(|one| one.end() <= now)
}

/// Takes out what has expired, and gives its callers.
pub(crate) fn take<L: Lasts>(table: &mut HashMap<Hash, L>, now: i64) -> HashSet<Arc<str>> {
    let mut gone = HashSet::new();
    table.retain(|_, one| {
        let stays = one.end() > now;
        if !stays {
            gone.insert(one.caller().clone());
        }
        stays
    });
    gone
}
