//! The authorization server over HTTP: what the connectors of the hosts in use send, and what others try.

use std::sync::Arc;

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use connect::egress::Networks;
use identity::address::Proxies;
use identity::oauth::{Approval, Authority, Documents, Lifetimes, Limits, RedirectHosts, Settings};
use identity::{Clock, Scopes};
use serde_json::{Value, json};
use server::OAuth;
use sha2::{Digest as _, Sha256};
use store::Store;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::World;

const PASSPHRASE: &str = "correct horse battery";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-rfc-7636-0123456789";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");

struct Site {
    world: World,
    _home: tempfile::TempDir,
    /// The origin by which it is known.
    origin: String,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn of(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let fits = |line: &&str| line.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name));
        self.head.lines().find(fits).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}\n{}", self.head, self.body))
    }
}

impl Site {
    async fn start(approval: Approval, hosts: Option<&str>, public: Option<&str>) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let settings = Settings {
            realm: "ping-mcp".into(),
            title: "Ping <1>".into(),
            public_origin: public.map(str::to_owned),
            places: server::places("ping-mcp", &[]),
            scopes: Scopes::of(["mcp"]),
            most: None,
            required: Scopes::of(["mcp"]),
            approval,
            redirect_hosts: hosts.map(|hosts| RedirectHosts::parse(hosts.split(',')).expect("hosts")),
            lifetimes: Lifetimes::default(),
            limits: Limits::default(),
        };
        let store = Arc::new(Store::open(home.path()).expect("a store"));
        let documents = Documents::new(Networks::default(), None);
        let authority = Authority::open(settings, store, Clock::system(), documents).expect("an authority");
        let oauth = OAuth { authority: Arc::new(authority), proxies: Proxies::default() };
        let world = World::start_with(|site| site.oauth = Some(oauth)).await;
        let origin = public.map_or_else(|| format!("http://{}", world.address), str::to_owned);
        Self { world, _home: home, origin }
    }

    async fn open() -> Self {
        Self::start(Approval::Automatic, None, None).await
    }

    async fn asking() -> Self {
        Self::start(Approval::Passphrase(Secret::new(PASSPHRASE.to_owned())), None, None).await
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        Answer::of(&self.world.request(method, path, headers, body).await)
    }

    async fn register(&self, metadata: &Value) -> Value {
        let answer = self.send("POST", "/register", &[JSON], &metadata.to_string()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), (Some("no-store"), Some("no-cache")));
        answer.json()
    }

    fn question(&self, client: &str, callback: &str, more: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let resource = format!("{}/mcp", self.origin);
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", callback),
            ("state", "xyz"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", &resource),
        ];
        query.extend(more);
        format!("/authorize?{}", form(&query))
    }

    /// The code of an answer that sends the browser back.
    fn code(&self, answer: &Answer, callback: &str) -> String {
        let to = answer.header("location").unwrap_or_else(|| panic!("no redirect: {} {}", answer.head, answer.body));
        assert!(to.starts_with(&format!("{callback}?")), "{to}");
        let url = url::Url::parse(to).expect("a URL");
        let value =
            |name: &str| url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        assert_eq!(value("state").as_deref(), Some("xyz"));
        assert_eq!(value("iss").as_deref(), Some(self.origin.as_str()));
        value("code").unwrap_or_else(|| panic!("no code in {to}"))
    }

    /// A call of the one tool: its status, and what is answered.
    async fn call(&self, token: &str, accept: &str) -> Answer {
        let body = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"ping","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;
        let bearer = format!("Bearer {token}");
        let headers = [
            JSON,
            ("Accept", accept),
            ("Authorization", bearer.as_str()),
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "ping"),
        ];
        self.send("POST", "/mcp", &headers, body).await
    }

    async fn tokens(&self) -> (Value, Value) {
        let callback = "https://app.example.com/cb";
        let client = self.register(&json!({"redirect_uris": [callback]})).await;
        let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));
        let answer = self.send("GET", &self.question(id, callback, &[]), &[], "").await;
        let code = self.code(&answer, callback);
        let given = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", callback),
            ("code_verifier", VERIFIER),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let answer = self.send("POST", "/token", &[FORM], &form(&given)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        (client.clone(), answer.json())
    }
}

fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// How a program shows its secret at the token endpoint.
#[derive(Clone, Copy, PartialEq)]
enum Shows {
    Post,
    Basic,
    Json,
    Nothing,
}

/// A host's connector as it was recorded.
struct Connector {
    name: &'static str,
    callback: &'static str,
    registers: Value,
    /// What it is told about proving itself, and whether it gets a secret.
    told: (&'static str, bool),
    shows: Shows,
    accept: &'static str,
}

fn connectors() -> Vec<Connector> {
    let both = "application/json, text/event-stream";
    vec![
        Connector {
            name: "Perplexity",
            callback: "https://www.perplexity.ai/rest/connections/oauth_callback",
            registers: json!({"client_name": "Perplexity", "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"], "token_endpoint_auth_method": "none"}),
            told: ("client_secret_post", true),
            shows: Shows::Post,
            accept: "application/json",
        },
        Connector {
            name: "Perplexity, confidential",
            callback: "https://enterprise.perplexity.ai/rest/connections/oauth_callback",
            registers: json!({"client_name": "Perplexity", "scope": "mcp"}),
            told: ("client_secret_post", true),
            shows: Shows::Basic,
            accept: "application/json",
        },
        Connector {
            name: "Claude",
            callback: "https://claude.ai/api/mcp/auth_callback",
            registers: json!({"client_name": "Claude", "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"], "token_endpoint_auth_method": "none", "scope": "mcp"}),
            told: ("none", false),
            shows: Shows::Nothing,
            accept: both,
        },
        Connector {
            name: "Claude, confidential",
            callback: "https://claude.com/api/mcp/auth_callback",
            registers: json!({"client_name": "Claude", "token_endpoint_auth_method": "client_secret_post"}),
            told: ("client_secret_post", true),
            shows: Shows::Post,
            accept: both,
        },
        Connector {
            name: "ChatGPT",
            callback: "https://chatgpt.com/connector_platform_oauth_redirect",
            registers: json!({"client_name": "ChatGPT", "application_type": "web", "token_endpoint_auth_method": "none"}),
            told: ("none", false),
            shows: Shows::Nothing,
            accept: both,
        },
        Connector {
            name: "Composio",
            callback: "https://backend.composio.dev/api/v3/toolkits/auth/callback",
            registers: json!({"client_name": "Composio", "token_endpoint_auth_method": "client_secret_basic"}),
            told: ("client_secret_basic", true),
            shows: Shows::Basic,
            accept: both,
        },
        Connector {
            name: "a program on the user's machine that speaks JSON",
            callback: "http://localhost:53682/callback",
            registers: json!({"client_name": "CLI", "application_type": "native"}),
            told: ("client_secret_post", true),
            shows: Shows::Json,
            accept: both,
        },
    ]
}

#[tokio::test]
async fn the_connectors_of_the_hosts_in_use_come_in() {
    for public in [None, Some("https://mcp.example.com")] {
        let hosts = "perplexity,claude,chatgpt,composio,localhost";
        let site = Site::start(Approval::Automatic, Some(hosts), public).await;
        for connector in connectors() {
            comes_in(&site, &connector).await;
        }
    }
}

