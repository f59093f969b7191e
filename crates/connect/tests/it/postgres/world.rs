//! A database of its own for each test, and a second pair of eyes on it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connect::{Config, Database};
use tokio_postgres::{Client, NoTls};

use crate::support::config;

/// URL of a server on which databases may be made.
pub(super) const SERVER: &str = "MCP_FACTORY_TEST_POSTGRES";

/// The server's URL, or `None` with the skip recorded.
pub(super) fn server(test: &str) -> Option<String> {
    if let Ok(url) = std::env::var(SERVER) {
        return Some(url);
    }
    crate::support::skip(test, &format!("{SERVER} is not set"));
    None
}

/// A database, dropped at the end.
pub(super) struct World {
    /// Sees everything, past the code under test.
    pub(super) eyes: Client,
    pub(super) name: String,
    server: String,
}

impl World {
    /// Makes a database and runs `schema` in it.
    pub(super) async fn new(test: &str, schema: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = server(test)?;
        let name = format!("t_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let first = client(&server).await;
        first.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).await.expect("no leftovers");
        first.batch_execute(&format!("CREATE DATABASE {name}")).await.expect("a database");
        let eyes = client(&url(&server, &name, "")).await;
        eyes.batch_execute(schema).await.expect("the schema is right");
        Some(Self { eyes, name, server })
    }

    /// The URL of the database, with more parameters.
    pub(super) fn url(&self, parameters: &str) -> String {
        url(&self.server, &self.name, parameters)
    }

    /// The URL of the database through another address.
    pub(super) fn url_at(&self, address: std::net::SocketAddr, parameters: &str) -> String {
        format!("postgresql://postgres@{address}/{}{parameters}", self.name)
    }

    /// Where the server listens.
    pub(super) fn address(&self) -> String {
        let parsed = url::Url::parse(&self.server).expect("a URL");
        format!("{}:{}", parsed.host_str().unwrap_or("127.0.0.1"), parsed.port().unwrap_or(5432))
    }

    /// A pool of the code under test.
    pub(super) fn database(&self) -> Database {
        self.database_with(|_| {})
    }

    /// A pool of the code under test, set up otherwise.
    pub(super) fn database_with(&self, change: impl FnOnce(&mut Config)) -> Database {
        let mut config = config(&self.url(""));
        change(&mut config);
        Database::open(config).expect("the URL is right")
    }

    /// One value, as text.
    pub(super) async fn see(&self, query: &str) -> String {
        let rows = self.eyes.simple_query(query).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
        let value = rows.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or("NULL").to_owned()),
            _ => None,
        });
        value.unwrap_or_default()
    }

    /// Waits until a query gives a value.
    pub(super) async fn wait_for(&self, query: &str, wanted: &str) {
        for _ in 0..200 {
            if self.see(query).await == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{query} gives {} and never {wanted}", self.see(query).await);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime of its own, since this one may be stopping.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let client = client(&server).await;
                let _ = client.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
            });
        });
        let _ = cleaning.join();
    }
}

fn url(server: &str, database: &str, parameters: &str) -> String {
    let mut parsed = url::Url::parse(server).expect("a URL");
    parsed.set_path(database);
    format!("{parsed}{parameters}")
}

async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    client
}
