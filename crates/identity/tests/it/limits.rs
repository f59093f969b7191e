//! Registration, passphrases and guesses: what is taken, and how much of it.

use std::time::Duration;

use identity::buckets::Rate;
use identity::oauth::{Bearer, Limits, RedirectHosts, Settings, Turned};
use serde_json::json;

use crate::world::{HERE, World, owner, settings};

#[test]
fn registrations_are_answered_in_full_or_refused() {
    let world = World::new();
    let told = world.try_register(json!({"client_name": "App\u{202e}\n", "application_type": "native"})).unwrap();
    assert_eq!(told["token_endpoint_auth_method"], "client_secret_post");
    assert_eq!(told["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!((&told["response_types"], &told["scope"]), (&json!(["code"]), &json!("mcp orders")));
    assert_eq!((&told["client_secret_expires_at"], &told["client_name"]), (&json!(0), &json!("App")));
    assert_eq!(told["client_secret"].as_str().unwrap().len(), 43);
    let public = world.try_register(json!({"token_endpoint_auth_method": "none"})).unwrap();
    assert_eq!((public.get("client_secret"), &public["token_endpoint_auth_method"]), (None, &json!("none")));
    let bad = [
        (json!({"redirect_uris": []}), "invalid_client_metadata"),
        (json!({"redirect_uris": "https://a.example/"}), "invalid_client_metadata"),
        (json!({"redirect_uris": [""]}), "invalid_client_metadata"),
        (json!({"redirect_uris": [7]}), "invalid_client_metadata"),
        (json!({"redirect_uris": vec!["https://a.example/"; 17]}), "invalid_client_metadata"),
        (json!({"redirect_uris": ["http://a.example/"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["javascript:alert(1)"]}), "invalid_redirect_uri"),
        (json!({"token_endpoint_auth_method": "private_key_jwt"}), "invalid_client_metadata"),
        (json!({"grant_types": ["refresh_token"]}), "invalid_client_metadata"),
        (json!({"response_types": ["token"]}), "invalid_client_metadata"),
        (json!({"scope": "admin"}), "invalid_client_metadata"),
        (json!({"client_name": 7}), "invalid_client_metadata"),
    ];
    for (metadata, error) in bad {
        let refusal = world.try_register(metadata.clone()).unwrap_err();
        assert_eq!((refusal.status, refusal.error), (400, error), "{metadata}");
    }
    assert_eq!(world.authority.register(HERE, b"[]").unwrap_err().error, "invalid_client_metadata");
}

#[tokio::test]
async fn codes_go_to_allowed_hosts_alone() {
    let world = World::new();
    let (before, _) = world.register(json!({}));
    let hosts = RedirectHosts::parse(["perplexity", "localhost"]).unwrap();
    let strict = world.beside(Settings { redirect_hosts: Some(hosts), ..settings() });
    assert_eq!(strict.try_register(json!({})).unwrap_err().error, "invalid_redirect_uri");
    let perplexity = "https://www.perplexity.ai/rest/connections/oauth_callback";
    assert!(strict.try_register(json!({"redirect_uris": [perplexity]})).is_ok());
    assert!(strict.try_register(json!({"redirect_uris": [perplexity, "https://evil.example/"]})).is_err());
    assert!(strict.try_register(json!({"redirect_uris": ["http://127.0.0.1:5/cb"]})).is_ok());
    // A program that was registered when more was allowed is held to what is allowed now.
    assert!(matches!(strict.ask(&before, &[]).await, Err(Turned::Here(refusal)) if refusal.error == "invalid_request"));
}

#[test]
fn a_flood_of_registrations_ends_at_a_limit_and_spares_what_is_used() {
    let limits =
        Limits { registrations: Rate { count: 1, period: Duration::from_secs(3_600), burst: 3 }, ..Limits::default() };
    let world = World::with(Settings { limits, ..settings() });
    let outcomes: Vec<_> = (0..5).map(|_| world.try_register(json!({})).map_err(|refusal| refusal.status)).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 3);
    let refusal = world.try_register(json!({})).unwrap_err();
    assert_eq!(refusal.status, 429);
    assert!(refusal.retry_after.is_some_and(|wait| wait > Duration::from_secs(1_000)));

    let many = Rate { count: 1_000, period: Duration::from_secs(1), burst: 1_000 };
    let limits = Limits { clients: 10, registrations: many, ..Limits::default() };
    let world = World::with(Settings { limits, ..settings() });
    let first = world.register(json!({}));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(world.code(&first.0, &[]));
    (1..10).for_each(|_| drop(world.register(json!({}))));
    let full = world.try_register(json!({})).unwrap_err();
    assert_eq!((full.status, full.error), (503, "temporarily_unavailable"));
    world.wait(3_601);
    (0..9).for_each(|_| drop(world.register(json!({}))));
    assert!(runtime.block_on(world.ask(&first.0, &[])).is_ok(), "whom somebody let in stays");
}

#[tokio::test]
async fn guesses_of_tokens_are_slowed_and_good_tokens_are_not() {
    let limits = Limits { failures: Rate { count: 1, period: Duration::from_secs(60), burst: 5 }, ..Limits::default() };
    let world = World::with(Settings { limits, ..settings() });
    let (_, tokens) = world.tokens().await;
    let outcomes: Vec<Bearer> = (0..7).map(|n| world.show(&format!("mfa_guess{n}"), "/mcp")).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Bearer::Invalid).count(), 5);
    assert!(matches!(&outcomes[6], Bearer::Slow(refusal) if refusal.status == 429 && refusal.retry_after.is_some()));
    assert!(world.caller(crate::world::text(&tokens, "access_token")).is_some());
}

