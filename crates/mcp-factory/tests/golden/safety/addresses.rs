//! Spellings of addresses that a spec must not reach: as a connection's URL, behind a redirect, and as the next page.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{entries, refused, serve};
use crate::all;
use crate::client::Session;

/// Fewer would be no corpus.
const LEAST: usize = 200;

/// A port of this machine, on IPv4 and IPv6, that counts who connects.
async fn canary() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let mut listeners = vec![listener];
    // Machines without IPv6 cannot be reached by it either.
    listeners.extend(TcpListener::bind(("::1", port)).await.ok());
    for listener in listeners {
        let count = Arc::clone(&count);
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    (port, count)
}

/// The spellings, with the port in them.
fn spellings(port: u16) -> Vec<String> {
    let all: Vec<String> = entries("addresses.txt")
        .iter()
        .map(|line| line.replace("{port}", &port.to_string()).replace("\\t", "\t"))
        .collect();
    assert!(all.len() >= LEAST, "{}", all.len());
    all
}

/// A tool for each URL, on a connection of its own of a type.
fn spec(kind: &str, action: &Value, urls: &[String]) -> String {
    let connections: Vec<Value> =
        urls.iter().enumerate().map(|(n, url)| json!({ "name": format!("c{n}"), "type": kind, "url": url })).collect();
    let tools: Vec<Value> = (0..urls.len())
        .map(|n| {
            let mut tool = action.clone();
            tool["name"] = format!("t{n}").into();
            tool["connection"] = format!("c{n}").into();
            tool
        })
        .collect();
    json!({ "name": "addresses", "limits": { "timeoutMs": 8000 }, "connections": connections, "tools": tools })
        .to_string()
}

/// Those of the URLs that a spec may hold; the others are refused before anything is served.
fn accepted(kind: &str, action: &Value, urls: Vec<String>) -> Vec<String> {
    let fits = |url: &String| {
        let text = spec(kind, action, std::slice::from_ref(url));
        spec::parse(base::Source { name: "case.json", text: &text }, &spec::ParseOptions::default()).spec.is_some()
    };
    urls.into_iter().filter(fits).collect()
}

/// Serves a tool for each URL that a server can be made with, and calls all of them; gives how many there are. What is refused
/// when a connection is opened is refused early enough.
async fn call_each(kind: &str, action: &Value, mut urls: Vec<String>) -> usize {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("spec.yaml"), spec(kind, action, &urls)).unwrap();
    if let Err(said) = Session::open(folder.path(), &[], &[]).await.map(drop) {
        assert!(said.contains("is refused"), "{said}");
        let closed = |n: usize| said.contains(&format!("connection `c{n}` cannot be opened"));
        urls = urls.into_iter().enumerate().filter(|(n, _)| !closed(*n)).map(|(_, url)| url).collect();
    }
    let mut session = serve(folder.path(), &spec(kind, action, &urls), &[], &[]).await;
    let calls: Vec<(String, Value)> = (0..urls.len()).map(|n| (format!("t{n}"), json!({}))).collect();
    for (url, result) in urls.iter().zip(session.call_all(&calls).await.unwrap()) {
        refused(url, &result);
    }
    assert!(!session.close().await.contains("panicked"));
    urls.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_spelling_of_an_address_leads_inside() {
    let (port, count) = canary().await;
    let http = |kind: &'static str, action: Value| (kind, "http://", action);
    for (kind, scheme, action) in [
        http("http", json!({ "description": "x", "parameters": {}, "http": "GET /x" })),
        http("graphql", json!({ "description": "x", "parameters": {}, "graphql": "{ x }" })),
        http("grpc", json!({ "description": "x", "parameters": {}, "grpc": "a.B/C" })),
        ("redis", "redis://", json!({ "description": "x", "parameters": {}, "redis": ["GET", "x"] })),
        (
            "mongodb",
            "mongodb://",
            json!({ "description": "x", "parameters": {}, "mongo": { "collection": "x", "database": "x", "count": {} } }),
        ),
    ] {
        let all = spellings(port);
        let urls = all.iter().map(|url| match url.strip_prefix("http://") {
            Some(rest) => format!("{scheme}{rest}"),
            None => url.clone(),
        });
        let urls = accepted(kind, &action, urls.collect());
        assert!(urls.len() > LEAST / 2, "{kind}: only {} of {} can be in a spec", urls.len(), all.len());
        let called = call_each(kind, &action, urls).await;
        assert_eq!(count.load(Ordering::Relaxed), 0, "{kind}: something connected; {called} were called");
    }
}

/// The API itself is on an address that the operator opened; what it says about other addresses opens nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_api_answers_leads_nowhere_else() {
    let (port, count) = canary().await;
    let api = all::start("127.0.0.5:0").await.unwrap();
    let spec = "
name: answers
limits: {timeoutMs: 8000}
connections:
  - {name: api, type: http, envVar: API_URL, retries: {max: 0}, hosts: [localhost, '*.localhost', example.invalid, '*.example.invalid']}
tools:
  - {name: redirect, description: x, parameters: {url: {type: string, required: true}, status: {type: integer, default: 302}}, http: {path: /to, query: {url: '{{ args.url }}', status: '{{ args.status }}'}}}
  - {name: page, description: x, parameters: {url: {type: string, required: true}}, http: {path: /page, query: {next: '{{ args.url }}'}, pages: {by: next, from: $.next, items: $.items}}}
