//! MongoDB and what speaks its protocol (FerretDB, DocumentDB, Cosmos DB): one operation on a collection in, JSON out.
//!
//! The protocol is spoken here rather than by the official driver, which opens sockets of its own, past [`crate::egress`],
//! watches servers in the background, and brings a resolver and a second runtime layer with it. What is needed of it is
//! small: one message kind, a login, and finding the primary of a replica set.

mod bson;
mod connection;
mod error;
mod operation;
mod pool;
mod run;
mod scram;
mod url;

use std::path::PathBuf;
use std::sync::Arc;

use base::Secret;
use parking_lot::Mutex;
use serde_json::{Map, Value};

use crate::egress::{Policy, Resolver};
use crate::mask::Mask;
use crate::socket::{Dialer, Pool};
use crate::{Error, ErrorKind, Tls};

pub use crate::socket::Limits;
pub use bson::{DEPTH_MAX, Form};
pub use operation::WRITING_STAGES;

/// A connection to a MongoDB server or replica set.
#[derive(Clone)]
pub struct Settings {
    /// Connection by name, for errors.
    pub name: String,
    /// `mongodb://user:password@host:port,host:port/database?options`.
    pub url: Secret,
    /// The database, when the URL names none.
    pub database: Option<String>,
    /// Where connections may go.
    pub policy: Policy,
    /// How names become addresses.
    pub resolver: Resolver,
    /// Transport security; that of the URL when absent. `tls=true` checks certificate and host name.
    pub tls: Option<Tls>,
    /// PEM file of the accepted certificate authorities. Default: the Mozilla roots.
    pub ca_file: Option<PathBuf>,
    /// Bounds.
    pub limits: Limits,
}

/// What is done with a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// `filter`, `projection`, `sort`, `skip`, `hint`, `collation`, `let`.
    Find,
    /// `pipeline`, `hint`, `collation`, `let`, `allowDiskUse`.
    Aggregate,
    /// `document` or `documents`, `ordered`.
    Insert,
    /// `filter`, `update`, `many`, `upsert`, `arrayFilters`, `hint`, `collation`.
    Update,
    /// `filter`, `many`, `hint`, `collation`.
    Delete,
    /// `filter`, `hint`, `collation`.
    Count,
    /// `field`, `filter`, `collation`.
    Distinct,
}

/// One operation.
#[derive(Clone, Debug)]
pub struct Request {
    /// The database, when it is not the connection's.
    pub database: Option<String>,
    /// The collection.
    pub collection: String,
    /// What is done.
    pub verb: Verb,
    /// Its parts, see [`Verb`]. Objects such as `{"$oid": "…"}` are values of extended JSON.
    pub options: Map<String, Value>,
    /// Most documents of an answer.
    pub limit: usize,
    /// Whether it may change data. Without it writing verbs, writing stages and JavaScript are refused.
    pub write: bool,
    /// How values that JSON does not have are written.
    pub form: Form,
}

/// A connection to a MongoDB server or replica set. Nothing is opened before the first operation.
pub struct Mongo {
    settings: Settings,
    location: url::Location,
    dialer: Dialer,
    pool: Arc<Pool<connection::Connection>>,
    /// Where the primary was last.
    primary: Mutex<Option<url::Address>>,
    ids: bson::ObjectIds,
    mask: Mask,
}

impl std::fmt::Debug for Mongo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mongo").field("name", &self.settings.name).finish_non_exhaustive()
    }
}

impl Mongo {
    /// Checks the settings. Nothing is sent.
    pub fn open(settings: Settings) -> Result<Self, Error> {
        let config = |message| error::failure(&settings.name, ErrorKind::Config, "open", message);
        let location = url::parse(&settings).map_err(config)?;
        let limits = settings.limits;
        let (policy, resolver) = (settings.policy.clone(), Arc::clone(&settings.resolver));
        for seed in &location.seeds {
            policy.check_host(&seed.host).map_err(|refused| config(refused.to_string()))?;
        }
        let ca_file = location.ca_file.as_deref();
        let dialer = Dialer::new(policy, resolver, location.tls, ca_file, limits.connect).map_err(config)?;
        let mask = Mask::default();
        location.login.iter().for_each(|login| mask.add(&login.password));
        let pool = Pool::new(limits.pool_max, limits.idle);
        let ids = bson::ObjectIds::new().map_err(config)?;
        Ok(Self { dialer, location, pool, primary: Mutex::default(), ids, mask, settings })
    }

    /// Connection by name.
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Closes all connections; later operations fail.
    pub fn close(&self) {
        self.pool.close();
    }

    fn masked(&self, mut error: Error) -> Error {
        error.message = self.mask.text(&error.message);
        error
    }
}