#[tokio::test]
async fn questions_from_one_address_have_a_rate() {
    let limits =
        Limits { questions: Rate { count: 1, period: Duration::from_secs(60), burst: 2 }, ..Limits::default() };
    let world = World::with(Settings { limits, ..settings() });
    let (client, _) = world.register(json!({}));
    assert!(world.ask(&client, &[]).await.is_ok() && world.ask(&client, &[]).await.is_ok());
    assert!(matches!(world.ask(&client, &[]).await, Err(Turned::Here(refusal)) if refusal.status == 429));
}

#[test]
fn passphrases_are_compared_and_wrong_ones_are_slowed() {
    let world = World::with(Settings { approval: owner("correct horse battery"), ..settings() });
    assert!(!world.authority.approves_by_itself());
    assert_eq!(world.authority.is_owner(HERE, "correct horse battery"), Ok(true));
    for _ in 0..5 {
        assert_eq!(world.authority.is_owner(HERE, "wrong"), Ok(false));
    }
    assert_eq!(world.authority.is_owner(HERE, "correct horse battery").unwrap_err().status, 429);
    let elsewhere = "203.0.113.9".parse().unwrap();
    assert_eq!(world.authority.is_owner(elsewhere, "correct horse battery"), Ok(true), "others are not locked out");
}

#[tokio::test]
async fn an_answer_comes_from_the_browser_that_was_asked() {
    let world = World::with(Settings { approval: owner("correct horse battery"), ..settings() });
    let (client, _) = world.register(json!({}));
    let asked = {
        let parameters = format!(
            "response_type=code&client_id={client}&redirect_uri=https%3A%2F%2Fapp.example.com%2Fcallback&code_challenge={}&code_challenge_method=S256",
            "a".repeat(43)
        );
        let parameters = identity::oauth::Parameters::form(parameters.as_bytes()).unwrap();
        world.authority.ask(crate::world::ISSUER, HERE, &parameters).await.unwrap()
    };
    let browser = world.authority.new_browser().unwrap();
    let sealed = world.authority.question(&asked, &browser).unwrap();
    assert_eq!(world.authority.questioned(&sealed, Some(&browser)).unwrap(), asked);
    let mut forged = sealed.clone();
    forged.replace_range(5..6, if &sealed[5..6] == "A" { "B" } else { "A" });
    for (question, cookie) in [(&sealed, None), (&sealed, Some("other")), (&forged, Some(browser.as_str()))] {
        assert_eq!(world.authority.questioned(question, cookie).unwrap_err().status, 403);
    }
    world.wait(601);
    assert_eq!(world.authority.questioned(&sealed, Some(&browser)).unwrap_err().status, 400);
}
