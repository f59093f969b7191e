//! What the tests of messages share.

use std::time::Duration;

use connect::{Error, ErrorKind, Job};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) fn job() -> Job {
    Job { deadline: Instant::now() + Duration::from_secs(30), cancel: CancellationToken::new() }
}

pub(super) fn failed<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (ErrorKind, String) {
    let error = outcome.expect_err("a failure");
    (error.kind, error.to_string())
}
