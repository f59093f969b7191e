//! People: the first account by a link that is shown once, signing in, and who is signed in, from memory.

mod openid;
mod tries;
mod way;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ahash::HashMap;
use parking_lot::RwLock;
use store::Store;
use store::accounts::{Account, SignedIn};
use store::oauth::Hash;

use crate::Fault;
use crate::buckets::Spent;
use crate::clock::Clock;
use crate::expiry::{self, Lasts};
use crate::password;
use crate::principal::{Kind, Principal};
use crate::scopes::{ADMIN, Scopes};
use crate::seal::{self, Purpose, Sealer};
use tries::Tries;

pub use openid::Came;
pub use tries::Turn;
pub use way::Way;

pub use crate::password::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN};

/// Prefix of what a program shows after it signed a person in.
pub const SESSION_PREFIX: &str = "mfs_";
/// Accounts of an installation.
pub const ACCOUNTS_MAX: usize = 10_000;
/// Longest name of an account, characters.
pub const NAME_CHARS_MAX: usize = 64;
/// How long somebody stays signed in.
pub const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 3_600);
/// How long a link has force.
pub const LINK_LIFE: Duration = Duration::from_secs(24 * 3_600);
/// Sessions that are held in memory.
const SESSIONS_MAX: usize = 100_000;
/// Longest token that is looked at, bytes.
const TOKEN_BYTES_MAX: usize = 200;

/// What a person may do on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything; the first account is one, and one who can sign in always stays.
    Owner,
    /// Everything.
    Admin,
    /// Make, see and use what is theirs.
    Member,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Admin, Self::Member];

    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The role of this word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// What somebody in this role may do.
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Owner | Self::Admin => Scopes::of([ADMIN]),
            Self::Member => Scopes::of(["mcp", "servers:read", "servers:write", "servers:call", "logs:read", "keys"]),
        }
    }
}

/// Why something about accounts was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The name does not do.
    #[error("a name has 1 to {NAME_CHARS_MAX} of the characters a-z, 0-9, `.`, `_`, `-`, `@` and `+`")]
    Name,
    /// The password does not do.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters, and at most {PASSWORD_BYTES_MAX} bytes")]
    Password,
    /// The name is taken, or there are too many accounts.
    #[error("there is an account of this name, or there are {ACCOUNTS_MAX} already")]
    Taken,
    /// The link has no force.
    #[error("this link was used, is too old, or was replaced by a newer one")]
    Link,
    /// Name and password do not belong together.
    #[error("the name or the password is wrong")]
    Wrong,
    /// Too many wrong ones.
    #[error("too many wrong passwords; try again in {} s", .0.wait.as_secs() + 1)]
    Slow(Spent),
    /// Our side.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<store::Error> for Refused {
    fn from(error: store::Error) -> Self {
        Self::Fault(error.into())
    }
}

/// The accounts of an installation. Share them behind an `Arc`.
#[derive(Debug)]
pub struct Accounts {
    store: Arc<Store>,
    sealer: Sealer,
    clock: Clock,
    view: RwLock<View>,
    tries: Tries,
    /// Whether whoever signed in by a password is let in.
    takes_passwords: bool,
}

#[derive(Debug, Default)]
struct View {
    sessions: HashMap<Hash, Live>,
    revocations: i64,
    exist: bool,
    /// People who signed out here, and whose streams are still to be cut.
    lost: Vec<Arc<str>>,
}

#[derive(Clone, Debug)]
struct Live {
    principal: Arc<Principal>,
    name: Arc<str>,
    expires_at: i64,
    by_password: bool,
}

impl Lasts for Live {
    fn end(&self) -> i64 {
        self.expires_at
    }

    fn caller(&self) -> &Arc<str> {
        &self.principal.id
    }
}

impl View {
    /// Forgets who is signed in no more, whose streams are to be cut: as if they had signed out.
    fn expire(&mut self, now: i64) {
        let gone = expiry::take(&mut self.sessions, now);
        self.lost.extend(gone);
    }
}

/// Somebody who is signed in, with their name.
pub type Person = (Arc<Principal>, Arc<str>);

/// Somebody who just signed in.
#[derive(Clone, Debug)]
pub struct Entered {
    /// What the browser or the program shows from now on.
    pub token: String,
    /// Who it is.
    pub account: Account,
    /// Its end, seconds since 1970.
    pub expires_at: i64,
}

