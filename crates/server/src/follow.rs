//! Follows what this and other processes revoke, so that whoever lost access is cut off within a second.

use std::sync::Arc;
use std::time::Duration;

use identity::Fault;
use identity::accounts::Accounts;
use identity::keys::Keys;
use identity::oauth::Authority;
use protocol::Runtime;

use crate::plane::OPERATOR;
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
    accounts: Option<Arc<Accounts>>,
}

impl Followed {
    pub(crate) fn of(oauth: Option<&OAuth>, callers: Option<&KnownCallers>, accounts: Option<Arc<Accounts>>) -> Self {
        Self {
            accounts,
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
        let mut existed = self.have_accounts();
        let mut told = String::new();
        loop {
            tokio::time::sleep(FOLLOW_EVERY).await;
            purge_in = purge_in.saturating_sub(FOLLOW_EVERY);
            let purge = purge_in.is_zero();
            if purge {
                purge_in = PURGE_EVERY;
            }
            let followed = self.clone();
            let fault = match tokio::task::spawn_blocking(move || followed.lost(purge)).await {
                Ok(Ok(lost)) => {
                    lost.iter().for_each(|id| runtime.cut_off(id));
                    String::new()
                }
                Ok(Err(fault)) => fault.to_string(),
                Err(fault) => fault.to_string(),
            };
            // What stays as it is is told once.
            if !fault.is_empty() && fault != told {
                tracing::warn!(fault, "revocations could not be followed");
            }
            told = fault;
            // From the first account on, sitting at the machine is not enough.
            if !existed && self.have_accounts() {
                existed = true;
                runtime.cut_off(OPERATOR);
            }
        }
    }

    fn have_accounts(&self) -> bool {
        self.accounts.as_ref().is_some_and(|accounts| accounts.exist())
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
        if let Some(accounts) = &self.accounts {
            lost.extend(accounts.follow()?);
        }
        Ok(lost)
    }
}
