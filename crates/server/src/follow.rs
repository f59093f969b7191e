//! Follows what this and other processes revoke, so that whoever lost access is cut off within a second.

use std::sync::Arc;
use std::time::Duration;

use identity::Fault;
use identity::keys::Keys;
use identity::oauth::Authority;
use protocol::Runtime;

use crate::{KnownCallers, OAuth};

/// How soon a revocation is noticed.
const FOLLOW_EVERY: Duration = Duration::from_millis(300);
/// How often what has expired is forgotten.
const PURGE_EVERY: Duration = Duration::from_secs(3_600);

/// What is followed.
#[derive(Clone)]
pub(crate) struct Followed {
    authority: Option<Arc<Authority>>,
    keys: Option<Arc<Keys>>,
}

impl Followed {
    pub(crate) fn of(oauth: Option<&OAuth>, callers: Option<&KnownCallers>) -> Self {
        Self {
            authority: oauth.map(|oauth| oauth.authority.clone()),
            keys: callers.map(|known| known.callers.keys().clone()),
        }
    }

    /// Cuts callers off. Never ends.
    pub(crate) async fn forever(self, runtime: Arc<Runtime>) {
        if self.authority.is_none() && self.keys.is_none() {
            return std::future::pending().await;
        }
        let mut purge_in = PURGE_EVERY;
        loop {
            tokio::time::sleep(FOLLOW_EVERY).await;
            purge_in = purge_in.saturating_sub(FOLLOW_EVERY);
            let purge = purge_in.is_zero();
            if purge {
                purge_in = PURGE_EVERY;
            }
            let followed = self.clone();
            match tokio::task::spawn_blocking(move || followed.lost(purge)).await {
                Ok(Ok(lost)) => lost.iter().for_each(|id| runtime.cut_off(id)),
                Ok(Err(fault)) => tracing::warn!(%fault, "revocations could not be followed"),
                Err(fault) => tracing::warn!(%fault, "revocations could not be followed"),
            }
        }
    }

    /// The callers that lost their access since the last time.
    fn lost(&self, purge: bool) -> Result<Vec<Arc<str>>, Fault> {
        let mut lost = Vec::new();
        if let Some(authority) = &self.authority {
            if purge {
                authority.purge()?;
            }
            lost = authority.follow()?;
        }
        if let Some(keys) = &self.keys {
            lost.extend(keys.follow()?);
        }
        Ok(lost)
    }
}