async fn comes_in(site: &Site, connector: &Connector) {
    let Connector { name, callback, .. } = *connector;
    // It is turned away, and told where to look.
    let refused = site.send("POST", "/mcp", &[JSON, ("Accept", connector.accept)], "{}").await;
    assert_eq!((refused.status, text(&refused.json(), "error")), (401, "invalid_token"), "{name}");
    let challenge = refused.header("www-authenticate").expect("a challenge");
    let metadata = format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", site.origin);
    assert!(challenge.starts_with("Bearer ") && challenge.contains(&metadata), "{challenge}");
    assert!(challenge.contains("scope=\"mcp\"") && !challenge.contains("error="), "{challenge}");
    for path in ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"] {
        let about = site.send("GET", path, &[("Accept", "application/json")], "").await.json();
        assert_eq!(about["resource"], format!("{}/mcp", site.origin), "{name}");
        assert_eq!(about["authorization_servers"], json!([site.origin]));
        assert_eq!(
            (&about["scopes_supported"], &about["bearer_methods_supported"]),
            (&json!(["mcp"]), &json!(["header"]))
        );
    }
    let about = site.send("GET", "/.well-known/oauth-authorization-server", &[], "").await.json();
    assert_eq!(about["issuer"], site.origin);
    for (endpoint, path) in [("authorization", "/authorize"), ("token", "/token"), ("registration", "/register")] {
        assert_eq!(about[format!("{endpoint}_endpoint")], format!("{}{path}", site.origin));
    }
    assert_eq!(about["code_challenge_methods_supported"], json!(["S256"]));
    // It registers, asks, and redeems.
    let mut metadata = connector.registers.clone();
    metadata["redirect_uris"] = json!([callback]);
    let client = site.register(&metadata).await;
    let secret = client["client_secret"].as_str();
    assert_eq!((text(&client, "token_endpoint_auth_method"), secret.is_some()), connector.told, "{name}");
    let id = text(&client, "client_id");
    let answer = site.send("GET", &site.question(id, callback, &[("scope", "mcp")]), &[], "").await;
    assert_eq!(answer.status, 302, "{name}: {}", answer.body);
    let code = site.code(&answer, callback);
    let resource = format!("{}/mcp", site.origin);
    let given = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", callback),
        ("code_verifier", VERIFIER),
        ("resource", &resource),
    ];
    let tokens = redeems(site, connector, id, secret, &given).await;
    let called = site.call(text(&tokens, "access_token"), connector.accept).await;
    assert!(called.status == 200 && called.body.contains("pong"), "{name}: {} {}", called.head, called.body);
    // It comes back an hour later.
    let given = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
    let tokens = redeems(site, connector, id, secret, &given).await;
    assert_eq!(site.call(text(&tokens, "access_token"), connector.accept).await.status, 200, "{name}");
}

