//! API keys: made once, shown once, kept as hashes, and checked in memory.

use std::collections::HashSet;
use std::sync::Arc;

use ahash::HashMap;
use base::Secret;
use parking_lot::RwLock;
use store::Store;
use store::keys::Key as Stored;
use store::oauth::Hash;

use crate::Fault;
use crate::clock::Clock;
use crate::expiry::{self, Lasts};
use crate::principal::{Kind, Principal};
use crate::scopes::Scopes;
use crate::seal::{self, Purpose, Sealer};

/// Prefix of API keys.
pub const PREFIX: &str = "of_mcp_";
/// Keys of one owner.
pub const KEYS_PER_OWNER_MAX: usize = 100;
/// Keys that are held in memory, and that a list gives.
pub const KEYS_MAX: usize = 100_000;
/// Longest name of a key, characters.
pub const NAME_CHARS_MAX: usize = 100;
/// Longest key that is looked at, bytes.
const KEY_BYTES_MAX: usize = 200;
/// Characters of a key that lists show.
const START_CHARS: usize = PREFIX.len() + 6;

/// What everybody may know of a key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Info {
    /// Its id.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Whose things it may use.
    pub owner: String,
    /// How the key begins.
    pub start: String,
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made, seconds since 1970.
    pub created_at: i64,
    /// Its end, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// A new key.
#[derive(Clone, Debug)]
pub struct Created {
    /// The key itself. It is not kept and cannot be shown again.
    pub key: Secret,
    /// What is known of it.
    pub info: Info,
}

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The name is empty or too long.
    #[error("a key needs a name of 1 to {NAME_CHARS_MAX} characters without control characters")]
    Name,
    /// Its owner has enough.
    #[error("{owner} has {KEYS_PER_OWNER_MAX} keys of {KEYS_PER_OWNER_MAX}: none remain")]
    Full {
        /// The owner.
        owner: String,
    },
    /// Our side.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// The keys of an installation. Share it behind an `Arc`.
#[derive(Debug)]
pub struct Keys {
    store: Arc<Store>,
    sealer: Sealer,
    clock: Clock,
    view: RwLock<View>,
}

#[derive(Debug, Default)]
struct View {
    keys: HashMap<Hash, Live>,
    revocations: i64,
}

#[derive(Clone, Debug)]
struct Live {
    principal: Arc<Principal>,
    expires_at: i64,
}

impl Lasts for Live {
    fn end(&self) -> i64 {
        self.expires_at
    }

    fn caller(&self) -> &Arc<str> {
        &self.principal.id
    }
}

