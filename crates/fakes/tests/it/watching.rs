//! Waiting for droids.

use std::time::Duration;

use parking_lot::Mutex;

use fakes::FactorySettings;
use serde_json::json;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_droid_is_not_taken_for_ended_before_it_began() {
    // Idle for longer than the first look, then at work for a while.
    let world = World::with(FactorySettings::default().idle(1_500).work(2_500), &[]).await;
    let progress = Mutex::new(Vec::new());
    let note = |done: f64, total: Option<f64>, _: &str| progress.lock().push((done, total));
    let arguments = json!({ "prompt": "Count to ten", "pollIntervalSeconds": 5, "timeoutSeconds": 60 });
    let said = world.call_with("spawn_and_watch", arguments, Some(&note)).await;
    assert!(!said.is_error, "{}", said.text);
    let value = said.structured.unwrap();
    assert_eq!((&value["end"], &value["interrupted"]), (&json!("finished"), &json!(false)), "{}", said.text);
    assert!(said.text.contains("Done: Count to ten"), "{}", said.text);
    let progress = progress.into_inner();
    assert!(!progress.is_empty() && progress.iter().all(|(done, total)| *done <= 60.0 && *total == Some(60.0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn any_all_and_a_quorum_are_waited_for() {
    let world = World::new(0).await;
    let mut ids = Vec::new();
    for time in [600, 1_200, 600_000, 600_000] {
        ids.push(world.droid(&format!("[fake:work={time}]")).await);
    }
    let wait = |mode: &str, quorum: u64, time: u64| {
        let arguments = json!({ "sessionIds": ids, "mode": mode, "quorum": quorum, "pollIntervalSeconds": 1, "timeoutSeconds": time });
        world.good("wait_for_droids", arguments)
    };
    let any = wait("any", 1, 30).await;
    assert_eq!((&any["satisfied"], &any["needed"]), (&json!(true), &json!(1)), "{any}");
    let two = wait("quorum", 2, 30).await;
    assert_eq!(two["ended"].as_array().unwrap().len(), 2, "{two}");
    assert!(two["tokenUsage"]["outputTokens"].as_u64() > Some(0), "{two}");
    let all = wait("all", 1, 2).await;
    assert_eq!((&all["satisfied"], all["open"].as_array().unwrap().len()), (&json!(false), 2), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_droid_and_one_that_failed_are_told() {
    let world = World::new(200).await;
    let failed = world.droid("[fake:fail]").await;
    let arguments = json!({ "sessionIds": [failed, "00000000-0000-4000-8000-000000000000"], "mode": "first_success",
                            "pollIntervalSeconds": 1, "timeoutSeconds": 4 });
    let told = world.good("wait_for_droids", arguments).await;
    assert_eq!(told["satisfied"], false, "{told}");
    let ended = told["ended"].as_array().unwrap();
    assert!(ended.iter().any(|one| one["end"] == "lost"), "{told}");
    assert!(ended.iter().any(|one| one["sessionId"] == failed.as_str() && one["success"] == false), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_five_thousand_messages_is_looked_at_and_gone_on_with() {
    let world = World::with(FactorySettings::default().idle(0).work(10), &[]).await;
    let id = world.droid("a long story [fake:steps=2500]").await;
    while world.good("list_droids", json!({})).await["droids"][0]["status"] != "idle" {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let one = world.good("get_droid", json!({ "sessionId": id })).await;
    assert!(one["messageCount"].as_u64().unwrap() > 5_000, "{}", one["messageCount"]);
    let recent = one["recentMessages"].as_array().unwrap();
    assert_eq!((recent.len(), &recent[199]["role"]), (200, &json!("assistant")));
    let next = world.good("respawn_with_context", json!({ "sessionId": id, "followupPrompt": "go on" })).await;
    let (taken, left) = (next["messagesTaken"].as_u64().unwrap(), next["messagesLeftOut"].as_u64().unwrap());
    assert!(taken > 0 && taken + left > 5_000, "{next}");
}

#[tokio::test(flavor = "multi_thread")]
async fn droids_are_looked_at_by_one_at_a_time() {
    let world = World::with(FactorySettings::default().work(600_000), &[]).await;
    world.droid("a task").await;
    world.order(json!({ "latencyMs": 1_500 })).await;
    let look = || world.call("settle_droids", json!({}));
    let (one, other) = tokio::join!(look(), look());
    let said = format!("{} {}", one.text, other.text);
    assert!(!one.is_error && !other.is_error && said.matches("Another look").count() == 1, "{said}");
    assert!(!look().await.text.contains("Another look"), "it is over");
}
