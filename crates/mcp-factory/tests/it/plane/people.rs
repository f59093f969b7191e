//! People at a control plane: the first account, signing in, programs that they let in.

use base64::Engine as _;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::Plane;
use super::client::Answer;
use super::durable::spec;
use crate::world::World;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");
pub(super) const PASSWORD: &str = "correct horse battery";

pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let encoded = |text: &str| {
        let byte = |byte: u8| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        text.bytes().map(byte).collect::<String>()
    };
    let pairs: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

/// Sends a form as a page of the control plane does.
pub(super) fn submit(plane: &Plane, path: &str, cookie: &str, pairs: &[(&str, &str)]) -> Answer {
    let headers = [FORM, ("Origin", plane.url.as_str()), ("Cookie", cookie), ("Accept", "text/html")];
    plane.send("POST", path, &headers, &form(pairs))
}

/// The cookie that an answer sets.
pub(super) fn cookie(answer: &Answer) -> String {
    let set = answer.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {} {}", answer.status, answer.body));
    assert!(set.contains("HttpOnly") && set.contains("SameSite="), "{set}");
    set.split(';').next().expect("a cookie").to_owned()
}

/// Makes the first account by the link that was printed; gives its cookie.
pub(super) fn set_up(plane: &Plane) -> String {
    let link = plane.told["setup"].as_str().expect("a link");
    let secret = link.split_once("?link=").expect("a secret").1;
    let page = plane.get(&format!("/setup?link={secret}"));
    assert!(page.status == 200 && page.body.contains("autocomplete=\"new-password\""), "{}", page.body);
    let short = submit(plane, "/setup", "", &[("link", secret), ("name", "ann"), ("password", "short")]);
    assert_eq!((short.status, short.header("set-cookie")), (403, None));
    let made = submit(plane, "/setup", "", &[("link", secret), ("name", "Ann"), ("password", PASSWORD)]);
    assert_eq!((made.status, made.header("location")), (303, Some("/account")), "{}", made.body);
    let again = submit(plane, "/setup", "", &[("link", secret), ("name", "eve"), ("password", PASSWORD)]);
    assert_eq!(again.status, 403, "a link is used once");
    cookie(&made)
}

pub(super) fn sign_in(plane: &Plane, name: &str, password: &str) -> Answer {
    plane.send("POST", "/api/session", &[JSON], &json!({"name": name, "password": password}).to_string())
}

#[test]
fn the_first_account_is_made_by_a_link_and_from_then_on_the_machine_is_not_enough() {
    let world = World::new();
    let plane = Plane::start(&world);
    assert_eq!(plane.get("/mcp/servers").status, 200);
    assert_eq!(plane.get("/setup?link=guessed").status, 404);
    let other = [FORM, ("Origin", "https://evil.example")];
    let secret = plane.told["setup"].as_str().and_then(|link| link.split_once('=')).expect("a link").1.to_owned();
    let body = form(&[("link", &secret), ("name", "eve"), ("password", PASSWORD)]);
    assert_eq!(plane.send("POST", "/setup", &other, &body).status, 403, "of another site's page");
    assert_eq!(plane.send("POST", "/setup", &[FORM], &body).status, 403, "of who knows which page");
    let cookie = set_up(&plane);
    assert_eq!(plane.get("/mcp/servers").status, 401, "there is an account");
    assert_eq!(
        plane.send("GET", "/mcp/servers", &[("Cookie", &cookie)], "").status,
        401,
        "a cookie is for pages alone"
    );

    let page = plane.send("GET", "/account", &[("Cookie", &cookie)], "");
    assert!(page.status == 200 && page.body.contains("Signed in as ann"), "{}", page.body);
    let made = submit(&plane, "/account", &cookie, &[("create", "cursor <1>")]);
    let key = made.body.split("of_mcp_").nth(1).and_then(|rest| rest.split('<').next()).expect("a key");
    assert!(made.body.contains("cursor &lt;1&gt;") && made.body.contains("mcpServers"), "{}", made.body);
    let bearer = format!("Bearer of_mcp_{key}");
    assert_eq!(plane.send("GET", "/mcp/servers", &[("Authorization", &bearer)], "").status, 200);
    assert_eq!(plane.send("GET", "/api/accounts", &[("Authorization", &bearer)], "").status, 403, "a key runs nothing");
    let out = submit(&plane, "/sign-out", &cookie, &[]);
    assert_eq!(out.header("location"), Some("/sign-in"));
    assert_eq!(plane.send("GET", "/account", &[("Cookie", &cookie)], "").status, 303, "signed out");
    let back =
        submit(&plane, "/sign-in", "", &[("name", "ann"), ("password", PASSWORD), ("to", "https://evil.example")]);
    assert_eq!((back.status, back.header("location")), (303, Some("/account")), "it leads nowhere else");
    drop(plane);
    let plane = Plane::start(&world);
    assert_eq!((plane.get("/mcp/servers").status, &plane.told["setup"]), (401, &Value::Null));
}

