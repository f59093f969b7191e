//! Who may come in, and how often: keys, then guests, then addresses.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Fault;
use crate::buckets::{Buckets, Rate, Taken};
use crate::keys::Keys;
use crate::principal::{Kind, Principal};
use crate::scopes::Scopes;

/// Longest name that a guest gives itself, bytes.
pub const GUEST_BYTES_MAX: usize = 128;
/// All guests of one address may come as often as so many of them.
pub const GUESTS_PER_ADDRESS: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Which callers are let in, and how often each may come.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Callers with an API key.
    pub keys: Option<Allowance>,
    /// Callers that name themselves with `X-Guest-Id`.
    pub guests: Option<Allowance>,
    /// Callers that show nothing, by their address.
    pub anonymous: Option<Allowance>,
    /// What guests and the nameless may do.
    pub visitor_scopes: Scopes,
    /// Wrong keys from one address.
    pub failures: Rate,
}

/// How often one caller may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// In a short time.
    pub rate: Rate,
    /// In a day.
    pub daily: u32,
}

impl Allowance {
    /// What a key has unless its operator says otherwise.
    pub const KEY: Self = Self { rate: Rate { count: 1_200, period: MINUTE, burst: 200 }, daily: 1_000_000 };
    /// What a guest has.
    pub const GUEST: Self = Self { rate: Rate { count: 60, period: MINUTE, burst: 20 }, daily: 2_000 };
    /// What an address has.
    pub const ANONYMOUS: Self = Self { rate: Rate { count: 30, period: MINUTE, burst: 10 }, daily: 500 };

    fn times(self, many: u32) -> Self {
        let rate = Rate {
            count: self.rate.count.saturating_mul(many),
            burst: self.rate.burst.saturating_mul(many),
            ..self.rate
        };
        Self { rate, daily: self.daily.saturating_mul(many) }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            keys: Some(Allowance::KEY),
            guests: None,
            anonymous: None,
            visitor_scopes: Scopes::of(["mcp"]),
            failures: Rate { count: 300, period: MINUTE, burst: 100 },
        }
    }
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// Its caller is let in, with what remains of the limit that is nearest; none where nobody counts.
    In(Arc<Principal>, Option<Left>),
    /// Its key is not good. Whoever shows a bad key is never taken for a guest.
    BadKey,
    /// Its key is not in memory: ask [`Callers::look_up`].
    Ask,
    /// Nothing was shown that would let it in.
    Nobody,
    /// The guest's name does not do.
    BadGuest,
    /// Its caller comes too often.
    Slow(Slow),
}

/// What remains of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Which limit it is.
    pub policy: &'static str,
    /// How many more may come now.
    pub left: u32,
    /// How many there may be.
    pub quota: u32,
    /// In which time.
    pub window: Duration,
}

/// A caller that comes too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slow {
    /// Which limit it is.
    pub policy: &'static str,
    /// How many there may be.
    pub quota: u32,
    /// In which time.
    pub window: Duration,
    /// When there is one again.
    pub wait: Duration,
    /// What is allowed and what remains, for people.
    pub message: String,
}

/// What a request shows of its caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// The token of `Authorization: Bearer`.
    pub bearer: Option<&'a str>,
    /// The value of `X-Guest-Id`.
    pub guest: Option<&'a str>,
}

/// Decides on every request, from memory alone.
#[derive(Debug)]
pub struct Callers {
    keys: Arc<Keys>,
    policy: Policy,
    key_gate: Option<Gate<Arc<str>>>,
    guest_gate: Option<Gate<Arc<str>>>,
    /// A guest's name costs nothing: all guests of one address share this.
    guests_gate: Option<Gate<IpAddr>>,
    address_gate: Option<Gate<IpAddr>>,
    failures: Buckets<IpAddr>,
}

#[derive(Debug)]
struct Gate<K> {
    rate: Buckets<K>,
    daily: Buckets<K>,
    names: (&'static str, &'static str),
}

impl Callers {
    /// Callers with these keys, under this policy.
    pub fn new(keys: Arc<Keys>, policy: Policy) -> Self {
        Self {
            key_gate: policy.keys.map(|allowance| Gate::new(allowance, ("key", "key-day"))),
            guest_gate: policy.guests.map(|allowance| Gate::new(allowance, ("guest", "guest-day"))),
            guests_gate: policy
                .guests
                .map(|allowance| Gate::new(allowance.times(GUESTS_PER_ADDRESS), ("guests", "guests-day"))),
            address_gate: policy.anonymous.map(|allowance| Gate::new(allowance, ("address", "address-day"))),
            failures: Buckets::new(policy.failures),
            keys,
            policy,
        }
    }

    /// The keys.
    pub fn keys(&self) -> &Arc<Keys> {
        &self.keys
    }

