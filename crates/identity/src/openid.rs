//! People sign in at a provider of OpenID Connect: the side that relies on it (OpenID Connect Core 1.0, code flow).
//!
//! The provider's description must be its own (Discovery 1.0), the answer must come to the browser that asked (`state`, a
//! cookie, RFC 9207), the code is redeemed with PKCE (RFC 7636), and the ID token is believed after its signature and
//! everything that it says of whom it is for were checked. What an account is tied to is the issuer's name for a person.

mod allow;
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
mod settings;

mod said;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use store::Store;

use crate::Fault;
use crate::buckets::{Buckets, Rate};
use crate::clock::Clock;
use crate::seal::Sealer;
use provider::Provider;

pub use allow::Allow;
pub use begin::Begun;
pub use failure::{Failure, Kind};
pub use finish::Finished;
pub use jwt::TOKEN_BYTES_MAX;
pub use person::Person;
pub use provider::{ANSWER_BYTES_MAX, KEYS_BYTES_MAX};
pub use settings::{FETCH_TIMEOUT, NAME, SCOPES, Settings, issuer};

/// Clocks that differ by less agree, seconds.
pub const LEEWAY: i64 = 60;
/// How long a person may take at the provider.
pub const SIGN_IN_LIFE: Duration = Duration::from_secs(600);
/// Longest path that a sign-in comes back to, bytes: it travels in a cookie, and browsers keep 4,096 bytes.
pub const BACK_BYTES_MAX: usize = 2_400;
/// Answers that were taken and whose time is not over: none is taken twice.
const ANSWERED_MAX: usize = 20_000;
/// Sign-ins that one address begins.
const BEGINS: Rate = Rate { count: 60, period: Duration::from_secs(60), burst: 60 };

/// Signing in at one provider. Share it behind an `Arc`.
pub struct OpenId {
    settings: Settings,
    provider: Provider,
    sealer: Sealer,
    clock: Clock,
    begins: Buckets<IpAddr>,
    answered: Mutex<HashMap<String, i64>>,
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
        Ok(Self { settings, provider, sealer, clock, begins: Buckets::new(BEGINS), answered: Mutex::default() })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
