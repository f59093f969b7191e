//! Kinds of what upstreams do wrong: each one ends in a state that is true, and never shows the key.

use fakes::FactorySettings;
use serde_json::{Value, json};

use crate::world::World;

/// What a droid comes to, although something is wrong while it is watched.
const WATCHED: &[(&str, &str, &str)] = &[
    // The order, the end, a part of the reason.
    (r#"{"path":"/sessions/*","status":429,"times":3}"#, "finished", ""),
    (r#"{"path":"/sessions/*","status":429,"retryAfter":"1","times":3}"#, "finished", ""),
    (r#"{"path":"/sessions/*","status":500,"times":6}"#, "finished", ""),
    (r#"{"path":"/sessions/*","html":"<h1>Bad gateway</h1>","times":6}"#, "finished", ""),
    (r#"{"path":"/sessions/*","status":503,"retryAfter":"1","times":4}"#, "finished", ""),
    (r#"{"path":"/sessions/*","spoil":"hangup","times":6}"#, "finished", ""),
    (r#"{"path":"/sessions/*","spoil":"cut","times":6}"#, "finished", ""),
    (r#"{"path":"/sessions/*","spoil":"skew","times":500}"#, "finished", ""),
    (r#"{"path":"/sessions/*/messages","spoil":"skew","times":500}"#, "finished", ""),
    (r#"{"path":"/sessions/*/messages","spoil":"loop","times":500}"#, "finished", ""),
    (r#"{"path":"/sessions/*/messages","spoil":"duplicates","times":500}"#, "finished", ""),
    (r#"{"path":"/sessions/*/messages","spoil":"reversed","times":500}"#, "finished", ""),
    (r#"{"path":"/sessions/*/messages","spoil":"huge","times":500}"#, "finished", "could not be read"),
    (r#"{"path":"/sessions/*/messages","spoil":"text","times":500}"#, "finished", "could not be read"),
    (r#"{"path":"/sessions/*/messages","spoil":"types","times":500}"#, "finished", ""),
    (r#"{"path":"/sessions/*","spoil":"status","times":500}"#, "lost", "hibernating"),
    (r#"{"path":"/sessions/*","status":404,"times":2}"#, "finished", ""),
    (r#"{"path":"/sessions/*","status":404,"times":500}"#, "lost", "does not know"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_droid_comes_to_its_right_end() {
    let mut playing = tokio::task::JoinSet::new();
    for (order, end, reason) in WATCHED {
        playing.spawn(async move {
            let world = World::with(FactorySettings::default().idle(100).work(1_500), &[]).await;
            let mut order: Value = serde_json::from_str(order).expect("an order");
            order["method"] = "GET".into();
            let id = world.droid("[fake:steps=2] work").await;
            world.order(json!({ "fail": [order] })).await;
            let arguments = json!({ "sessionIds": [id], "pollIntervalSeconds": 1, "timeoutSeconds": 60 });
            let told = world.good("wait_for_droids", arguments).await;
            let one = &told["ended"][0];
            assert_eq!(one["end"], *end, "{order}: {told}");
            assert!(one["reason"].as_str().unwrap_or_default().contains(reason), "{order}: {told}");
            assert!(!told.to_string().contains(fakes::KEY), "{told}");
            // The record says the same.
            world.order(json!({ "clear": true })).await;
            let droid = world.good("get_droid", json!({ "sessionId": id })).await;
            assert_eq!(droid["record"]["state"], *end, "{order}: {droid}");
            assert!(droid["record"]["times"]["ended"].is_string(), "{order}: {droid}");
        });
    }
    while let Some(played) = playing.join_next().await {
        played.expect("a right end");
    }
}

/// What a start comes to: how many droids there are at Factory, whether it is told as started, a part of the text.
const STARTED: &[(&str, usize, bool, &str)] = &[
    (r#"{"path":"/sessions","status":500}"#, 0, false, "500"),
    (r#"{"path":"/sessions","status":502,"after":true}"#, 1, true, ""),
    (r#"{"path":"/sessions","spoil":"hangup"}"#, 1, true, ""),
    (r#"{"path":"/sessions","spoil":"cut"}"#, 1, true, ""),
    (r#"{"path":"/sessions","spoil":"empty"}"#, 1, true, ""),
    (r#"{"path":"/sessions","spoil":"text"}"#, 1, true, ""),
    (r#"{"path":"/sessions","spoil":"null"}"#, 1, true, ""),
    (r#"{"path":"/sessions","spoil":"types"}"#, 1, true, ""),
    (r#"{"path":"/sessions","spoil":"key"}"#, 1, true, ""),
    (r#"{"path":"/sessions","spoil":"redirect"}"#, 1, true, ""),
    (r#"{"path":"/sessions","status":429,"retryAfter":"120"}"#, 0, false, "Try again in 120 s"),
    (r#"{"path":"/sessions","status":401}"#, 0, false, "FACTORY_API_KEY"),
    (r#"{"path":"/sessions","status":402}"#, 0, false, "402"),
    (r#"{"path":"/messages","status":500,"after":true}"#, 1, true, ""),
    (r#"{"path":"/messages","spoil":"hangup"}"#, 1, true, ""),
    (r#"{"path":"/messages","spoil":"cut"}"#, 1, true, ""),
    (r#"{"path":"/messages","spoil":"empty"}"#, 1, true, ""),
    (r#"{"path":"/messages","spoil":"key"}"#, 1, true, ""),
    (r#"{"path":"/messages","status":500}"#, 1, false, "its prompt was not taken"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_start_is_never_repeated_blindly() {
    let mut playing = tokio::task::JoinSet::new();
    for (order, sessions, is_started, text) in STARTED {
        playing.spawn(async move {
            let world = World::new(60_000).await;
            let mut order: Value = serde_json::from_str(order).expect("an order");
            order["method"] = "POST".into();
            world.order(json!({ "fail": [order] })).await;
            let said = world.call("spawn_droid", json!({ "prompt": "once" })).await;
            assert_eq!(!said.is_error, *is_started, "{order}: {}", said.text);
            assert!(said.text.contains(text) && !said.text.contains(fakes::KEY), "{order}: {}", said.text);
            let seen = world.seen().await;
            let posts = |route: &str| seen["routes"][route].as_u64().unwrap_or_default();
            assert_eq!(posts("POST sessions"), 1, "{order}: a session is asked for once: {seen}");
            assert!(posts("POST sessions/*/messages") <= 1, "{order}: a prompt is sent once: {seen}");
            assert_eq!(seen["sessions"], *sessions, "{order}: {seen}");
            let listed = world.good("list_swarms", json!({})).await;
            let id = listed["swarms"][0]["swarmId"].clone();
            let swarm = world.good("get_swarm", json!({ "swarmId": id })).await;
            let state = swarm["members"][0]["state"].as_str().unwrap_or_default().to_owned();
            assert_eq!(state == "failed", !is_started, "{order}: {swarm}");
            assert!(!swarm.to_string().contains(fakes::KEY), "{swarm}");
        });
    }
    while let Some(played) = playing.join_next().await {
        played.expect("a start");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_in_the_middle_is_told_and_the_record_stays_open() {
    let world = World::new(2_000).await;
    let id = world.droid("work").await;
    world.order(json!({ "fail": [{ "method": "GET", "path": "/sessions/*", "status": 401, "times": 500 }] })).await;
    let text = world.bad("wait_for_droids", json!({ "sessionIds": [id], "pollIntervalSeconds": 1 })).await;
    assert!(text.contains("401") && text.contains("FACTORY_API_KEY") && !text.contains(fakes::KEY), "{text}");
    world.order(json!({ "clear": true })).await;
    let told = world.good("wait_for_droids", json!({ "sessionIds": [id], "pollIntervalSeconds": 1 })).await;
    assert_eq!(told["ended"][0]["end"], "finished", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lead_in_a_circle_come_to_an_end() {
    let world = World::new(0).await;
    let id = world.droid("x").await;
    let circle = json!({ "method": "GET", "path": "/sessions", "spoil": "loop", "times": 500 });
    world.order(json!({ "fail": [circle] })).await;
    let listed = world.good("list_droids", json!({ "limit": 100 })).await;
    assert_eq!((&listed["count"], &listed["more"]), (&json!(1), &json!(true)), "{listed}");
    assert_eq!(listed["droids"][0]["sessionId"], id.as_str());
    let types = json!({ "method": "GET", "path": "/sessions", "spoil": "types", "times": 500 });
    world.order(json!({ "clear": true, "fail": [types] })).await;
    let listed = world.good("list_droids", json!({})).await;
    assert_eq!(listed["droids"][0]["messageCount"], 0, "{listed}");
}
