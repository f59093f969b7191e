//! Programs at a control plane: what they get where nobody is asked, where they are told to look, and how often they may try.

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::Plane;
use super::client::Answer;
use super::durable::spec;
use super::people::{PASSWORD, form, set_up};
use crate::world::World;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const CALLBACK: &str = "https://claude.ai/api/mcp/auth_callback";

/// A control plane that asks nobody.
fn unasked(world: &World) -> Plane {
    Plane::start_with(world, &["--auth", "keys,guests", "--oauth-allow-redirect", "claude"])
}

/// The tokens of a stranger who asks for a scope for a resource, and reads the code from the answer.
fn tokens(plane: &Plane, scope: &str, resource: &str) -> Value {
    let client = json!({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"});
    let client = plane.post("/register", &client).json();
    let id = client["client_id"].as_str().expect("an id");
    let verifier = "v".repeat(43);
    let digest = sha2::Sha256::digest(verifier.as_bytes());
    let s256 = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    let mut question = vec![("response_type", "code"), ("client_id", id), ("redirect_uri", CALLBACK)];
    question.extend([("code_challenge", s256.as_str()), ("code_challenge_method", "S256"), ("resource", resource)]);
    question.extend((!scope.is_empty()).then_some(("scope", scope)));
    let sent = plane.get(&format!("/authorize?{}", form(&question)));
    let to = sent.header("location").unwrap_or_else(|| panic!("{} {}", sent.status, sent.body)).to_owned();
    let code = to.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code").to_owned();
    let mut given = vec![("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
    given.extend([("client_id", id), ("code_verifier", &verifier), ("resource", resource)]);
    plane.send("POST", "/token", &[FORM], &form(&given)).json()
}

fn bearer(tokens: &Value) -> String {
    format!("Bearer {}", tokens["access_token"].as_str().unwrap_or_else(|| panic!("no token: {tokens}")))
}

fn initialize(plane: &Plane, path: &str, bearer: &str) -> Answer {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18",
        "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let headers = [JSON, ("Accept", "application/json, text/event-stream"), ("Authorization", bearer)];
    plane.send("POST", path, &headers, &body.to_string())
}

#[test]
fn where_nobody_is_asked_a_stranger_uses_servers_and_makes_none() {
    let world = World::new();
    let plane = unasked(&world);
    let log = std::fs::read_to_string(world.path("serve.log")).expect("a log");
    assert!(log.contains(&format!("whoever reaches {}/authorize is let in", plane.url)), "{log}");
    let main = format!("{}/mcp", plane.url);
    let about = plane.get("/.well-known/oauth-authorization-server").json();
    assert_eq!(about["scopes_supported"], json!(["mcp"]));
    for scope in ["", "mcp servers:read servers:write servers:call logs:read"] {
        let tokens = tokens(&plane, scope, &main);
        assert_eq!(tokens["scope"], "mcp", "{tokens}");
        let bearer = bearer(&tokens);
        let headers = [("Authorization", bearer.as_str()), JSON];
        let made = plane.send("POST", "/mcp/create", &headers, &json!({"spec": spec("evil")}).to_string());
        assert_eq!((made.status, made.json()["code"].as_str()), (403, Some("MF1029")), "{}", made.body);
        let challenge = made.header("www-authenticate").expect("a challenge");
        assert!(
            challenge.contains("error=\"insufficient_scope\"")
                && challenge.contains("scope=\"servers:write\"")
                && challenge.contains(&format!("\"{}/.well-known/oauth-protected-resource/mcp\"", plane.url)),
            "{challenge}"
        );
        for closed in ["/api/mcp-keys", "/api/accounts", "/mcp/policies", "/mcp/audit", "/metrics"] {
            let refused = plane.send("GET", closed, &headers, "");
            assert_eq!(refused.status, 403, "{closed}: {}", refused.body);
        }
        assert_eq!(plane.send("GET", "/mcp/servers", &headers, "").status, 200);
    }
}

#[test]
fn every_place_of_a_service_names_itself_and_takes_the_tokens_of_the_others() {
    let world = World::new();
    let plane = unasked(&world);
    let main = ["/mcp", "/mcp-stream/mcp", "/mcp/sse", "/api/mcp/sse", "/mcp/messages", "/mcp/groups/a"];
    let server = ["/servers/hello/mcp", "/servers/hello/sse", "/servers/hello/messages"];
    for path in main.iter().chain(&server) {
        let about = plane.get(&format!("/.well-known/oauth-protected-resource{path}")).json();
        assert_eq!(about["resource"], format!("{}{path}", plane.url), "RFC 9728, section 3.3");
        if path.ends_with("/messages") {
            continue;
        }
        let method = if path.ends_with("/sse") { "GET" } else { "POST" };
        let turned_away = plane.send(method, path, &[JSON, ("Accept", "text/event-stream, application/json")], "{}");
        let challenge = turned_away.header("www-authenticate").unwrap_or_else(|| panic!("{path}"));
        let metadata = format!("\"{}/.well-known/oauth-protected-resource{path}\"", plane.url);
        assert!(turned_away.status == 401 && challenge.contains(&metadata), "{path}: {challenge}");
    }
    for resource in ["/mcp-stream/mcp", "/mcp/sse", "/api/mcp/sse", "/mcp?servers=a"] {
        let bearer = bearer(&tokens(&plane, "mcp", &format!("{}{resource}", plane.url)));
        for path in ["/mcp", "/mcp-stream/mcp"] {
            assert_eq!(initialize(&plane, path, &bearer).status, 200, "{resource} at {path}");
        }
    }
    let narrow = bearer(&tokens(&plane, "mcp", &format!("{}/servers/hello/sse", plane.url)));
    assert_eq!(initialize(&plane, "/mcp", &narrow).status, 401, "a token of a server is for that server");
    assert_eq!(initialize(&plane, "/servers/hello/mcp", &narrow).status, 404, "there is none, and it is let in");
}

#[test]
fn a_request_shows_one_thing_and_limits_are_told() {
    let world = World::new();
    let plane = unasked(&world);
    for name in ["Authorization", "X-Guest-Id"] {
        for path in ["/mcp/servers", "/mcp", "/servers/hello/mcp"] {
            let twice = plane.send("GET", path, &[(name, "Bearer a"), (name, "Bearer b")], "");
            assert_eq!(twice.status, 400, "{name} {path}: {}", twice.body);
        }
    }
    for (path, status) in [("/sign-in", 200), ("/setup", 404), ("/authorize", 400)] {
        assert_eq!(plane.send("HEAD", path, &[], "").status, status, "{path}");
    }
    let registration = json!({"redirect_uris": [CALLBACK]});
    let slow = (0..30).map(|_| plane.post("/register", &registration)).find(|answer| answer.status == 429);
    let slow = slow.expect("there is a limit");
    assert_eq!(slow.header("ratelimit-policy"), Some("\"registrations\";q=20;w=60"));
    assert!(slow.header("ratelimit").is_some_and(|left| left.starts_with("\"registrations\";r=0;t=")));
    let retries = slow.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("retry-after")).count();
    assert_eq!(retries, 1, "{:?}", slow.headers);
}

#[test]
fn strangers_who_know_a_name_do_not_lock_its_person_out() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys", "--trusted-proxy", "127.0.0.1"]);
    set_up(&plane);
    let try_from = |address: &str, password: &str| {
        let body = json!({"name": "ann", "password": password}).to_string();
        plane.send("POST", "/api/session", &[JSON, ("X-Forwarded-For", address)], &body)
    };
    for stranger in 0..40 {
        let answer = try_from(&format!("100.64.{stranger}.1"), "wrong horse battery");
        assert_eq!(answer.status, 401, "{}", answer.body);
    }
    assert_eq!(try_from("203.0.113.7", PASSWORD).status, 201);
    let slow = (0..11).map(|_| try_from("100.64.0.1", "wrong horse battery")).find(|answer| answer.status == 429);
    let slow = slow.expect("one address has a limit");
    assert_eq!(slow.header("ratelimit-policy"), Some("\"passwords\";q=10;w=60"));
    assert!(slow.header("retry-after").is_some());
}
