//! Signing in at servers that want tokens.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base::Secret;
use client::oauth::{Answer, Boxed, Browser, Held, Keep, Listening, Login, Options};
use client::{Client, Limits, Protocol, Settings, Target, Transport};
use connect::egress::{Networks, Policy};
use connect::http;
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::caller;

type Fields = HashMap<String, String>;

fn fields(text: &str) -> Fields {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// What a server says of itself, beside what it does.
#[derive(Clone, Default)]
struct Lies {
    /// Fields of the metadata of the server, and of those of the authorization server.
    resource: Map<String, Value>,
    server: Map<String, Value>,
    /// What the answer to the browser says of its issuer.
    issuer: Option<&'static str>,
    /// Where the metadata of the authorization server send their reader.
    elsewhere: bool,
}

/// A server that wants tokens, and its authorization server.
struct World {
    origin: String,
    lies: Lies,
    /// The token that is good, with its scopes, and the refresh token that goes with it.
    good: Mutex<(String, String, String)>,
    challenge: Mutex<String>,
    made: Mutex<usize>,
    /// Whether it knows none of its clients any more.
    forgets: Mutex<bool>,
    seen: Mutex<Vec<(String, Fields)>>,
}

impl World {
    async fn start(lies: Lies) -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Self {
            origin,
            lies,
            good: Mutex::default(),
            challenge: Mutex::default(),
            made: Mutex::default(),
            forgets: Mutex::default(),
            seen: Mutex::default(),
        });
        let router = Router::new()
            .route("/mcp", post(mcp))
            .route("/.well-known/oauth-protected-resource/mcp", get(about))
            .route("/.well-known/oauth-authorization-server", get(about))
            .route("/register", post(register))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(Arc::clone(&world));
        tokio::spawn(async move { axum::serve(listener, router).await });
        world
    }

    /// The fields of all requests of one kind.
    fn seen(&self, what: &str) -> Vec<Fields> {
        self.seen.lock().iter().filter(|(kind, _)| kind == what).map(|(_, fields)| fields.clone()).collect()
    }

    /// A client with a person who agrees to everything.
    fn client(self: &Arc<Self>, kept: &Arc<Kept>, options: Options) -> Client {
        let mut settings = http::Settings::new("other", Secret::new(self.origin.as_str()));
        settings.policy = Policy::default().allow_networks(Networks::parse("private").unwrap());
        let at = format!("{}/mcp", self.origin).parse().unwrap();
        let keep = Arc::clone(kept) as Arc<dyn Keep>;
        let login = Login::new(at, &settings, options, keep, Some(Arc::new(Agreeing)));
        let target = Target::Address {
            http: Box::new(settings),
            endpoint: "/mcp".to_owned(),
            transport: Transport::Streamable,
            login: Some(Arc::new(login)),
        };
        let name = "other".to_owned();
        let settings =
            Settings { name, target, protocol: Protocol::Initialize, secrets: Vec::new(), limits: Limits::default() };
        Client::open(settings).unwrap()
    }
}

async fn about(State(world): State<Arc<World>>, uri: Uri) -> Response {
    let origin = &world.origin;
    let of_server = uri.path().contains("authorization-server");
    if of_server && world.lies.elsewhere {
        return Redirect::temporary("https://elsewhere.example/metadata").into_response();
    }
    let (mut about, lies) = match of_server {
        true => {
            let about = json!({
                "issuer": origin, "authorization_endpoint": format!("{origin}/authorize"),
                "token_endpoint": format!("{origin}/token"), "registration_endpoint": format!("{origin}/register"),
                "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["none"],
                "authorization_response_iss_parameter_supported": true, "scopes_supported": ["read", "offline_access"],
            });
            (about, &world.lies.server)
        }
        false => {
            let about = json!({ "resource": format!("{origin}/mcp"), "authorization_servers": [origin],
                "scopes_supported": ["read"] });
            (about, &world.lies.resource)
        }
    };
    about.as_object_mut().unwrap().extend(lies.clone());
    Json(about).into_response()
}

async fn register(State(world): State<Arc<World>>, Json(asked): Json<Value>) -> Response {
    let fields = [("redirect".to_owned(), asked["redirect_uris"][0].as_str().unwrap_or_default().to_owned())];
    world.seen.lock().push(("register".to_owned(), fields.into()));
    (StatusCode::CREATED, Json(json!({ "client_id": "c1" }))).into_response()
}

