//! People sign in at a provider of OpenID Connect: the side that relies on it (OpenID Connect Core 1.0, code flow).
//!
//! The provider's description must be its own (Discovery 1.0), the answer must come to the browser that asked (`state`, a
//! cookie, RFC 9207), the code is redeemed with PKCE (RFC 7636), and the ID token is believed after its signature and
//! everything that it says of whom it is for were checked. What an account is tied to is the issuer's name for a person.

mod allow;
mod answered;
mod back;
mod begin;
mod claims;
mod failure;
mod fetch;
mod finish;
mod jwt;
mod keys;
mod person;
mod provider;
mod redeem;
mod said;
mod settings;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use store::Store;

use crate::Fault;
use crate::buckets::{Buckets, Rate};
use crate::clock::Clock;
use crate::seal::Sealer;
use answered::Answered;
use back::Paths;
use provider::Provider;

pub use allow::Allow;
pub use begin::Begun;
pub use failure::{Failure, Kind};
pub use finish::Finished;
pub use jwt::TOKEN_BYTES_MAX;
pub use person::Person;
pub use provider::{ANSWER_BYTES_MAX, KEYS_BYTES_MAX};
pub use settings::{FETCH_TIMEOUT, NAME, SCOPES, Settings, authorities, issuer};

/// Clocks that differ by less agree, seconds.
pub const LEEWAY: i64 = 60;
/// How long a person may take at the provider.
pub const SIGN_IN_LIFE: Duration = Duration::from_secs(600);
/// Longest path that a sign-in comes back to, bytes: a program's question is not longer.
pub const BACK_BYTES_MAX: usize = 17 * 1024;
/// Sign-ins that one address begins. They cost little, and behind a proxy that is not named everybody has one address.
const BEGINS: Rate = Rate { count: 600, period: Duration::from_secs(60), burst: 600 };
/// Those of them whose path is too long for a cookie.
const LONG_BEGINS: Rate = Rate { count: 60, period: Duration::from_secs(60), burst: 60 };

/// Signing in at one provider. Share it behind an `Arc`.
pub struct OpenId {
    settings: Settings,
    provider: Provider,
    store: Arc<Store>,
    sealer: Sealer,
    clock: Clock,
    begins: Buckets<IpAddr>,
    long_begins: Buckets<IpAddr>,
    answered: Answered,
    paths: Paths,
}

impl std::fmt::Debug for OpenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenId").field("issuer", &self.settings.issuer).finish_non_exhaustive()
    }
}

impl OpenId {
    /// Signing in as these settings say. Nothing is sent. Blocks for a read.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn open(settings: Settings, store: &Arc<Store>, clock: Clock) -> Result<Self, Fault> {
        let (provider, sealer) = (Provider::new(&settings), Sealer::open(store)?);
        let (begins, long_begins) = (Buckets::new(BEGINS), Buckets::new(LONG_BEGINS));
        let (answered, paths) = (Answered::default(), Paths::default());
        let store = Arc::clone(store);
        Ok(Self { settings, provider, store, sealer, clock, begins, long_begins, answered, paths })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
