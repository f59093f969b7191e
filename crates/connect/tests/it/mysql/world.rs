//! A database of its own for each test, and a second pair of eyes on it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connect::{Config, Database};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Value};
use tokio::sync::Mutex;

use crate::support::config;

/// URL of a server on which databases may be made.
pub(super) const SERVER: &str = "MCP_FACTORY_TEST_MYSQL";

/// A database, dropped at the end.
pub(super) struct World {
    /// Sees everything, past the code under test.
    eyes: Mutex<Conn>,
    pub(super) name: String,
    server: String,
}

impl World {
    /// Makes a database and runs the statements of `schema` in it; `;;` stands between them.
    pub(super) async fn new(test: &str, schema: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var(SERVER) else {
            crate::support::skip(test, &format!("{SERVER} is not set"));
            return None;
        };
        let name = format!("t_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut eyes = Conn::new(Opts::from_url(&server).expect("a URL")).await.expect("the server answers");
        eyes.query_drop(format!("DROP DATABASE IF EXISTS {name}")).await.expect("no leftovers");
        eyes.query_drop(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await.expect("a database");
        eyes.query_drop(format!("USE {name}")).await.expect("it is there");
        let world = Self { eyes: Mutex::new(eyes), name, server };
        for text in schema.split(";;").filter(|text| !text.trim().is_empty()) {
            world.execute(text).await;
        }
        Some(world)
    }

    /// The URL of the database, with more parameters.
    pub(super) fn url(&self, parameters: &str) -> String {
        let mut parsed = url::Url::parse(&self.server).expect("a URL");
        parsed.set_path(&self.name);
        format!("{parsed}{parameters}")
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

    /// Runs a statement.
    pub(super) async fn execute(&self, text: &str) {
        let done = self.eyes.lock().await.query_drop(text).await;
        done.unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// One value, as text.
    pub(super) async fn see(&self, query: &str) -> String {
        let row: Option<Value> = self.eyes.lock().await.query_first(query).await.expect(query);
        match row {
            None | Some(Value::NULL) => "NULL".to_owned(),
            Some(Value::Bytes(bytes)) => String::from_utf8(bytes).expect("text"),
            Some(other) => other.as_sql(true),
        }
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

    /// Counts the sessions in the database that are not this one and match.
    pub(super) fn sessions(&self, condition: &str) -> String {
        format!(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST
             WHERE DB = '{}' AND ID <> CONNECTION_ID() AND {condition}",
            self.name
        )
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime of its own, since this one may be stopping.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let mut conn = Conn::new(Opts::from_url(&server).expect("a URL")).await.expect("the server answers");
                let _ = conn.query_drop("SET lock_wait_timeout = 5").await;
                let _ = conn.query_drop(format!("DROP DATABASE IF EXISTS {name}")).await;
            });
        });
        let _ = cleaning.join();
    }
}