async fn authorize(State(world): State<Arc<World>>, uri: Uri) -> Response {
    let asked = fields(uri.query().unwrap_or_default());
    let mut back = url::Url::parse(&asked["redirect_uri"]).unwrap();
    let issuer = world.lies.issuer.unwrap_or(&world.origin).to_owned();
    back.query_pairs_mut().append_pair("code", "the-code").append_pair("state", &asked["state"]);
    if !issuer.is_empty() {
        back.query_pairs_mut().append_pair("iss", &issuer);
    }
    world.seen.lock().push(("authorize".to_owned(), asked));
    Redirect::to(back.as_str()).into_response()
}

async fn token(State(world): State<Arc<World>>, body: String) -> Response {
    let asked = fields(&body);
    let refresh = world.good.lock().2.clone();
    let is_good = match asked["grant_type"].as_str() {
        "refresh_token" => asked["refresh_token"] == refresh,
        "authorization_code" => asked["code"] == "the-code" && asked["code_verifier"].len() >= 43,
        "client_credentials" => asked["client_secret"] == "its-secret",
        _ => false,
    };
    world.seen.lock().push((asked["grant_type"].clone(), asked.clone()));
    if std::mem::take(&mut *world.forgets.lock()) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    if !is_good {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    let nth = {
        let mut made = world.made.lock();
        *made += 1;
        *made
    };
    let scopes = world.seen("authorize").last().and_then(|asked| asked.get("scope").cloned()).unwrap_or_default();
    let (access, refresh) = (format!("access-{nth}"), format!("refresh-{nth}"));
    *world.good.lock() = (access.clone(), scopes, refresh.clone());
    Json(json!({ "access_token": access, "token_type": "bearer", "expires_in": 3600, "refresh_token": refresh }))
        .into_response()
}

async fn mcp(State(world): State<Arc<World>>, headers: HeaderMap, Json(message): Json<Value>) -> Response {
    let (good, scopes, _) = world.good.lock().clone();
    let shown = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    if good.is_empty() || shown != Some(format!("Bearer {good}")) {
        let more = world.challenge.lock().clone();
        let challenge = format!("Bearer error=\"invalid_token\"{more}");
        return (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)]).into_response();
    }
    let needs_more = message["params"]["name"] == "write" && !scopes.split(' ').any(|scope| scope == "write");
    if needs_more {
        let challenge = "Bearer error=\"insufficient_scope\", scope=\"write\"";
        return (StatusCode::FORBIDDEN, [("www-authenticate", challenge)]).into_response();
    }
    let result = match message["method"].as_str() {
        Some("initialize") => {
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": { "name": "f", "version": "1" } })
        }
        Some("tools/call") => json!({ "content": [{ "type": "text", "text": format!("shown {}", shown.unwrap()) }] }),
        _ => return StatusCode::ACCEPTED.into_response(),
    };
    Json(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result })).into_response()
}

/// What is kept, in memory.
#[derive(Default)]
struct Kept {
    text: Mutex<Option<String>>,
    held: Arc<tokio::sync::Mutex<()>>,
}

impl Keep for Kept {
    fn load(&self) -> Result<Option<String>, String> {
        Ok(self.text.lock().clone())
    }

    fn save(&self, text: &str) -> Result<(), String> {
        *self.text.lock() = Some(text.to_owned());
        Ok(())
    }

    fn hold(&self) -> Result<Option<Held>, String> {
        Ok(Arc::clone(&self.held).try_lock_owned().ok().map(|held| Box::new(held) as Held))
    }
}

/// A person who opens every page, where everything is agreed to.
struct Agreeing;

struct Waiting;

impl Browser for Agreeing {
    fn listen(&self, _: Option<String>) -> Boxed<'_, Result<Box<dyn Listening>, String>> {
        Box::pin(async { Ok(Box::new(Waiting) as Box<dyn Listening>) })
    }
}

impl Listening for Waiting {
    fn redirect(&self) -> String {
        "http://127.0.0.1:1/callback".to_owned()
    }

