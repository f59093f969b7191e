//! People who come from a provider of OpenID Connect, and providers that cannot be believed.

mod people;
mod provider;

use std::sync::atomic::Ordering;
use std::time::Duration;

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use identity::oauth::Parameters;
use identity::openid::{ANSWER_BYTES_MAX, Failure, KEYS_BYTES_MAX, Kind, TOKEN_BYTES_MAX};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use provider::{CLIENT, CODE, DESCRIPTION, HERE, REDIRECT, Says, World, new_key, public, sign, unsigned};

fn kind<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Kind {
    outcome.expect_err("nobody came in").kind
}

#[tokio::test]
async fn a_person_comes_in_and_the_code_is_redeemed_with_pkce_and_the_secret() {
    let secret = "s3cret:+&";
    let world = World::with("*@example.com", |settings| settings.client_secret = Some(Secret::new(secret))).await;
    let begun = world.begin().await;
    let page = |name: &str| begun.page[name].as_str();
    assert_eq!((page("response_type"), page("client_id"), page("redirect_uri")), ("code", CLIENT, REDIRECT));
    assert_eq!((page("scope"), page("code_challenge_method")), ("openid email profile", "S256"));
    for hidden in [page("nonce"), page("state")] {
        assert!(hidden.len() >= 22);
    }
    assert!(!begun.cookie.contains(page("nonce")));

    let person = world.come(json!({ "preferred_username": "Ann" })).await.unwrap();
    assert_eq!((person.subject.as_str(), person.verified()), ("1", Some("ann@example.com")));
    let sent = world.asked("/token").pop().unwrap();
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    let field = |name: &str| {
        url::form_urlencoded::parse(body.as_bytes())
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(field("code").as_deref(), Some(CODE));
    assert_eq!(field("redirect_uri").as_deref(), Some(REDIRECT));
    assert_eq!((field("client_secret"), field("grant_type").as_deref()), (None, Some("authorization_code")));
    let basic = STANDARD.encode(format!("{CLIENT}:s3cret%3A%2B%26"));
    assert!(
        head.to_ascii_lowercase().contains(&format!("authorization: basic {}", basic.to_ascii_lowercase())),
        "{head}"
    );
    let verifier = field("code_verifier").unwrap();
    assert!(verifier.len() >= 43 && field("code_verifier") != Some(page("code_challenge").to_owned()));

    world.now.fetch_add(2 * 24 * 3_600, Ordering::Relaxed);
    let begun = world.begin().await;
    world.say("/token", Says::Json(200, json!({})));
    let state = begun.page["state"].clone();
    let finished = world.finish(&[("code", CODE), ("state", &state)], Some(&begun.cookie)).await;
    assert_eq!((finished.back.as_deref(), kind(finished.outcome)), (Some("/docs"), Kind::Code));
    let sent = world.asked("/token").pop().unwrap();
    let verifier = sent.split("code_verifier=").nth(1).and_then(|rest| rest.split('&').next()).unwrap();
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)), begun.page["code_challenge"]);
}

#[tokio::test]
async fn a_client_proves_who_it_is_in_a_way_that_the_provider_takes() {
    let secret = |settings: &mut identity::openid::Settings| settings.client_secret = Some(Secret::new("s3cret"));
    let world = World::with("*@example.com", secret).await;
    world.describe(json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"] }));
    world.come(json!({})).await.unwrap();
    let sent = world.asked("/token").pop().unwrap();
    assert!(sent.contains("client_secret=s3cret") && !sent.to_ascii_lowercase().contains("authorization:"), "{sent}");

    let world = World::with("*@example.com", secret).await;
    world.describe(json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }));
    assert_eq!(kind(world.come(json!({})).await), Kind::Provider);
    assert_eq!(world.asked("/token").len(), 0);

    let world = World::new().await;
    world.come(json!({})).await.unwrap();
    let sent = world.asked("/token").pop().unwrap();
    assert!(sent.contains("client_id=factory") && !sent.contains("client_secret"), "{sent}");
}

