//! Credentials of HTTP connections as a spec declares them: signed requests, tokens of users, kept answers, secrets of Doppler.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use engine::{CallContext, FailureKind, Outcome, Toolset};
use parking_lot::Mutex;
use protocol::Service as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::world::parse;

/// What the API saw and keeps.
#[derive(Default)]
struct Upstream {
    asked: AtomicUsize,
    challenge: Mutex<String>,
    grants: Mutex<Vec<String>>,
    refresh: Mutex<String>,
}

type Shared = State<Arc<Upstream>>;
/// Whether the headers that the API saw are right.
type Judge = fn(&Value) -> bool;

/// Starts the API; gives its origin.
async fn start() -> (String, Arc<Upstream>) {
    let upstream = Arc::new(Upstream::default());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/v1/headers", any(headers))
        .route("/v1/counted", get(counted))
        .route("/v1/me", get(me))
        .route("/token", post(token))
        .route("/v3/configs/config/secrets/download", get(doppler))
        .with_state(Arc::clone(&upstream));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), upstream)
}

async fn headers(headers: HeaderMap) -> Json<Value> {
    let told: Map<String, Value> =
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().into())).collect();
    Json(Value::Object(told))
}

async fn counted(State(upstream): Shared) -> Response {
    let number = upstream.asked.fetch_add(1, Ordering::SeqCst);
    ([(header::CACHE_CONTROL, "max-age=60")], Json(json!({ "number": number }))).into_response()
}

async fn me(headers: HeaderMap) -> Json<Value> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Json(json!({ "who": shown.strip_prefix("Bearer access-of-").unwrap_or("nobody") }))
}

/// A token endpoint: codes with PKCE, and refresh tokens that are good once.
async fn token(State(upstream): Shared, body: String) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    upstream.grants.lock().push(field("grant_type").to_owned());
    let good = match field("grant_type") {
        "authorization_code" => {
            let hash = Sha256::digest(field("code_verifier").as_bytes());
            field("code") == "code-of-ann"
                && base64_url(&hash) == *upstream.challenge.lock()
                && field("redirect_uri") == "http://127.0.0.1:8910/callback"
                && field("client_secret") == "s3cret-of-the-client"
        }
        "refresh_token" => field("refresh_token") == *upstream.refresh.lock(),
        "urn:ietf:params:oauth:grant-type:token-exchange" => field("subject_token") == "token-of-the-caller",
        _ => false,
    };
    if !good {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    let number = upstream.grants.lock().len();
    let refresh = format!("refresh-{number}");
    upstream.refresh.lock().clone_from(&refresh);
    Json(json!({
        "access_token": format!("access-of-ann-{number}"), "token_type": "Bearer", "refresh_token": refresh,
        // The first token is as good as expired, so that it is renewed when it is used.
        "expires_in": if number == 1 { 1 } else { 3600 },
    }))
    .into_response()
}

async fn doppler(headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if shown != "Bearer dp.st.fake-service-token" || query.as_deref() != Some("format=json") {
        let body = json!({ "messages": ["Invalid Service token"], "success": false });
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    Json(json!({ "API_TOKEN": "token-from-doppler", "API_URL_PATH": "v1", "UNUSED": "never-asked-for" }))
        .into_response()
}

fn base64_url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let sextet = |six: &[u8]| {
        let text = format!("{:0<6}", String::from_utf8_lossy(six));
        char::from(LETTERS[usize::from_str_radix(&text, 2).unwrap()])
    };
    bits.as_bytes().chunks(6).map(sextet).collect()
}

