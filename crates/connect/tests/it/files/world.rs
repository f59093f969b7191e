//! Stores of a test's own.

use std::time::Duration;

use base::Secret;
use connect::egress::Policy;
use connect::files::{Gcs, Job, Limits, Local, S3, Store};
use connect::http::{Api, Body, Call, Credentials, Method, Settings, SigV4};
use connect::{Error, ErrorKind};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) fn job() -> Job {
    Job { deadline: Instant::now() + Duration::from_secs(60), cancel: CancellationToken::new() }
}

/// A folder within another one, which holds what must not be reached.
pub(super) struct Tree {
    pub(super) outer: tempfile::TempDir,
}

impl Tree {
    pub(super) fn new() -> Self {
        let outer = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(outer.path().join("root")).expect("a folder");
        std::fs::write(outer.path().join("secret.txt"), "the secret").expect("a file");
        Self { outer }
    }

    pub(super) fn root(&self) -> std::path::PathBuf {
        self.outer.path().join("root")
    }

    pub(super) fn put(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub(super) fn store(&self) -> Store {
        self.with(Local::default(), Limits::default())
    }

    pub(super) fn with(&self, settings: Local, limits: Limits) -> Store {
        Store::local("files", Local { root: self.root(), ..settings }, limits).expect("a store")
    }
}

pub(super) fn failed<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (ErrorKind, String) {
    let error = outcome.expect_err("a failure");
    (error.kind, error.code.unwrap_or_default())
}

fn variable(test: &str, name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    if value.is_none() {
        crate::support::skip(test, &format!("{name} is not set"));
    }
    value
}

/// A bucket of the S3 server that is new and empty, and the keys to it.
pub(super) async fn s3(test: &str) -> Option<S3> {
    let endpoint = variable(test, "MCP_FACTORY_TEST_S3")?;
    let keys = variable(test, "MCP_FACTORY_TEST_S3_KEYS")?;
    let (key_id, secret) = keys.split_once(':').expect("an identifier and a key");
    let bucket = format!("t-{}", uuid::Uuid::new_v4().simple());
    let settings = S3 {
        endpoint: Some(Secret::new(endpoint.clone())),
        path_style: true,
        keys: Some((key_id.to_owned(), Secret::new(secret))),
        policy: Policy::default().allow_private(true),
        ..S3::new(bucket.clone(), "us-east-1")
    };
    let api = aws(&endpoint, key_id, secret, "s3");
    let reply = api.send(&Call::new(Method::PUT, format!("/{bucket}")), job().deadline, &job().cancel).await;
    assert_eq!(reply.expect("an answer").status, 200);
    Some(settings)
}

pub(super) fn aws(endpoint: &str, key_id: &str, secret: &str, service: &str) -> Api {
    let keys = SigV4 {
        key_id: key_id.to_owned(),
        secret: Secret::new(secret),
        session_token: None,
        region: "us-east-1".to_owned(),
        service: service.to_owned(),
    };
    Api::open(Settings {
        credentials: Credentials::SigV4(keys),
        policy: Policy::default().allow_private(true),
        ..Settings::new("aws", Secret::new(endpoint))
    })
    .expect("settings that can be used")
}

/// A bucket of the emulator that is new and empty.
pub(super) async fn gcs(test: &str) -> Option<Gcs> {
    let endpoint = variable(test, "MCP_FACTORY_TEST_GCS")?;
    let policy = Policy::default().allow_private(true);
    let settings = Settings { policy: policy.clone(), ..Settings::new("gcs", Secret::new(endpoint.clone())) };
    let api = Api::open(settings).expect("settings that can be used");
    let bucket = format!("t-{}", uuid::Uuid::new_v4().simple());
    let mut call = Call::new(Method::POST, "/storage/v1/b");
    call.query.push(("project".to_owned(), "tests".to_owned()));
    call.body = Body::Json(format!("{{\"name\":\"{bucket}\"}}").into());
    let reply = api.send(&call, job().deadline, &job().cancel).await.expect("an answer");
    assert_eq!(reply.status, 200);
    Some(Gcs { endpoint: Some(Secret::new(endpoint)), policy, ..Gcs::new(bucket) })
}