#[tokio::test]
async fn a_token_that_says_another_thing_lets_nobody_in() {
    let world = World::new().await;
    let now = world.now.load(Ordering::Relaxed);
    for changes in [
        json!({ "iss": "https://evil.example" }),
        json!({ "iss": format!("{}/", world.issuer) }),
        json!({ "aud": "another" }),
        json!({ "aud": [CLIENT, "another"] }),
        json!({ "azp": "another" }),
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "exp": now - 61 }),
        json!({ "exp": null }),
        json!({ "iat": now + 61 }),
        json!({ "nbf": now + 61 }),
        json!({ "sub": null }),
        json!({ "sub": "x".repeat(256) }),
        json!({ "at_hash": "AAAAAAAAAAAAAAAAAAAAAA" }),
        json!({ "x": "x".repeat(TOKEN_BYTES_MAX) }),
    ] {
        assert_eq!(kind(world.come(changes.clone()).await), Kind::Token, "{changes:.80}");
    }
    let hash = URL_SAFE_NO_PAD.encode(&Sha256::digest("acce55")[..16]);
    for good in [
        json!({}),
        json!({ "exp": now - 59 }),
        json!({ "aud": [CLIENT, "x"], "azp": CLIENT }),
        json!({ "at_hash": hash }),
    ] {
        assert!(world.come(good.clone()).await.is_ok(), "{good}");
    }
}

