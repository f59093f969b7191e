//! How often passwords are tried, and in which order.
//!
//! Tries are counted by where they come from, never by whose name is tried: else strangers who know a name use up the tries of
//! whoever has it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ahash::HashMap;
use parking_lot::Mutex;
use tokio::sync::{Mutex as Queue, OwnedMutexGuard, Semaphore, SemaphorePermit};

use crate::address::{bucket, wide};
use crate::buckets::{Buckets, Rate, Spent, Taken};

const MINUTE: Duration = Duration::from_secs(60);
/// Wrong passwords from one address. Nobody is locked out: there is soon another try.
const OF_ADDRESS: Rate = Rate { count: 10, period: MINUTE, burst: 10 };
/// Wrong passwords from all addresses around it: one customer of a network may have them all.
const OF_NETWORK: Rate = Rate { count: 60, period: MINUTE, burst: 60 };
/// Passwords that are looked at together. Each takes memory and a processor.
const TOGETHER: usize = 1;

/// The tries of all addresses.
#[derive(Debug)]
pub(super) struct Tries {
    of_address: Buckets<IpAddr>,
    of_network: Buckets<IpAddr>,
    /// Who waits for their turn, by network.
    queues: Mutex<HashMap<IpAddr, Arc<Queue<()>>>>,
    /// Serves in the order in which networks came to it.
    places: Semaphore,
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            of_address: Buckets::new(OF_ADDRESS),
            of_network: Buckets::new(OF_NETWORK),
            queues: Mutex::default(),
            places: Semaphore::new(TOGETHER),
        }
    }
}

/// A turn, until it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    _place: Option<SemaphorePermit<'a>>,
    _first: Left<'a>,
}

/// Lets the next one of a network come to the places.
#[derive(Debug)]
struct Left<'a> {
    tries: &'a Tries,
    network: IpAddr,
    first: Option<OwnedMutexGuard<()>>,
}

impl Tries {
    /// Takes a try of an address, or says which limit is used up.
    pub(super) fn take(&self, address: IpAddr) -> Result<(), Spent> {
        let (address, network) = (bucket(address), wide(address));
        if let Taken::No { wait } = self.of_address.take(&address) {
            return Err(OF_ADDRESS.spent("passwords", wait));
        }
        if let Taken::No { wait } = self.of_network.take(&network) {
            self.of_address.give(&address);
            return Err(OF_NETWORK.spent("passwords-network", wait));
        }
        Ok(())
    }

    /// Gives a try back that was no wrong one.
    pub(super) fn give(&self, address: IpAddr) {
        self.of_address.give(&bucket(address));
        self.of_network.give(&wide(address));
    }

    /// Waits for a turn. Of each network one alone waits for a place, so that networks take turns however many come from one.
    pub(super) async fn turn(&self, address: IpAddr) -> Turn<'_> {
        let network = wide(address);
        let queue = Arc::clone(self.queues.lock().entry(network).or_default());
        let mut left = Left { tries: self, network, first: None };
        left.first = Some(queue.lock_owned().await);
        // The places are never closed.
        let place = self.places.acquire().await.ok();
        Turn { _place: place, _first: left }
    }
}

impl Drop for Left<'_> {
    fn drop(&mut self) {
        drop(self.first.take());
        let mut queues = self.tries.queues.lock();
        // Nobody else waits there, or is about to: whoever does holds the queue.
        if queues.get(&self.network).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            queues.remove(&self.network);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{OF_ADDRESS, OF_NETWORK, Tries};

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn tries_are_of_an_address_and_of_the_network_around_it() {
        let tries = Tries::default();
        for _ in 0..OF_ADDRESS.burst {
            tries.take(address("2001:db8:1:1::1")).unwrap();
        }
        let spent = tries.take(address("2001:db8:1:1::2")).unwrap_err();
        assert_eq!((spent.policy, spent.quota), ("passwords", OF_ADDRESS.count), "one customer has all of a /64");
        for host in 0..OF_NETWORK.burst - OF_ADDRESS.burst {
            tries.take(address(&format!("2001:db8:1:{:x}::1", 2 + host))).unwrap();
        }
        assert_eq!(tries.take(address("2001:db8:1:ff::1")).unwrap_err().policy, "passwords-network");
        tries.take(address("2001:db8:2:1::1")).unwrap();
        for host in 1..=OF_NETWORK.burst {
            tries.take(address(&format!("198.51.100.{host}"))).unwrap();
        }
        assert!(tries.take(address("198.51.100.200")).is_err());
        tries.take(address("198.51.101.200")).unwrap();
        tries.give(address("198.51.100.1"));
        tries.take(address("198.51.100.200")).unwrap();
    }

    #[tokio::test]
    async fn networks_take_turns_however_many_come_from_one() {
        let tries = std::sync::Arc::new(Tries::default());
        let order = std::sync::Arc::new(parking_lot::Mutex::new(Vec::new()));
        let at_work = tries.turn(address("192.0.2.1")).await;
        let mut waiting = Vec::new();
        for from in ["203.0.113.1", "203.0.113.2", "203.0.113.3", "198.51.100.1"] {
            let (tries, order) = (tries.clone(), order.clone());
            waiting.push(tokio::spawn(async move {
                let _turn = tries.turn(address(from)).await;
                order.lock().push(from);
            }));
            // Each comes to its queue before the next one does.
            tokio::task::yield_now().await;
        }
        drop(at_work);
        for one in waiting {
            one.await.unwrap();
        }
        let place = order.lock().iter().position(|from| *from == "198.51.100.1");
        assert!(place <= Some(1), "{:?}", order.lock());
        assert!(tries.queues.lock().is_empty(), "nobody waits any more");
    }
}