    fn answer<'a>(self: Box<Self>, page: &'a str, state: &'a str) -> Boxed<'a, Result<Answer, String>> {
        Box::pin(async move {
            let page = url::Url::parse(page).unwrap();
            let mut settings = http::Settings::new("browser", Secret::new(page.origin().ascii_serialization()));
            settings.policy = Policy::default().allow_networks(Networks::parse("private").unwrap());
            let mut call = http::Call::new(http::Method::GET, page.path());
            call.query = page.query_pairs().into_owned().collect();
            call.redirects = http::Redirects::Keep;
            let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
            let api = http::Api::open(settings).unwrap();
            let reply = api.send(&call, deadline, &CancellationToken::new()).await.unwrap();
            let back = url::Url::parse(reply.headers["location"].to_str().unwrap()).unwrap();
            let fields: Fields = back.query_pairs().into_owned().collect();
            assert_eq!(fields["state"], state);
            Ok(Answer { code: Secret::new(fields["code"].as_str()), issuer: fields.get("iss").cloned() })
        })
    }
}

async fn call(client: &Client, tool: &str) -> Result<String, String> {
    let cancel = CancellationToken::new();
    let result = client.call(tool, &Map::new(), caller(&cancel, 20)).await;
    result.map(|result| format!("{result:?}")).map_err(|error| error.message)
}

#[tokio::test]
async fn a_person_agrees_once_and_tokens_are_renewed_and_kept() {
    let world = World::start(Lies::default()).await;
    let kept = Arc::new(Kept::default());
    let client = world.client(&kept, Options::default());
    // What comes back holds no token.
    let said = call(&client, "read").await.unwrap();
    assert!(said.contains("shown Bearer ***"), "{said}");
    let asked = world.seen("authorize").remove(0);
    let resource = format!("{}/mcp", world.origin);
    let expected = [("resource", resource.as_str()), ("scope", "read offline_access"), ("client_id", "c1")];
    for (name, value) in [&expected[..], &[("code_challenge_method", "S256"), ("response_type", "code")]].concat() {
        assert_eq!(asked[name], value, "{name}");
    }
    assert_eq!(world.seen("authorization_code")[0]["resource"], resource);
    // The server forgets its tokens: the refresh token gets the next ones, and is replaced itself.
    for nth in 2..4 {
        world.good.lock().0 = "another".to_owned();
        call(&client, "read").await.unwrap();
        let refreshed = world.seen("refresh_token");
        assert_eq!(refreshed.last().unwrap()["refresh_token"], format!("refresh-{}", nth - 1));
    }
    // Another process finds what was kept, and nobody is asked.
    call(&world.client(&kept, Options::default()), "read").await.unwrap();
    assert_eq!((world.seen("authorize").len(), world.seen("register").len()), (1, 1));
    // A refresh token that is not good any more: somebody agrees anew, as the client that is registered.
    *world.good.lock() = ("another".to_owned(), String::new(), "another".to_owned());
    call(&client, "read").await.unwrap();
    assert_eq!((world.seen("authorize").len(), world.seen("register").len()), (2, 1));
}

#[tokio::test]
async fn processes_that_renew_at_once_use_a_refresh_token_once() {
    let world = World::start(Lies::default()).await;
    let kept = Arc::new(Kept::default());
    call(&world.client(&kept, Options::default()), "read").await.unwrap();
    let [first, second, third] = [(); 3].map(|()| world.client(&kept, Options::default()));
    for client in [&first, &second, &third] {
        call(client, "read").await.unwrap();
    }
    world.good.lock().0 = "another".to_owned();
    let said = tokio::join!(call(&first, "read"), call(&second, "read"), call(&third, "read"));
    assert!(said.0.is_ok() && said.1.is_ok() && said.2.is_ok(), "{said:?}");
    assert_eq!((world.seen("refresh_token").len(), world.seen("authorize").len()), (1, 1));
}

