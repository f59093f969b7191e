//! Whatever comes in, something sensible goes out.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use proptest::prelude::*;
use protocol::Endpoint;
use protocol::http::Peer;
use serde_json::Value;

use crate::sample::Sample;

/// Sends one body and checks that the answer is a message or nothing.
async fn survives(endpoint: &Arc<Endpoint>, version: Option<&str>, body: Vec<u8>) {
    let mut request = Request::post("/mcp").header("host", "localhost").header("content-type", "application/json");
    if let Some(version) = version {
        request = request.header("mcp-protocol-version", version);
    }
    let request = request.body(Full::new(Bytes::from(body))).expect("a request");
    let (mut head, mut body) = request.into_parts();
    let response = endpoint.http(&mut head, &mut body, &Peer::UNKNOWN).await;
    let status = response.status().as_u16();
    let answer = response.into_body().collect().await.expect("a body").to_bytes();
    if answer.is_empty() {
        assert_eq!(status, 202);
    } else {
        let answer: Value = serde_json::from_slice(&answer).expect("an answer in JSON");
        assert!(answer.is_array() || answer["jsonrpc"] == "2.0", "{answer}");
    }
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        prop_oneof![Just("rows"), Just("sample://one"), Just("hello"), Just("2026-07-28"), Just("2025-06-18")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key(), inner), 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop_oneof![
            Just("jsonrpc"),
            Just("id"),
            Just("method"),
            Just("params"),
            Just("result"),
            Just("error"),
            Just("_meta"),
            Just("name"),
            Just("uri"),
            Just("arguments"),
            Just("cursor"),
            Just("protocolVersion"),
            Just("capabilities"),
            Just("inputResponses"),
            Just("requestState"),
            Just("progressToken"),
            Just("notifications"),
            Just("io.modelcontextprotocol/protocolVersion"),
            Just("io.modelcontextprotocol/clientCapabilities"),
        ]
        .prop_map(String::from),
        "[a-z]{0,6}",
    ]
}

fn method() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("initialize"),
        Just("tools/list"),
        Just("tools/call"),
        Just("resources/read"),
        Just("prompts/get"),
        Just("server/discover"),
        Just("completion/complete"),
        Just("tasks/get"),
        Just("notifications/cancelled"),
    ]
}

fn version() -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::of(prop_oneof![Just("2026-07-28"), Just("2025-03-26"), Just("x")])
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in version()) {
        run(async { survives(&Sample::endpoint(), version, bytes).await });
    }

    #[test]
    fn any_value(value in value(), version in version()) {
        run(async { survives(&Sample::endpoint(), version, value.to_string().into_bytes()).await });
    }

    #[test]
    fn any_parameters(method in method(), params in value(), version in version(), id in any::<u8>()) {
        let message = serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        run(async { survives(&Sample::endpoint(), version, message.to_string().into_bytes()).await });
    }

    #[test]
    fn any_parameters_of_a_stateless_request(method in method(), mut params in value(), id in any::<u8>()) {
        if let Some(params) = params.as_object_mut() {
            params.insert("_meta".into(), serde_json::json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
            }));
        }
        let message = serde_json::json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let text = message.to_string();
        run(async {
            let (client, server) = tokio::io::duplex(1 << 16);
            let (read, write) = tokio::io::split(server);
            let serving = protocol::stdio::serve(Sample::endpoint(), read, write);
            let talking = async {
                use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
                let (mut received, mut sent) = tokio::io::split(client);
                sent.write_all(format!("{text}\n").as_bytes()).await.expect("sending");
                sent.shutdown().await.expect("closing");
                let mut output = String::new();
                received.read_to_string(&mut output).await.expect("receiving");
                for line in output.lines() {
                    let _: Value = serde_json::from_str(line).expect("a message in JSON");
                }
            };
            let (served, ()) = tokio::join!(serving, talking);
            served.expect("serving");
        });
    }
}
