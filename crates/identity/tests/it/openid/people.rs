//! Whose account it is that somebody comes to from a provider, and what is asked of the provider for it.

use identity::openid::Kind;
use serde_json::json;

use super::kind;
use super::provider::{HERE, Says, World};

#[tokio::test]
async fn the_endpoint_for_more_of_a_person_is_asked_only_when_something_depends_on_it() {
    let world = World::with("*@example.com,owner:root@example.com,group:ops", |_| {}).await;
    world.say("/me", Says::Json(500, json!({})));
    let root = json!({ "sub": "root", "email": "root@example.com", "groups": [] });
    assert_eq!(world.enter(root).await.unwrap().1, "made");
    // An address that nobody vouches for stays one, whatever the endpoint says.
    let unsure = json!({ "sub": "bea", "email": "bea@corp.example", "email_verified": null, "groups": ["ops"] });
    assert_eq!(world.enter(unsure).await.unwrap().1, "made");
    assert_eq!(world.asked("/me").len(), 0);
    // Of whoever has an account nothing more has to be known.
    let bare = |subject: &str| json!({ "sub": subject, "email": null, "email_verified": null });
    assert_eq!(world.enter(bare("bea")).await.unwrap().1, "known");
    assert_eq!(world.asked("/me").len(), 0);
    assert_eq!(kind(world.enter(bare("new")).await), Kind::Provider);
    assert_eq!(world.asked("/me").len(), 1);
}

#[tokio::test]
async fn what_the_provider_calls_a_person_is_kept_beside_the_subject() {
    let world = World::with("owner:root@example.com,group:ops", |_| {}).await;
    world.describe(json!({ "userinfo_endpoint": null }));
    world.enter(json!({ "sub": "root", "email": "root@example.com", "groups": [] })).await.unwrap();
    let entra = |address: &str| json!({ "sub": "c5to", "email": null, "email_verified": null, "preferred_username": address, "groups": ["ops"] });
    let tied = |name: &str| world.store.account_named(name).unwrap().unwrap().tied.unwrap();
    let (name, _) = world.enter(entra("bea@corp.example\u{1b}")).await.unwrap();
    let first = tied(&name);
    assert_eq!((first.issuer.as_str(), first.subject.as_str()), (world.issuer.as_str(), "c5to"));
    assert_eq!(first.called.as_deref(), Some("bea@corp.example"));
    world.enter(entra("bea@new.example")).await.unwrap();
    assert_eq!(tied(&name).called.as_deref(), Some("bea@new.example"), "what was said last");
    world.enter(json!({ "sub": "c5to", "email": null, "email_verified": null, "groups": [] })).await.unwrap();
    assert_eq!(tied(&name).called.as_deref(), Some("bea@new.example"), "nothing was said");
    assert_eq!(tied("root@example.com").called.as_deref(), Some("root@example.com"));
}

#[tokio::test]
async fn the_first_owner_comes_in_also_where_somebody_invited_them_before() {
    let world = World::with("owner:ann@example.com,bob@example.com", |_| {}).await;
    for name in ["ann@example.com", "bob@example.com"] {
        world.accounts.create(name, identity::accounts::Role::Member).unwrap();
    }
    let bob = json!({ "sub": "bob", "email": "bob@example.com" });
    assert_eq!(kind(world.enter(bob.clone()).await), Kind::Stranger, "there is no owner yet");
    assert_eq!(world.enter(json!({ "sub": "ann" })).await.unwrap().1, "tied");
    assert_eq!(world.enter(bob).await.unwrap().1, "tied");
    let role = |name: &str| world.store.account_named(name).unwrap().unwrap().role;
    assert_eq!((role("ann@example.com").as_str(), role("bob@example.com").as_str()), ("owner", "member"));
}

#[tokio::test]
async fn a_link_that_was_given_out_has_no_force_once_the_account_is_tied() {
    let world = World::with("owner:root@example.com,bob@example.com", |_| {}).await;
    world.enter(json!({ "sub": "root", "email": "root@example.com" })).await.unwrap();
    let bob = world.accounts.create("bob@example.com", identity::accounts::Role::Member).unwrap();
    let link = world.accounts.password_link(&bob.id).unwrap();
    assert_eq!(world.enter(json!({ "sub": "bob", "email": "bob@example.com" })).await.unwrap().1, "tied");
    assert!(world.accounts.choose_password(&link, "correct horse battery").is_err());
}

