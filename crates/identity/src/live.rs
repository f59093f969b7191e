//! Whether somebody who was let in once would still be let in.

use store::Store;

use crate::accounts::ACCOUNTS_MAX;
use crate::keys::KEYS_PER_OWNER_MAX;
use crate::oauth::caller;
use crate::{Clock, Fault, Kind, Principal};

/// Most programs that are looked through.
const GRANTS_MAX: usize = 100_000;

/// Whether what a caller showed has its force still: its key, its account, or what a person let it do. Callers who show nothing
/// that could be taken away have none to lose. Blocks for a read.
///
/// # Errors
/// The store cannot be used.
pub fn is_live(store: &Store, principal: &Principal, clock: &Clock) -> Result<bool, Fault> {
    let now = clock.now();
    Ok(match principal.kind {
        Kind::Key => {
            let keys = store.keys(Some(&principal.owner), KEYS_PER_OWNER_MAX)?;
            let mine = keys.iter().find(|key| crate::keys::caller(&key.id) == *principal.id);
            mine.is_some_and(|key| key.expires_at.is_none_or(|end| end > now))
        }
        Kind::Account => {
            let accounts = store.accounts(ACCOUNTS_MAX)?;
            accounts.iter().any(|account| crate::accounts::caller(&account.id) == *principal.id)
        }
        Kind::Client => {
            let grants = store.oauth_grants(now, GRANTS_MAX)?;
            grants.iter().any(|(grant, _)| caller(&grant.id) == *principal.id)
        }
        Kind::Operator | Kind::Guest | Kind::Anonymous => true,
    })
}
