//! Versions that answer beside the one that is switched to. Each is launched when it is first asked for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{Local, Made, Running, retired};
use crate::target::Launch;

/// Most versions that answer beside those that are switched to; the one that was used least recently makes room.
const VERSIONS_MAX: usize = 64;
/// How long one that nobody uses goes on.
const IDLE_MAX: Duration = Duration::from_secs(3_600);

/// The versions, by server and version.
#[derive(Default)]
pub(super) struct Versions(Mutex<HashMap<(String, String), Beside>>);

struct Beside {
    running: Arc<Running>,
    used: Instant,
}

impl Local {
    /// A version of a server that answers at a path of its own, where its clients stay whatever is switched to.
    pub fn version(&self, name: &str, version: &str) -> Option<Arc<Running>> {
        let mut all = self.versions.0.lock();
        let found = all.get_mut(&(name.to_owned(), version.to_owned()))?;
        found.used = Instant::now();
        Some(Arc::clone(&found.running))
    }

    /// Launches a version beside the one that is switched to, or makes it anew. Its timers do not ring.
    pub fn launch_beside(&self, launch: Launch) -> Arc<Running> {
        let key = (launch.name.clone(), launch.version.clone());
        let before = self.versions.0.lock().get(&key).map(|beside| Arc::clone(&beside.running));
        let Made { running, succeeds } = self.made(launch, before.as_deref(), false);
        let mut retired = Vec::new();
        let mut all = self.versions.0.lock();
        if all.len() >= VERSIONS_MAX
            && !all.contains_key(&key)
            && let Some(oldest) = all.iter().min_by_key(|(_, beside)| beside.used).map(|(key, _)| key.clone())
        {
            retired.extend(all.remove(&oldest));
        }
        let before = all.insert(key, Beside { running: Arc::clone(&running), used: Instant::now() });
        retired.extend(before.filter(|_| !succeeds));
        drop(all);
        retired.into_iter().for_each(|beside| retired::retire(beside.running));
        running
    }

    /// The versions that answer beside those that are switched to.
    pub fn beside(&self) -> Vec<Arc<Running>> {
        self.versions.0.lock().values().map(|beside| Arc::clone(&beside.running)).collect()
    }

    /// Stops versions that answer beside the one that is switched to, and those that nobody uses.
    pub fn forget(&self, unwanted: impl Fn(&Running) -> bool) {
        let mut gone = Vec::new();
        self.versions.0.lock().retain(|_, beside| {
            let kept = beside.used.elapsed() < IDLE_MAX && !unwanted(&beside.running);
            if !kept {
                gone.push(Arc::clone(&beside.running));
            }
            kept
        });
        gone.into_iter().for_each(retired::retire);
    }
}
