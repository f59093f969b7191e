//! The OAuth 2.1 authorization server of one server, or of the platform.
//!
//! RFC 6749 with the rules of OAuth 2.1: authorization codes with PKCE S256 alone, exact redirect URIs, rotating refresh
//! tokens; RFC 7009 (revocation), 7591 (registration), 8414 and 9728 (metadata), 8707 (resources), 9207 (`iss`), and
//! client ID metadata documents.

mod authorize;
mod bearer;
mod client;
mod consent;
pub mod documents;
mod metadata;
mod parameters;
mod redirect;
mod refusal;
mod register;
mod settings;
mod token;

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::RwLock;
use store::Store;

use crate::Fault;
use crate::buckets::Buckets;
use crate::clock::Clock;
use crate::seal::{Purpose, Sealer};

pub use authorize::{Asked, Turned};
pub(crate) use bearer::caller;
pub use bearer::{Bearer, Shown};
pub use client::{Client, Method};
pub use consent::{PASSPHRASE_CHARS_MIN, new_passphrase};
pub use documents::{DOCUMENT_BYTES_MAX, Documents};
pub use metadata::{authorization_server, protected_resource};
pub use parameters::Parameters;
pub use redirect::RedirectHosts;
pub use refusal::Refusal;
pub use settings::{Approval, Lifetimes, Limits, Places, Settings};

/// The person of a server that has only one.
pub const OWNER: &str = "owner";
/// Prefix of access tokens.
pub const ACCESS_PREFIX: &str = "mfa_";
/// Prefix of refresh tokens.
pub const REFRESH_PREFIX: &str = "mfr_";

/// An authorization server. Share it behind an `Arc`.
#[derive(Debug)]
pub struct Authority {
    settings: Settings,
    /// Keyed hash of the owner's passphrase, where one is asked for.
    passphrase: Option<store::oauth::Hash>,
    store: Arc<Store>,
    sealer: Sealer,
    clock: Clock,
    documents: Documents,
    /// Access tokens that have force.
    live: RwLock<bearer::Live>,
    registrations: Buckets<IpAddr>,
    questions: Buckets<IpAddr>,
    failures: Buckets<IpAddr>,
    tries: Buckets<IpAddr>,
}

impl Authority {
    /// Opens the authorization server: reads its keys and the tokens that have force. Blocks.
    ///
    /// # Errors
    /// The store cannot be used, or the system has no random bytes.
    pub fn open(settings: Settings, store: Arc<Store>, clock: Clock, documents: Documents) -> Result<Self, Fault> {
        let sealer = Sealer::open(&store)?;
        let passphrase = match &settings.approval {
            Approval::Passphrase(text) => Some(sealer.hash(Purpose::Passphrase, text.expose().as_bytes())),
            Approval::Automatic | Approval::Accounts => None,
        };
        let authority = Self {
            registrations: Buckets::new(settings.limits.registrations),
            questions: Buckets::new(settings.limits.questions),
            failures: Buckets::new(settings.limits.failures),
            tries: Buckets::new(settings.limits.passphrases),
            passphrase,
            settings,
            store,
            sealer,
            clock,
            documents,
            live: RwLock::default(),
        };
        authority.store.oauth_purge(authority.clock.now())?;
        authority.reload()?;
        Ok(authority)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Forgets what has expired. Worth doing now and then; blocks.
    ///
    /// # Errors
    /// The store cannot be used.
    pub fn purge(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        self.live.write().purge(now);
        self.store.oauth_purge(now)?;
        Ok(())
    }
}