#[tokio::test]
async fn a_request_that_is_given_up_loses_no_refresh_token() {
    let world = World::start(Lies::default()).await;
    let kept = Arc::new(Kept::default());
    let client = world.client(&kept, Options::default());
    call(&client, "read").await.unwrap();
    world.good.lock().0 = "another".to_owned();
    // Given up at every point at which the request waits for something.
    for polls in 1..200 {
        let before = world.seen("refresh_token").len();
        let turns = async {
            for _ in 0..polls {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            _ = call(&client, "read") => {}
            () = turns => {}
        }
        if world.seen("refresh_token").len() > before {
            break;
        }
    }
    call(&client, "read").await.unwrap();
    assert_eq!(world.seen("authorize").len(), 1);
}

#[tokio::test]
async fn a_client_that_is_forgotten_is_registered_anew() {
    let world = World::start(Lies::default()).await;
    let kept = Arc::new(Kept::default());
    call(&world.client(&kept, Options::default()), "read").await.unwrap();
    *world.good.lock() = ("another".to_owned(), String::new(), "another".to_owned());
    *world.forgets.lock() = true;
    call(&world.client(&kept, Options::default()), "read").await.unwrap();
    assert_eq!((world.seen("authorize").len(), world.seen("register").len()), (2, 2));
}

#[tokio::test]
async fn more_scopes_are_asked_for_when_the_server_wants_them_and_once_only() {
    let world = World::start(Lies::default()).await;
    *world.challenge.lock() = ", scope=\"read\"".to_owned();
    let client = world.client(&Arc::default(), Options::default());
    call(&client, "read").await.unwrap();
    call(&client, "write").await.unwrap();
    let asked: Vec<String> = world.seen("authorize").iter().map(|asked| asked["scope"].clone()).collect();
    assert_eq!(asked, ["read offline_access", "read offline_access write"]);
    // The scope was asked for and is not had: asking again would give no more.
    world.good.lock().1 = "read".to_owned();
    assert!(call(&client, "write").await.unwrap_err().contains("status 403"));
    assert_eq!(world.seen("authorize").len(), 2);
}

#[tokio::test]
async fn a_program_signs_in_for_itself() {
    let lies = json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"], "authorization_endpoint": null,
        "code_challenge_methods_supported": null });
    let world = World::start(Lies { server: lies.as_object().unwrap().clone(), ..Lies::default() }).await;
    let options = Options {
        client_id: Some("robot".to_owned()),
        secret: Some(Secret::new("its-secret")),
        itself: true,
        ..Options::default()
    };
    call(&world.client(&Arc::default(), options), "read").await.unwrap();
    let asked = world.seen("client_credentials").remove(0);
    assert_eq!((asked["client_id"].as_str(), asked["scope"].as_str()), ("robot", "read"));
    assert_eq!(world.seen("authorize").len(), 0);
}

#[tokio::test]
async fn metadata_that_do_not_fit_are_refused_before_anything_is_shown() {
    let object = |value: Value| value.as_object().unwrap().clone();
    let resource = |value: Value| Lies { resource: object(value), ..Lies::default() };
    let server = |value: Value| Lies { server: object(value), ..Lies::default() };
    let cases = [
        (resource(json!({ "resource": "https://other.example/mcp" })), "are those of `https://other.example/mcp`"),
        (resource(json!({ "resource": null })), "are those of ``"),
        (resource(json!({ "authorization_servers": [] })), "name no authorization server"),
        (resource(json!({ "authorization_servers": ["http://as.example"] })), "is not https"),
        (server(json!({ "issuer": "https://evil.example" })), "calls itself `https://evil.example`"),
        (server(json!({ "code_challenge_methods_supported": null })), "no PKCE with S256"),
        (server(json!({ "code_challenge_methods_supported": ["plain"] })), "no PKCE with S256"),
        (server(json!({ "token_endpoint": "http://as.example/token" })), "is not https"),
        (server(json!({ "token_endpoint": null })), "names no token endpoint"),
        (server(json!({ "registration_endpoint": null })), "registers nobody"),
        (Lies { elsewhere: true, ..Lies::default() }, "sends elsewhere"),
        (Lies { issuer: Some("https://evil.example"), ..Lies::default() }, "is one of `https://evil.example`"),
        (Lies { issuer: Some(""), ..Lies::default() }, "does not say whose it is"),
    ];
    for (lies, why) in cases {
        let world = World::start(lies).await;
        let said = call(&world.client(&Arc::default(), Options::default()), "read").await.unwrap_err();
        assert!(said.contains(why), "{why}: {said}");
        assert_eq!(world.seen("authorization_code").len(), 0, "{why}");
    }
}
