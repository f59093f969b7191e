//! A connection to the primary: an idle one, or a new one after asking the servers which of them it is.

use std::collections::VecDeque;

use super::Mongo;
use super::connection::Connection;
use super::error::failure;
use super::url::{self, Address};
use crate::socket::Taken;
use crate::{Error, ErrorKind};

/// Most servers that are asked for the primary.
const ASKED_MAX: usize = 32;

impl Mongo {
    /// A connection, and whether it was used before.
    pub(super) async fn take(&self) -> Result<(Taken<Connection>, bool), Error> {
        let mut taken = self.pool.take_within(self.settings.limits.acquire, self.name()).await?;
        if let Some(connection) = &mut taken.connection
            && !connection.is_stale()
        {
            return Ok((taken, true));
        }
        taken.connection = None;
        taken.connection = Some(self.primary().await?);
        Ok((taken, false))
    }

    /// Where the connection in use leads, for errors.
    pub(super) fn address(&self) -> Address {
        let known = self.primary.lock().clone();
        known.or_else(|| self.location.seeds.first().cloned()).unwrap_or(Address { host: String::new(), port: 0 })
    }

    /// Forgets the primary and every connection to it.
    pub(super) fn forget(&self) {
        *self.primary.lock() = None;
        self.pool.forget();
    }

    /// Asks the servers for the primary, the last one known first, and logs in there.
    async fn primary(&self) -> Result<Connection, Error> {
        let known = self.primary.lock().clone();
        let mut left: VecDeque<Address> = known.into_iter().chain(self.location.seeds.iter().cloned()).collect();
        let mut asked: Vec<Address> = Vec::new();
        let mut last = None;
        while let Some(address) = left.pop_front() {
            if asked.contains(&address) || asked.len() == ASKED_MAX {
                continue;
            }
            asked.push(address.clone());
            let (mut connection, greeting) = match self.greet(&address).await {
                Ok(greeted) => greeted,
                Err(error) => {
                    last = Some(error);
                    continue;
                }
            };
            if let (Some(wanted), found) = (&self.location.replica_set, &greeting.set)
                && found.as_ref() != Some(wanted)
            {
                let message = format!("{}:{} is not in the replica set `{wanted}`", address.host, address.port);
                last = Some(failure(self.name(), ErrorKind::Unreachable, "connect", message));
                continue;
            }
            if greeting.primary || self.location.direct {
                self.log_in(&mut connection, &address, &greeting).await?;
                *self.primary.lock() = Some(address);
                return Ok(connection);
            }
            greeting.hosts.iter().filter_map(|host| url::address(host).ok()).for_each(|host| left.push_back(host));
            if let Some(told) = greeting.told.as_deref().and_then(|told| url::address(told).ok()) {
                left.push_front(told);
            }
        }
        Err(last.unwrap_or_else(|| {
            let error =
                failure(self.name(), ErrorKind::Transient, "connect", "no server of the replica set is primary");
            Error { hint: Some("try again; a new primary is elected within seconds".to_owned()), ..error }
        }))
    }
}