impl Keys {
    /// Reads the keys. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn open(store: Arc<Store>, clock: Clock) -> Result<Self, Fault> {
        let sealer = Sealer::open(&store)?;
        let keys = Self { store, sealer, clock, view: RwLock::default() };
        keys.reload()?;
        Ok(keys)
    }

    /// The same without the keys: for making, listing and revoking them. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn unread(store: Arc<Store>, clock: Clock) -> Result<Self, Fault> {
        let sealer = Sealer::open(&store)?;
        Ok(Self { store, sealer, clock, view: RwLock::default() })
    }

    /// Makes a key with these scopes, for so many seconds or for ever. Blocks.
    ///
    /// # Errors
    /// The name does not do, the owner has too many, or the store cannot be used.
    pub fn create(&self, owner: &str, name: &str, scopes: &Scopes, lifetime: Option<u32>) -> Result<Created, Refused> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
            return Err(Refused::Name);
        }
        let key = seal::secret(PREFIX)?;
        let now = self.clock.now();
        let stored = Stored {
            id: uuid::Uuid::now_v7().to_string(),
            hash: self.hash(&key),
            owner: owner.to_owned(),
            name: name.to_owned(),
            start: key.chars().take(START_CHARS).collect(),
            scope: scopes.to_string(),
            created_at: now,
            expires_at: lifetime.map(|seconds| now + i64::from(seconds)),
        };
        if !self.store.add_key(&stored, KEYS_PER_OWNER_MAX).map_err(Fault::from)? {
            return Err(Refused::Full { owner: owner.to_owned() });
        }
        self.view.write().keys.insert(stored.hash, live(&stored));
        Ok(Created { key: Secret::new(key), info: info(stored) })
    }

    /// The keys of an owner, or all. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn list(&self, owner: Option<&str>) -> Result<Vec<Info>, Fault> {
        Ok(self.store.keys(owner, KEYS_MAX)?.into_iter().map(info).collect())
    }

    /// Takes the force from a key at once; of this owner alone, if one is named. `None`: there is no such key. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn revoke(&self, owner: Option<&str>, id: &str) -> Result<Option<Info>, Fault> {
        // Its streams are cut where `follow` is asked.
        Ok(self.store.remove_key(id, owner)?.map(info))
    }

    /// Whose key this is, from memory alone; `None` when it is not there, and the store has to be asked.
    pub fn known(&self, key: &str) -> Option<Arc<Principal>> {
        if key.len() > KEY_BYTES_MAX {
            return None;
        }
        let hash = self.hash(key);
        let view = self.view.read();
        let live = view.keys.get(&hash)?;
        (live.expires_at > self.clock.now()).then(|| live.principal.clone())
    }

    /// Whose key this is, from the store: another process may have made it. Blocks for a read.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn look_up(&self, key: &str) -> Result<Option<Arc<Principal>>, Fault> {
        if key.len() > KEY_BYTES_MAX {
            return Ok(None);
        }
        let hash = self.hash(key);
        let Some(stored) = self.store.key(&hash)? else { return Ok(None) };
        let live = live(&stored);
        if live.expires_at <= self.clock.now() {
            return Ok(None);
        }
        self.view.write().keys.insert(hash, live.clone());
        Ok(Some(live.principal))
    }

    /// Follows what this and other processes revoked, and what expired: the ids of callers that lost their access since the last
    /// time. Blocks for a read; worth asking several times in a second.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn follow(&self) -> Result<Vec<Arc<str>>, Fault> {
        let now = self.clock.now();
        let mut lost = HashSet::new();
        if expiry::is_due(&self.view.read().keys, now) {
            lost = expiry::take(&mut self.view.write().keys, now);
        }
        if self.store.revocations()? != self.view.read().revocations {
            let before = self.ids();
            self.reload()?;
            let after = self.ids();
            lost.extend(before.difference(&after).cloned());
        }
        Ok(lost.into_iter().collect())
    }

    fn ids(&self) -> HashSet<Arc<str>> {
        self.view.read().keys.values().map(|live| live.principal.id.clone()).collect()
    }

    fn reload(&self) -> Result<(), Fault> {
        let revocations = self.store.revocations()?;
        let stored = self.store.keys(None, KEYS_MAX)?;
        let now = self.clock.now();
        // A list shows keys that have expired; they let nobody in.
        let keys = stored.iter().map(|key| (key.hash, live(key))).filter(|(_, key)| key.expires_at > now).collect();
        *self.view.write() = View { keys, revocations };
        Ok(())
    }

    fn hash(&self, key: &str) -> Hash {
        self.sealer.hash(Purpose::Key, key.as_bytes())
    }
}

/// Names the caller that shows a key.
pub(crate) fn caller(id: &str) -> String {
    format!("key:{id}")
}

fn live(key: &Stored) -> Live {
    let scopes = Scopes::parse(&key.scope).unwrap_or_default();
    let principal = Principal::new(Kind::Key, caller(&key.id), scopes).owned_by(key.owner.as_str());
    Live { principal: Arc::new(principal), expires_at: key.expires_at.unwrap_or(i64::MAX) }
}

fn info(key: Stored) -> Info {
    let scopes = key.scope.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    let Stored { id, owner, name, start, created_at, expires_at, .. } = key;
    Info { id, name, owner, start, scopes, created_at, expires_at }
}