impl Accounts {
    /// Reads who is signed in. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn open(store: Arc<Store>, clock: Clock) -> Result<Self, Fault> {
        let sealer = Sealer::open(&store)?;
        let (tries, view) = (Tries::default(), RwLock::default());
        let accounts = Self { store, sealer, clock, view, tries, takes_passwords: true };
        accounts.reload()?;
        Ok(accounts)
    }

    /// The same, where nobody is let in who signed in by a password.
    #[must_use]
    pub fn without_passwords(mut self) -> Self {
        self.takes_passwords = false;
        self
    }

    /// Whether there is an account, from memory.
    pub fn exist(&self) -> bool {
        self.view.read().exist
    }

    /// The secret of a link that makes the first account; `None` when there is one already. Earlier links of this kind
    /// have no force any more. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn set_up_link(&self) -> Result<Option<String>, Fault> {
        if self.store.has_accounts()? {
            return Ok(None);
        }
        self.link(None).map(Some)
    }

    /// The secret of a link by which the person of an account chooses a password. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn password_link(&self, account: &str) -> Result<String, Fault> {
        self.link(Some(account))
    }

    fn link(&self, account: Option<&str>) -> Result<String, Fault> {
        let secret = seal::secret("")?;
        let now = self.clock.now();
        self.store.add_link(&self.hash(Purpose::Link, &secret), account, now, now + seconds(LINK_LIFE))?;
        Ok(secret)
    }

    /// Makes an account without a password. Blocks.
    ///
    /// # Errors
    /// The name does not do or is taken.
    pub fn create(&self, name: &str, role: Role) -> Result<Account, Refused> {
        let account = self.made(name, role, None)?;
        if !self.store.add_account(&account, ACCOUNTS_MAX)? {
            return Err(Refused::Taken);
        }
        Ok(account)
    }

    fn made(&self, name: &str, role: Role, password: Option<String>) -> Result<Account, Refused> {
        let name = plain(name).ok_or(Refused::Name)?;
        let (id, role, created_at) = (uuid::Uuid::now_v7().to_string(), role.as_str().to_owned(), self.clock.now());
        Ok(Account { id, name, role, password, created_at, signed_in_at: None, tied: None })
    }

    /// Whether a link has force: whose password it sets, or that it makes the first account. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn look_at_link(&self, secret: &str) -> Result<Option<store::accounts::Link>, Fault> {
        if secret.len() > TOKEN_BYTES_MAX {
            return Ok(None);
        }
        Ok(self.store.link(&self.hash(Purpose::Link, secret), self.clock.now())?)
    }

    /// Makes the first account by its link, and signs in. Blocks, also for the hash of the password.
    ///
    /// # Errors
    /// The link has no force; the name or the password does not do.
    pub fn set_up(&self, secret: &str, name: &str, password: &str) -> Result<Entered, Refused> {
        // A guessed link costs no hash.
        self.look_at_link(secret)?.filter(|link| link.account.is_none()).ok_or(Refused::Link)?;
        if !password::will_do(password) {
            return Err(Refused::Password);
        }
        let first = self.made(name, Role::Owner, Some(password::hash(password)?))?;
        if !self.store.set_up(&self.hash(Purpose::Link, secret), &first, self.clock.now())? {
            return Err(Refused::Link);
        }
        self.view.write().exist = true;
        self.enter(first, Way::Link)
    }

    /// Sets the password of an account by its link, and signs in. Blocks, also for the hash of the password.
    ///
    /// # Errors
    /// The link has no force; the password does not do.
    pub fn choose_password(&self, secret: &str, password: &str) -> Result<Entered, Refused> {
        self.look_at_link(secret)?.filter(|link| link.account.is_some()).ok_or(Refused::Link)?;
        if !password::will_do(password) {
            return Err(Refused::Password);
        }
        let (hash, password) = (self.hash(Purpose::Link, secret), password::hash(password)?);
        let account = self.store.set_password(&hash, &password, self.clock.now())?.ok_or(Refused::Link)?;
        self.enter(account, Way::Link)
    }

    /// Waits until a password of somebody at this address is looked at. Passwords are looked at one by one, and those who come
    /// from many addresses keep nobody waiting for more than one of each.
    pub async fn turn(&self, address: IpAddr) -> Turn<'_> {
        self.tries.turn(address).await
    }

    /// Signs somebody in from an address. Blocks, also for the hash of the password.
    ///
    /// # Errors
    /// It is not them, or there were too many wrong passwords.
    pub fn sign_in(&self, address: IpAddr, name: &str, password: &str) -> Result<Entered, Refused> {
        let name = plain(name).ok_or(Refused::Wrong)?;
        // Taken before the password is looked at: many tries at once are many tries.
        self.tries.take(address).map_err(Refused::Slow)?;
        let entered = self.enter_by_password(&name, password);
        if !matches!(entered, Err(Refused::Wrong)) {
            self.tries.give(address);
        }
        entered
    }

    fn enter_by_password(&self, name: &str, password: &str) -> Result<Entered, Refused> {
        let account = self.store.account_named(name)?;
        let known = account.as_ref().and_then(|account| account.password.as_deref());
        match (password::is(password, known), account) {
            (true, Some(account)) => self.enter(account, Way::Password),
            _ => Err(Refused::Wrong),
        }
    }

    fn enter(&self, account: Account, way: Way) -> Result<Entered, Refused> {
        let token = seal::secret(SESSION_PREFIX)?;
        let (hash, now) = (self.hash(Purpose::Session, &token), self.clock.now());
        let expires_at = now + seconds(SESSION_LIFE);
        self.store.sign_in(&hash, &account.id, way.as_str(), now, expires_at)?;
        let mut view = self.view.write();
        view.expire(now);
        let signed_in = SignedIn { hash, account: account.clone(), expires_at, way: way.as_str().to_owned() };
        view.sessions.insert(hash, live(&signed_in));
        drop(view);
        Ok(Entered { token, account, expires_at })
    }

    /// Whether what a caller showed has its force still. Blocks for a read.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn is_live(&self, principal: &crate::Principal) -> Result<bool, Fault> {
        crate::is_live(&self.store, principal, &self.clock)
    }

    /// Signs out whoever shows this. Blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn sign_out(&self, token: &str) -> Result<bool, Fault> {
        let hash = self.hash(Purpose::Session, token);
        let gone = self.store.sign_out(&hash)?;
        let mut view = self.view.write();
        if let Some(live) = view.sessions.remove(&hash) {
            view.lost.push(live.principal.id.clone());
        }
        Ok(gone)
    }

    /// Who shows this, from memory alone, with their name; `None` when they are not there, and the store has to be asked.
    pub fn known(&self, token: &str) -> Option<Person> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let hash = self.hash(Purpose::Session, token);
        let view = self.view.read();
        let live = view.sessions.get(&hash).filter(|live| live.expires_at > self.clock.now() && self.takes(live))?;
        Some((live.principal.clone(), live.name.clone()))
    }

    /// Who shows this, from the store: they may have signed in at another process. Blocks for a read.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn look_up(&self, token: &str) -> Result<Option<Person>, Fault> {
        if token.len() > TOKEN_BYTES_MAX || !token.starts_with(SESSION_PREFIX) {
            return Ok(None);
        }
        let hash = self.hash(Purpose::Session, token);
        let Some(found) = self.store.signed_in(&hash, self.clock.now())? else { return Ok(None) };
        let live = live(&found);
        self.view.write().sessions.insert(hash, live.clone());
        Ok(Some(live).filter(|live| self.takes(live)).map(|live| (live.principal, live.name)))
    }

    fn takes(&self, live: &Live) -> bool {
        self.takes_passwords || !live.by_password
    }

    /// Follows what this and other processes changed, and what expired: the ids of people one of whose sign-ins ended. Blocks for a
    /// read; worth asking several times in a second.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn follow(&self) -> Result<Vec<Arc<str>>, Fault> {
        // A stream does not tell by which sign-in it came: whoever is signed in elsewhere too connects again there.
        let now = self.clock.now();
        if expiry::is_due(&self.view.read().sessions, now) {
            self.view.write().expire(now);
        }
        if self.store.revocations()? != self.view.read().revocations {
            let before: Vec<_> =
                self.view.read().sessions.iter().map(|(hash, live)| (*hash, live.principal.id.clone())).collect();
            self.reload()?;
            let mut view = self.view.write();
            let gone = before.into_iter().filter(|(hash, _)| !view.sessions.contains_key(hash)).map(|(_, id)| id);
            let gone: Vec<_> = gone.collect();
            view.lost.extend(gone);
        }
        let mut lost = std::mem::take(&mut self.view.write().lost);
        lost.sort();
        lost.dedup();
        Ok(lost)
    }

    fn reload(&self) -> Result<(), Fault> {
        let revocations = self.store.revocations()?;
        let exist = self.store.has_accounts()?;
        let found = self.store.all_signed_in(self.clock.now(), SESSIONS_MAX)?;
        let sessions = found.iter().map(|one| (one.hash, live(one))).collect();
        let mut view = self.view.write();
        (view.sessions, view.revocations, view.exist) = (sessions, revocations, exist);
        Ok(())
    }

    fn hash(&self, purpose: Purpose, secret: &str) -> Hash {
        self.sealer.hash(purpose, secret.as_bytes())
    }
}

/// Names the caller that is a person who signed in.
pub(crate) fn caller(id: &str) -> String {
    format!("account:{id}")
}

fn live(found: &SignedIn) -> Live {
    let account = &found.account;
    let scopes = Role::of_word(&account.role).unwrap_or(Role::Member).scopes();
    let principal = Principal::new(Kind::Account, caller(&account.id), scopes);
    let principal = principal.owned_by(account.id.as_str());
    let by_password = found.way == Way::Password.as_str();
    Live {
        principal: Arc::new(principal),
        name: account.name.as_str().into(),
        expires_at: found.expires_at,
        by_password,
    }
}

/// A name as it is stored: small letters.
fn plain(name: &str) -> Option<String> {
    let name = name.trim().to_ascii_lowercase();
    let good = |c: char| c.is_ascii_alphanumeric() || "._-@+".contains(c);
    ((1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(good)).then_some(name)
}

fn seconds(time: Duration) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}