    /// Decides on a request: a key first, then a guest's name, then the address alone.
    pub fn enter(&self, shown: Shown<'_>, address: IpAddr) -> Entry {
        if let Some(key) = shown.bearer {
            return match self.keys.known(key) {
                Some(principal) => self.with_key(principal),
                None => Entry::Ask,
            };
        }
        if let (Some(name), Some(gate)) = (shown.guest, &self.guest_gate) {
            if name.is_empty() || name.len() > GUEST_BYTES_MAX || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Entry::BadGuest;
            }
            if let Some(Err(slow)) = self.guests_gate.as_ref().map(|gate| gate.take(&address)) {
                return Entry::Slow(slow);
            }
            let principal = Principal::new(Kind::Guest, format!("guest:{name}"), self.policy.visitor_scopes.clone());
            return gate.let_in(&principal.id.clone(), principal);
        }
        let Some(gate) = &self.address_gate else { return Entry::Nobody };
        let id = format!("address:{address}");
        gate.let_in(&address, Principal::new(Kind::Anonymous, id, self.policy.visitor_scopes.clone()))
    }

    /// Decides on a key that is not in memory. Blocks for a read.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn look_up(&self, key: &str, address: IpAddr) -> Result<Entry, Fault> {
        if self.key_gate.is_none() {
            return Ok(Entry::BadKey);
        }
        self.guess(address, || self.keys.look_up(key))
    }

    fn with_key(&self, principal: Arc<Principal>) -> Entry {
        if self.key_gate.is_none() { Entry::BadKey } else { self.admit(principal) }
    }

    /// Lets somebody in who showed that they are known: as often as a key may come.
    pub fn admit(&self, principal: Arc<Principal>) -> Entry {
        match self.key_gate.as_ref().map(|gate| gate.take(&principal.id)) {
            None => Entry::In(principal, None),
            Some(Ok(left)) => Entry::In(principal, Some(left)),
            Some(Err(slow)) => Entry::Slow(slow),
        }
    }

    /// Looks up what an address shows, which may be a guess. Blocks for as long as `look` does.
    ///
    /// # Errors
    /// Those of `look`.
    pub fn guess(
        &self,
        address: IpAddr,
        look: impl FnOnce() -> Result<Option<Arc<Principal>>, Fault>,
    ) -> Result<Entry, Fault> {
        if let Taken::No { wait } = self.failures.look(&address) {
            let rate = self.policy.failures;
            let message = "too many wrong keys from this address".to_owned();
            return Ok(Entry::Slow(Slow { policy: "failures", quota: rate.count, window: rate.period, wait, message }));
        }
        match look()? {
            Some(principal) => Ok(self.admit(principal)),
            None => {
                self.failures.take(&address);
                Ok(Entry::BadKey)
            }
        }
    }
}

impl<K: std::hash::Hash + Eq + Clone> Gate<K> {
    fn new(allowance: Allowance, names: (&'static str, &'static str)) -> Self {
        let daily = Rate { count: allowance.daily, period: DAY, burst: allowance.daily };
        Self { rate: Buckets::new(allowance.rate), daily: Buckets::new(daily), names }
    }

    fn let_in(&self, key: &K, principal: Principal) -> Entry {
        match self.take(key) {
            Ok(left) => Entry::In(Arc::new(principal), Some(left)),
            Err(slow) => Entry::Slow(slow),
        }
    }

    /// Takes one of both, or says of which there is none.
    fn take(&self, key: &K) -> Result<Left, Slow> {
        let (policy, buckets, wait) = match self.daily.take(key) {
            Taken::No { wait } => (self.names.1, &self.daily, wait),
            Taken::Yes { left: of_day } => match self.rate.take(key) {
                Taken::No { wait } => (self.names.0, &self.rate, wait),
                Taken::Yes { left } => {
                    let (policy, left, rate) = match of_day < left {
                        true => (self.names.1, of_day, self.daily.rate()),
                        false => (self.names.0, left, self.rate.rate()),
                    };
                    return Ok(Left { policy, left, quota: rate.count, window: rate.period });
                }
            },
        };
        if policy == self.names.0 {
            // Who comes too fast has used up nothing of the day.
            self.daily.give(key);
        }
        let left = match self.daily.look(key) {
            Taken::Yes { left } => left.saturating_add(1),
            Taken::No { .. } => 0,
        };
        let rate = buckets.rate();
        let (many, seconds) = (rate.count, rate.period.as_secs());
        let at_once = match rate.burst.max(1) {
            burst if burst < many => format!(", {burst} of them at once"),
            _ => String::new(),
        };
        let message = format!(
            "{many} requests in {seconds} s are allowed{at_once}; {left} of {} remain today",
            self.daily.rate().count
        );
        Err(Slow { policy, quota: many, window: rate.period, wait, message })
    }
}
