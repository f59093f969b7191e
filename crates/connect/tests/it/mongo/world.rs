//! A database of a test's own.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connect::Error;
use connect::egress::{Policy, system_resolver};
use connect::mongo::{Form, Limits, Mongo, Request, Settings, Verb};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// URL of a server.
const SERVER: &str = "MCP_FACTORY_TEST_MONGO";

pub(super) fn settings(url: &str) -> Settings {
    Settings {
        name: "docs".to_owned(),
        url: base::Secret::new(url),
        database: None,
        policy: Policy::default().allow_private(true),
        resolver: system_resolver(),
        tls: None,
        ca_file: None,
        limits: Limits::default(),
    }
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

/// A request that may write.
pub(super) fn request(verb: Verb, options: Value) -> Request {
    Request {
        database: None,
        collection: "things".to_owned(),
        verb,
        options: object(options),
        limit: 100,
        write: verb.writes(),
        form: Form::Plain,
    }
}

pub(super) async fn run(mongo: &Mongo, request: &Request) -> Result<Value, Error> {
    mongo.run(request, soon(), &CancellationToken::new()).await
}

/// A connection to a database that no other test uses.
pub(super) struct World {
    pub(super) mongo: Mongo,
}

impl World {
    pub(super) fn new(test: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Ok(server) = std::env::var(SERVER) else {
            crate::support::skip(test, &format!("{SERVER} is not set"));
            return None;
        };
        let nth = COUNT.fetch_add(1, Ordering::Relaxed);
        let url = format!("{server}/t_{}_{}_{nth}", std::process::id(), millis());
        Some(Self { mongo: Mongo::open(settings(&url)).expect("settings that can be used") })
    }

    pub(super) async fn run(&self, verb: Verb, options: Value) -> Value {
        let request = request(verb, options.clone());
        run(&self.mongo, &request).await.unwrap_or_else(|error| panic!("{options}: {error}"))
    }

    /// Inserts `{n: 0}`, `{n: 1}`, ….
    pub(super) async fn fill(&self, count: usize) {
        let documents: Vec<Value> = (0..count).map(|n| json!({"n": n})).collect();
        assert_eq!(self.run(Verb::Insert, json!({"documents": documents})).await["inserted"], json!(count));
    }
}

/// Milliseconds since 1970: process numbers come again, and the server keeps its databases.
fn millis() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map(|since| since.as_millis()).unwrap_or_default()
}
