//! Calls: one message or many, metadata, packing, TLS.

use base::Secret;
use connect::grpc::{Call, Client, Limits};
use connect::http::{ClientCertificate, Credentials, Retries, Settings};
use connect::{Error, ErrorKind};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::world::{CLOSED, PLAIN, TLS, call, client, schema, settings, soon, with};

#[tokio::test]
async fn a_method_is_called() {
    for server in [PLAIN, TLS, CLOSED] {
        let Some(client) = client("grpc a_method_is_called", server) else { return };
        let reply = call(&client, "GetOrder", json!({"id": "7"})).await.unwrap();
        let expected = json!({
            "id": "7", "totalCents": "700", "status": "STATUS_PAID", "placed": "2026-01-08T00:00:00Z", "note": "",
            "lines": [{"sku": "sku-7", "count": 7}],
        });
        assert_eq!((reply.messages, reply.truncated), (vec![expected], false), "{server}");
    }
}

#[tokio::test]
async fn schemes_of_grpc_are_known() {
    let Some(settings) = settings("grpc schemes_of_grpc_are_known", TLS) else { return };
    let base = Secret::new(settings.base.expose().replace("https://", "grpcs://"));
    let client = Client::open(Settings { base, ..settings.clone() }, Limits::default()).unwrap();
    assert!(call(&client, "GetOrder", json!({"id": "1"})).await.is_ok());
    // The server's certificate is not known to everybody.
    let client = Client::open(Settings { ca_file: None, ..settings.clone() }, Limits::default()).unwrap();
    assert_eq!(call(&client, "GetOrder", json!({"id": "1"})).await.unwrap_err().kind, ErrorKind::Unreachable);
    let odd = ClientCertificate { chain: Secret::new("x"), key: Secret::new("y") };
    let odd = Settings { client_certificate: Some(odd), ..settings };
    assert_eq!(Client::open(odd, Limits::default()).map(drop).unwrap_err().kind, ErrorKind::Config);
}

#[tokio::test]
async fn messages_of_a_stream_come_one_by_one() {
    let Some(client) = client("grpc messages_of_a_stream_come_one_by_one", PLAIN) else { return };
    let method = schema().method("ListOrders").unwrap();
    let message = json!({"first": 500});
    let mut seen = Vec::new();
    let mut progress = |nth: usize, value: &serde_json::Value| seen.push((nth, value["id"].clone()));
    let reply =
        client.call(&method, &Call::new(&message), soon(), &CancellationToken::new(), &mut progress).await.unwrap();
    assert_eq!((reply.messages.len(), reply.truncated), (500, false));
    assert!(seen.iter().enumerate().all(|(nth, seen)| *seen == (nth + 1, json!((nth + 1).to_string()))));
    let none = call(&client, "ListOrders", json!({})).await.unwrap();
    assert_eq!((none.messages.len(), none.truncated), (0, false));
}

#[tokio::test]
async fn streams_are_bounded_and_ended_at_the_server() {
    let Some(settings) = settings("grpc streams_are_bounded_and_ended_at_the_server", PLAIN) else { return };
    let limits = Limits { messages: 5, ..Limits::default() };
    let few = Client::open(settings.clone(), limits).unwrap();
    let reply = call(&few, "Count", json!({"milliseconds": 1})).await.unwrap();
    assert_eq!((reply.messages.len(), reply.truncated), (5, true), "a stream without an end");
    let reply = call(&few, "ListOrders", json!({"first": 5})).await.unwrap();
    assert_eq!((reply.messages.len(), reply.truncated), (5, false));
    let small = Client::open(settings.clone(), Limits { bytes: 3000, ..Limits::default() }).unwrap();
    let reply = call(&small, "ListOrders", json!({"first": 100, "noteBytes": 900})).await.unwrap();
    assert_eq!((reply.messages.len(), reply.truncated), (3, true));
    let tiny = Client::open(settings, Limits { message_bytes: 500, ..Limits::default() }).unwrap();
    for (method, message) in
        [("ListOrders", json!({"first": 1, "noteBytes": 900})), ("Echo", json!({"aString": "x".repeat(900)}))]
    {
        let error = call(&tiny, method, message).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    }
}

