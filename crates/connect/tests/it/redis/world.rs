//! Keys of a test's own on a real server.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connect::egress::{Policy, system_resolver};
use connect::redis::{Batch, Command, Limits, Redis, Settings};
use connect::{Error, Tls};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// URL of a server.
pub(super) const SERVER: &str = "MCP_FACTORY_TEST_REDIS";

/// The value of a variable, or `None` with the skip recorded.
pub(super) fn variable(test: &str, name: &str) -> Option<String> {
    let found = std::env::var(name).ok();
    if found.is_none() {
        crate::support::skip(test, &format!("{name} is not set"));
    }
    found
}

pub(super) fn settings(url: &str) -> Settings {
    Settings {
        name: "cache".to_owned(),
        url: base::Secret::new(url),
        policy: Policy::default().allow_private(true),
        resolver: system_resolver(),
        tls: None::<Tls>,
        ca_file: None,
        limits: Limits { acquire: Duration::from_secs(5), ..Limits::default() },
    }
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A connection and a prefix of keys that no other test uses.
pub(super) struct World {
    pub(super) redis: Redis,
    pub(super) url: String,
    pub(super) prefix: String,
}

impl World {
    pub(super) fn new(test: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let url = variable(test, SERVER)?;
        let redis = Redis::open(settings(&url)).expect("settings that can be used");
        let prefix = format!("t:{}:{}:", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Some(Self { redis, url, prefix })
    }

    /// A command; `@` at the beginning of a word stands for the prefix of this test's keys.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        Command::new(words.iter().map(|word| match word.strip_prefix('@') {
            Some(key) => format!("{}{key}", self.prefix),
            None => (*word).to_owned(),
        }))
    }

    pub(super) async fn run(&self, words: &[&str]) -> Result<Value, Error> {
        one(&self.redis, self.command(words)).await
    }

    pub(super) async fn must(&self, words: &[&str]) -> Value {
        self.run(words).await.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let (url, pattern) = (self.url.clone(), format!("{}*", self.prefix));
        // A runtime of its own, since this one may be stopping.
        let cleaning = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let redis = Redis::open(settings(&url)).expect("settings that can be used");
                if let Ok(Value::Array(keys)) = one(&redis, Command::new(["KEYS", &pattern])).await {
                    let keys: Vec<&str> = keys.iter().filter_map(Value::as_str).collect();
                    if !keys.is_empty() {
                        let words = std::iter::once("DEL").chain(keys);
                        let _ = one(&redis, Command::new(words)).await;
                    }
                }
            });
        });
        let _ = cleaning.join();
    }
}

/// Runs one command.
pub(super) async fn one(redis: &Redis, command: Command) -> Result<Value, Error> {
    let batch = Batch { commands: vec![command], atomic: false, reads: false };
    redis.run(&batch, soon(), &CancellationToken::new()).await.map(|mut values| values.remove(0))
}