#[test]
fn people_have_roles_keys_and_links_and_lose_all_of_it_with_their_account() {
    let world = World::new();
    let plane = Plane::start(&world);
    set_up(&plane);
    let wrong = sign_in(&plane, "ann", "wrong horse battery");
    let nobody = sign_in(&plane, "nobody", PASSWORD);
    assert_eq!((wrong.status, wrong.body.clone()), (401, nobody.body), "it is not told which of them is wrong");
    let session = sign_in(&plane, "ann", PASSWORD).json();
    let bearer = |token: &Value| format!("Bearer {}", token.as_str().expect("a token"));
    let ann = bearer(&session["token"]);
    let send = |bearer: &str, method: &str, path: &str, body: Value| {
        plane.send(method, path, &[("Authorization", bearer), JSON], &body.to_string())
    };
    let invited = send(&ann, "POST", "/api/accounts", json!({"name": "bob"}));
    assert_eq!(invited.status, 201, "{}", invited.body);
    assert_eq!(send(&ann, "POST", "/api/accounts", json!({"name": "BOB"})).json()["code"], "MF1052");
    let link = invited.json()["link"].as_str().expect("a link").to_owned();
    let secret = link.split_once("?link=").expect("a secret").1.to_owned();
    let chosen = submit(&plane, "/password", "", &[("link", &secret), ("password", "another horse battery")]);
    assert_eq!(chosen.status, 303, "{}", chosen.body);
    assert_eq!(plane.get(&format!("/password?link={secret}")).status, 404, "a link is used once");

    let bob = sign_in(&plane, "bob", "another horse battery").json();
    assert_eq!(bob["account"]["role"], "member");
    let bob = bearer(&bob["token"]);
    assert_eq!(send(&bob, "GET", "/api/accounts", json!({})).status, 403);
    assert_eq!(send(&bob, "GET", "/mcp/doctor", json!({})).status, 403);
    let key = send(&bob, "POST", "/api/mcp-keys", json!({"name": "claude"}));
    assert_eq!(key.status, 201, "{}", key.body);
    let key = bearer(&key.json()["key"]);
    assert_eq!(send(&key, "POST", "/mcp/create", json!({"spec": spec("bobs")})).status, 201);
    let names = |bearer: &str| {
        let listed = send(bearer, "GET", "/mcp/servers", json!({})).json()["servers"].clone();
        listed.as_array().map(Vec::len)
    };
    assert_eq!((names(&bob), names(&key), names(&ann)), (Some(1), Some(1), Some(1)));

    let removed = send(&ann, "DELETE", "/api/accounts/bob", json!({}));
    assert_eq!((removed.status, &removed.json()["servers"]), (200, &json!(1)), "{}", removed.body);
    plane.until_status("/mcp/servers", &[("Authorization", &key)], 401);
    plane.until_status("/mcp/servers", &[("Authorization", &bob)], 401);
    assert_eq!(names(&ann), Some(1), "what it owned stays");
    assert_eq!(send(&ann, "DELETE", "/api/accounts/ann", json!({})).json()["code"], "MF1052", "the last owner stays");
    let reset = world.json(&["accounts", "reset", "ann"]);
    assert!(reset["link"].as_str().is_some_and(|link| link.starts_with(&plane.url)), "{reset}");
    assert_eq!(send(&ann, "DELETE", "/api/session", json!({})).status, 204);
    plane.until_status("/mcp/servers", &[("Authorization", &ann)], 401);
}