#[tokio::test]
async fn requests_are_bounded() {
    let Some(settings) = settings("grpc requests_are_bounded", PLAIN) else { return };
    let limits = connect::http::Limits { request_bytes: 1000, ..settings.limits };
    let client = Client::open(Settings { limits, ..settings.clone() }, Limits::default()).unwrap();
    let error = call(&client, "Echo", json!({"aString": "x".repeat(1000)})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    // Larger than the windows of HTTP/2, both ways.
    let client = Client::open(settings, Limits::default()).unwrap();
    let long = "x".repeat(3 << 20);
    let reply = call(&client, "Echo", json!({"aString": long})).await.unwrap();
    assert_eq!(reply.messages[0]["aString"].as_str().map(str::len), Some(3 << 20));
}

#[tokio::test]
async fn packed_messages_are_unpacked() {
    let Some(settings) = settings("grpc packed_messages_are_unpacked", PLAIN) else { return };
    let metadata = [("x-compress".to_owned(), "1".to_owned())];
    let message = json!({"id": "1"});
    let packed = Call { metadata: &metadata, ..Call::new(&message) };
    let client = Client::open(settings.clone(), Limits::default()).unwrap();
    let reply = with(&client, "GetOrder", &packed).await.unwrap();
    assert_eq!(reply.messages[0]["note"].as_str().map(str::len), Some(100_000));
    let client = Client::open(settings, Limits { message_bytes: 50_000, ..Limits::default() }).unwrap();
    let error = with(&client, "GetOrder", &packed).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit, "what is small on the wire and large unpacked is refused: {error}");
}

#[tokio::test]
async fn metadata_and_deadlines_arrive() {
    let Some(settings) = settings("grpc metadata_and_deadlines_arrive", PLAIN) else { return };
    let settings = Settings { headers: vec![("X-Tenant".into(), "t1".into())], ..settings };
    let client = Client::open(settings, Limits::default()).unwrap();
    let given = [("X-Request".to_owned(), "r 1".to_owned()), ("x-raw-bin".to_owned(), "AAH/".to_owned())];
    let message = json!({});
    let reply = with(&client, "Metadata", &Call { metadata: &given, ..Call::new(&message) }).await.unwrap();
    let seen = &reply.messages[0];
    assert_eq!(
        (&seen["x-tenant"], &seen["x-request"], &seen["x-raw-bin"]),
        (&json!("t1"), &json!("r 1"), &json!("0001ff"))
    );
    let left = seen["deadline"].as_f64().unwrap();
    assert!(left > 15.0 && left <= 20.0, "{left}");
    assert!(seen["user-agent"].as_str().unwrap().starts_with("mcp-factory/"), "{seen}");
    let odd = [("grpc-timeout".to_owned(), "1S".to_owned())];
    let error = with(&client, "Metadata", &Call { metadata: &odd, ..Call::new(&message) }).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Value, "{error}");
}

#[tokio::test]
async fn credentials_are_shown_and_never_come_back() {
    let Some(settings) = settings("grpc credentials_are_shown_and_never_come_back", TLS) else { return };
    let token = "t0p-s3cr3t-token";
    let settings = Settings { credentials: Credentials::Bearer(Secret::new(token)), ..settings };
    let client = Client::open(settings, Limits::default()).unwrap();
    let seen = call(&client, "Metadata", json!({})).await.unwrap();
    assert_eq!(seen.messages[0]["authorization"], "Bearer ***");
    let bytes = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("xx{token}"));
    let line = json!({"@type": "type.googleapis.com/shop.v1.Line", "sku": token});
    let message =
        json!({"aString": token, "aBytes": bytes, "names": {"1": token}, "object": {(token): token}, "any": line});
    let reply = call(&client, "Echo", message).await.unwrap();
    let text = reply.messages[0].to_string();
    assert!(!text.contains(token) && reply.messages[0]["aBytes"] == "eHgqKio=", "{text}");
    let shown = |error: Error| format!("{error:?} {error}");
    for details in [false, true] {
        let text = shown(
            call(&client, "Fail", json!({"code": 3, "message": format!("no {token}"), "details": details}))
                .await
                .unwrap_err(),
        );
        assert!(!text.contains(token) && text.contains("***"), "{text}");
    }
}

#[tokio::test]
async fn servers_that_are_not_there_are_told_and_tried_again() {
    let Some(settings) = settings("grpc servers_that_are_not_there_are_told_and_tried_again", PLAIN) else { return };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let base = Secret::new(format!("http://127.0.0.1:{port}"));
    let retries = Retries { max: 2, backoff: std::time::Duration::from_millis(1), ..Retries::default() };
    let client = Client::open(Settings { base, retries, ..settings.clone() }, Limits::default()).unwrap();
    let error = call(&client, "GetOrder", json!({"id": "1"})).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    // Loopback is refused unless the operator allows it, whatever speaks there.
    let refused = Settings { policy: connect::egress::Policy::default(), ..settings };
    let error = Client::open(refused, Limits::default()).map(drop).unwrap_err();
    assert!(error.to_string().contains("loopback"), "{error}");
}
