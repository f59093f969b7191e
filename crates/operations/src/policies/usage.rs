//! What owners used today.

use std::sync::Arc;

use ahash::HashMap;
use store::policies::Spent;

/// Owners that are counted in memory.
const OWNERS_MAX: usize = 100_000;

/// Counts by owner, for one day.
#[derive(Debug, Default)]
pub(super) struct Usage {
    pub(super) day: String,
    owners: HashMap<Arc<str>, Used>,
}

/// What one owner used, and how much of it is not stored yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) calls: u64,
    pub(super) bytes: u64,
    new_calls: u64,
    new_bytes: u64,
}

impl Usage {
    pub(super) fn begin(day: String, stored: Vec<Spent>) -> Self {
        let owners = stored.into_iter().map(|one| {
            let used = Used { calls: one.calls, bytes: one.bytes, ..Used::default() };
            (one.owner.into(), used)
        });
        Self { day, owners: owners.collect() }
    }

    pub(super) fn of(&self, owner: &str) -> Used {
        self.owners.get(owner).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, owner: &Arc<str>, calls: u64, bytes: u64) {
        if !self.owners.contains_key(owner) && self.owners.len() >= OWNERS_MAX {
            // Those that used least make way, once they are stored.
            self.owners.retain(|_, used| used.calls > 1 || used.new_calls > 0);
        }
        let used = self.owners.entry(owner.clone()).or_default();
        (used.calls, used.bytes) = (used.calls + calls, used.bytes + bytes);
        (used.new_calls, used.new_bytes) = (used.new_calls + calls, used.new_bytes + bytes);
    }

    /// What is not stored yet; it counts as stored from now on.
    pub(super) fn take(&mut self) -> Vec<Spent> {
        let mut taken = Vec::new();
        for (owner, used) in &mut self.owners {
            if used.new_calls > 0 || used.new_bytes > 0 {
                taken.push(Spent { owner: owner.to_string(), calls: used.new_calls, bytes: used.new_bytes });
                (used.new_calls, used.new_bytes) = (0, 0);
            }
        }
        taken
    }
}
