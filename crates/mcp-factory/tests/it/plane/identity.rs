//! A control plane that knows who asks.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Plane;
use super::client::Answer;
use super::durable::spec;
use crate::world::World;

pub(super) const CREATE: &str = "servers:read,servers:write,servers:call,logs:read";

/// A key of an owner, by the command line of the machine itself.
pub(super) fn key(world: &World, owner: &str, scopes: &str) -> Value {
    world.json(&["keys", "create", "test", "--owner", owner, "--scope", scopes])
}

/// Sends a request with a key.
pub(super) fn with(plane: &Plane, key: &Value, method: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {}", key["key"].as_str().expect("a key"));
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json"), ("Accept", "*/*")];
    let body = if body.is_null() { String::new() } else { body.to_string() };
    plane.send(method, path, &headers, &body)
}

fn names(answer: &Answer) -> Vec<String> {
    let all = answer.json()["servers"].as_array().cloned().unwrap_or_default();
    all.iter().filter_map(|one| one["name"].as_str().map(str::to_owned)).collect()
}

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

/// Calls the tool of a deployed server.
fn greet(plane: &Plane, server: &str, headers: &[(&str, &str)]) -> Answer {
    let own = [
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "greet"),
    ];
    plane.send("POST", &format!("/servers/{server}/mcp"), &[&own, headers].concat(), CALL)
}

#[test]
fn whoever_sits_at_the_machine_needs_no_key_and_whoever_shows_one_is_known_by_it() {
    let world = World::new();
    let plane = Plane::start(&world);
    assert_eq!(plane.get("/mcp/servers").status, 200);
    let home = World::new();
    let beyond = Plane::start_with(&home, &["--host", "0.0.0.0"]);
    let path = beyond.address.replace("0.0.0.0", "127.0.0.1");
    assert_eq!(beyond.send("GET", "/mcp/servers", &[("Host", &path)], "").status, 401, "others reach this one");
    // Who reaches it by an address names it by that; names have to be told, and probes name nothing.
    let status = |path: &str, host: &str| beyond.send("GET", path, &[("Host", host)], "").status;
    assert_eq!(status("/mcp/servers", "192.0.2.7:8800"), 401);
    assert_eq!(status("/version", "[2001:db8::7]"), 200);
    assert_eq!(status("/version", "evil.example"), 403);
    for probe in ["/livez", "/readyz", "/startupz", "/healthz"] {
        assert_eq!(status(probe, "evil.example"), 200, "{probe}");
        let asked = format!("GET {probe} HTTP/1.0\r\n\r\n");
        assert_eq!(super::client::ask(&path, &asked).expect("an answer").status, 200, "{probe}");
    }
    // A tunnel on this machine speaks for others.
    for forwarded in ["X-Forwarded-For", "Forwarded", "Via"] {
        assert_eq!(plane.send("GET", "/mcp/servers", &[(forwarded, "for=192.0.2.1")], "").status, 401, "{forwarded}");
    }
    let bad = plane.send("GET", "/mcp/servers", &[("Authorization", "Bearer of_mcp_nothing")], "");
    assert_eq!((bad.status, bad.json()["code"].as_str()), (401, Some("MF1044")));
    assert!(bad.header("www-authenticate").is_some_and(|value| value.contains("invalid_token")));
    let narrow = key(&world, "local", "servers:read");
    assert_eq!(with(&plane, &narrow, "GET", "/mcp/servers", &Value::Null).status, 200);
    let refused = with(&plane, &narrow, "POST", "/mcp/create", &json!({"spec": spec("hello")}));
    assert_eq!((refused.status, refused.json()["code"].as_str()), (403, Some("MF1029")));
}

#[test]
fn owners_see_change_and_call_their_own_servers_alone() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    for open in ["/livez", "/readyz", "/version", "/openapi.json", "/docs"] {
        assert_eq!(plane.get(open).status, 200, "{open}");
    }
    for closed in ["/mcp/servers", "/metrics", "/servers/hello/mcp", "/api/mcp-keys", "/mcp/jobs"] {
        let turned_away = plane.get(closed);
        assert_eq!((turned_away.status, turned_away.json()["code"].as_str()), (401, Some("MF1044")), "{closed}");
    }
    let (ann, bob) = (key(&world, "ann", CREATE), key(&world, "bob", CREATE));
    let admin = key(&world, "local", "admin");
    let made = with(&plane, &ann, "POST", "/mcp/create", &json!({"spec": spec("hello")}));
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(with(&plane, &ann, "POST", "/mcp/deploy/hello", &json!({})).json()["state"], "running");
    assert_eq!(names(&with(&plane, &ann, "GET", "/mcp/servers", &Value::Null)), ["hello"]);
    assert_eq!(names(&with(&plane, &bob, "GET", "/mcp/servers", &Value::Null)), Vec::<String>::new());
    assert_eq!(names(&with(&plane, &admin, "GET", "/mcp/servers", &Value::Null)), ["hello"]);

    // To somebody else it is as if it were not there; only its name is taken.
    let nothing = with(&plane, &bob, "GET", "/mcp/servers/nothing", &Value::Null).json()["hints"].clone();
    let call = json!({"subject": {"from": "server", "name": "hello"}, "tool": "greet"});
    let tried: &[(&str, &str, Value)] = &[
        ("GET", "/mcp/servers/hello", Value::Null),
        ("DELETE", "/mcp/servers/hello", Value::Null),
        ("DELETE", "/mcp/servers/hello?dryRun=true", Value::Null),
        ("GET", "/mcp/servers/hello/logs", Value::Null),
        ("GET", "/mcp/servers/hello/diff", Value::Null),
        ("GET", "/mcp/servers/hello/dependencies", Value::Null),
        ("POST", "/mcp/servers/hello/stop", json!({})),
        ("POST", "/mcp/servers/hello/start", json!({})),
        ("POST", "/mcp/deploy/hello", json!({})),
        ("POST", "/mcp/servers/hello/tools/greet", json!({})),
        ("POST", "/mcp/call", call.clone()),
        ("POST", "/mcp/test", json!({"subject": {"from": "server", "name": "hello"}})),
        ("POST", "/mcp/plan", json!({"subject": {"from": "server", "name": "hello"}})),
    ];
    for (method, path, body) in tried {
        let answer = with(&plane, &bob, method, path, body);
        assert_eq!((answer.status, answer.json()["code"].as_str()), (404, Some("MF1002")), "{path}: {}", answer.body);
        assert_eq!(answer.json()["hints"], nothing, "{path}");
    }
    let found =
        |key: &Value| with(&plane, key, "GET", "/mcp/capabilities?q=says+hello", &Value::Null).json()["total"].clone();
    assert_eq!((found(&ann), found(&bob)), (json!(1), json!(0)));
    let taken = with(&plane, &bob, "POST", "/mcp/create", &json!({"spec": spec("hello"), "force": true}));
    assert_eq!((taken.status, taken.json()["code"].as_str()), (409, Some("MF1051")), "{}", taken.body);
    assert_eq!(with(&plane, &ann, "POST", "/mcp/call", &call).status, 200);

    // A deployed server is behind the same door.
    let bearer = |key: &Value| format!("Bearer {}", key["key"].as_str().unwrap());
    let calls = |key: &Value| greet(&plane, "hello", &[("Authorization", &bearer(key))]).status;
    let reader = key(&world, "ann", "servers:read");
    assert_eq!((calls(&ann), calls(&bob), calls(&admin), calls(&reader)), (200, 404, 200, 403));
    assert_eq!(greet(&plane, "hello", &[]).status, 401);
    assert_eq!(with(&plane, &bob, "DELETE", "/mcp/servers/hello", &Value::Null).status, 404);
    assert_eq!(with(&plane, &ann, "DELETE", "/mcp/servers/hello", &Value::Null).status, 200);
}

#[test]
fn keys_are_made_listed_and_revoked_by_their_owner_and_a_revoked_one_is_cut_off() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    let (ann, bob) = (key(&world, "ann", "keys,mcp"), key(&world, "bob", "keys,mcp"));
    let made = with(&plane, &ann, "POST", "/api/mcp-keys", &json!({"name": "cursor"}));
    assert_eq!(made.status, 201, "{}", made.body);
    let made = made.json();
    assert!(made["key"].as_str().is_some_and(|key| key.starts_with("of_mcp_")), "{made}");
    assert_eq!((made["owner"].as_str(), made["name"].as_str()), (Some("ann"), Some("cursor")));
    let path = format!("/api/mcp-keys/{}", made["id"].as_str().unwrap());
    let listed = |key: &Value| {
        let all = with(&plane, key, "GET", "/api/mcp-keys", &Value::Null);
        assert!(!all.body.contains(made["key"].as_str().unwrap()), "a key is shown once");
        all.json()["keys"].as_array().map(Vec::len)
    };
    assert_eq!((listed(&ann), listed(&bob)), (Some(2), Some(1)));
    // Nobody gives away more than they have, or what is somebody else's.
    let more = json!({"name": "more", "scopes": ["servers:write"]});
    let others = json!({"name": "others", "owner": "bob"});
    for body in [more, others] {
        assert_eq!(with(&plane, &ann, "POST", "/api/mcp-keys", &body).status, 403, "{body}");
    }
    assert_eq!(with(&plane, &bob, "DELETE", &path, &Value::Null).status, 404);

    let mut stream = TcpStream::connect(&plane.address).expect("connect");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let head = format!(
        "GET /mcp/sse HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\r\n",
        plane.address,
        made["key"].as_str().unwrap()
    );
    stream.write_all(head.as_bytes()).expect("sent");
    let mut first = [0; 4096];
    let read = stream.read(&mut first).expect("the head");
    assert!(first[..read].starts_with(b"HTTP/1.1 200"));
    assert_eq!(with(&plane, &ann, "DELETE", &path, &Value::Null).status, 200);
    let began = Instant::now();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).expect("the stream ends");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(with(&plane, &made, "GET", "/mcp/servers", &Value::Null).status, 401);
}

#[test]
fn guests_are_metered_and_reach_nothing_of_others() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys,guests", "--rate", "guests=3/60"]);
    let ann = key(&world, "ann", CREATE);
    assert_eq!(with(&plane, &ann, "POST", "/mcp/create", &json!({"spec": spec("hello")})).status, 201);
    let guest = |name: &str, method: &str, path: &str, body: &str| {
        plane.send(method, path, &[("X-Guest-Id", name), ("Content-Type", "application/json")], body)
    };
    assert_eq!(names(&guest("one", "GET", "/mcp/servers", "")), Vec::<String>::new());
    assert_eq!(guest("one", "GET", "/mcp/servers/hello", "").status, 404);
    // A spec of its own could read what this machine knows.
    let own =
        json!({"subject": {"from": "spec", "spec": {"name": "x", "text": "name: x"}}, "tool": "greet"}).to_string();
    let refused = guest("one", "POST", "/mcp/call", &own);
    assert_eq!((refused.status, refused.json()["code"].as_str()), (403, Some("MF1029")), "{}", refused.body);
    let slow = guest("one", "GET", "/mcp/servers", "");
    assert_eq!((slow.status, slow.json()["code"].as_str()), (429, Some("MF1050")), "{}", slow.body);
    let wait: u64 = slow.header("retry-after").and_then(|value| value.parse().ok()).expect("seconds");
    assert!((1..=60).contains(&wait));
    assert_eq!(slow.header("ratelimit-policy"), Some("\"guest\";q=3;w=60"));
    assert!(slow.header("ratelimit").is_some_and(|value| value.starts_with("\"guest\";r=0;t=")));
    assert!(slow.json()["detail"].as_str().is_some_and(|text| text.contains("remain today")), "{}", slow.body);
    assert_eq!(guest("two", "GET", "/mcp/servers", "").status, 200, "another guest is not kept out");
    assert_eq!(plane.get("/mcp/servers").status, 401, "who shows nothing is no guest");
}

#[test]
fn answers_tell_what_remains_of_a_limit_and_refusals_name_their_request() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys,guests", "--rate", "guests=5/60"]);
    let ann = key(&world, "ann", CREATE);
    assert_eq!(with(&plane, &ann, "POST", "/mcp/create", &json!({"spec": spec("hello")})).status, 201);
    assert_eq!(with(&plane, &ann, "POST", "/mcp/deploy/hello", &json!({})).status, 200);
    let opens = json!({"who": ["guests"], "servers": ["hello"], "allow": "call"});
    assert_eq!(with(&plane, &ann, "POST", "/mcp/policies/rules/r", &opens).status, 200);
    let listed = r#"{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}}"#;
    let by = |guest: &str, method: &str, path: &str, more: &[(&str, &str)]| {
        let mut headers =
            vec![("X-Guest-Id", guest), ("Content-Type", "application/json"), ("MCP-Protocol-Version", "2026-07-28")];
        headers.extend([("Accept", "application/json, text/event-stream"), ("Mcp-Method", "tools/list")]);
        headers.extend(more);
        plane.send(method, path, &headers, if method == "POST" { listed } else { "" })
    };
    // Rules are followed within a moment.
    let tried = std::cell::Cell::new(0);
    super::policies::until_within(5, "the rule", || {
        tried.set(tried.get() + 1);
        by(&format!("before-{}", tried.get()), "POST", "/servers/hello/mcp", &[]).status == 200
    });
    let paths =
        [("GET", "/mcp/servers"), ("POST", "/mcp"), ("POST", "/servers/hello/mcp"), ("GET", "/mcp/servers/none")];
    for (left, (method, path)) in [4, 3, 2, 1].into_iter().zip(paths) {
        let answer = by("one", method, path, &[]);
        assert_eq!(answer.header("ratelimit"), Some(&*format!("\"guest\";r={left}")), "{path}: {}", answer.body);
        assert_eq!(answer.header("ratelimit-policy"), Some("\"guest\";q=5;w=60"), "{path}");
    }
    by("one", "GET", "/mcp/servers", &[]);
    for (method, path) in paths {
        let slow = by("one", method, path, &[("X-Request-Id", "mine-1")]);
        assert_eq!((slow.status, slow.header("x-request-id")), (429, Some("mine-1")), "{path}: {}", slow.body);
        assert!(slow.header("ratelimit").is_some_and(|value| value.starts_with("\"guest\";r=0;t=")), "{path}");
    }
    let slow = by("one", "POST", "/mcp", &[]);
    assert!(slow.header("x-request-id").is_some_and(|id| id.len() == 32), "{:?}", slow.headers);
    let of_key = with(&plane, &ann, "GET", "/mcp/servers", &Value::Null);
    assert!(of_key.header("ratelimit").is_some_and(|value| value.starts_with("\"key\";r=1")), "{:?}", of_key.headers);
    drop(plane);
    let home = World::new();
    let open = Plane::start(&home);
    assert_eq!(open.get("/mcp/servers").header("ratelimit"), None, "nobody counts whoever sits at the machine");
}

#[test]
fn keys_are_managed_at_a_control_plane_from_elsewhere() {
    let mut world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    let admin = key(&world, "local", "admin");
    world.set("MCP_FACTORY_KEY", admin["key"].as_str().unwrap());
    let there = |arguments: &[&str]| world.json(&[arguments, &["--url", &plane.url]].concat());
    let made = there(&["keys", "create", "ci", "--days", "30"]);
    assert_eq!(made["scopes"], json!(["mcp"]));
    assert_eq!(there(&["keys", "list"])["keys"].as_array().map(Vec::len), Some(2));
    let revoked = there(&["keys", "revoke", made["id"].as_str().unwrap()]);
    assert_eq!(revoked["kind"], "key");
    assert_eq!(there(&["list"])["servers"], json!([]));
}
