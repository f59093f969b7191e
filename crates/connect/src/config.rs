//! How a database is reached.

use std::path::PathBuf;
use std::time::Duration;

use base::Secret;

use crate::egress::Gate;

/// Which engine a URL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// `postgres:`, `postgresql:`.
    Postgresql,
    /// `mysql:`, `mariadb:`.
    Mysql,
    /// `sqlite:`, `file:`.
    Sqlite,
}

impl Engine {
    /// The engine that a URL's scheme names.
    pub fn of_url(url: &str) -> Option<Self> {
        match url.split_once(':')?.0.to_ascii_lowercase().as_str() {
            "postgres" | "postgresql" => Some(Self::Postgresql),
            "mysql" | "mariadb" => Some(Self::Mysql),
            "sqlite" | "sqlite3" | "file" => Some(Self::Sqlite),
            _ => None,
        }
    }

    /// The word used in specs and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }
}

/// Everything needed to open a database. Nothing is opened before the first use.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the connection, for messages.
    pub name: String,
    /// URL with credentials, resolved. The engine is chosen by its scheme.
    pub url: Secret,
    /// Database schema that the catalogue is read from; the engine's default when absent.
    pub schema: Option<String>,
    /// Most connections.
    pub pool_max: usize,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// An unused connection is closed after this.
    pub idle_timeout: Duration,
    /// Transport security.
    pub tls: Tls,
    /// PEM file of the accepted certificate authorities.
    pub ca_file: Option<PathBuf>,
    /// The check that every address passes before it is connected to. None only where no spec says where to go.
    pub gate: Option<Gate>,
}

impl Config {
    /// A small pool with the defaults of the engine.
    pub fn new(name: impl Into<String>, url: Secret) -> Self {
        Self {
            name: name.into(),
            url,
            schema: None,
            pool_max: 4,
            acquire_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(60),
            tls: Tls::default(),
            ca_file: None,
            gate: None,
        }
    }
}

/// Transport security of a connection, in the words of PostgreSQL's `sslmode`. A stricter
/// `sslmode`/`ssl-mode` in the URL wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tls {
    /// Never.
    Disable,
    /// If offered, certificate not checked.
    #[default]
    Prefer,
    /// Always, certificate not checked.
    Require,
    /// Always, certificate and host name checked.
    VerifyFull,
}