#[tokio::test]
async fn resources_of_an_api_are_what_they_are() {
    use host::Hosted;
    use protocol::{Completing, Context, Reference, Reply, Revision, Service as _};
    let url = crate::upstream::start().await;
    let spec = parse(
        "name: documents\nconnections: [{name: api, type: http, envVar: API_URL}]\ntools:\n  - {name: picture, parameters: {}, http: GET /png}\n  \
         - {name: archive, parameters: {}, http: GET /zip}\n  - {name: words, parameters: {}, http: GET /text}\n  \
         - {name: user, parameters: {id: {type: string, required: true, examples: [ann, bob, anton]}}, http: 'GET /echo/users/{id}'}\nresources:\n  \
         - {uri: 'doc://picture', name: picture, tool: picture}\n  - {uri: 'doc://archive', name: archive, tool: archive}\n  \
         - {uri: 'doc://words', name: words, tool: words, mimeType: text/markdown}\n  - {uri: 'doc://users/{id}', name: user, tool: user}\n",
    );
    let variables = HashMap::from([("API_URL".to_owned(), url)]);
    let hosted = Hosted::new(Arc::new(toolset(&spec, &variables, None).await));
    let context = Context::for_tests(Revision::V2025_11_25);
    let read = |uri: &'static str| {
        let (hosted, context) = (&hosted, &context);
        async move {
            let Ok(Reply::Done(read)) = hosted.read_resource(context, uri).await else { panic!("{uri} is read") };
            let one = &read.contents[0];
            (one.mime_type.clone().unwrap_or_default(), one.is_blob, one.body.to_string())
        }
    };
    let (kind, is_blob, body) = read("doc://picture").await;
    assert!(kind == "image/png" && is_blob && body.starts_with("iVBORw0KGgo"), "{kind} {body}");
    assert_eq!(read("doc://archive").await, ("application/zip".to_owned(), true, "UEsDBP8=".to_owned()));
    assert_eq!(read("doc://words").await, ("text/markdown".to_owned(), false, "plain words".to_owned()));
    let (kind, is_blob, body) = read("doc://users/ann").await;
    assert!(kind == "application/json" && !is_blob && body.contains("/v1/echo/users/ann"), "{kind} {body}");
    let reference = Reference::Resource("doc://users/{id}");
    let ask = Completing { reference, argument: "id", value: "an", context: None };
    assert_eq!(hosted.complete(&context, ask).await.unwrap().values, ["ann", "anton"]);
}

/// A server whose connection has these settings, and one tool for each path of the API.
fn spec(settings: &str) -> spec::Spec {
    parse(&format!(
        "name: user-server\nconnections:\n  - {{name: api, type: http, envVar: API_URL, {settings}, retries: {{max: 0}}}}\ntools:\n  \
         - {{name: headers, parameters: {{}}, http: {{method: POST, path: /headers, body: {{text: hello}}}}}}\n  \
         - {{name: counted, parameters: {{}}, http: GET /counted}}\n  - {{name: me, parameters: {{}}, http: GET /me}}\n"
    ))
}

async fn toolset(spec: &spec::Spec, variables: &HashMap<String, String>, tokens: Option<&std::path::Path>) -> Toolset {
    let lookup = |name: &str| variables.get(name).cloned();
    let opened = host::open_with(spec, &lookup, false, tokens);
    assert!(opened.diagnostics.is_empty(), "{:#?}", opened.diagnostics);
    let (plan, found) = host::make_plan(spec, &opened.connections, None).await;
    assert!(found.is_empty(), "{found:#?}");
    host::toolset(spec, &plan, opened).unwrap()
}

async fn call(toolset: &Toolset, tool: &str, caller: Option<&str>) -> Outcome {
    let cancel = CancellationToken::new();
    let known = caller.map(|caller| json!({ "subject": caller, "claims": {} }).as_object().cloned().unwrap());
    let mut context = CallContext::new(&cancel);
    if let Some(known) = &known {
        context = context.caller(known);
    }
    toolset.call(&context, tool, None).await.unwrap()
}

fn result(outcome: &Outcome) -> Value {
    assert!(outcome.failure.is_none(), "{outcome:?}");
    serde_json::from_slice(outcome.structured.as_ref().unwrap()).unwrap()
}

