//! The programs that people connect come in by OAuth, at the exact paths, and use the server: what each of them sends.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Answer, Process, ask, serve, world};
use crate::world::World;

const VERIFIER: &str = "a-verifier-that-is-long-enough-for-rfc-7636-0123456789";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");
const ANY: &str = "application/json, text/event-stream";

/// The tools that the server is known for.
const TOOLS: [&str; 13] = [
    "list_computers",
    "spawn_droid",
    "spawn_swarm",
    "spawn_and_watch",
    "list_droids",
    "get_all_active_droids",
    "get_droid",
    "get_droid_messages_full",
    "message_droid",
    "respawn_with_context",
    "interrupt_droid",
    "factory_exec",
    "factory_healthz",
];

/// How a client proves itself at the token endpoint.
#[derive(Clone, Copy, PartialEq)]
enum Proof {
    Post,
    Basic,
    Nothing,
}

struct Connector {
    name: &'static str,
    callback: &'static str,
    /// The document in which it looks for the authorization server.
    metadata: &'static str,
    registers: Value,
    proof: Proof,
    accept: &'static str,
    revision: &'static str,
}

fn connectors() -> Vec<Connector> {
    let root = "/.well-known/oauth-protected-resource";
    let inserted = "/.well-known/oauth-protected-resource/mcp";
    vec![
        Connector {
            name: "Perplexity",
            callback: "https://www.perplexity.ai/rest/connections/oauth_callback",
            metadata: root,
            registers: json!({ "client_name": "Perplexity", "token_endpoint_auth_method": "none" }),
            proof: Proof::Post,
            accept: "application/json",
            revision: "2025-03-26",
        },
        Connector {
            name: "Perplexity, confidential",
            callback: "https://www.perplexity.ai/rest/connections/oauth_callback",
            metadata: root,
            registers: json!({ "client_name": "Perplexity", "scope": "mcp" }),
            proof: Proof::Basic,
            accept: "application/json",
            revision: "2025-06-18",
        },
        Connector {
            name: "Claude",
            callback: "https://claude.ai/api/mcp/auth_callback",
            metadata: inserted,
            registers: json!({ "client_name": "Claude", "token_endpoint_auth_method": "none", "scope": "mcp" }),
            proof: Proof::Nothing,
            accept: ANY,
            revision: "2025-06-18",
        },
        Connector {
            name: "ChatGPT",
            callback: "https://chatgpt.com/connector_platform_oauth_redirect",
            metadata: inserted,
            registers: json!({ "client_name": "ChatGPT", "application_type": "web", "token_endpoint_auth_method": "none" }),
            proof: Proof::Nothing,
            accept: ANY,
            revision: "2025-11-25",
        },
        Connector {
            name: "Composio",
            callback: "https://backend.composio.dev/api/v3/toolkits/auth/callback",
            metadata: inserted,
            registers: json!({ "client_name": "Composio", "token_endpoint_auth_method": "client_secret_basic" }),
            proof: Proof::Basic,
            accept: ANY,
            revision: "2025-06-18",
        },
    ]
}

fn form(pairs: &[(&str, &str)]) -> String {
    let coded = |text: &str| {
        let each = text.bytes().map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        });
        each.collect::<String>()
    };
    pairs.iter().map(|(name, value)| format!("{name}={}", coded(value))).collect::<Vec<_>>().join("&")
}

fn send(server: &Process, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    ask(&server.address, method, path, headers, body).expect("an answer")
}

/// A value of the query of a URL.
fn value(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
}

/// A server, and what a program does there.
struct Site {
    server: Process,
    tools: &'static [&'static str],
    /// The tool that it calls, and a part of what that says.
    calls: &'static str,
    says: &'static str,
}

#[test]
fn the_programs_that_people_connect_come_in() {
    let (world, _fake) = world(&[]);
    let hosts = ["--oauth", "single-user", "--oauth-allow-redirect", "perplexity,claude,chatgpt,composio"];
    let server = serve(&world, &hosts);
    everybody_comes_in(&Site { server, tools: &TOOLS, calls: "list_computers", says: "computer-1" });
}

#[test]
fn they_come_in_at_a_control_plane_too() {
    let world = World::new();
    let words = ["serve", "--port", "0", "--output", "json", "--auth", "keys", "--oauth-allow-redirect"];
    let words = [&words[..], &["perplexity,claude,chatgpt,composio"]].concat();
    let server = Process::start(&world, &words);
    everybody_comes_in(&Site { server, tools: &["list_servers", "call_tool"], calls: "list_servers", says: "servers" });
}

fn everybody_comes_in(site: &Site) {
    let server = &site.server;
    for connector in connectors() {
        comes_in(site, &connector);
    }
    // Nobody else gets a code, and nobody is sent to a page without TLS.
    for callback in ["https://evil.example/cb", "http://www.perplexity.ai/rest/connections/oauth_callback"] {
        let registered =
            send(server, "POST", "/register", &[JSON], &json!({ "redirect_uris": [callback] }).to_string());
        assert!(registered.status == 400 && registered.body.contains("invalid"), "{callback}: {}", registered.body);
    }
}

