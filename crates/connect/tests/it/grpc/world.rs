//! Connections to the server of the tests.

use std::path::PathBuf;
use std::time::Duration;

use base::Secret;
use connect::Error;
use connect::egress::Policy;
use connect::grpc::{Call, Client, Limits, Reply, Schema};
use connect::http::{Retries, Settings};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::support::skip;

/// Tells its schema by v1alpha, without TLS.
pub(super) const PLAIN: &str = "MCP_FACTORY_TEST_GRPC";
/// Tells its schema by v1, with TLS.
pub(super) const TLS: &str = "MCP_FACTORY_TEST_GRPC_TLS";
/// Tells nothing.
pub(super) const CLOSED: &str = "MCP_FACTORY_TEST_GRPC_CLOSED";
/// What the server was made from.
pub(super) const PROTO: &str = include_str!("../../../../../tests/services/grpc/shop.proto");

pub(super) fn settings(test: &str, server: &str) -> Option<Settings> {
    let (Ok(url), Ok(ca)) = (std::env::var(server), std::env::var("MCP_FACTORY_TEST_CA")) else {
        skip(test, &format!("{server} or MCP_FACTORY_TEST_CA is not set"));
        return None;
    };
    Some(Settings {
        policy: Policy::default().allow_private(true),
        ca_file: Some(PathBuf::from(ca)),
        retries: Retries { max: 0, ..Retries::default() },
        ..Settings::new("shop", Secret::new(url))
    })
}

pub(super) fn client(test: &str, server: &str) -> Option<Client> {
    settings(test, server).map(|settings| Client::open(settings, Limits::default()).expect("settings that can be used"))
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(super) fn schema() -> Schema {
    Schema::from_protos(&[("shop.proto", PROTO)]).expect("the schema of the tests")
}

/// Calls a method of the schema.
pub(super) async fn call(client: &Client, method: &str, message: Value) -> Result<Reply, Error> {
    with(client, method, &Call::new(&message)).await
}

/// The same with metadata.
pub(super) async fn with(client: &Client, method: &str, call: &Call<'_>) -> Result<Reply, Error> {
    let method = schema().method(method).expect("a method");
    client.call(&method, call, soon(), &CancellationToken::new(), &mut |_, _| {}).await
}
