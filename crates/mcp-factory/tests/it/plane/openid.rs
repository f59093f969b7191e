//! People sign in at a real provider of OpenID Connect, which is `oidc-provider` of npm.

mod browser;

use serde_json::{Value, json};

use super::Plane;
use super::people::{self, form, submit};
use crate::world::{World, service};
use browser::Browser;

const BACK: &str = "/sign-in/openid/callback";

/// The provider, or nothing after saying that the test is skipped.
fn provider(test: &str) -> Option<String> {
    service("MCP_FACTORY_TEST_OPENID", test)
}

/// Registers a client at the provider.
fn register(provider: &str, more: Value) -> Value {
    // The provider lets programs of this machine come back to any port.
    let mut client = json!({ "application_type": "native", "redirect_uris": [format!("http://127.0.0.1{BACK}")] });
    client.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let address = provider.strip_prefix("http://").expect("a provider of this machine");
    let body = client.to_string();
    let text = format!(
        "POST /reg HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = super::client::ask(address, &text).expect("an answer");
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()
}

/// A control plane that relies on a provider.
fn start(world: &mut World, provider: &str, client: &Value, more: &[&str]) -> Plane {
    if let Some(secret) = client["client_secret"].as_str() {
        world.write("secret.txt", &format!("{secret}\n"));
        let file = world.path("secret.txt").display().to_string();
        world.set("MCP_FACTORY_OIDC_CLIENT_SECRET_FILE", &file);
    }
    world.set("MCP_FACTORY_OIDC_ISSUER", provider);
    let id = client["client_id"].as_str().expect("an id");
    Plane::start_with(world, &[&["--oidc-client-id", id, "--oidc-name", "Example <Inc.>"], more].concat())
}

#[test]
fn people_come_in_by_a_provider_and_let_programs_in() {
    let Some(provider) = provider("people_come_in_by_a_provider_and_let_programs_in") else { return };
    let mut world = World::new();
    let client = register(&provider, json!({ "id_token_signed_response_alg": "ES256" }));
    let plane = start(&mut world, &provider, &client, &["--oidc-allow", "owner:ann@example.com,*@example.org"]);
    assert_eq!(plane.told["oidcRedirectUri"], format!("{}{BACK}", plane.url));
    // Who names a provider wants everybody asked, also before there is an account and on this machine.
    assert_eq!((&plane.told["identity"], plane.get("/mcp/servers").status), (&json!("required"), 401));
    let page = plane.get("/sign-in");
    assert!(
        page.body.contains("Sign in with Example &lt;Inc.&gt;") && !page.body.contains("type=\"password\""),
        "{}",
        page.body
    );

    let at = |path: &str| format!("{}{path}", plane.url);
    let first = Browser::default().sign_in(&at("/sign-in/openid"), "bob@example.org");
    assert!(first.answer.status == 403 && first.answer.body.contains("there is no owner yet"), "{}", first.answer.body);
    let mut ann = Browser::default();
    let page = ann.sign_in(&at("/sign-in/openid?to=%2Fdocs"), "ann@example.com");
    assert_eq!((page.url.as_str(), page.answer.status), (at("/docs").as_str(), 200), "{}", page.answer.body);
    let own = ann.open(&at("/account"));
    assert!(own.answer.body.contains("Signed in as ann@example.com"), "{}", own.answer.body);
    assert_eq!(plane.get("/mcp/servers").status, 401, "there is an account");

    let stranger = Browser::default().sign_in(&at("/sign-in/openid?to=%2Fdocs"), "eve@evil.example");
    let body = &stranger.answer.body;
    let id = stranger.answer.header("x-request-id").expect("an id");
    assert!(stranger.answer.status == 403 && body.contains("MF1107") && body.contains(id), "{body}");
    assert!(body.contains("nobody let `eve@evil.example` in") && body.contains("/sign-in?to=%2Fdocs"), "{body}");
    let unsure = Browser::default().sign_in(&at("/sign-in/openid"), "unsure@example.org");
    assert!(unsure.answer.body.contains("MF1107") && unsure.answer.body.contains("vouch"), "{}", unsure.answer.body);

    let bearer = let_in(&plane, &mut Browser::default(), "bob@example.org");
    assert_eq!(plane.send("GET", "/mcp/servers", &[("Authorization", &bearer)], "").status, 200);
    let accounts = world.json(&["accounts", "list"])["accounts"].clone();
    let shown =
        |nth: usize| (accounts[nth]["name"].clone(), accounts[nth]["role"].clone(), accounts[nth]["ready"].clone());
    assert_eq!(shown(0), (json!("ann@example.com"), json!("owner"), json!(true)));
    assert_eq!(shown(1), (json!("bob@example.org"), json!("member"), json!(true)));
    let tied = |name: &str| accounts[1][name].as_str().expect("a text");
    assert_eq!((tied("issuer"), tied("subject")), (provider.as_str(), "bob@example.org"));
    let table = world.ok(&["accounts", "list"]).out;
    assert!(table.contains("TIED TO") && table.matches("bob@example.org").count() == 2, "{table}");
    let entries = world.json(&["audit", "list", "--operation", "account.sign-in"])["entries"].clone();
    let outcomes: Vec<&str> =
        entries.as_array().expect("entries").iter().filter_map(|one| one["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["ok", "MF1107", "MF1107", "ok", "MF1107"], "{entries}");
    let last = &entries[0];
    assert_eq!((&last["details"]["by"], &last["subject"]), (&json!("openid"), &json!("bob@example.org")));
    assert_eq!(last["details"]["person"]["subject"], "bob@example.org", "{last}");
    let unsure = &entries[1]["details"]["person"];
    assert_eq!(
        (&unsure["address"], &unsure["unverified"]),
        (&Value::Null, &json!("unsure@example.org")),
        "nobody vouches for it"
    );

    world.ok(&["accounts", "remove", "bob@example.org", "--yes"]);
    plane.until_status("/mcp/servers", &[("Authorization", &bearer)], 401);
    let log = std::fs::read_to_string(world.path("serve.log")).expect("a log");
    assert!(log.contains("MF1107") && log.contains(id), "{log}");
    for secret in [client["client_secret"].as_str().expect("a secret"), "?code=", "&code=", "eyJ"] {
        assert!(!log.contains(secret), "the log has {secret}");
    }
}

/// Has somebody let a program in who is sent to sign in first; gives what the program shows.
fn let_in(plane: &Plane, browser: &mut Browser, name: &str) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let redirect = "https://claude.ai/api/mcp/auth_callback";
    let client = json!({ "redirect_uris": [redirect], "client_name": "Claude", "token_endpoint_auth_method": "none" });
    let client = plane.post("/register", &client).json();
    let (id, verifier) = (client["client_id"].as_str().expect("an id"), "v".repeat(43));
    let s256 = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(verifier.as_bytes()));
    let mut question = vec![("response_type", "code"), ("client_id", id), ("redirect_uri", redirect), ("state", "s&1")];
    question.extend([("code_challenge", s256.as_str()), ("code_challenge_method", "S256"), ("scope", "mcp")]);
    let page = browser.open(&format!("{}/authorize?{}", plane.url, form(&question)));
    let link = page.answer.body.split("href=\"/sign-in/openid?").nth(1).and_then(|rest| rest.split('"').next());
    let link = link.unwrap_or_else(|| panic!("no button in {}", page.answer.body)).replace("&amp;", "&");
    let asked = browser.sign_in(&format!("{}/sign-in/openid?{link}", plane.url), name);
    assert!(asked.answer.body.contains(&format!("signed in as <b>{name}</b>")), "{}", asked.answer.body);
    let sealed = asked.answer.body.split("name=\"question\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let answer = [("question", sealed.expect("the question")), ("answer", "allow")];
    let allowed = submit(plane, "/authorize", &browser.cookies(&plane.url), &answer);
    let to = allowed.header("location").expect("back to the program").to_owned();
    let code = to.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code").to_owned();
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", redirect),
        ("client_id", id),
        ("code_verifier", &verifier),
    ];
    let token =
        plane.send("POST", "/token", &[("Content-Type", "application/x-www-form-urlencoded")], &form(&grant)).json();
    format!("Bearer {}", token["access_token"].as_str().expect("a token"))
}

#[test]
fn every_signature_and_every_way_to_prove_who_we_are_is_understood() {
    let Some(provider) = provider("every_signature_and_every_way_to_prove_who_we_are_is_understood") else { return };
    for (signature, method) in [
        ("RS256", "client_secret_basic"),
        ("PS256", "client_secret_post"),
        ("ES256", "none"),
        ("EdDSA", "client_secret_basic"),
    ] {
        let mut world = World::new();
        let client = json!({ "id_token_signed_response_alg": signature, "token_endpoint_auth_method": method, "scope": "openid email profile groups" });
        let client = register(&provider, client);
        let more = ["--oidc-allow", "owner:root@example.com,admin:group:ops", "--oidc-scopes", "openid email groups"];
        let plane = start(&mut world, &provider, &client, &more);
        for name in ["root@example.com", "carl+ops@example.net"] {
            let page = Browser::default().sign_in(&format!("{}/sign-in/openid", plane.url), name);
            let called = name.replace("+ops", "");
            assert!(page.answer.body.contains(&format!("Signed in as {called}")), "{signature}: {}", page.answer.body);
        }
        let accounts = world.json(&["accounts", "list"])["accounts"].clone();
        assert_eq!((&accounts[0]["role"], &accounts[1]["role"]), (&json!("admin"), &json!("owner")), "{accounts}");
    }
}

#[test]
fn where_only_the_provider_counts_no_password_does() {
    let Some(provider) = provider("where_only_the_provider_counts_no_password_does") else { return };
    let mut world = World::new();
    let client = register(&provider, json!({ "token_endpoint_auth_method": "none" }));
    let plane = start(&mut world, &provider, &client, &["--oidc-allow", "ann@example.com"]);
    people::set_up(&plane);
    let both = plane.get("/sign-in").body;
    assert!(both.contains("type=\"password\"") && both.contains("Sign in with Example"), "{both}");
    let begun = plane.get("/sign-in/openid");
    let (to, set) = (begun.header("location").expect("a page"), begun.header("set-cookie").expect("a cookie"));
    assert!(to.starts_with(&format!("{provider}/auth?")) && to.contains("code_challenge_method=S256"), "{to}");
    assert!(set.starts_with("mcp_factory_openid=") && set.contains("HttpOnly; SameSite=Lax; Max-Age=600"), "{set}");
    let strange = plane.send("GET", &format!("{BACK}?code=x&state=y"), &[("Accept", "text/html")], "");
    assert!(strange.status == 400 && strange.body.contains("MF1103"), "{}", strange.body);
    let signed_in = people::sign_in(&plane, "ann", people::PASSWORD).json();
    let bearer = format!("Bearer {}", signed_in["token"].as_str().expect("a token"));
    assert_eq!(plane.send("GET", "/mcp/servers", &[("Authorization", &bearer)], "").status, 200);
    drop(plane);

    let public = ["--oidc-only", "--public-url", "https://MCP.Example.com:443/"];
    let plane = start(&mut world, &provider, &client, &public);
    assert_eq!(plane.told["oidcRedirectUri"], format!("https://mcp.example.com{BACK}"));
    let sent = plane.get("/sign-in/openid").header("location").expect("a page").to_owned();
    assert!(sent.contains(&form(&[("redirect_uri", &format!("https://mcp.example.com{BACK}"))])), "{sent}");
    assert_eq!(
        plane.send("GET", "/mcp/servers", &[("Authorization", &bearer)], "").status,
        401,
        "of a password that is not taken any more"
    );
    let log = std::fs::read_to_string(world.path("serve.log")).expect("a log");
    assert!(log.contains("no owner can sign in") && log.contains("--trusted-proxy"), "{log}");
    let page = plane.get("/sign-in").body;
    assert!(!page.contains("type=\"password\"") && page.contains("Sign in with Example"), "{page}");
    let set = plane.get("/sign-in/openid").header("set-cookie").expect("a cookie").to_owned();
    assert!(
        set.starts_with("__Host-mcp_factory_openid=") && set.contains("Path=/;") && set.ends_with("; Secure"),
        "{set}"
    );
    let body = json!({ "name": "ann", "password": "correct horse battery" }).to_string();
    let refused = plane.send("POST", "/api/session", &[("Content-Type", "application/json")], &body);
    assert!(refused.status == 403 && refused.body.contains("MF1109"), "{}", refused.body);
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", "https://mcp.example.com")];
    let refused =
        plane.send("POST", "/sign-in", &headers, &form(&[("name", "ann"), ("password", "correct horse battery")]));
    assert!(refused.status == 403 && refused.body.contains("MF1109"), "{}", refused.body);
    let link = world.json(&["accounts", "reset", "ann"])["link"].as_str().expect("a link").to_owned();
    let secret = link.strip_prefix("https://mcp.example.com/password?link=").expect("a link that people can open");
    let chosen =
        plane.send("POST", "/password", &headers, &form(&[("link", secret), ("password", "another horse battery")]));
    assert_eq!((chosen.status, chosen.header("location")), (303, Some("/account")), "{}", chosen.body);
    let own = plane.send("GET", "/account", &[("Cookie", &people::cookie(&chosen))], "");
    assert!(own.status == 200 && own.body.contains("Signed in as ann"), "{}", own.body);
}

#[test]
fn a_long_question_comes_back_and_a_path_that_no_header_can_say_leads_nowhere_else() {
    let Some(provider) = provider("a_long_question_comes_back_and_a_path_that_no_header_can_say_leads_nowhere_else")
    else {
        return;
    };
    let mut world = World::new();
    let client = register(&provider, json!({}));
    let plane = start(&mut world, &provider, &client, &["--oidc-allow", "owner:ann@example.com"]);
    for question in
        ["x".repeat(2_733), "x".repeat(6_233), "%22".repeat(2_300), "\"".repeat(2_300), "x".repeat(16 * 1024)]
    {
        let to = format!("/authorize?{question}");
        let begin = format!("{}/sign-in/openid?{}", plane.url, form(&[("to", &to)]));
        let page = Browser::default().sign_in(&begin, "ann@example.com");
        assert_eq!(page.url, format!("{}{to}", plane.url), "{}", page.answer.body);
    }
    for unfit in ["/docs/\r\nX: y", "/docs/\u{7f}", "/authorize?\n", &format!("/docs/{}", "x".repeat(20_000))] {
        let begin = format!("{}/sign-in/openid?{}", plane.url, form(&[("to", unfit)]));
        let page = Browser::default().sign_in(&begin, "ann@example.com");
        assert_eq!(
            (page.url, page.answer.status),
            (format!("{}/account", plane.url), 200),
            "{unfit:?}: {}",
            page.answer.body
        );
    }
}

#[test]
fn settings_that_do_not_fit_start_nothing() {
    let issuer = ["--oidc-issuer", "https://id.example.com"];
    let client = ["--oidc-client-id", "factory"];
    for more in [
        vec![["--oidc-issuer", "http://id.example.com"], client],
        vec![["--oidc-issuer", "id.example.com"], client],
        vec![issuer],
        vec![client],
        vec![["--oidc-allow", "ann@example.com"]],
        vec![["--oidc-role", "admin"]],
        vec![["--oidc-name", "X"]],
        vec![["--oidc-scopes", "openid"]],
        vec![["--oidc-ca-file", "/nowhere/ca.pem"]],
        vec![issuer, client, ["--oidc-ca-file", "/dev/null"]],
        vec![issuer, client, ["--oidc-allow", "a@example.com,owner:a@example.com"]],
        vec![issuer, client, ["--oidc-allow", "everybody"]],
        vec![issuer, client, ["--oidc-allow", "owner:*@example.com"]],
        vec![issuer, client, ["--oidc-role", "owner"]],
        vec![issuer, client, ["--oidc-scopes", "email"]],
        vec![issuer, client, ["--oidc-ca-file", "/nowhere/ca.pem"]],
        vec![issuer, client, ["--oidc-name", " "]],
        vec![issuer, client, ["--oidc-only", "--allow-unauthenticated"]],
    ] {
        let words: Vec<&str> = ["serve", "--port", "0"].into_iter().chain(more.into_iter().flatten()).collect();
        let ran = World::new().run(&words);
        assert!(ran.code == 2 && ran.err.contains("MF1101"), "{words:?}: {} {}", ran.code, ran.err);
    }
    for (variable, value) in [("CLIENT_SECRET", "x"), ("CLIENT_SECRET_FILE", "/x"), ("ROLE", "boss"), ("ONLY", "1")] {
        let mut world = World::new();
        world.set(&format!("MCP_FACTORY_OIDC_{variable}"), value);
        let ran = world.run(&["serve", "--port", "0"]);
        assert!(
            ran.code == 2 && ran.err.contains("MF1101") && ran.err.contains("no provider"),
            "{variable}: {}",
            ran.err
        );
    }
    let mut world = World::new();
    world.set("MCP_FACTORY_OIDC_ISSUER", "https://id.example.com");
    world.set("MCP_FACTORY_OIDC_CLIENT_ID", "factory");
    world.set("MCP_FACTORY_OIDC_CLIENT_SECRET_FILE", "/nowhere/secret");
    let ran = world.run(&["serve", "--port", "0"]);
    assert!(ran.code == 2 && ran.err.contains("MF1101"), "{}", ran.err);
    let empty = world.write("empty.txt", "\n").display().to_string();
    world.set("MCP_FACTORY_OIDC_CLIENT_SECRET_FILE", &empty);
    let ran = world.run(&["serve", "--port", "0"]);
    assert!(ran.code == 2 && ran.err.contains("MF1101") && ran.err.contains("no secret"), "{}", ran.err);
    world.set("MCP_FACTORY_OIDC_CLIENT_SECRET", "x");
    world.set("MCP_FACTORY_OIDC_ONLY", "perhaps");
    assert!(world.run(&["serve", "--port", "0"]).err.contains("MF1101"));
}
