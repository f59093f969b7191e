//! Codes and tokens: taken once, for one program, for one resource, for a time, over restarts.

use identity::Scopes;
use identity::oauth::{Bearer, Lifetimes, Settings, Turned};
use serde_json::json;

use crate::world::{ISSUER, World, parameter, settings, text};

/// Parameters of a request that are set, or left out.
type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

#[tokio::test]
async fn a_code_becomes_tokens_that_let_in_and_answers_name_the_issuer() {
    let world = World::new();
    let client = world.register(json!({"client_name": "App"}));
    let answer = world.ask(&client.0, &[]).await.unwrap();
    assert_eq!(parameter(&answer, "state").as_deref(), Some("s 1"));
    assert_eq!(parameter(&answer, "iss").as_deref(), Some(ISSUER));
    let tokens = world.redeem(&parameter(&answer, "code").unwrap(), &client, &[]).await.unwrap();
    assert_eq!((text(&tokens, "token_type"), tokens["expires_in"].as_u64()), ("Bearer", Some(3_600)));
    assert_eq!(text(&tokens, "scope"), "mcp orders");
    let caller = world.caller(text(&tokens, "access_token")).unwrap();
    assert!(caller.scopes.allow("mcp") && &*caller.owner == "owner");
    assert_eq!(world.show(text(&tokens, "refresh_token"), "/mcp"), Bearer::Invalid);
}

#[tokio::test]
async fn a_code_that_comes_twice_ends_everything_that_it_gave() {
    let world = World::new();
    let client = world.register(json!({}));
    let code = world.code(&client.0, &[]).await;
    let tokens = world.redeem(&code, &client, &[]).await.unwrap();
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    assert!(world.caller(access).is_some());
    assert_eq!(world.redeem(&code, &client, &[]).await.unwrap_err().error, "invalid_grant");
    assert_eq!(world.caller(access), None);
    assert_eq!(world.refresh(refresh, &client, &[]).await.unwrap_err().error, "invalid_grant");
    assert_eq!(world.authority.follow().unwrap().len(), 1, "its streams are to be cut");
}

#[tokio::test]
async fn a_code_that_a_removed_account_gave_has_no_force() {
    let world = World::new();
    let client = world.register(json!({}));
    let store = store::Store::open(world.home.path()).unwrap();
    let account = store::accounts::Account {
        id: identity::oauth::OWNER.to_owned(),
        name: "ann".to_owned(),
        role: "member".to_owned(),
        password: None,
        created_at: 0,
        signed_in_at: None,
        tied: None,
    };
    assert!(store.add_account(&account, 10).unwrap());
    let code = world.code(&client.0, &[]).await;
    assert!(store.remove_account(&account.id, "owner", None, 1_700_000_000).unwrap());
    assert_eq!(world.redeem(&code, &client, &[]).await.unwrap_err().error, "invalid_grant");
}

