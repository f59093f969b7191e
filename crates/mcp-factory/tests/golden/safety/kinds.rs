//! Every kind of connection whose URL is written in a spec passes the one check: private, loopback, link-local and metadata
//! addresses are refused, what the operator allows is reached, and names are checked by what they stand for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::serve;

/// A kind of connection: its settings without the address, its URL with `HOST` for host and port, and an action that uses it.
struct Kind {
    name: &'static str,
    settings: Value,
    url: &'static str,
    action: Value,
}

fn kinds() -> Vec<Kind> {
    let kind = |name, url, settings: Value, action: Value| Kind { name, settings, url, action };
    let none = || json!({});
    let secret = json!({ "env": "A_SECRET" });
    let sql = || json!({ "sql": "SELECT 1 AS one" });
    vec![
        kind("postgresql", "postgresql://user@HOST/db", none(), sql()),
        kind("mysql", "mysql://user@HOST/db", none(), sql()),
        kind("mariadb", "mariadb://user@HOST/db", none(), sql()),
        kind(
            "vector",
            "postgresql://user@HOST/db",
            json!({ "table": "notes" }),
            json!({ "vector": { "search": { "text": "x" } } }),
        ),
        kind("http", "http://HOST/", none(), json!({ "http": "GET /x" })),
        kind("graphql", "http://HOST/", none(), json!({ "graphql": "{ x }" })),
        kind("grpc", "http://HOST", none(), json!({ "grpc": "a.B/C" })),
        kind("mcp", "http://HOST/mcp", none(), json!({ "call": "x" })),
        kind("redis", "redis://HOST", none(), json!({ "redis": ["GET", "x"] })),
        kind("mongodb", "mongodb://HOST/db", none(), json!({ "mongo": { "collection": "x", "count": {} } })),
        kind(
            "s3",
            "http://HOST",
            json!({ "bucket": "bucket", "accessKeyId": secret, "secretAccessKey": secret }),
            json!({ "files": { "list": {} } }),
        ),
        kind("gcs", "http://HOST", json!({ "bucket": "bucket" }), json!({ "files": { "list": {} } })),
        kind(
            "smtp",
            "smtp://HOST",
            json!({ "from": "a@example.com", "plain": true }),
            json!({ "send": { "to": "b@example.com", "subject": "x", "text": "x" } }),
        ),
        kind(
            "slack",
            "http://HOST/api",
            json!({ "token": secret }),
            json!({ "send": { "to": "C0123456789", "text": "x" } }),
        ),
        kind(
            "twilio",
            "http://HOST",
            json!({ "account": "AC00000000000000000000000000000001", "token": secret, "from": "+15005550006" }),
            json!({ "send": { "to": "+15005550010", "text": "x" } }),
        ),
    ]
}

/// A spec with one tool on one connection.
fn spec(kind: &Kind, host: &str) -> String {
    let mut connection = kind.settings.clone();
    connection["name"] = "c".into();
    connection["type"] = kind.name.into();
    connection["url"] = kind.url.replace("HOST", host).into();
    let mut tool = kind.action.clone();
    tool["name"] = "t".into();
    tool["description"] = "x".into();
    tool["parameters"] = json!({});
    tool["connection"] = "c".into();
    json!({ "name": "kinds", "limits": { "timeoutMs": 3000 }, "connections": [connection], "tools": [tool] })
        .to_string()
}

/// A port of this machine that hangs up on whoever connects, and counts them.
async fn canary() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    (port, count)
}

