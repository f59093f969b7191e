//! What goes wrong upstream is said in the upstream's own words.

use fakes::FactorySettings;
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_says_why_and_what_to_do() {
    let world = World::new(0).await;
    let cases = [
        (
            json!({ "status": 400, "body": { "error": "computerId is not a UUID" } }),
            vec!["400", "computerId is not a UUID"],
        ),
        (json!({ "status": 401, "body": { "detail": "Key expired" } }), vec!["401", "Key expired", "FACTORY_API_KEY"]),
        (
            json!({ "status": 403, "body": { "title": "Forbidden", "status": 403, "detail": "Sessions are not enabled" } }),
            vec!["403", "not enabled for this organization", "Sessions are not enabled"],
        ),
        (json!({ "status": 404, "body": { "title": "Not Found" } }), vec!["404", "Not Found"]),
        (json!({ "status": 429, "retryAfter": "120" }), vec!["429", "Try again in 120 s"]),
        (json!({ "status": 500 }), vec!["500", "Whether it took effect is not known"]),
        (json!({ "html": "<html><h1>Bad gateway</h1></html>" }), vec!["502", "Bad gateway"]),
    ];
    for (failure, expected) in cases {
        let mut failure = failure;
        failure["method"] = "POST".into();
        failure["path"] = "/sessions".into();
        world.order(json!({ "clear": true, "fail": [failure] })).await;
        let text = world.bad("spawn_droid", json!({ "prompt": "x" })).await;
        for part in expected {
            assert!(text.contains(part), "{failure}: {text}");
        }
        assert!(!text.contains(fakes::KEY) && !text.contains("line "), "{text}");
    }
    let prompts = world.seen().await["prompts"].clone();
    assert_eq!(prompts, json!([]), "nothing was started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_prompt_was_not_taken_is_named() {
    let world = World::new(0).await;
    world.order(json!({ "fail": [{ "method": "POST", "path": "/messages", "status": 500 }] })).await;
    let text = world.bad("spawn_droid", json!({ "prompt": "x" })).await;
    let listed = world.good("list_droids", json!({})).await;
    assert!(text.contains(listed["droids"][0]["sessionId"].as_str().unwrap()), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_tried_again_and_keys_are_checked() {
    let world = World::new(0).await;
    world.order(json!({ "fail": [{ "path": "/computers", "status": 503, "times": 2 }] })).await;
    assert_eq!(world.good("list_computers", json!({})).await["count"], 3);
    let wrong = World::with(FactorySettings::default(), &[("FACTORY_API_KEY", "fk-wrong")]).await;
    let text = wrong.bad("list_computers", json!({})).await;
    assert!(text.contains("Invalid API key") && !text.contains("fk-wrong"), "{text}");
    let disabled = World::with(FactorySettings::default(), &[("FACTORY_API_KEY", "fk-disabled")]).await;
    let text = disabled.bad("spawn_droid", json!({ "prompt": "x" })).await;
    assert!(text.contains("not enabled for this organization"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_setting_is_named() {
    let world = World::with(FactorySettings::default(), &[("FACTORY_SHIM_URL", ""), ("FACTORY_API_KEY", "")]).await;
    let text = world.bad("factory_exec", json!({ "prompt": "x" })).await;
    assert!(text.contains("FACTORY_SHIM_URL"), "{text}");
    let text = world.bad("list_droids", json!({})).await;
    assert!(text.contains("FACTORY_API_KEY"), "{text}");
}