#[tokio::test]
async fn whoever_is_not_named_stays_out_and_the_first_is_an_owner() {
    let world = World::with("owner:root@example.com,*@example.com,admin:group:ops", |_| {}).await;
    world.describe(json!({ "userinfo_endpoint": null }));
    let ann = json!({ "sub": "ann" });
    assert_eq!(kind(world.enter(ann.clone()).await), Kind::Stranger, "there is no owner yet");
    let root = json!({ "sub": "root", "email": "root@example.com" });
    assert_eq!(world.enter(root.clone()).await.unwrap(), ("root@example.com".to_owned(), "made"));
    assert_eq!(world.accounts.set_up_link().unwrap(), None);
    assert_eq!(world.enter(ann.clone()).await.unwrap(), ("ann@example.com".to_owned(), "made"));
    assert_eq!(world.enter(root).await.unwrap().1, "known");
    for stranger in [
        json!({ "sub": "eve", "email": "eve@elsewhere.org" }),
        json!({ "sub": "eve", "email": "eve@example.com", "email_verified": false }),
        json!({ "sub": "eve", "email": "eve@example.com", "email_verified": null }),
        json!({ "sub": "eve", "email": null, "groups": ["op"] }),
    ] {
        assert_eq!(kind(world.enter(stranger.clone()).await), Kind::Stranger, "{stranger}");
    }
    // A name that nobody vouches for is taken by nobody else, and looks like no address.
    let names = ["bob", "bob", "root@example.com"].iter().enumerate();
    let mut made = Vec::new();
    for (number, name) in names {
        let claims = json!({ "sub": format!("ops{number}"), "email": "root@example.com", "email_verified": false, "preferred_username": name, "groups": ["ops"] });
        made.push(world.enter(claims).await.unwrap().0);
    }
    assert!(made[0] == "bob" && made[1].starts_with("bob-") && made[2].starts_with("openid-"), "{made:?}");
    assert_eq!(world.store.account_named("bob").unwrap().unwrap().role, "admin");
    assert_eq!(world.store.account_named("root@example.com").unwrap().unwrap().role, "owner");
}

#[tokio::test]
async fn an_account_is_tied_to_a_person_and_not_to_an_address() {
    let world = World::with("owner:root@example.com,*@example.com,eve@example.com", |_| {}).await;
    world.describe(json!({ "userinfo_endpoint": null }));
    let root = world.accounts.set_up(
        &world.accounts.set_up_link().unwrap().unwrap(),
        "root@example.com",
        "correct horse battery",
    );
    root.unwrap();
    world.accounts.create("ann@example.com", identity::accounts::Role::Admin).unwrap();
    assert_eq!(kind(world.enter(json!({ "sub": "x" })).await), Kind::Taken, "a domain names no account that is there");
    let unsure = json!({ "sub": "x", "email": "root@example.com", "email_verified": false });
    assert_eq!(kind(world.enter(unsure).await), Kind::Stranger, "nobody vouches for the address");
    let root = json!({ "sub": "root", "email": "ROOT@example.com" });
    assert_eq!(world.enter(root.clone()).await.unwrap(), ("root@example.com".to_owned(), "tied"));
    assert_eq!(world.enter(root).await.unwrap().1, "known");
    assert!(world.accounts.sign_in(HERE, "root@example.com", "correct horse battery").is_ok(), "the password stays");
    let heir = json!({ "sub": "heir", "email": "root@example.com" });
    assert_eq!(kind(world.enter(heir).await), Kind::Taken, "the address has changed hands");

    let eve = json!({ "sub": "eve", "email": "eve@example.com" });
    let person = world.come(eve.clone()).await.unwrap();
    let (entered, _) = world.accounts.enter_by(&world.openid, &person).unwrap();
    let moved = json!({ "sub": "eve", "email": "eve@elsewhere.org" });
    assert_eq!(
        world.enter(moved).await.unwrap(),
        ("eve@example.com".to_owned(), "known"),
        "who has an account keeps it"
    );
    assert!(world.store.remove_account(&entered.account.id, "owner", None, 1).unwrap());
    world.accounts.follow().unwrap();
    assert!(
        world.accounts.known(&entered.token).is_none() && world.accounts.look_up(&entered.token).unwrap().is_none()
    );
    assert_eq!(world.enter(eve).await.unwrap().1, "made", "the list names them still");
}
