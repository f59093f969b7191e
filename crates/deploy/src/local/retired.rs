//! A server that another one took the place of, or that was stopped.

use std::sync::Arc;
use std::time::Duration;

use super::Running;

/// Longest wait for the calls of a server to end before its sessions are.
const DRAIN_MAX: Duration = Duration::from_secs(30);
/// How often is looked whether they ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Lets the calls that run end, then ends the sessions: their clients connect again, to what runs then, if anything does. New
/// requests do not come here any more, and timers do not ring.
pub(super) fn retire(running: Arc<Running>) {
    *running.timers.lock() = None;
    if running.under_way.is_none() {
        return running.close();
    }
    tokio::spawn(async move {
        let ended = async {
            while !running.under_way.is_none() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        if tokio::time::timeout(DRAIN_MAX, ended).await.is_err() {
            tracing::warn!(server = running.name, version = running.version, "calls still run and are cut off");
        }
        running.close();
    });
}
