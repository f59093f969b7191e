//! Starting droids and looking at them.

use std::collections::HashSet;
use std::time::Duration;

use fakes::FactorySettings;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

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
async fn however_many_swarms_there_are_ten_requests_that_start_droids_go_out_at_once_and_others_do_not_wait_for_them() {
    let world = World::with(FactorySettings::default().work(600_000), &[]).await;
    let first = world.droid("before the others").await;
    let computer = world.good("get_droid", json!({ "sessionId": first })).await["computerId"].clone();
    world.order(json!({ "latencyMs": 150 })).await;
    let swarm = |number: usize| {
        let prompts: Vec<String> = (0..20).map(|index| format!("task {number}.{index}")).collect();
        world.good("spawn_swarm", json!({ "prompts": prompts, "computerId": computer }))
    };
    let began = std::time::Instant::now();
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let asked = std::time::Instant::now();
        let stopped = world.good("interrupt_droid", json!({ "sessionId": first })).await;
        (stopped, asked.elapsed())
    };
    let (swarms, (stopped, took)) = tokio::join!(futures_util::future::join_all((0..10).map(swarm)), meanwhile);
    assert_eq!(stopped["wasActive"], true);
    // It asks twice, and does not wait behind 390 requests, ten at once.
    assert!(took < Duration::from_secs(3) && took < began.elapsed() / 2, "{took:?} of {:?}", began.elapsed());
    for swarm in &swarms {
        assert_eq!((&swarm["started"], &swarm["errors"]), (&json!(20), &json!([])), "{swarm}");
    }
    let seen = world.seen().await;
    // Ten of them, and the interruption.
    let most = seen["mostWritesAtOnce"].as_u64().unwrap();
    assert!((8..=11).contains(&most), "{most}: {seen}");
    assert_eq!(seen["prompts"].as_array().unwrap().len(), 1 + 10 * 20, "each prompt was sent once");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_droids_are_started_ten_at_a_time_with_two_requests_each() {
    let world = World::with(FactorySettings::default().latency(50).work(600_000), &[]).await;
    let prompts: Vec<String> = (0..50).map(|number| format!("task {number}")).collect();
    let swarm = world.good("spawn_swarm", json!({ "prompts": prompts })).await;
    assert_eq!((&swarm["started"], &swarm["errors"]), (&json!(50), &json!([])));
    let seen = world.seen().await;
    assert_eq!(seen["mostAtOnce"], 10, "{seen}");
    // The list of computers, then a session and a prompt for each.
    assert_eq!(seen["requests"], 1 + 2 * 50, "{seen}");
    assert_eq!(seen["prompts"].as_array().unwrap().len(), 50, "each prompt was sent once");
    // A droid that was just started is idle for a moment.
    let active = loop {
        let active = world.good("get_all_active_droids", json!({})).await;
        if active["count"] == 50 {
            break active;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let one = &active["droids"][0];
    assert!(one["lastMessage"].as_str().is_some_and(|text| text.starts_with("user: task")), "{one}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_failure_does_not_stop_the_others() {
    let world = World::new(1_000).await;
    let refused = json!({ "method": "POST", "path": "/sessions", "status": 429, "retryAfter": "70", "times": 2 });
    world.order(json!({ "fail": [refused] })).await;
    let swarm = world.good("spawn_swarm", json!({ "prompts": ["a", "b", "c", "d", "e"] })).await;
    assert_eq!((&swarm["requested"], &swarm["started"]), (&json!(5), &json!(3)), "{swarm}");
    let errors = swarm["errors"].as_array().unwrap();
    assert!(errors.iter().all(|one| one["error"].as_str().unwrap().contains("Try again in 70 s")), "{errors:?}");
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
        tokio::time::sleep(Duration::from_millis(100)).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_swarm_that_is_cut_off_goes_on_and_no_prompt_is_sent_twice() {
    let world = World::with(FactorySettings::default().latency(150).work(0), &[]).await;
    let prompts: Vec<String> = (0..30).map(|number| format!("task {number}")).collect();
    let stop = CancellationToken::new();
    let watch = async {
        // In the middle: some have a prompt, some a session, some nothing.
        while world.seen().await["prompts"].as_array().is_none_or(|all| all.len() < 8) {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (said, ()) = tokio::join!(world.cut_off("spawn_swarm", json!({ "prompts": prompts }), &stop), watch);
    assert!(said.is_error, "{}", said.text);
    let known = world.good("list_swarms", json!({})).await;
    let id = known["swarms"][0]["swarmId"].as_str().unwrap().to_owned();
    let before = world.good("get_swarm", json!({ "swarmId": id })).await;
    assert_eq!(before["members"].as_array().unwrap().len(), 30, "what is to be done was written down first");
    // Who drove it holds it for a quarter of a minute.
    let resumed = loop {
        let resumed = world.good("resume_swarm", json!({ "swarmId": id })).await;
        if resumed["started"] == 30 {
            break resumed;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    };
    assert_eq!(resumed["errors"], json!([]));
    let sent = world.seen().await["prompts"].clone();
    let texts: HashSet<&str> = sent.as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    assert_eq!((sent.as_array().unwrap().len(), texts.len()), (30, 30), "each prompt once");
    let listed = world.good("list_droids", json!({ "limit": 100 })).await;
    assert_eq!(listed["count"], 30, "no session that nobody knows");
    let ended = world.good("wait_for_droids", json!({ "swarmId": id, "pollIntervalSeconds": 1 })).await;
    assert_eq!(ended["satisfied"], true, "{ended}");
    let after = world.good("get_swarm", json!({ "swarmId": id })).await;
    assert_eq!(after["counts"], json!({ "finished": 30 }), "how each ended is remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_took_effect_although_it_failed_is_found_by_its_tag() {
    let world = World::new(0).await;
    let after = |path: &str| json!({ "method": "POST", "path": path, "status": 502, "after": true, "times": 2 });
    world.order(json!({ "fail": [after("/sessions"), after("/messages")] })).await;
    let swarm = world.good("spawn_swarm", json!({ "prompts": ["a", "b", "c", "d"] })).await;
    assert_eq!((&swarm["started"], &swarm["errors"]), (&json!(4), &json!([])), "{swarm}");
    assert_eq!(world.seen().await["prompts"].as_array().unwrap().len(), 4);
    let cancelled = world.good("cancel_swarm", json!({ "swarmId": swarm["swarmId"] })).await;
    assert_eq!(cancelled["members"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_were_started_are_stopped_by_one_call() {
    let world = World::new(3_600_000).await;
    let swarm = world.good("spawn_swarm", json!({ "prompts": ["a", "b"] })).await;
    let droid = world.good("spawn_droid", json!({ "prompt": "c" })).await;
    for wrong in [json!({}), json!({ "all": true, "swarmId": swarm["swarmId"] })] {
        let said = world.bad("cancel_swarm", wrong).await;
        assert!(said.contains("`all: true`"), "{said}");
    }
    let stopped = world.good("cancel_swarm", json!({ "all": true })).await;
    let results = stopped["members"].as_array().unwrap();
    assert!(stopped["swarmId"].is_null() && results.len() == 3, "{stopped}");
    assert!(results.iter().all(|one| one["result"] == "interrupted"), "{stopped}");
    assert!(results.iter().any(|one| one["swarmId"] == droid["swarmId"]), "{stopped}");
    let again = world.good("cancel_swarm", json!({ "all": true })).await;
    assert_eq!(again["members"], json!([]), "there is nothing left to be stopped");
}
