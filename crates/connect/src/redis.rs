//! Redis and what speaks its protocol (Valkey, KeyDB, Dragonfly): commands in, JSON out.
//!
//! A command is a list of words, and each travels as a bulk string of its own: no value can become a second command. Which
//! commands a tool may use is decided by the caller; refused here are those that would change the connection for its next user.

mod connection;
mod error;
mod resp;
mod run;
mod scan;
mod shape;
mod url;

use std::path::PathBuf;
use std::sync::Arc;

use base::Secret;
use bytes::Bytes;
use serde_json::Value;

use crate::egress::{Policy, Resolver};
use crate::mask::Mask;
use crate::socket::{Dialer, Pool};
use crate::{Error, ErrorKind, Tls};

pub use crate::socket::Limits;
pub use scan::{Found, Scan};

/// A connection to a Redis server.
#[derive(Clone)]
pub struct Settings {
    /// Connection by name, for errors.
    pub name: String,
    /// `redis://user:password@host:port/database`, or `rediss:` for TLS.
    pub url: Secret,
    /// Where connections may go.
    pub policy: Policy,
    /// How names become addresses.
    pub resolver: Resolver,
    /// Transport security; that of the URL's scheme when absent. `rediss:` checks certificate and host name.
    pub tls: Option<Tls>,
    /// PEM file of the accepted certificate authorities. Default: the Mozilla roots.
    pub ca_file: Option<PathBuf>,
    /// Bounds.
    pub limits: Limits,
}

/// One command: its name and arguments, each as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Name first. A name of two words, such as `XINFO STREAM`, is two of them.
    pub words: Vec<Bytes>,
    /// Whether texts of the answer are read as JSON where they are JSON.
    pub json: bool,
}

impl Command {
    /// A command of texts.
    pub fn new<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Self {
        Self { words: words.into_iter().map(|word| Bytes::copy_from_slice(word.as_ref())).collect(), json: false }
    }

    /// Reads texts of the answer as JSON where they are JSON.
    #[must_use]
    pub fn as_json(mut self) -> Self {
        self.json = true;
        self
    }

    /// The name, in capitals.
    pub fn name(&self) -> String {
        self.words.first().map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()).unwrap_or_default()
    }
}

/// Commands that are sent together.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// In their order.
    pub commands: Vec<Command>,
    /// Whether all are carried out as one, between `MULTI` and `EXEC`.
    pub atomic: bool,
    /// Whether none of them changes anything, so that sending them twice does no harm.
    pub reads: bool,
}

/// Most commands of a batch.
pub const COMMANDS_MAX: usize = 256;

/// A connection to a Redis server. Sockets are kept and used again. Nothing is opened before the first command.
pub struct Redis {
    settings: Settings,
    location: url::Location,
    dialer: Dialer,
    pool: Arc<Pool<connection::Connection>>,
    mask: Mask,
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

impl Redis {
    /// Checks the settings. Nothing is sent.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let config = |message| error::failure(&settings.name, ErrorKind::Config, "open", message);
        let location = url::parse(&settings).map_err(config)?;
        let limits = settings.limits;
        let (policy, resolver) = (settings.policy.clone(), Arc::clone(&settings.resolver));
        policy.check_host(&location.host).map_err(|refused| config(refused.to_string()))?;
        let dialer = Dialer::new(policy, resolver, location.tls, settings.ca_file.as_deref(), limits.connect);
        let dialer = dialer.map_err(config)?;
        let mask = Mask::default();
        location.password.iter().for_each(|password| mask.add(password));
        Ok(Self { dialer, location, pool: Pool::new(limits.pool_max, limits.idle), mask, settings })
    }

    /// Connection by name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Whether the server answers.
    pub async fn ping(&self, deadline: tokio::time::Instant) -> Result<(), Error> {
        let batch = Batch { commands: vec![Command::new(["PING"])], atomic: false, reads: true };
        self.run(&batch, deadline, &tokio_util::sync::CancellationToken::new()).await.map(drop)
    }

    /// Closes all connections; later commands fail.
    pub fn close(&self) {
        self.pool.close();
    }

    fn masked(&self, mut error: Error) -> Error {
        error.message = self.mask.text(&error.message);
        error
    }

    fn masked_value(&self, value: &mut Value) {
        self.mask.value(value);
    }
}