async fn redeems(site: &Site, connector: &Connector, id: &str, secret: Option<&str>, given: &[(&str, &str)]) -> Value {
    let mut given = given.to_vec();
    let basic = format!("Basic {}", STANDARD.encode(format!("{id}:{}", secret.unwrap_or_default())));
    let mut headers = vec![FORM, ("Accept", "application/json")];
    match (connector.shows, secret) {
        (Shows::Basic, _) => headers.push(("Authorization", &basic)),
        (Shows::Nothing, _) | (_, None) => given.push(("client_id", id)),
        (_, Some(secret)) => given.extend([("client_id", id), ("client_secret", secret)]),
    }
    let body = if connector.shows == Shows::Json {
        headers[0] = JSON;
        let object: serde_json::Map<String, Value> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
        Value::Object(object).to_string()
    } else {
        form(&given)
    };
    let answer = site.send("POST", "/token", &headers, &body).await;
    assert_eq!(answer.status, 200, "{}: {}", connector.name, answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let tokens = answer.json();
    assert_eq!((text(&tokens, "token_type"), text(&tokens, "scope")), ("Bearer", "mcp"));
    tokens
}

/// Method, path, headers, body, and the status and error that they give.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, u16, &'a str);

#[tokio::test]
async fn endpoints_answer_errors_as_json_whatever_is_sent() {
    let site = Site::open().await;
    let basic = ("Authorization", "Basic nonsense");
    let cases: &[Case<'_>] = &[
        ("GET", "/register", &[], "", 405, "invalid_request"),
        ("GET", "/token", &[], "", 405, "invalid_request"),
        ("PUT", "/authorize", &[], "", 405, "invalid_request"),
        ("POST", "/register", &[JSON], "nonsense", 400, "invalid_client_metadata"),
        ("POST", "/register", &[JSON], "{}", 400, "invalid_client_metadata"),
        ("POST", "/token", &[FORM], "", 400, "invalid_request"),
        ("POST", "/token", &[JSON], "[]", 400, "invalid_request"),
        ("POST", "/token", &[FORM], "grant_type=x&grant_type=y", 400, "invalid_request"),
        ("POST", "/token", &[FORM], "grant_type=authorization_code", 401, "invalid_client"),
        ("POST", "/token", &[FORM], "grant_type=authorization_code&client_id=nobody", 401, "invalid_client"),
        ("POST", "/token", &[FORM, basic], "grant_type=authorization_code", 401, "invalid_client"),
        ("POST", "/revoke", &[FORM], "token=x", 401, "invalid_client"),
        ("GET", "/authorize", &[], "", 400, "invalid_request"),
        ("GET", "/authorize?client_id=nobody", &[], "", 400, "unauthorized_client"),
        ("GET", "/authorize?client_id=a&client_id=b", &[], "", 400, "invalid_request"),
        ("POST", "/authorize", &[FORM], "question=x&answer=allow", 403, "access_denied"),
        ("GET", "/.well-known/oauth-authorization-server", &[("Host", "evil.example")], "", 403, "invalid_request"),
    ];
    for (method, path, headers, body, status, error) in cases {
        let answer = site.send(method, path, headers, body).await;
        assert_eq!(answer.status, *status, "{method} {path} {body}: {}", answer.body);
        if !error.is_empty() {
            assert_eq!(text(&answer.json(), "error"), *error, "{method} {path} {body}");
            assert_eq!(answer.header("content-type"), Some("application/json"), "{method} {path}");
        }
    }
    let challenged = site.send("POST", "/token", &[FORM, basic], "grant_type=x").await;
    assert!(challenged.header("www-authenticate").is_some_and(|header| header.starts_with("Basic ")));
    let large = site.send("POST", "/register", &[JSON], &format!("\"{}\"", "x".repeat(100_000))).await;
    assert_eq!(large.status, 400);
    assert_eq!(site.send("GET", "/.well-known/oauth-protected-resource/elsewhere", &[], "").await.status, 404);
}

#[tokio::test]
async fn a_bad_token_is_challenged_and_a_revoked_one_ends_its_streams() {
    let site = Site::open().await;
    let bad = site.call("nonsense", "application/json").await;
    assert_eq!(bad.status, 401);
    assert!(
        bad.header("www-authenticate").is_some_and(|header| header.contains("error=\"invalid_token\"")),
        "{}",
        bad.head
    );
    let (client, tokens) = site.tokens().await;
    let token = text(&tokens, "access_token");
    // In a URL a token is none (OAuth 2.1, section 5.1.1).
    assert_eq!(site.send("POST", &format!("/mcp?access_token={token}"), &[JSON], "{}").await.status, 401);
    let mut stream = TcpStream::connect(site.world.address).await.expect("connect");
    let head = format!(
        "GET /sse HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n\r\n",
        site.world.address
    );
    stream.write_all(head.as_bytes()).await.expect("write");
    let mut first = [0; 4096];
    let read = stream.read(&mut first).await.expect("read");
    assert!(first[..read].starts_with(b"HTTP/1.1 200"));
    let given = [
        ("token", text(&tokens, "refresh_token")),
        ("client_id", text(&client, "client_id")),
        ("client_secret", text(&client, "client_secret")),
    ];
    assert_eq!(site.send("POST", "/revoke", &[FORM], &form(&given)).await.status, 200);
    assert_eq!(site.call(token, "application/json").await.status, 401);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the stream is still open");
}

#[tokio::test]
async fn pages_of_allowed_origins_may_read_and_others_may_not() {
    let site = Site::start(Approval::Automatic, Some("claude"), Some("https://mcp.example.com")).await;
    for (origin, shared) in [
        ("https://www.perplexity.ai", true),
        ("https://perplexity.ai", true),
        ("https://claude.ai", true),
        ("http://localhost:6274", true),
        ("http://www.perplexity.ai", false),
        ("https://perplexity.ai.evil.example", false),
        ("https://evilperplexity.ai", false),
        ("null", false),
    ] {
        for (method, path) in
            [("OPTIONS", "/token"), ("GET", "/.well-known/oauth-protected-resource"), ("OPTIONS", "/register")]
        {
            let answer = site.send(method, path, &[("Origin", origin)], "").await;
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, shared.then_some(origin), "{method} {path}");
            assert_eq!(answer.status, if method == "OPTIONS" { 204 } else { 200 });
        }
    }
}