#[tokio::test]
async fn a_token_that_the_issuer_did_not_sign_lets_nobody_in() {
    let world = World::new().await;
    let other = new_key();
    let header = |alg: &str| json!({ "alg": alg, "kid": "k1" });
    type Forge<'a> = Box<dyn Fn(&World, &Value) -> String + 'a>;
    let forged: Vec<(&str, Forge<'_>)> = vec![
        ("none", Box::new(|_, claims| format!("{}.", unsigned(&header("none"), claims)))),
        ("none, with a signature", Box::new(|world, claims| world.sign(&header("none"), claims))),
        ("no signature", Box::new(|_, claims| format!("{}.", unsigned(&header("ES256"), claims)))),
        (
            "the public key as a secret",
            Box::new(|world, claims| {
                let text = unsigned(&header("HS256"), claims);
                let mut keyed = Hmac::<Sha256>::new_from_slice(&world.key_bytes()).unwrap();
                keyed.update(text.as_bytes());
                format!("{text}.{}", URL_SAFE_NO_PAD.encode(keyed.finalize().into_bytes()))
            }),
        ),
        ("another key of the same name", Box::new(|_, claims| sign(&other, &header("ES256"), claims))),
        ("another key, without a name", Box::new(|_, claims| sign(&other, &json!({ "alg": "ES256" }), claims))),
        (
            "a key in the token",
            Box::new(|_, claims| {
                sign(&other, &json!({ "alg": "ES256", "kid": "k1", "jwk": public(&other, "k1") }), claims)
            }),
        ),
        (
            "a name that is not known",
            Box::new(|world, claims| world.sign(&json!({ "alg": "ES256", "kid": "k9" }), claims)),
        ),
        ("another algorithm", Box::new(|world, claims| world.sign(&header("RS256"), claims))),
        (
            "another kind",
            Box::new(|world, claims| world.sign(&json!({ "alg": "ES256", "kid": "k1", "typ": "at+jwt" }), claims)),
        ),
        (
            "claims of another",
            Box::new(|world, claims| {
                let mut changed = claims.clone();
                changed["sub"] = json!("root");
                let token = world.sign(&header("ES256"), claims);
                format!("{}.{}", unsigned(&header("ES256"), &changed), token.rsplit_once('.').unwrap().1)
            }),
        ),
    ];
    for (what, forge) in forged {
        let outcome = world.come_with(|world, nonce| forge(world, &world.claims(nonce, &json!({})))).await;
        assert_eq!(kind(outcome), Kind::Token, "{what}");
    }
    assert!(
        world
            .come_with(|world, nonce| world.sign(&json!({ "alg": "ES256" }), &world.claims(nonce, &json!({}))))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_answer_belongs_to_the_browser_that_asked_and_is_taken_once() {
    let world = World::new().await;
    let (mine, other) = (world.begin().await, world.begin().await);
    let state = mine.page["state"].as_str();
    let good = [("code", CODE), ("state", state)];
    let mut changed = mine.cookie.clone().into_bytes();
    changed[3] ^= 1;
    let changed = String::from_utf8_lossy(&changed).into_owned();
    for (what, cookie) in [
        ("no cookie", None),
        ("of another sign-in", Some(other.cookie.as_str())),
        ("changed", Some(&changed)),
        ("made up", Some("e30.e30")),
    ] {
        let finished = world.finish(&good, cookie).await;
        assert_eq!((finished.is_theirs, finished.back, kind(finished.outcome)), (false, None, Kind::Answer), "{what}");
    }
    let no_state = world.finish(&[("code", CODE)], Some(&mine.cookie)).await;
    assert_eq!(kind(no_state.outcome), Kind::Answer);
    assert_eq!(world.asked("/token").len(), 0, "no code was shown to anybody");

    let token = world.sign(&json!({ "alg": "ES256", "kid": "k1" }), &world.claims(&mine.page["nonce"], &json!({})));
    world.say("/token", Says::Json(200, json!({ "id_token": token, "access_token": "a", "token_type": "bearer" })));
    assert!(world.finish(&good, Some(&mine.cookie)).await.outcome.is_ok());
    let again = world.finish(&good, Some(&mine.cookie)).await;
    assert_eq!(kind(again.outcome), Kind::Answer, "taken once");
    assert_eq!(world.asked("/token").len(), 1);
    // A token of one sign-in is none of another.
    let other_state = other.page["state"].as_str();
    let mixed = world.finish(&[("code", CODE), ("state", other_state)], Some(&other.cookie)).await;
    assert_eq!(kind(mixed.outcome), Kind::Token);

    let late = world.begin().await;
    world.now.fetch_add(600, Ordering::Relaxed);
    let finished = world.finish(&[("code", CODE), ("state", &late.page["state"])], Some(&late.cookie)).await;
    assert_eq!(kind(finished.outcome), Kind::Answer, "too late");
}

#[tokio::test]
async fn an_answer_says_whose_it_is_and_what_the_provider_thinks() {
    let world = World::new().await;
    world.describe(json!({ "authorization_response_iss_parameter_supported": true }));
    let issuer = world.issuer.clone();
    for (parameters, wanted) in [
        (vec![("code", CODE)], Kind::Answer),
        (vec![("code", CODE), ("iss", "https://evil.example")], Kind::Answer),
        (vec![("iss", issuer.as_str())], Kind::Answer),
        (vec![("error", "access_denied"), ("iss", issuer.as_str())], Kind::Declined),
        (vec![("error", "server_error"), ("code", CODE), ("iss", issuer.as_str())], Kind::Declined),
    ] {
        let begun = world.begin().await;
        let all: Vec<_> = parameters.iter().copied().chain([("state", begun.page["state"].as_str())]).collect();
        assert_eq!(kind(world.finish(&all, Some(&begun.cookie)).await.outcome), wanted, "{parameters:?}");
    }
    assert_eq!(world.asked("/token").len(), 0);
}

#[tokio::test]
async fn a_code_that_is_refused_is_not_told_to_anybody() {
    let world = World::with("*@example.com", |settings| settings.client_secret = Some(Secret::new("s3cret"))).await;
    let begun = world.begin().await;
    let said = json!({ "error": "invalid_grant", "error_description": format!("{CODE} of s3cret was used\n") });
    world.say("/token", Says::Json(400, said));
    let finished = world.finish(&[("code", CODE), ("state", &begun.page["state"])], Some(&begun.cookie)).await;
    let failure = finished.outcome.unwrap_err();
    assert_eq!(failure.kind, Kind::Code);
    assert!(!failure.why.contains(CODE) && !failure.why.contains("s3cret") && !failure.why.contains('\n'), "{failure}");
    assert!(failure.why.contains("is left out"), "{failure}");
}

#[tokio::test]
async fn a_provider_that_cannot_be_used_is_refused_wherever_it_fails() {
    for path in [DESCRIPTION, "/keys", "/token", "/me"] {
        let most = if path == "/keys" { KEYS_BYTES_MAX } else { ANSWER_BYTES_MAX };
        let broken = Says::Json(500, json!({}));
        for (what, says) in
            [("huge", Says::Huge(most)), ("elsewhere", Says::Elsewhere), ("500", broken), ("late", Says::Nothing)]
        {
            let world = World::new().await;
            let begun = world.begin().await;
            let claims = world.claims(&begun.page["nonce"], &json!({ "email": null, "email_verified": null }));
            let token = world.sign(&json!({ "alg": "ES256", "kid": "k1" }), &claims);
            let tokens = json!({ "id_token": token, "access_token": "a", "token_type": "Bearer" });
            world.say("/token", Says::Json(200, tokens));
            world.say(path, says);
            // One that asks for everything anew, and waits for little where nothing comes.
            let openid =
                world.beside(if what == "late" { Duration::from_millis(200) } else { Duration::from_secs(60) });
            let query = format!("code={CODE}&state={}", begun.page["state"]);
            let given = Parameters::form(query.as_bytes()).unwrap();
            let outcome = openid.finish(&given, Some(&begun.cookie), REDIRECT).await.outcome;
            let wanted = if (path, what) == ("/token", "500") { Kind::Code } else { Kind::Provider };
            assert_eq!(kind(outcome), wanted, "{path}: {what}");
        }
    }
}

#[tokio::test]
async fn a_description_that_leads_elsewhere_is_not_believed() {
    for changes in [
        json!({ "issuer": "https://evil.example" }),
        json!({ "issuer": null }),
        json!({ "jwks_uri": null }),
        json!({ "token_endpoint": null }),
        json!({ "authorization_endpoint": "javascript:alert(1)" }),
        json!({ "authorization_endpoint": "http://id.example.com/auth" }),
        json!({ "token_endpoint": "http://10.0.0.1/token" }),
        json!({ "jwks_uri": "https://user:password@id.example.com/keys" }),
        json!({ "userinfo_endpoint": "file:///etc/passwd" }),
    ] {
        let world = World::new().await;
        world.describe(changes.clone());
        assert_eq!(kind(world.openid.begin(HERE, REDIRECT, None).await), Kind::Provider, "{changes}");
    }
    // Only the issuer's own host is the operator's choice.
    for private in
        ["https://10.0.0.1/keys", "https://169.254.169.254/keys", "https://[::1]:1/keys", "https://localhost:1/keys"]
    {
        let world = World::new().await;
        world.describe(json!({ "jwks_uri": private }));
        let failure = world.come(json!({})).await.unwrap_err();
        assert!(failure.kind == Kind::Provider && failure.why.contains("set of keys"), "{private}: {failure}");
    }
}

#[tokio::test]
async fn keys_are_fetched_anew_for_a_name_that_is_not_known_and_not_for_ever() {
    let world = World::new().await;
    world.come(json!({})).await.unwrap();
    world.come(json!({})).await.unwrap();
    assert_eq!((world.asked("/keys").len(), world.asked(DESCRIPTION).len()), (1, 1));
    let next = new_key();
    world.say("/keys", Says::Json(200, json!({ "keys": [public(&next, "k2")] })));
    let token = |name: &'static str| {
        let next = &next;
        move |world: &World, nonce: &str| {
            sign(next, &json!({ "alg": "ES256", "kid": name }), &world.claims(nonce, &json!({})))
        }
    };
    assert!(world.come_with(token("k2")).await.is_ok(), "the keys were changed");
    assert_eq!(world.asked("/keys").len(), 2);
    for _ in 0..20 {
        assert_eq!(kind(world.come_with(token("k3")).await), Kind::Token);
    }
    assert!(world.asked("/keys").len() <= 9, "{}", world.asked("/keys").len());
}

#[tokio::test]
async fn keys_are_fetched_anew_for_a_key_that_was_changed_under_its_name_or_has_none() {
    for name in [Some("k1"), None] {
        let world = World::new().await;
        let header = name.map_or_else(|| json!({ "alg": "ES256" }), |name| json!({ "alg": "ES256", "kid": name }));
        world.come(json!({})).await.unwrap();
        let next = new_key();
        world.say("/keys", Says::Json(200, json!({ "keys": [public(&next, "k1")] })));
        let came = world.come_with(|world, nonce| sign(&next, &header, &world.claims(nonce, &json!({})))).await;
        assert!(came.is_ok(), "{name:?}: {came:?}");
        assert_eq!(world.asked("/keys").len(), 2);
        for _ in 0..20 {
            let other = new_key();
            let forged = world.come_with(|world, nonce| sign(&other, &header, &world.claims(nonce, &json!({})))).await;
            assert_eq!(kind(forged), Kind::Token);
        }
        assert!(world.asked("/keys").len() <= 9, "{}", world.asked("/keys").len());
    }
}

#[tokio::test]
async fn more_of_a_person_comes_from_the_endpoint_for_it_and_of_nobody_else() {
    let world = World::new().await;
    let nothing = json!({ "email": null, "email_verified": null });
    world.say(
        "/me",
        Says::Json(200, json!({ "sub": "1", "email": "Bob@example.com", "email_verified": true, "groups": ["a"] })),
    );
    let person = world.come(nothing.clone()).await.unwrap();
    assert_eq!((person.verified(), person.groups.len()), (Some("bob@example.com"), 1));
    let sent = world.asked("/me").pop().unwrap().to_ascii_lowercase();
    assert!(sent.contains("authorization: bearer acce55"), "{sent}");
    world.say("/me", Says::Json(200, json!({ "sub": "2", "email": "root@example.com", "email_verified": true })));
    assert_eq!(kind(world.come(nothing).await), Kind::Token);
}

#[tokio::test]
async fn one_address_begins_only_so_many() {
    let world = World::new().await;
    let mut waits = 0;
    for _ in 0..1_500 {
        waits += usize::from(matches!(
            world.openid.begin(HERE, REDIRECT, None).await,
            Err(Failure { kind: Kind::Slow(_), .. })
        ));
    }
    assert!((1..=900).contains(&waits), "{waits}");
}

#[tokio::test]
async fn where_the_person_was_is_kept_however_long_it_is_and_a_cookie_fits_a_browser() {
    let world = World::new().await;
    for (number, back) in [
        "/docs".to_owned(),
        format!("/authorize?{}", "x".repeat(2_400)),
        format!("/authorize?{}", "\"".repeat(2_400)),
        format!("/authorize?{}", "x".repeat(16 * 1024)),
    ]
    .into_iter()
    .enumerate()
    {
        let begun = world.openid.begin(HERE, REDIRECT, Some(&back)).await.unwrap();
        assert!(begun.cookie.len() <= 4_000, "{number}: {}", begun.cookie.len());
        let page = url::Url::parse(&begun.page).unwrap();
        let state = page.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let declined = [("error", "access_denied"), ("state", state.as_str())];
        let finished = world.finish(&declined, Some(&begun.cookie)).await;
        assert!(finished.back.as_deref() == Some(&back) && !finished.has_forgotten, "{number}");
        // An answer without a code is not remembered; what was kept here was given back.
        let again = world.finish(&declined, Some(&begun.cookie)).await;
        assert_eq!(
            (again.has_forgotten, kind(again.outcome)),
            (begun.cookie.len() < 200 && number > 0, Kind::Declined)
        );
    }
    let long = format!("/authorize?{}", "x".repeat(16 * 1024));
    let mut waits = 0;
    for _ in 0..200 {
        let begun = world.openid.begin(HERE, REDIRECT, Some(&long)).await;
        waits += usize::from(matches!(begun, Err(Failure { kind: Kind::Slow(_), .. })));
    }
    assert!(waits > 0, "one address does not fill what is kept");
}