fn variables(origin: &str) -> HashMap<String, String> {
    let given = [
        ("API_URL", format!("{origin}/v1")),
        ("KEY", "a-shared-key".to_owned()),
        ("CLIENT_SECRET", "s3cret-of-the-client".to_owned()),
    ];
    given.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[tokio::test]
async fn requests_are_signed_as_the_spec_says() {
    let (origin, _) = start().await;
    let variables = variables(&origin);
    let cases: [(&str, Judge); 4] = [
        (
            r#"credentials: {type: hmac, key: "${env:KEY}", message: "{timestamp}.{body}", headers: {Stripe-Signature: "t={timestamp},v1={signature}"}}"#,
            |seen| {
                let value = seen["stripe-signature"].as_str().unwrap();
                let (time, signature) = value.strip_prefix("t=").unwrap().split_once(",v1=").unwrap();
                time.parse::<i64>().is_ok() && is_hex(signature, 64)
            },
        ),
        (
            r#"credentials: {type: hmac, key: "${env:KEY}", message: "{body}", headers: {X-Hub-Signature-256: "sha256={signature}"}}"#,
            |seen| {
                seen["x-hub-signature-256"] == "sha256=72c2af98d0800f39b5c3eab83908438632435242590df88eba42a2e1124540b4"
            },
        ),
        (
            r#"credentials: {type: hmac, key: "${env:KEY}", hash: sha512, encoding: base64url, canonical: "{method}\n{path}\n{query_sorted}\n{body_sha256}", message: "{date}\n{canonical_sha256}", headers: {X-Signature: "{signature}", X-Nonce: "{nonce}"}}"#,
            |seen| seen["x-signature"].as_str().unwrap().len() == 86 && is_hex(seen["x-nonce"].as_str().unwrap(), 32),
        ),
        (
            r#"credentials: {type: sigv4, keyId: AKIDEXAMPLE, secret: "${env:KEY}", region: eu-central-1, service: execute-api}"#,
            |seen| {
                let value = seen["authorization"].as_str().unwrap();
                value.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
                    && value.contains("/eu-central-1/execute-api/aws4_request")
                    && seen["x-amz-date"].is_string()
            },
        ),
    ];
    for (settings, is_right) in cases {
        let toolset = toolset(&spec(settings), &variables, None).await;
        let seen = result(&call(&toolset, "headers", None).await);
        assert!(is_right(&seen), "{settings}\n{seen}");
    }
}

#[tokio::test]
async fn answers_are_kept_only_when_the_spec_says_so() {
    let (origin, upstream) = start().await;
    let variables = variables(&origin);
    for (settings, asked) in [("cache: {}", 1), ("limits: {}", 3)] {
        upstream.asked.store(0, Ordering::SeqCst);
        let toolset = toolset(&spec(settings), &variables, None).await;
        for _ in 0..3 {
            result(&call(&toolset, "counted", None).await);
        }
        assert_eq!(upstream.asked.load(Ordering::SeqCst), asked, "{settings}");
    }
}

#[tokio::test]
async fn a_variable_that_holds_no_url_closes_its_connection_alone() {
    let spec = spec("limits: {}");
    for wrong in ["notaurl", "ftp://127.0.0.1"] {
        let variables = variables(wrong);
        let opened = host::open(&spec, &|name: &str| variables.get(name).cloned(), false);
        let problem = &opened.diagnostics[0];
        assert_eq!((problem.code.as_str(), opened.has_errors()), ("MF0911", false), "{problem:?}");
        assert!(problem.message.contains("API_URL") && !problem.message.contains(wrong), "{problem:?}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_none_is_told() {
    let spec = spec("tls: {certificate: {env: CERTIFICATE}, key: {env: KEY}}");
    let mut variables = variables("https://127.0.0.1");
    variables.insert("CERTIFICATE".to_owned(), "no PEM".to_owned());
    let opened = host::open(&spec, &|name: &str| variables.get(name).cloned(), false);
    assert_eq!(opened.diagnostics[0].code, "MF0912", "{:#?}", opened.diagnostics);
    assert!(!format!("{:?}", opened.diagnostics).contains("a-shared-key"));
}

#[tokio::test]
async fn a_caller_s_token_is_exchanged_and_never_passed_on() {
    let (origin, upstream) = start().await;
    let settings = format!(
        "credentials: {{type: oauth2, tokenUrl: '{origin}/token', clientId: me, clientSecret: '${{env:CLIENT_SECRET}}', exchange: {{}}}}"
    );
    let toolset = toolset(&spec(&settings), &variables(&origin), None).await;
    let refused = call(&toolset, "me", Some("ann")).await;
    assert!(refused.failure.as_ref().unwrap().text.contains("nothing is known of who calls"), "{refused:?}");
    let (cancel, token) = (CancellationToken::new(), base::Secret::new("token-of-the-caller"));
    let context = CallContext::new(&cancel).token(&token);
    let seen = toolset.call(&context, "me", None).await.unwrap();
    // The upstream says the token back, which is masked.
    assert!(!result(&seen)["who"].as_str().unwrap().contains("caller"), "{seen:?}");
    assert_eq!(*upstream.grants.lock(), ["urn:ietf:params:oauth:grant-type:token-exchange"]);
}

/// The token comes with the request over the wire, as whoever checks it says.
#[tokio::test]
async fn the_token_of_a_request_is_exchanged() {
    let (origin, upstream) = start().await;
    let settings = format!(
        "credentials: {{type: oauth2, tokenUrl: '{origin}/token', clientId: me, clientSecret: '${{env:CLIENT_SECRET}}', exchange: {{}}}}"
    );
    let hosted = host::Hosted::new(Arc::new(toolset(&spec(&settings), &variables(&origin), None).await));
    let ask = async |caller: host::Caller| {
        let principal = protocol::Principal::new("ann").with_facts(Arc::new(caller));
        let context = protocol::Context::local(protocol::Revision::V2025_11_25, Some(principal));
        let call = protocol::ToolCall { name: "me", arguments: None, meta: None };
        let Ok(protocol::Reply::Done(result)) = hosted.call_tool(&context, call).await else { panic!("an answer") };
        result
    };
    let token = base::Secret::new("token-of-the-caller");
    let seen = ask(host::Caller::new("ann", Map::new()).with_token(token)).await;
    assert!(!seen.is_error, "{seen:?}");
    assert_eq!(*upstream.grants.lock(), ["urn:ietf:params:oauth:grant-type:token-exchange"]);
    // A key of ours is no token: nothing is exchanged, and nothing is passed on.
    let seen = ask(host::Caller::new("ann", Map::new())).await;
    assert!(seen.is_error && upstream.grants.lock().len() == 1, "{seen:?}");
}

#[tokio::test]
async fn a_user_authorises_and_the_tokens_are_renewed() {
    let (origin, upstream) = start().await;
    let settings = format!(
        "credentials: {{type: oauth2_user, authorizationUrl: '{origin}/authorize?tenant=t', tokenUrl: '{origin}/token', clientId: me, clientSecret: '${{env:CLIENT_SECRET}}', secretIn: form, scopes: [read, write], parameters: {{access_type: offline}}}}"
    );
    let spec = spec(&settings);
    let variables = variables(&origin);
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens");
    let server = toolset(&spec, &variables, Some(&tokens)).await;

    // Without an authorisation, and without a caller, the tool says what to do.
    let refused = call(&server, "me", Some("ann")).await.failure.unwrap();
    assert!(refused.text.contains("mcp-factory connect user-server api --as ann"), "{}", refused.text);
    assert!(call(&server, "me", None).await.failure.unwrap().text.contains("nothing is known of who calls"));

    let redirect = "http://127.0.0.1:8910/callback";
    let lookup = |name: &str| variables.get(name).cloned();
    let asked = host::authorize(&spec, "api", "ann", redirect, &lookup, &tokens).unwrap();
    let page = url::Url::parse(&asked.url).unwrap();
    let query: HashMap<String, String> = page.query_pairs().into_owned().collect();
    let value = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!((page.path(), value("tenant"), value("response_type")), ("/authorize", "t", "code"));
    assert_eq!((value("client_id"), value("scope"), value("access_type")), ("me", "read write", "offline"));
    assert_eq!((value("redirect_uri"), value("code_challenge_method")), (redirect, "S256"));
    assert_eq!((value("state"), value("state").len(), value("code_challenge").len()), (asked.state.as_str(), 43, 43));
    upstream.challenge.lock().push_str(value("code_challenge"));
    let wrong = host::authorize(&spec, "api", "ann", redirect, &lookup, &tokens).unwrap().finish("code-of-bob").await;
    assert!(wrong.unwrap_err().message.contains("invalid_grant"));
    upstream.grants.lock().clear();
    asked.finish("code-of-ann").await.unwrap();

    let file = std::fs::read_dir(tokens.join("user-server/api")).unwrap().next().unwrap().unwrap().path();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&tokens)), (0o600, 0o700));
    }
    // The first token is as good as expired: it is renewed at once, and what came is kept for other processes.
    assert_eq!(result(&call(&server, "me", Some("ann")).await), json!({ "who": "ann-2" }));
    assert_eq!(*upstream.grants.lock(), ["authorization_code", "refresh_token"]);
    assert!(std::fs::read_to_string(&file).unwrap().contains("refresh-2"));
    let other = toolset(&spec, &variables, Some(&tokens)).await;
    result(&call(&other, "me", Some("ann")).await);
    assert_eq!(upstream.grants.lock().len(), 2, "the stored token is still good");
    let bob = call(&other, "me", Some("bob")).await.failure.unwrap();
    assert!(bob.text.contains("--as bob") && bob.kind == FailureKind::Denied, "{bob:?}");

    // The provider ended the authorisation.
    upstream.refresh.lock().push_str("-revoked");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut stored: Value = serde_json::from_str(&text).unwrap();
    stored["expiresAt"] = 0.into();
    std::fs::write(&file, stored.to_string()).unwrap();
    let again = toolset(&spec, &variables, Some(&tokens)).await;
    let ended = call(&again, "me", Some("ann")).await.failure.unwrap();
    assert!(ended.text.contains("not valid any more") && ended.text.contains("mcp-factory connect"), "{}", ended.text);
    for secret in ["access-of-ann", "refresh-", "s3cret"] {
        assert!(!ended.text.contains(secret), "{}", ended.text);
    }
    let none = host::authorize(&spec, "other", "ann", redirect, &lookup, &tokens).unwrap_err();
    assert_eq!(none.code, "MF0930");
}