#[test]
fn a_program_is_let_in_by_whoever_is_signed_in_and_acts_for_them() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    let cookie = set_up(&plane);
    let challenge = plane.send("POST", "/mcp", &[JSON], "{}");
    let challenge = challenge.header("www-authenticate").expect("a challenge").to_owned();
    assert!(
        challenge.contains(&format!("resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\"", plane.url))
    );
    assert!(challenge.contains("servers:write"), "{challenge}");
    for (path, resource, scopes) in [
        ("", "/mcp", 5),
        ("/mcp", "/mcp", 5),
        ("/servers/shop/mcp", "/servers/shop/mcp", 1),
        ("/servers/shop/groups/a/mcp", "/servers/shop/groups/a/mcp", 1),
    ] {
        let about = plane.get(&format!("/.well-known/oauth-protected-resource{path}")).json();
        assert_eq!(about["resource"], format!("{}{resource}", plane.url), "{path}");
        assert_eq!(about["scopes_supported"].as_array().map(Vec::len), Some(scopes), "{about}");
    }
    let redirect = "https://claude.ai/api/mcp/auth_callback";
    let client = json!({"redirect_uris": [redirect], "client_name": "Claude", "token_endpoint_auth_method": "none"});
    let client = plane.post("/register", &client).json();
    let verifier = "v".repeat(43);
    let digest = sha2::Sha256::digest(verifier.as_bytes());
    let s256 = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest);
    let id = client["client_id"].as_str().expect("an id");
    let mut question = vec![("response_type", "code"), ("client_id", id), ("redirect_uri", redirect), ("state", "s&1")];
    question.extend([("code_challenge", s256.as_str()), ("code_challenge_method", "S256"), ("scope", "mcp")]);
    let question = format!("/authorize?{}", form(&question));

    let first = plane.get(&question);
    let to = first.header("location").expect("to the page for signing in").to_owned();
    assert!(first.status == 303 && to.starts_with("/sign-in?to=%2Fauthorize%3F"), "{to}");
    let page = plane.get(&to);
    assert!(page.body.contains("name=\"to\""), "{}", page.body);
    let back = submit(&plane, "/sign-in", "", &[("name", "ann"), ("password", PASSWORD), ("to", &question)]);
    assert_eq!(back.header("location"), Some(question.as_str()));

    let asked = plane.send("GET", &question, &[("Cookie", &cookie), ("Accept", "text/html")], "");
    assert!(asked.status == 200 && asked.body.contains("signed in as <b>ann</b>"), "{}", asked.body);
    let sealed = asked.body.split("name=\"question\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let both = format!("{cookie}; {}", self::cookie(&asked));
    let answer = [("question", sealed.expect("the question")), ("answer", "allow")];
    let stranger = submit(&plane, "/authorize", self::cookie(&asked).as_str(), &answer);
    assert_eq!((stranger.status, stranger.header("location")), (403, None), "nobody is signed in");
    let allowed = submit(&plane, "/authorize", &both, &answer);
    let to = allowed.header("location").expect("back to the program").to_owned();
    let code = to.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code").to_owned();
    let token = form(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect),
        ("client_id", id),
        ("code_verifier", &verifier),
    ]);
    let token = plane.send("POST", "/token", &[FORM], &token).json();
    let bearer = format!("Bearer {}", token["access_token"].as_str().expect("a token"));
    let listed = plane.send("GET", "/mcp/servers", &[("Authorization", &bearer)], "");
    assert_eq!(listed.status, 200, "{}", listed.body);
    let narrow = plane.send(
        "POST",
        "/mcp/create",
        &[("Authorization", &bearer), JSON],
        &json!({"spec": spec("hello")}).to_string(),
    );
    assert_eq!(narrow.status, 403, "it asked for `mcp` alone");
    let programs = world.json(&["keys", "list"])["programs"].clone();
    assert_eq!((&programs[0]["name"], programs.as_array().map(Vec::len)), (&json!("Claude"), Some(1)));
    world.ok(&["keys", "revoke", programs[0]["id"].as_str().expect("an id")]);
    plane.until_status("/mcp/servers", &[("Authorization", &bearer)], 401);
}

#[test]
fn a_link_that_cannot_be_stored_keeps_nothing_from_being_served() {
    let world = World::new();
    Plane::start_with(&world, &["--allow-unauthenticated"]).end();
    let file = rusqlite::Connection::open(world.home().join("catalogue.db")).expect("the catalogue");
    // As a disk does that is full, and a store that is only read.
    let refuse = "CREATE TRIGGER no_links BEFORE INSERT ON account_links BEGIN SELECT RAISE(FAIL, 'no room'); END";
    file.execute_batch(refuse).expect("a trigger");
    drop(file);
    let plane = Plane::start(&world);
    assert!(plane.told["setup"].is_null(), "{}", plane.told);
    assert_eq!(plane.get("/mcp/servers").status, 200);
    let told = std::fs::read_to_string(world.path("serve.log")).expect("a log");
    assert!(told.contains("there is no link that makes the first account") && told.contains("no room"), "{told}");
}
