//! Starting droids and looking at them.

use std::time::Instant;

use fakes::FactorySettings;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_droid_is_started_looked_at_told_more_and_stopped() {
    let world = World::new(60_000).await;
    let computers = world.good("list_computers", json!({})).await;
    assert_eq!(computers["count"], 3);
    let active = computers["computers"].as_array().unwrap().iter().find(|one| one["status"] == "active").unwrap();
    let arguments = json!({ "prompt": "Write a poem", "model": "gpt-5", "autonomy": "low", "reasoningEffort": "high" });
    let started = world.good("spawn_droid", arguments).await;
    assert_eq!(started["computerId"], active["id"], "the first active one");
    let id = started["sessionId"].as_str().unwrap();
    assert_eq!(id.len(), 36, "a whole id");
    let listed = world.good("list_droids", json!({})).await;
    assert_eq!((&listed["count"], &listed["droids"][0]["sessionId"]), (&json!(1), &json!(id)));
    assert_eq!(listed["droids"][0]["computer"], active["name"]);
    assert_eq!(listed["droids"][0]["model"], "gpt-5");
    let told = world.good("message_droid", json!({ "sessionId": id, "text": "In German" })).await;
    assert_eq!(told["status"], "pending");
    let full = world.good("get_droid_messages_full", json!({ "sessionId": id })).await;
    let texts: Vec<&Value> = full["messages"].as_array().unwrap().iter().map(|one| &one["text"]).collect();
    assert!(texts.contains(&&json!("Write a poem")) && texts.contains(&&json!("In German")), "{texts:?}");
    for _ in 0..2 {
        assert_eq!(world.good("interrupt_droid", json!({ "sessionId": id })).await["interrupted"], true);
    }
    let one = world.good("get_droid", json!({ "sessionId": id })).await;
    assert_eq!(one["status"], "idle");
    assert!(one["tokenUsage"]["inputTokens"].is_u64(), "{one}");
    assert_eq!(world.seen().await["prompts"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_droids_are_started_ten_at_a_time_within_one_and_a_half_of_the_least_time() {
    const LATENCY: u64 = 100;
    let world = World::with(FactorySettings::default().latency(LATENCY).work(60_000), &[]).await;
    let prompts: Vec<String> = (0..50).map(|number| format!("task {number}")).collect();
    let began = Instant::now();
    let swarm = world.good("spawn_swarm", json!({ "prompts": prompts })).await;
    let time = began.elapsed().as_millis();
    // The list of computers, then five rounds of two requests each.
    let least = u128::from(LATENCY) * (1 + 5 * 2);
    assert_eq!((&swarm["started"], &swarm["errors"]), (&json!(50), &json!([])));
    assert!(time < least * 3 / 2, "{time} ms, and {least} ms are the least");
    let seen = world.seen().await;
    assert_eq!(seen["mostAtOnce"], 10, "{seen}");
    assert_eq!(seen["prompts"].as_array().unwrap().len(), 50, "each prompt was sent once");
    let active = world.good("get_all_active_droids", json!({})).await;
    assert!(active["count"].as_u64() > Some(40), "{}", active["count"]);
    let one = &active["droids"][0];
    assert!(one["lastMessage"].as_str().is_some_and(|text| text.starts_with("user: task")), "{one}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failure_does_not_stop_the_others() {
    let world = World::new(1_000).await;
    let refused = json!({ "method": "POST", "path": "/sessions", "status": 429, "retryAfter": "7", "times": 2 });
    world.order(json!({ "fail": [refused] })).await;
    let swarm = world.good("spawn_swarm", json!({ "prompts": ["a", "b", "c", "d", "e"] })).await;
    assert_eq!((&swarm["requested"], &swarm["started"]), (&json!(5), &json!(3)), "{swarm}");
    let errors = swarm["errors"].as_array().unwrap();
    assert!(errors.iter().all(|one| one["error"].as_str().unwrap().contains("Try again in 7 s")), "{errors:?}");
    let prompts = world.seen().await["prompts"].as_array().unwrap().len();
    assert_eq!(prompts, 3, "what was refused was not sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_followed_and_filters_come_before_limits() {
    let world = World::new(0).await;
    let long = world.droid("[fake:steps=250] many messages").await;
    for number in 0..3 {
        world.droid(&format!("[fake:work=600000] busy {number}")).await;
    }
    for number in 0..25 {
        world.droid(&format!("quick {number}")).await;
    }
    let idle =
        || async { world.good("wait_for_droids", json!({ "sessionIds": [long], "pollIntervalSeconds": 1 })).await };
    assert_eq!(idle().await["satisfied"], true);
    let full = world.good("get_droid_messages_full", json!({ "sessionId": long, "maxMessages": 500 })).await;
    // The prompt, 250 times two, and the last word.
    assert_eq!((&full["count"], &full["earlier"]), (&json!(500), &json!(2)));
    let times: Vec<&str> =
        full["messages"].as_array().unwrap().iter().map(|one| one["createdAt"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "oldest first");
    assert!(full["messages"][499]["text"].as_str().unwrap().starts_with("Done:"));
    let most = world.good("get_droid_messages_full", json!({ "sessionId": long })).await;
    assert_eq!(most["count"], 200, "the default");
    let active = |limit: u64| world.good("list_droids", json!({ "status": "running", "limit": limit }));
    let running = loop {
        let found = active(10).await;
        if found["count"] == 3 {
            break found;
        }
    };
    // They are behind 25 newer ones.
    assert_eq!(running["more"], false);
    assert_eq!(active(2).await["count"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_droid_goes_on_where_another_one_stopped() {
    let world = World::new(0).await;
    let old = world.droid("Remember the word lighthouse").await;
    world.good("wait_for_droids", json!({ "sessionIds": [old], "pollIntervalSeconds": 1 })).await;
    let new =
        world.good("respawn_with_context", json!({ "sessionId": old, "followupPrompt": "Which word was it?" })).await;
    assert_ne!(new["sessionId"], new["previousSessionId"]);
    let prompts = world.seen().await["prompts"].clone();
    let prompt = prompts[1]["text"].as_str().unwrap();
    assert!(prompt.contains("lighthouse") && prompt.ends_with("Which word was it?"), "{prompt}");
    let empty = world.bad("respawn_with_context", json!({ "sessionId": "nowhere", "followupPrompt": "x" })).await;
    assert!(empty.contains("404"), "{empty}");
}