fn comes_in(site: &Site, connector: &Connector) {
    let server = &site.server;
    let Connector { name, callback, accept, .. } = *connector;
    let origin = format!("http://{}", server.address);
    let refused = send(server, "POST", "/mcp", &[JSON, ("Accept", accept)], "{}");
    assert_eq!(refused.status, 401, "{name}");
    let challenge = refused.header("www-authenticate").expect("a challenge");
    assert!(challenge.contains("resource_metadata=") && challenge.contains("scope=\"mcp"), "{challenge}");
    let about = send(server, "GET", connector.metadata, &[], "").json();
    let resource = about["resource"].as_str().expect("a resource").to_owned();
    assert_eq!(
        (resource.as_str(), &about["authorization_servers"]),
        (format!("{origin}/mcp").as_str(), &json!([origin]))
    );
    let about = send(server, "GET", "/.well-known/oauth-authorization-server", &[], "").json();
    for (key, path) in
        [("authorization_endpoint", "/authorize"), ("token_endpoint", "/token"), ("registration_endpoint", "/register")]
    {
        assert_eq!(about[key], format!("{origin}{path}"), "{name}");
    }
    let mut asked = connector.registers.clone();
    asked["redirect_uris"] = json!([callback]);
    let registered = send(server, "POST", "/register", &[JSON], &asked.to_string());
    assert_eq!(
        (registered.status, registered.header("cache-control")),
        (201, Some("no-store")),
        "{name}: {}",
        registered.body
    );
    let client = registered.json();
    let (id, secret) = (client["client_id"].as_str().expect("an id"), client["client_secret"].as_str());
    assert_eq!(secret.is_some(), connector.proof != Proof::Nothing, "{name}: {client}");
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let query = form(&[
        ("response_type", "code"),
        ("client_id", id),
        ("redirect_uri", callback),
        ("state", "a-state"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
        ("resource", &resource),
        ("scope", "mcp"),
    ]);
    let sent = send(server, "GET", &format!("/authorize?{query}"), &[], "");
    let to = sent.header("location").unwrap_or_default();
    assert!(sent.status == 302 && to.starts_with(&format!("{callback}?")), "{name}: {} {to}", sent.status);
    assert_eq!(value(to, "state").as_deref(), Some("a-state"));
    let code = value(to, "code").expect("a code");
    let given = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", callback),
        ("code_verifier", VERIFIER),
        ("resource", &resource),
    ];
    let tokens = redeem(server, connector, id, secret, &given);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(3600)), "{name}: {tokens}");
    uses(site, connector, &tokens);
    let refresh = tokens["refresh_token"].as_str().expect("a refresh token");
    let again = redeem(server, connector, id, secret, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]);
    uses(site, connector, &again);
}

fn redeem(server: &Process, connector: &Connector, id: &str, secret: Option<&str>, given: &[(&str, &str)]) -> Value {
    let mut given = given.to_vec();
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{}", secret.unwrap_or_default())));
    let mut headers = vec![FORM];
    match connector.proof {
        Proof::Basic => headers.push(("Authorization", &basic)),
        Proof::Post => given.extend([("client_id", id), ("client_secret", secret.unwrap_or_default())]),
        Proof::Nothing => given.push(("client_id", id)),
    }
    let answer = send(server, "POST", "/token", &headers, &form(&given));
    assert_eq!(answer.status, 200, "{}: {}", connector.name, answer.body);
    answer.json()
}

/// Opens a session where the server gives one, lists the tools and calls one.
fn uses(site: &Site, connector: &Connector, tokens: &Value) {
    let server = &site.server;
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().expect("a token"));
    let mut headers = vec![JSON, ("Accept", connector.accept), ("Authorization", bearer.as_str())];
    let hello = json!({ "protocolVersion": connector.revision, "capabilities": {}, "clientInfo": { "name": connector.name, "version": "1" } });
    let opened = message(server, &headers, "initialize", &hello);
    assert_eq!(said(&opened)["result"]["protocolVersion"], connector.revision, "{}", opened.body);
    let session = opened.header("mcp-session-id").map(str::to_owned);
    headers.extend(session.as_deref().map(|id| ("Mcp-Session-Id", id)));
    headers.push(("MCP-Protocol-Version", connector.revision));
    let note = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string();
    assert_eq!(send(server, "POST", "/mcp", &headers, &note).status, 202, "{}", connector.name);
    let listed = said(&message(server, &headers, "tools/list", &json!({})));
    let names: Vec<&str> =
        listed["result"]["tools"].as_array().into_iter().flatten().filter_map(|tool| tool["name"].as_str()).collect();
    assert!(site.tools.iter().all(|tool| names.contains(tool)), "{}: {names:?}", connector.name);
    let called = said(&message(server, &headers, "tools/call", &json!({ "name": site.calls, "arguments": {} })));
    let text = called["result"]["content"][0]["text"].as_str().unwrap_or_default();
    assert!(text.contains(site.says), "{}: {called}", connector.name);
}

fn message(server: &Process, headers: &[(&str, &str)], method: &str, params: &Value) -> Answer {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let answer = send(server, "POST", "/mcp", headers, &body.to_string());
    assert_eq!(answer.status, 200, "{method}: {}", answer.body);
    answer
}

/// The message of an answer, whichever form the server chose of those that the client takes.
fn said(answer: &Answer) -> Value {
    let data = answer.body.lines().find_map(|line| line.strip_prefix("data:"));
    serde_json::from_str(data.unwrap_or(&answer.body)).unwrap_or_else(|error| panic!("{error} in {}", answer.body))
}