#[tokio::test]
async fn secrets_come_from_doppler() {
    let (origin, _) = start().await;
    let spec = parse(
        "name: doppler-server\nconnections:\n  - {name: api, type: http, envVar: API_URL, headers: {X-Path: '${doppler:API_URL_PATH}'}, credentials: {type: header, header: X-Token, value: '${doppler:API_TOKEN}'}}\n  \
         - {name: other, type: http, envVar: API_URL, credentials: {type: bearer, token: {doppler: NOT_THERE}}}\ntools:\n  - {name: headers, connection: api, parameters: {}, http: GET /headers}\n",
    );
    let mut variables = variables(&origin);
    let none = host::managed(&spec, &|_: &str| None).await.1.unwrap();
    assert!(none.code == "MF0929" && none.message.contains("DOPPLER_TOKEN is not set"), "{none:?}");
    variables.insert("DOPPLER_API_HOST".to_owned(), origin.clone());
    variables.insert("DOPPLER_TOKEN".to_owned(), "dp.st.wrong-token".to_owned());
    let wrong = host::managed(&spec, &|name: &str| variables.get(name).cloned()).await.1.unwrap();
    assert!(wrong.message.contains("401") && wrong.message.contains("Invalid Service token"), "{wrong:?}");
    assert!(!format!("{wrong:?}").contains("dp.st.wrong-token"));
    variables.insert("DOPPLER_TOKEN".to_owned(), "dp.st.fake-service-token".to_owned());
    let (managed, told) = host::managed(&spec, &|name: &str| variables.get(name).cloned()).await;
    assert!(told.is_none() && managed.len() == 2, "{told:?}");
    let lookup = |name: &str| managed.get(name).or_else(|| variables.get(name)).cloned();
    let opened = host::open(&spec, &lookup, false);
    let problems: Vec<&str> = opened.diagnostics.iter().map(|found| found.message.as_str()).collect();
    assert_eq!(problems, ["connection `other` has no credentials: Doppler gave no secret NOT_THERE"]);
    let (plan, _) = host::make_plan(&spec, &opened.connections, None).await;
    let toolset = host::toolset(&spec, &plan, opened).unwrap();
    let seen = result(&call(&toolset, "headers", None).await);
    assert_eq!((&seen["x-path"], &seen["x-token"]), (&json!("v1"), &json!("***")));
    // A spec that refers to nothing of it asks for nothing.
    let plain = parse("name: plain\ntools: [{name: one, parameters: {}, reply: hi}]\n");
    assert!(host::managed(&plain, &|_: &str| panic!("nothing is looked up")).await.0.is_empty());
}