";
    let folder = tempfile::tempdir().unwrap();
    let mut session = serve(folder.path(), spec, &[], &[("API_URL", format!("{api}/trouble"))]).await;
    let works = session.call("redirect", &json!({ "url": "/trouble/status/200" })).await.unwrap();
    assert_eq!(works["structuredContent"], json!({ "error": 200 }), "a redirect within the API is followed: {works}");
    let mut calls = Vec::new();
    for url in spellings(port) {
        for status in [301, 302, 303, 307, 308] {
            calls.push(("redirect".to_owned(), json!({ "url": url, "status": status })));
        }
        calls.push(("page".to_owned(), json!({ "url": url })));
    }
    let results = session.call_all(&calls).await.unwrap();
    for ((tool, arguments), result) in calls.iter().zip(&results) {
        // A text that is no URL of its own is a path below the API, which has nothing there.
        refused(&format!("{tool} {arguments}"), result);
    }
    session.close().await;
    assert_eq!(count.load(Ordering::Relaxed), 0, "something connected");
}

/// A whole URL that a caller gives leads to public hosts alone, by an action, a connection in a script and `fetch`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_whole_url_of_a_caller_leads_inside() {
    let (port, count) = canary().await;
    let api = all::start("127.0.0.5:0").await.unwrap();
    let spec = "
name: whole
limits: {timeoutMs: 8000}
connections: [{name: web, type: http, hosts: ['*'], plain: true, retries: {max: 0}}]
tools:
  - {name: action, description: x, parameters: {url: {type: string, required: true}}, connection: web, http: {url: '{+url}'}}
  - {name: reached, description: x, parameters: {url: {type: string, required: true}}, connection: web, script: 'export default ({ url }, { web }) => web.get(url)'}
  - name: fetched
    description: x
    parameters: {url: {type: string, required: true}}
    script: {fetch: {hosts: ['*'], plain: true}, code: 'export default async ({ url }) => (await fetch(url)).text()'}
";
    let folder = tempfile::tempdir().unwrap();
    let mut session = serve(folder.path(), spec, &["--allow-network", "127.0.0.5"], &[]).await;
    let good = format!("{api}/trouble/status/200");
    for tool in ["action", "reached", "fetched"] {
        let works = session.call(tool, &json!({ "url": good })).await.unwrap();
        assert_ne!(works["isError"], true, "{tool}: what the operator opened is reached: {works}");
    }
    let urls = spellings(port);
    let mut calls = Vec::new();
    for url in &urls {
        // Behind a redirect of a host that may be reached, too.
        let coded: String = url.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let to = format!("{api}/trouble/to?url={coded}");
        for tool in ["action", "reached", "fetched"] {
            calls.push((tool.to_owned(), json!({ "url": url })));
            calls.push((tool.to_owned(), json!({ "url": to })));
        }
    }
    let results = session.call_all(&calls).await.unwrap();
    for ((tool, arguments), result) in calls.iter().zip(&results) {
        refused(&format!("{tool} {arguments}"), result);
    }
    session.close().await;
    assert_eq!(count.load(Ordering::Relaxed), 0, "something connected");
}

/// A path that a caller gives stays below the API.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_path_leaves_the_api() {
    let (port, count) = canary().await;
    let api = all::start("127.0.0.1:0").await.unwrap();
    let spec = "
name: paths
connections: [{name: api, type: http, envVar: API_URL, retries: {max: 0}}]
tools:
  - {name: one, description: x, parameters: {p: {type: string, required: true}}, http: {path: '/base/{p}', select: $.path}}
  - {name: many, description: x, parameters: {p: {type: string, required: true}}, http: {path: '/base/{+p}', select: $.path}}
";
    let folder = tempfile::tempdir().unwrap();
    let mut session = serve(folder.path(), spec, &[], &[("API_URL", format!("{api}/echo"))]).await;
    let hosts = [
        format!("//127.0.0.1:{port}/"),
        format!("/\\127.0.0.1:{port}"),
        format!("@127.0.0.1:{port}/"),
        format!(":{port}"),
        format!("http://127.0.0.1:{port}/"),
    ];
    let dots = [
        "..",
        ".",
        "../x",
        "a/../../x",
        "..\\x",
        "%2e%2e",
        "%2e%2e%2fx",
        "..%2fx",
        "%252e%252e",
        "..;/x",
        "a/..",
        "a/./b",
        "．．/x",
        "\u{0}",
        "a\r\nHost: x",
        "a b",
        "?x",
        "#x",
        "",
        "/",
        "//",
    ];
    let calls: Vec<(String, Value)> = hosts
        .iter()
        .map(String::as_str)
        .chain(dots)
        .flat_map(|text| ["one", "many"].map(|tool| (tool.to_owned(), json!({ "p": text }))))
        .collect();
    let results = session.call_all(&calls).await.unwrap();
    for ((tool, arguments), result) in calls.iter().zip(&results) {
        if result["isError"] != true {
            let path =
                result["structuredContent"]["result"].as_str().unwrap_or_else(|| panic!("{arguments}: {result}"));
            assert!(path.starts_with("/base/"), "{tool} {arguments}: {path}");
            assert!(!path.split('/').any(|part| part == ".." || part == "."), "{tool} {arguments}: {path}");
        }
    }
    session.close().await;
    assert_eq!(count.load(Ordering::Relaxed), 0, "something connected");
}
