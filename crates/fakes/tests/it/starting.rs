//! Starting, when it is cancelled or limited meanwhile; and what is said in sessions, when it comes late or is much.

use fakes::FactorySettings;
use serde_json::{Value, json};

use crate::world::{World, http};

/// The prompts that the fake was sent.
async fn prompts(world: &World) -> Vec<String> {
    let seen = world.seen().await;
    let prompts = seen["prompts"].as_array().into_iter().flatten();
    prompts.filter_map(|one| one["text"].as_str().map(str::to_owned)).collect()
}

/// Waits until so many requests of this kind came.
async fn came(world: &World, route: &str, count: u64) {
    while world.seen().await["routes"][route].as_u64().unwrap_or_default() < count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swarm_that_is_cancelled_while_it_is_started_sends_no_prompt() {
    let world = World::new(60_000).await;
    let late = json!({ "method": "POST", "path": "/sessions", "after": true, "delayMs": 1_500, "times": 3 });
    world.order(json!({ "fail": [late] })).await;
    let cancelling = async {
        came(&world, "POST sessions", 3).await;
        let listed = world.good("list_swarms", json!({})).await;
        let id = listed["swarms"][0]["swarmId"].clone();
        world.good("cancel_swarm", json!({ "swarmId": id })).await;
        id
    };
    let starting = world.call("spawn_swarm", json!({ "prompts": ["one", "two", "three"] }));
    let (said, id) = tokio::join!(starting, cancelling);
    assert!(said.is_error && said.text.contains("cancelled"), "nothing was started: {}", said.text);
    assert_eq!(prompts(&world).await, [""; 0]);
    let swarm = world.good("get_swarm", json!({ "swarmId": id })).await;
    assert_eq!(swarm["counts"], json!({ "cancelled": 3 }), "{swarm}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_droid_that_could_not_be_interrupted_is_interrupted_later() {
    let world = World::new(600_000).await;
    let swarm = world.good("spawn_swarm", json!({ "prompts": ["one", "two"] })).await;
    let fails = json!({ "method": "POST", "path": "/sessions/*/interrupt", "status": 500, "times": 100 });
    world.order(json!({ "fail": [fails] })).await;
    world.good("cancel_swarm", json!({ "swarmId": swarm["swarmId"] })).await;
    assert_eq!(world.good("settle_droids", json!({})).await["open"], 2);
    world.order(json!({ "clear": true })).await;
    world.good("settle_droids", json!({})).await;
    let told = world.good("get_swarm", json!({ "swarmId": swarm["swarmId"] })).await;
    assert_eq!(told["counts"], json!({ "interrupted": 2 }), "{told}");
    assert_eq!(world.good("get_all_active_droids", json!({})).await["count"], 0);
    // Told something, it goes on: it is cancelled no more.
    let id = swarm["droids"][0]["sessionId"].clone();
    world.good("message_droid", json!({ "sessionId": id, "text": "go on" })).await;
    while world.good("get_all_active_droids", json!({})).await["count"] == 0 {
        tokio::task::yield_now().await;
    }
    world.good("settle_droids", json!({})).await;
    assert_eq!(world.good("get_all_active_droids", json!({})).await["count"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_start_is_tried_again_and_gives_its_name_back() {
    let world = World::new(0).await;
    let limited = |path: &str, after: &str| json!({ "clear": true, "fail": [{ "method": "POST", "path": path, "status": 429, "retryAfter": after }] });
    world.order(limited("/sessions", "1")).await;
    world.good("spawn_droid", json!({ "prompt": "soon" })).await;
    for (path, prompt) in [("/sessions", "no session"), ("/messages", "no prompt")] {
        let arguments = json!({ "prompt": prompt, "idempotencyKey": prompt });
        world.order(limited(path, "120")).await;
        let text = world.bad("spawn_droid", arguments.clone()).await;
        assert!(text.contains("Try again in 120 s"), "{text}");
        let droid = world.good("spawn_droid", arguments.clone()).await;
        let again = world.good("spawn_droid", arguments).await;
        assert_eq!((&again["sessionId"], &again["isNew"]), (&droid["sessionId"], &json!(false)), "{again}");
    }
    assert_eq!(prompts(&world).await, ["soon", "no session", "no prompt"]);
    assert_eq!(world.seen().await["sessions"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_an_earlier_prompt_are_no_end_of_a_later_one() {
    let world = World::with(FactorySettings::default().idle(1_500).work(2_000), &[]).await;
    let id = world.droid("first").await;
    let wait = || world.good("wait_for_droids", json!({ "sessionIds": [id], "pollIntervalSeconds": 1 }));
    assert_eq!(wait().await["ended"][0]["end"], "finished");
    let before = http(world.factory, "GET", &format!("/api/v0/sessions/{id}/messages"), "").await;
    // The list lags behind: what was just said is not in it.
    let old = json!({ "method": "GET", "path": "/sessions/*/messages", "status": 200, "body": before, "times": 2 });
    world.order(json!({ "fail": [old] })).await;
    world.good("message_droid", json!({ "sessionId": id, "text": "second" })).await;
    let told = wait().await;
    assert_eq!(told["ended"][0]["end"], "finished", "{told}");
    let said = world.good("get_droid", json!({ "sessionId": id })).await;
    let last = said["recentMessages"].as_array().and_then(|all| all.last()).cloned().unwrap_or_default();
    assert_eq!(last["text"], "Done: second", "it was waited for: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn long_logs_are_read_and_shortened_to_fit() {
    let world = World::new(0).await;
    let id = world.droid("short").await;
    let text = "x".repeat(90_000);
    for _ in 0..40 {
        world.good("message_droid", json!({ "sessionId": id, "text": text })).await;
    }
    let said = world.call("get_droid_messages_full", json!({ "sessionId": id })).await;
    assert!(!said.is_error, "{}", said.text);
    assert!(said.text.contains("ask for fewer with `maxMessages`"), "{}", &said.text[..200]);
    let value = said.structured.unwrap_or_default();
    let first: &Value = &value["messages"][0];
    assert_eq!((&first["text"], value["count"].as_u64().is_some_and(|count| count > 80)), (&json!("short"), true));
    let few = world.good("get_droid_messages_full", json!({ "sessionId": id, "maxMessages": 2 })).await;
    assert_eq!(few["messages"][1]["text"].as_str().map(|text| text.chars().count()), Some(50_001), "as before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_droid_that_works_on_is_told_beside_the_one_that_goes_on_for_it() {
    let world = World::new(60_000).await;
    let old = world.droid("first").await;
    while world.good("get_all_active_droids", json!({})).await["count"] == 0 {
        tokio::task::yield_now().await;
    }
    let arguments = json!({ "sessionId": old, "followupPrompt": "go on", "idempotencyKey": "once" });
    let said = world.call("respawn_with_context", arguments.clone()).await;
    assert!(!said.is_error && said.text.contains("both are at work"), "{}", said.text);
    let new = said.structured.unwrap_or_default()["sessionId"].clone();
    world.good("message_droid", json!({ "sessionId": old, "text": "more" })).await;
    let again = world.good("respawn_with_context", arguments).await;
    assert_eq!(again["sessionId"], new, "it is the same request, whatever was said since");
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_hold_for_calls_at_the_same_time() {
    let world = World::with(FactorySettings::default().work(60_000), &[("FACTORY_MAX_ACTIVE", "3")]).await;
    let late = json!({ "method": "POST", "path": "/sessions", "delayMs": 300, "times": 20 });
    world.order(json!({ "fail": [late] })).await;
    let start = |name: &'static str| world.call("spawn_swarm", json!({ "prompts": [name, name, name] }));
    let (one, two, three) = tokio::join!(start("a"), start("b"), start("c"));
    assert_eq!(prompts(&world).await.len(), 3, "{} {} {}", one.text, two.text, three.text);
}