#[tokio::test]
async fn the_owner_is_asked_on_a_page_that_nobody_else_can_answer() {
    let site = Site::asking().await;
    let callback = "https://app.example.com/cb";
    let name = "<script>alert(1)</script>";
    let client = site.register(&json!({"redirect_uris": [callback], "client_name": name})).await;
    let question = site.question(text(&client, "client_id"), callback, &[]);
    let page = site.send("GET", &question, &[("Accept", "text/html")], "").await;
    assert_eq!(page.status, 200);
    assert!(
        !page.body.contains("<script") && page.body.contains("&lt;script&gt;") && page.body.contains("Ping &lt;1&gt;")
    );
    assert!(page.body.contains("app.example.com"), "it says where one is sent");
    let policy = page.header("content-security-policy").expect("a policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!((page.header("x-frame-options"), page.header("cache-control")), (Some("DENY"), Some("no-store")));
    let cookie = page.header("set-cookie").expect("a cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a value");
    let (_, rest) = page.body.split_once("name=\"question\" value=\"").expect("the question");
    let sealed = rest.split('"').next().expect("its end");
    let answers =
        |passphrase: &str, answer: &str| form(&[("question", sealed), ("passphrase", passphrase), ("answer", answer)]);
    let own = site.origin.clone();
    let refused: &[(&[(&str, &str)], &str)] = &[
        (&[FORM], PASSPHRASE),
        (&[FORM, ("Cookie", "mcp_factory_consent=other")], PASSPHRASE),
        (&[FORM, ("Cookie", cookie), ("Origin", "https://evil.example")], PASSPHRASE),
        (&[FORM, ("Cookie", cookie), ("Sec-Fetch-Site", "cross-site")], PASSPHRASE),
        (&[FORM, ("Cookie", cookie), ("Origin", &own)], "wrong"),
    ];
    for (headers, passphrase) in refused {
        let answer = site.send("POST", "/authorize", headers, &answers(passphrase, "allow")).await;
        assert_eq!((answer.status, answer.header("location")), (403, None), "{headers:?}");
    }
    let headers = [FORM, ("Cookie", cookie), ("Origin", own.as_str()), ("Sec-Fetch-Site", "same-origin")];
    let denied = site.send("POST", "/authorize", &headers, &answers("", "deny")).await;
    assert_eq!(denied.status, 303);
    assert!(denied.header("location").is_some_and(|to| to.contains("error=access_denied")));
    let allowed = site.send("POST", "/authorize", &headers, &answers(PASSPHRASE, "allow")).await;
    assert_eq!(allowed.status, 303);
    site.code(&allowed, callback);
    let html = site.send("GET", "/authorize?client_id=%3Cb%3E", &[("Accept", "text/html")], "").await;
    assert!(
        html.status == 400 && html.body.contains("unauthorized_client") && !html.body.contains("<b>"),
        "{}",
        html.body
    );
}
