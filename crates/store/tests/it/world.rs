//! Stores of both kinds, each a test's own.

use std::sync::atomic::{AtomicU32, Ordering};

use store::{Remote, Store};
use tokio_postgres_rustls::MakeRustlsConnect;

/// The variable with the URL of a PostgreSQL server that tests may make databases on.
const POSTGRES: &str = "MCP_FACTORY_TEST_POSTGRES";

/// A place where a store can be opened more than once.
pub(crate) enum Place {
    File(tempfile::TempDir),
    Server(Box<Database>),
}

impl Place {
    /// Opens the store there.
    pub(crate) fn open(&self) -> Store {
        match self {
            Self::File(home) => Store::open(home.path()).unwrap(),
            Self::Server(database) => Store::connect(database.remote()).unwrap(),
        }
    }
}

/// A database of one test, gone with it.
pub(crate) struct Database {
    base: tokio_postgres::Config,
    name: String,
}

impl Database {
    pub(crate) fn remote(&self) -> Remote {
        let mut config = self.base.clone();
        config.dbname(&self.name).ssl_mode(tokio_postgres::config::SslMode::Disable);
        Remote { config, tls: tls() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        run(&self.base, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Runs a test on a file, and on PostgreSQL where there is one.
pub(crate) fn both(test: &str, check: impl Fn(&Place)) {
    check(&Place::File(tempfile::tempdir().unwrap()));
    match server(test) {
        Some(database) => check(&Place::Server(Box::new(database))),
        None => skip(test),
    }
}

/// A new database.
pub(crate) fn server(test: &str) -> Option<Database> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let base: tokio_postgres::Config = std::env::var(POSTGRES).ok()?.parse().unwrap();
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("store_{}_{number}_{}", std::process::id(), test.len());
    run(&base, &format!("CREATE DATABASE {name}"));
    Some(Database { base, name })
}

/// Runs a statement on the server.
pub(crate) fn run(base: &tokio_postgres::Config, sql: &str) {
    let mut config = base.clone();
    config.ssl_mode(tokio_postgres::config::SslMode::Disable);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = config.connect(tls()).await.unwrap();
        let driver = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        driver.await.unwrap().unwrap();
    });
}

/// Records that a test could not run, where `cargo xtask test` looks for it.
pub(crate) fn skip(test: &str) {
    use std::io::Write as _;
    let line = format!("store {test}: {POSTGRES} is not set\n");
    match std::env::var("MCP_FACTORY_SKIPS") {
        Ok(path) => {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
        }
        Err(_) => eprint!("SKIPPED {line}"),
    }
}

fn tls() -> MakeRustlsConnect {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}