/// What a call of the only tool is answered, or why the server could not be made: both are what its user sees.
async fn answer(text: &str, options: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("spec.yaml"), text).unwrap();
    let words: Vec<String> = options.iter().map(|word| (*word).to_owned()).collect();
    let variables = [("A_SECRET".to_owned(), "s3cr3t-of-the-test".to_owned())];
    let mut session = match crate::client::Session::open(folder.path(), &words, &variables).await {
        Ok(session) => session,
        Err(said) => return said,
    };
    let call = tokio::time::timeout(Duration::from_secs(20), session.call("t", &json!({}))).await;
    let result = call.expect("an answer in time").unwrap();
    assert_eq!(result["isError"], true, "{text}: {result}");
    assert!(!session.close().await.contains("panicked"));
    result["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_kind_of_connection_leads_inside() {
    let (port, count) = canary().await;
    let inside = [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "169.254.169.254",
        "100.100.100.200",
        "metadata.google.internal",
        "[::1]",
    ];
    for kind in kinds() {
        for host in inside {
            let said = answer(&spec(&kind, &format!("{host}:{port}")), &[]).await;
            assert!(said.contains("is refused"), "{} to {host}: {said}", kind.name);
        }
        assert_eq!(count.load(Ordering::Relaxed), 0, "{}: something connected", kind.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_connection_reaches_what_the_operator_allows() {
    for kind in kinds() {
        let (port, count) = canary().await;
        let said = answer(&spec(&kind, &format!("127.0.0.1:{port}")), &["--allow-network", "127.0.0.1"]).await;
        assert!(!said.contains("is refused"), "{}: {said}", kind.name);
        assert!(count.load(Ordering::Relaxed) > 0, "{}: nothing connected: {said}", kind.name);
        // Link-local addresses stay refused, whatever the operator allows.
        let said = answer(&spec(&kind, "169.254.169.254"), &["--allow-network", "private"]).await;
        assert!(said.contains("is refused"), "{}: {said}", kind.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_checked_by_what_they_stand_for() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    let file = hosts.display().to_string();
    let (port, count) = canary().await;
    // A name with a public address too is a trap.
    let inside = ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "93.184.215.14 trap.example.com\n127.0.0.1"];
    for kind in kinds() {
        for address in inside {
            std::fs::write(&hosts, format!("{address} trap.example.com\n")).unwrap();
            let said = answer(&spec(&kind, &format!("trap.example.com:{port}")), &["--hosts-file", &file]).await;
            assert!(said.contains("is refused"), "{} at {address}: {said}", kind.name);
        }
        assert_eq!(count.load(Ordering::Relaxed), 0, "{}: something connected", kind.name);
    }
    // By a network that the operator allows it is reached.
    for kind in kinds() {
        let (port, count) = canary().await;
        std::fs::write(&hosts, "127.0.0.1 good.example.com\n").unwrap();
        let options = ["--hosts-file", &file, "--allow-network", "127.0.0.0/8"];
        let said = answer(&spec(&kind, &format!("good.example.com:{port}")), &options).await;
        assert!(count.load(Ordering::Relaxed) > 0, "{}: nothing connected: {said}", kind.name);
    }
}

/// A name that changes its address after it was allowed leads nowhere either: each connection is checked anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_changes_its_address_is_checked_again() {
    let folder = tempfile::tempdir().unwrap();
    let hosts = folder.path().join("hosts");
    let (port, count) = canary().await;
    let other = TcpListener::bind(("127.0.0.2", port)).await.unwrap();
    let reached = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reached);
    tokio::spawn(async move {
        while other.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let connections: Vec<Value> = vec![
        json!({ "name": "web", "type": "http", "hosts": ["*.example.com"], "plain": true, "retries": { "max": 0 } }),
        json!({ "name": "db", "type": "postgresql", "url": format!("postgresql://user@change.example.com:{port}/db") }),
    ];
    let tools = json!([
        { "name": "page", "description": "x", "parameters": { "url": { "type": "string", "required": true } }, "connection": "web", "http": { "url": "{+url}" } },
        { "name": "rows", "description": "x", "parameters": {}, "connection": "db", "sql": "SELECT 1 AS one" },
        { "name": "fetched", "description": "x", "parameters": { "url": { "type": "string", "required": true } }, "script": {
            "fetch": { "hosts": ["*.example.com"], "plain": true },
            "code": "export default async ({ url }) => (await fetch(url)).status" } },
    ]);
    let text =
        json!({ "name": "changes", "limits": { "timeoutMs": 4000 }, "connections": connections, "tools": tools })
            .to_string();
    std::fs::write(&hosts, "127.0.0.2 change.example.com\n").unwrap();
    let options = ["--hosts-file", hosts.to_str().unwrap(), "--allow-network", "127.0.0.2"];
    let mut session = serve(folder.path(), &text, &options, &[]).await;
    let calls = ["page", "rows", "fetched"].map(|tool| {
        let arguments =
            if tool == "rows" { json!({}) } else { json!({ "url": format!("http://change.example.com:{port}/") }) };
        (tool.to_owned(), arguments)
    });
    let allowed = session.call_all(&calls).await.unwrap();
    let before = reached.load(Ordering::Relaxed);
    assert!(before >= 3, "{before} reached: {allowed:?}");
    std::fs::write(&hosts, "127.0.0.1 change.example.com\n").unwrap();
    for ((tool, _), result) in calls.iter().zip(session.call_all(&calls).await.unwrap()) {
        assert!(super::refused(tool, &result).contains("is refused"), "{tool}: {result}");
    }
    session.close().await;
    assert_eq!(count.load(Ordering::Relaxed), 0, "something connected");
}