#[tokio::test]
async fn of_many_that_take_a_code_at_once_none_keeps_it_or_only_one_did() {
    let world = std::sync::Arc::new(World::new());
    let client = world.register(json!({}));
    let code = world.code(&client.0, &[]).await;
    let handle = tokio::runtime::Handle::current();
    let takers: Vec<_> = (0..8)
        .map(|_| {
            let (world, client, code, handle) = (world.clone(), client.clone(), code.clone(), handle.clone());
            std::thread::spawn(move || handle.block_on(world.redeem(&code, &client, &[])).is_ok())
        })
        .collect();
    let taken = takers.into_iter().map(|taker| taker.join().unwrap()).filter(|taken| *taken).count();
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn a_refresh_token_is_used_once_and_a_second_use_ends_the_grant() {
    let world = World::new();
    let (client, first) = world.tokens().await;
    let second = world.refresh(text(&first, "refresh_token"), &client, &[]).await.unwrap();
    let caller = |tokens| world.caller(text(tokens, "access_token")).map(|caller| caller.id.clone());
    assert_eq!(caller(&first), caller(&second), "a refreshed token is the same caller");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let again = world.refresh(text(&first, "refresh_token"), &client, &[]).await.unwrap_err();
    assert_eq!((again.status, again.error), (400, "invalid_grant"));
    assert_eq!((caller(&first), caller(&second)), (None, None));
    assert!(world.refresh(text(&second, "refresh_token"), &client, &[]).await.is_err());
}

#[tokio::test]
async fn with_a_leeway_a_lost_answer_is_given_once_more() {
    let lifetimes = Lifetimes { refresh_leeway: std::time::Duration::from_secs(10), ..Lifetimes::default() };
    let world = World::with(Settings { lifetimes, ..settings() });
    let (client, first) = world.tokens().await;
    let refresh = text(&first, "refresh_token");
    world.refresh(refresh, &client, &[]).await.unwrap();
    world.wait(5);
    let second = world.refresh(refresh, &client, &[]).await.unwrap();
    world.wait(6);
    assert!(world.refresh(refresh, &client, &[]).await.is_err());
    assert_eq!(world.caller(text(&second, "access_token")), None);
}

#[tokio::test]
async fn everything_ends_at_its_time() {
    let world = World::new();
    let (client, tokens) = world.tokens().await;
    let late = world.code(&client.0, &[]).await;
    world.wait(60);
    assert_eq!(world.redeem(&late, &client, &[]).await.unwrap_err().error, "invalid_grant");
    let access = text(&tokens, "access_token");
    assert!(world.caller(access).is_some());
    world.wait(3_540);
    assert_eq!(world.caller(access), None);
    world.wait(29 * 24 * 3_600);
    let fresh = world.refresh(text(&tokens, "refresh_token"), &client, &[]).await.unwrap();
    world.wait(30 * 24 * 3_600);
    world.authority.purge().unwrap();
    assert!(world.refresh(text(&fresh, "refresh_token"), &client, &[]).await.is_err());
}

#[tokio::test]
async fn whose_last_token_ends_is_lost_and_who_refreshed_goes_on() {
    let world = World::new();
    let (client, first) = world.tokens().await;
    let id = world.caller(text(&first, "access_token")).unwrap().id.clone();
    world.wait(1_800);
    let second = world.refresh(text(&first, "refresh_token"), &client, &[]).await.unwrap();
    world.wait(1_800);
    assert!(world.authority.follow().unwrap().is_empty(), "another token of it has force");
    assert!(world.caller(text(&second, "access_token")).is_some());
    world.wait(1_800);
    assert_eq!(world.authority.follow().unwrap(), std::slice::from_ref(&id));
    assert!(world.authority.follow().unwrap().is_empty(), "it is told once");
    // The same where something is revoked at that moment, and the store is read anew.
    let third = world.refresh(text(&second, "refresh_token"), &client, &[]).await.unwrap();
    assert!(world.caller(text(&third, "access_token")).is_some());
    let (other, tokens) = world.tokens().await;
    world.wait(3_600);
    world.revoke(text(&tokens, "refresh_token"), &other).await.unwrap();
    assert!(world.authority.follow().unwrap().contains(&id));
}

#[tokio::test]
async fn a_token_is_revoked_by_its_own_program_alone() {
    let world = World::new();
    let (client, tokens) = world.tokens().await;
    let other = world.register(json!({}));
    for token in [text(&tokens, "access_token"), text(&tokens, "refresh_token")] {
        let refusal = world.revoke(token, &other).await.unwrap_err();
        assert_eq!((refusal.status, refusal.error), (400, "invalid_grant"), "RFC 7009, section 2.1");
    }
    assert!(world.caller(text(&tokens, "access_token")).is_some());
    world.revoke("nothing that is known", &other).await.unwrap();
    world.revoke(text(&tokens, "refresh_token"), &client).await.unwrap();
    assert_eq!(world.caller(text(&tokens, "access_token")), None);
    let both = world.redeem_with("Basic eDp5", &client).await.unwrap_err();
    assert_eq!((both.status, both.error), (400, "invalid_request"), "two proofs at once");
}

#[tokio::test]
async fn a_resource_is_the_same_however_its_origin_is_written_and_by_each_of_its_paths() {
    let world = World::new();
    let client = world.register(json!({}));
    for resource in
        ["HTTPS://MCP.Example.com/mcp", "https://mcp.example.com/mcp?servers=a", "https://mcp.example.com/sse"]
    {
        let asked = [("resource", Some(resource))];
        let code = world.code(&client.0, &asked).await;
        let tokens = world.redeem(&code, &client, &asked).await.unwrap();
        for path in ["/mcp", "/sse"] {
            assert!(matches!(world.show(text(&tokens, "access_token"), path), Bearer::Good(_)), "{resource} at {path}");
        }
    }
    for path in ["/mcp", "/sse", "/servers/shop-mcp/groups/a/mcp"] {
        let about = identity::oauth::protected_resource(world.authority.settings(), ISSUER, path).unwrap();
        assert_eq!(about["resource"], format!("{ISSUER}{path}"), "RFC 9728, section 3.3");
    }
}

#[tokio::test]
async fn where_there_is_a_most_nobody_gets_more_whatever_they_ask_for() {
    let world = World::with(Settings { most: Some(Scopes::of(["mcp"])), ..settings() });
    let about = identity::oauth::authorization_server(world.authority.settings(), ISSUER);
    assert_eq!(about["scopes_supported"], json!(["mcp"]));
    let client = world.register(json!({}));
    for asked in [None, Some("mcp orders"), Some("mcp")] {
        let code = world.code(&client.0, &[("scope", asked)]).await;
        let tokens = world.redeem(&code, &client, &[]).await.unwrap();
        assert_eq!(text(&tokens, "scope"), "mcp", "{asked:?}");
        let caller = world.caller(text(&tokens, "access_token")).unwrap();
        assert!(!caller.scopes.allow("orders"));
    }
    assert!(
        matches!(world.ask(&client.0, &[("scope", Some("orders"))]).await, Err(Turned::Away(to)) if to.contains("invalid_scope"))
    );
}

/// What is wrong with an exchange, and the code of its refusal.
#[tokio::test]
async fn exchanges_that_do_not_fit_are_refused() {
    let world = World::new();
    let client = world.register(json!({}));
    let other = world.register(json!({}));
    let cases: &[(Changes<'_>, u16, &str)] = &[
        (&[("code_verifier", Some("wrong-verifier-that-is-long-enough-for-rfc-7636-xyz"))], 400, "invalid_grant"),
        (&[("code_verifier", Some("short"))], 400, "invalid_grant"),
        (&[("redirect_uri", Some("https://app.example.com/other"))], 400, "invalid_grant"),
        (&[("resource", Some("https://other.example.com/mcp"))], 400, "invalid_target"),
        (&[("resource", Some("https://mcp.example.com/servers/shop-mcp/groups/a/mcp"))], 400, "invalid_target"),
        (&[("code", Some("nonsense"))], 400, "invalid_grant"),
        (&[("code", None)], 400, "invalid_request"),
        (&[("redirect_uri", None)], 400, "invalid_request"),
        (&[("code_verifier", None)], 400, "invalid_request"),
        (&[("grant_type", None)], 400, "invalid_request"),
        (&[("grant_type", Some("password"))], 400, "unsupported_grant_type"),
        (&[("client_id", None)], 401, "invalid_client"),
        (&[("client_id", Some("nobody"))], 401, "invalid_client"),
        (&[("client_secret", None)], 401, "invalid_client"),
        (&[("client_secret", Some("wrong"))], 401, "invalid_client"),
    ];
    for (changes, status, error) in cases {
        let code = world.code(&client.0, &[]).await;
        let refusal = world.redeem(&code, &client, changes).await.unwrap_err();
        assert_eq!((refusal.status, refusal.error), (*status, *error), "{changes:?}: {}", refusal.description);
    }
    let code = world.code(&client.0, &[]).await;
    assert_eq!(world.redeem(&code, &other, &[]).await.unwrap_err().error, "invalid_grant", "another program's code");
    assert!(world.redeem(&code, &client, &[]).await.is_ok(), "which leaves it to its own");
    let code = world.code(&client.0, &[]).await;
    let wrong = [("code_verifier", Some("wrong-verifier-that-is-long-enough-for-rfc-7636-xyz"))];
    assert!(world.redeem(&code, &client, &wrong).await.is_err());
    assert!(world.redeem(&code, &client, &[]).await.is_err(), "a code with a wrong verifier has leaked: it is burnt");
}

#[tokio::test]
async fn questions_that_do_not_fit_stay_here_or_go_back_with_an_error() {
    let world = World::new();
    let (client, _) = world.register(json!({"scope": "mcp"}));
    let here: &[(Changes<'_>, &str)] = &[
        (&[("client_id", None)], "invalid_request"),
        (&[("client_id", Some("nobody"))], "unauthorized_client"),
        (&[("client_id", Some("https://127.0.0.1/client.json"))], "unauthorized_client"),
        (&[("redirect_uri", None)], "invalid_request"),
        (&[("redirect_uri", Some("https://evil.example/callback"))], "invalid_request"),
        (&[("redirect_uri", Some("https://app.example.com/callback?x=1"))], "invalid_request"),
        (&[("redirect_uri", Some("https://app.example.com/callback/../callback"))], "invalid_request"),
    ];
    for (changes, error) in here {
        match world.ask(&client, changes).await {
            Err(Turned::Here(refusal)) => assert_eq!((refusal.status, refusal.error), (400, *error), "{changes:?}"),
            other => panic!("{changes:?}: {other:?}"),
        }
    }
    let away: &[(Changes<'_>, &str)] = &[
        (&[("response_type", Some("token"))], "unsupported_response_type"),
        (&[("response_type", None)], "invalid_request"),
        (&[("code_challenge", None)], "invalid_request"),
        (&[("code_challenge_method", None)], "invalid_request"),
        (&[("code_challenge_method", Some("plain"))], "invalid_request"),
        (&[("code_challenge", Some("short"))], "invalid_request"),
        (&[("scope", Some("mcp orders"))], "invalid_scope"),
        (&[("scope", Some("admin"))], "invalid_scope"),
        (&[("resource", Some("https://elsewhere.example/mcp"))], "invalid_target"),
        (&[("resource", Some("https://mcp.example.com.evil.example/mcp"))], "invalid_target"),
        (&[("resource", Some("https://mcp.example.com/authorize"))], "invalid_target"),
        (&[("resource", Some("https://mcp.example.com/mcp#part"))], "invalid_target"),
        (&[("resource", Some("https://mcp.example.com:444/mcp"))], "invalid_target"),
    ];
    for (changes, error) in away {
        match world.ask(&client, changes).await {
            Err(Turned::Away(to)) => {
                assert_eq!(parameter(&to, "error").as_deref(), Some(*error), "{changes:?}");
                assert!(to.starts_with("https://app.example.com/callback?"), "{to}");
                assert_eq!(parameter(&to, "state").as_deref(), Some("s 1"));
                assert_eq!(parameter(&to, "iss").as_deref(), Some(ISSUER));
            }
            other => panic!("{changes:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_token_is_for_its_resource_and_its_scope_alone() {
    let world = World::new();
    let client = world.register(json!({}));
    let group = "/servers/shop-mcp/groups/a/mcp";
    let resource = format!("{ISSUER}{group}");
    let code = world.code(&client.0, &[("resource", Some(&resource)), ("scope", Some("mcp"))]).await;
    let part = world.redeem(&code, &client, &[("resource", Some(&resource))]).await.unwrap();
    let part = text(&part, "access_token");
    assert!(matches!(world.show(part, group), Bearer::Good(_)));
    for path in ["/mcp", "/sse", "/elsewhere"] {
        assert_eq!(world.show(part, path), Bearer::Invalid, "{path}");
    }
    let code = world.code(&client.0, &[("resource", Some(ISSUER)), ("scope", Some("orders"))]).await;
    let narrow = world.redeem(&code, &client, &[]).await.unwrap();
    assert_eq!(world.show(text(&narrow, "access_token"), "/mcp"), Bearer::Insufficient);
    // Another server on the same home knows nothing of it.
    let other = world.beside(Settings { realm: "other-mcp".into(), ..settings() });
    let (_, whole) = world.tokens().await;
    assert!(world.caller(text(&whole, "access_token")).is_some());
    assert_eq!(other.show(text(&whole, "access_token"), "/mcp"), Bearer::Invalid);
    assert!(other.redeem(&world.code(&client.0, &[]).await, &client, &[]).await.is_err());
    // Nor does the same server at another public address.
    let moved = world.beside(Settings { public_origin: Some("https://new.example.com".into()), ..settings() });
    assert_eq!(moved.show(text(&whole, "access_token"), "/mcp"), Bearer::Invalid);
}

#[tokio::test]
async fn a_refresh_may_narrow_and_never_widen() {
    let world = World::new();
    let (client, tokens) = world.tokens().await;
    let narrow = world.refresh(text(&tokens, "refresh_token"), &client, &[("scope", Some("mcp"))]).await.unwrap();
    assert_eq!(text(&narrow, "scope"), "mcp");
    let wide =
        world.refresh(text(&narrow, "refresh_token"), &client, &[("scope", Some("mcp admin"))]).await.unwrap_err();
    assert_eq!((wide.status, wide.error), (400, "invalid_scope"));
    let whole = world.refresh(text(&narrow, "refresh_token"), &client, &[]).await.unwrap();
    assert_eq!(text(&whole, "scope"), "mcp orders", "the grant itself was not narrowed");
}

#[tokio::test]
async fn a_restart_loses_nothing_and_the_file_holds_no_token() {
    let world = World::new();
    let (client, tokens) = world.tokens().await;
    let code = world.code(&client.0, &[]).await;
    let again = world.beside(settings());
    assert!(again.caller(text(&tokens, "access_token")).is_some());
    assert!(again.redeem(&code, &client, &[]).await.is_ok());
    assert!(again.refresh(text(&tokens, "refresh_token"), &client, &[]).await.is_ok());
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(world.home.path()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    let secret = client.1.unwrap();
    for secret in [&code, &secret, text(&tokens, "access_token"), text(&tokens, "refresh_token")] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret}");
    }
}

#[tokio::test]
async fn what_another_process_gives_lets_in_and_what_it_revokes_does_not() {
    let world = World::new();
    let other = world.beside(settings());
    let (client, tokens) = world.tokens().await;
    let access = text(&tokens, "access_token");
    let caller = other.caller(access).expect("given by another process");
    assert_eq!(other.authority.follow().unwrap(), Vec::<std::sync::Arc<str>>::new());
    let form = format!("token={access}&client_id={}&client_secret={}", client.0, client.1.unwrap());
    let given = identity::oauth::Parameters::form(form.as_bytes()).unwrap();
    world.authority.revoke(crate::world::HERE, None, &given).await.unwrap();
    assert_eq!(world.caller(access), None);
    assert_eq!(other.authority.follow().unwrap(), std::slice::from_ref(&caller.id));
    assert_eq!(other.caller(access), None);
}
