//! What the server promises of each droid: a record with its end, deadlines, modes, bounds.

use std::time::Duration;

use fakes::FactorySettings;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::World;

/// The record of a droid.
async fn record(world: &World, id: &Value) -> Value {
    world.good("get_droid", json!({ "sessionId": id })).await["record"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_droid_that_takes_too_long_or_hangs_is_interrupted() {
    let world = World::new(600_000).await;
    let watch = |more: Value| {
        let mut arguments = json!({ "prompt": "[fake:steps=0] endless", "pollIntervalSeconds": 5 });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let world = &world;
        async move { world.good("spawn_and_watch", arguments).await }
    };
    let (late, mute, still) = tokio::join!(
        watch(json!({ "timeoutSeconds": 30 })),
        watch(json!({ "firstOutputSeconds": 6 })),
        watch(json!({ "idleSeconds": 7 })),
    );
    for (told, reason) in [(late, "time limit"), (mute, "said nothing"), (still, "Nothing of it changed")] {
        assert_eq!((&told["end"], &told["interrupted"]), (&json!("timeout"), &json!(true)), "{told}");
        assert!(told["reason"].as_str().unwrap().contains(reason), "{told}");
        let record = record(&world, &told["sessionId"]).await;
        assert_eq!(record["state"], "timed_out", "{record}");
        let now = world.good("get_droid", json!({ "sessionId": told["sessionId"] })).await;
        assert_eq!(now["status"], "idle", "it was stopped at Factory: {now}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_goes_away_leaves_the_droid_alone_and_its_end_is_found() {
    let world = World::new(3_000).await;
    let stop = CancellationToken::new();
    let leave = async {
        while world.seen().await["prompts"].as_array().is_none_or(Vec::is_empty) {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (said, ()) = tokio::join!(world.cut_off("spawn_and_watch", json!({ "prompt": "work" }), &stop), leave);
    assert!(said.is_error, "{}", said.text);
    let listed = world.good("list_droids", json!({})).await;
    let id = listed["droids"][0]["sessionId"].clone();
    assert_eq!(world.seen().await["routes"]["POST sessions/*/interrupt"], json!(null), "it goes on");
    assert!(record(&world, &id).await["times"]["ended"].is_null());
    let settled = loop {
        let settled = world.good("settle_droids", json!({})).await;
        if settled["open"] == 0 {
            break settled;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(settled["ended"], 1, "{settled}");
    assert_eq!(record(&world, &id).await["state"], "finished");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_end_is_told_as_what_it_is() {
    let world = World::new(500).await;
    let cases = [("work", "finished"), ("[fake:fail] work", "failed"), ("[fake:ask] work", "needs_input")];
    for (prompt, end) in cases {
        let id = world.droid(prompt).await;
        let told = world.good("wait_for_droids", json!({ "sessionIds": [id], "pollIntervalSeconds": 1 })).await;
        assert_eq!(told["ended"][0]["end"], end, "{told}");
        assert_eq!(told["ended"][0]["success"], end == "finished", "{told}");
    }
    // Somebody stops it at Factory.
    let id = world.droid("[fake:work=600000] work").await;
    let stop = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let path = format!("/api/v0/sessions/{id}/interrupt");
        crate::world::send(world.factory, "POST", &path, "").await;
    };
    let arguments = json!({ "sessionIds": [id], "pollIntervalSeconds": 1 });
    let (told, ()) = tokio::join!(world.good("wait_for_droids", arguments), stop);
    assert_eq!(told["ended"][0]["end"], "interrupted", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_droid_that_never_begins_is_lost_and_not_finished() {
    let world = World::with(FactorySettings::default().idle(600_000), &[]).await;
    let id = world.droid("work").await;
    let told = world.good("wait_for_droids", json!({ "sessionIds": [id], "pollIntervalSeconds": 5 })).await;
    assert_eq!(told["ended"][0]["end"], "lost", "{told}");
    assert!(told["ended"][0]["reason"].as_str().unwrap().contains("never began"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_waits_interrupts_or_is_not_sent() {
    let world = World::with(FactorySettings::default().idle(0).work(600_000), &[]).await;
    let id = world.droid("work").await;
    let say = |mode: &str| json!({ "sessionId": id, "text": "more", "mode": mode });
    let text = world.bad("message_droid", say("reject_if_busy")).await;
    assert!(text.contains("nothing was sent"), "{text}");
    assert_eq!(world.good("message_droid", say("queue")).await["interrupted"], false);
    assert_eq!(world.good("message_droid", say("interrupt")).await["interrupted"], true);
    assert_eq!(world.seen().await["prompts"].as_array().unwrap().len(), 3);
    let told = world.good("interrupt_droid", json!({ "sessionId": id })).await;
    assert_eq!(told["wasActive"], true, "{told}");
    assert_eq!(record(&world, &json!(id)).await["state"], "interrupted");
    assert_eq!(world.good("interrupt_droid", json!({ "sessionId": id })).await["wasActive"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_s_choices_and_bounds_count() {
    let variables = [
        ("FACTORY_MODEL", "gpt-5.2"),
        ("FACTORY_AUTONOMY", "low"),
        ("FACTORY_EXEC_AUTO", "off"),
        ("FACTORY_MAX_ACTIVE", "3"),
        ("FACTORY_MAX_TOKENS", "1000000"),
    ];
    let world = World::with(FactorySettings::default().work(600_000), &variables).await;
    let swarm = world.good("spawn_swarm", json!({ "prompts": ["a", "b", "c", "d", "e"] })).await;
    assert_eq!((&swarm["started"], &swarm["model"]), (&json!(3), &json!("gpt-5.2")), "{swarm}");
    assert_eq!(swarm["errors"].as_array().unwrap().len(), 2, "{swarm}");
    assert!(swarm["errors"][0]["error"].as_str().unwrap().contains("FACTORY_MAX_ACTIVE"), "{swarm}");
    let listed = world.good("list_droids", json!({})).await;
    assert_eq!(listed["droids"][0]["model"], "gpt-5.2", "{listed}");
    let exec = world.good("factory_exec", json!({ "prompt": "hi" })).await;
    assert_eq!(exec["mode"], "normal", "{exec}");
    let exec = world.good("factory_exec", json!({ "prompt": "hi", "auto": "high" })).await;
    assert_eq!(exec["mode"], "auto-high", "{exec}");
}

/// A budget in dollars: settings of the operator, arguments of a swarm of 5, how many are started, a part of the error.
type Budget = (&'static [(&'static str, &'static str)], &'static str, usize, &'static str);

const BUDGETS: &[Budget] = &[
    // A droid that finished before took 4,080 tokens: 0.0408 dollars at 10 a million.
    (&[("FACTORY_USD_PER_MILLION_TOKENS", "10")], r#"{"maxUsd": 0.1}"#, 2, "The budget of 10000 tokens (0.1 USD)"),
    (&[("FACTORY_USD_PER_MILLION_TOKENS", "10")], r#"{"maxUsd": 0.1, "maxTokens": 5000}"#, 1, "5000 tokens (0.05 USD)"),
    (&[("FACTORY_USD_PER_MILLION_TOKENS", "10")], r#"{"maxUsd": 5}"#, 5, ""),
    (&[("FACTORY_USD_PER_MILLION_TOKENS", "10")], r#"{"maxUsd": 0.00000001}"#, 0, "The budget of 1 tokens"),
    (&[("FACTORY_USD_PER_MILLION_TOKENS", "2.5"), ("FACTORY_MAX_USD", "0.025")], "{}", 2, "0.025 USD"),
    (&[("FACTORY_USD_PER_MILLION_TOKENS", "2.5"), ("FACTORY_MAX_USD", "0.025")], r#"{"maxUsd": 9}"#, 2, "0.025 USD"),
    (&[], r#"{"maxUsd": 1}"#, 0, "FACTORY_USD_PER_MILLION_TOKENS"),
    (&[("FACTORY_MAX_USD", "1")], "{}", 0, "FACTORY_MAX_USD is a budget in dollars"),
    (&[("FACTORY_USD_PER_MILLION_TOKENS", "ten")], "{}", 0, "FACTORY_USD_PER_MILLION_TOKENS"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_in_dollars_bounds_what_is_started() {
    let mut playing = tokio::task::JoinSet::new();
    for (variables, arguments, started, error) in BUDGETS {
        playing.spawn(async move {
            let world = World::with(FactorySettings::default().idle(0).work(0), variables).await;
            let other = json!({ "sessionSettings": { "model": "claude-sonnet-4-6" } });
            let made = crate::world::http(world.factory, "POST", "/api/v0/sessions", &other.to_string()).await;
            let path = format!("/api/v0/sessions/{}/messages", made["sessionId"].as_str().expect("an id"));
            crate::world::http(world.factory, "POST", &path, r#"{"text": "an earlier one"}"#).await;
            let mut asked: Value = serde_json::from_str(arguments).expect("arguments");
            asked["prompts"] = json!(["a", "b", "c", "d", "e"]);
            let said = world.call("spawn_swarm", asked).await;
            let told = said.structured.as_ref().map_or_else(|| said.text.clone(), Value::to_string);
            assert!(told.contains(error), "{variables:?} {arguments}: {told}");
            let prompts = world.seen().await["prompts"].as_array().map_or(0, Vec::len) - 1;
            assert_eq!(prompts, *started, "{variables:?} {arguments}: {told}");
        });
    }
    while let Some(played) = playing.join_next().await {
        played.expect("a bound");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_droids_took_is_told_in_dollars_where_there_is_a_price() {
    let price = [("FACTORY_USD_PER_MILLION_TOKENS", "10")];
    let world = World::with(FactorySettings::default().idle(0).work(0), &price).await;
    let dry = json!({ "prompts": ["a", "b"], "dryRun": true, "maxUsd": 0.05 });
    assert_eq!(world.good("spawn_swarm", dry.clone()).await["estimate"]["usd"], Value::Null, "nothing is known yet");
    let watched = world.good("spawn_and_watch", json!({ "prompt": "work", "pollIntervalSeconds": 5 })).await;
    assert_eq!(watched["costUsd"], 0.0408, "{watched}");
    let planned = world.good("spawn_swarm", dry).await;
    assert_eq!((&planned["estimate"]["usd"], &planned["errors"][0]["index"]), (&json!(0.0816), &json!(1)), "{planned}");
    let id = watched["sessionId"].clone();
    let waited = world.good("wait_for_droids", json!({ "sessionIds": [id], "pollIntervalSeconds": 1 })).await;
    let one = world.good("get_droid", json!({ "sessionId": id })).await;
    let listed = world.good("list_droids", json!({})).await;
    let swarms = world.good("list_swarms", json!({})).await;
    let swarm = world.good("get_swarm", json!({ "swarmId": swarms["swarms"][0]["swarmId"] })).await;
    for told in [&waited, &one, &listed["droids"][0], &swarm] {
        assert_eq!(told["costUsd"], 0.0408, "{told}");
    }
    let free = World::with(FactorySettings::default().idle(0).work(0), &[]).await;
    let watched = free.good("spawn_and_watch", json!({ "prompt": "work", "pollIntervalSeconds": 5 })).await;
    assert_eq!(watched["costUsd"], Value::Null, "{watched}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_starts_nothing_twice() {
    let world = World::new(60_000).await;
    let one = json!({ "prompt": "once", "idempotencyKey": "k" });
    let (left, right) = tokio::join!(world.good("spawn_droid", one.clone()), world.good("spawn_droid", one));
    assert_eq!(left["sessionId"], right["sessionId"]);
    assert_ne!(left["isNew"], right["isNew"], "{left} {right}");
    let keys = |keys: [&str; 2]| json!({ "prompts": ["a", "b"], "idempotencyKeys": keys });
    let first = world.good("spawn_swarm", keys(["a1", "b1"])).await;
    let again = world.good("spawn_swarm", keys(["a1", "b2"])).await;
    assert_eq!(first["droids"][0]["sessionId"], again["droids"][0]["sessionId"], "{first} {again}");
    assert_ne!(first["droids"][1]["sessionId"], again["droids"][1]["sessionId"]);
    assert_eq!(world.seen().await["prompts"].as_array().unwrap().len(), 4);
    let same = world.bad("spawn_swarm", keys(["x", "x"])).await;
    assert!(same.contains("same idempotency key"), "{same}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_droids_is_known_and_secrets_stay_behind() {
    let world = World::new(300).await;
    let old = world.droid("The key is sk-live-0123456789abcdef, password=hunter22222").await;
    world.good("wait_for_droids", json!({ "sessionIds": [old], "pollIntervalSeconds": 1 })).await;
    let next = world.good("respawn_with_context", json!({ "sessionId": old, "followupPrompt": "go on" })).await;
    assert_eq!(next["generation"], 1, "{next}");
    let last =
        world.good("respawn_with_context", json!({ "sessionId": next["sessionId"], "followupPrompt": "go on" })).await;
    assert_eq!(last["generation"], 2, "{last}");
    let record = record(&world, &last["sessionId"]).await;
    assert_eq!((&record["parent"], &record["generation"]), (&next["sessionId"], &json!(2)), "{record}");
    let prompts = world.seen().await["prompts"].clone();
    let second = prompts[1]["text"].as_str().unwrap();
    assert!(
        second.contains("[secret]") && !second.contains("0123456789abcdef") && !second.contains("hunter22222"),
        "{second}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_no_record_names_is_an_orphan() {
    let world = World::new(60_000).await;
    world.droid("known").await;
    let none = world.good("find_orphans", json!({})).await;
    assert_eq!(none["orphans"], json!([]), "{none}");
    // One whose tag is ours, and that nobody wrote down.
    let tags = world.seen().await["prompts"][0]["tags"].clone();
    let mut tag = tags[0].clone();
    tag["metadata"]["member"] = "7".into();
    let body = json!({ "sessionSettings": { "tags": [tag] } });
    let made = crate::world::http(world.factory, "POST", "/api/v0/sessions", &body.to_string()).await;
    let found = world.good("find_orphans", json!({})).await;
    assert_eq!(found["orphans"][0]["sessionId"], made["sessionId"], "{found}");
    assert_eq!(found["orphans"][0]["index"], 7, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_finished_before_it_has_begun() {
    // Each is idle for a while after its prompt, longer than the time between two looks for most of them.
    let world = World::with(FactorySettings::default().idle(1_700).work(900), &[]).await;
    let mut ids = Vec::new();
    for round in 0..6 {
        let prompts: Vec<String> = (0..50).map(|number| format!("task {round}.{number}")).collect();
        let swarm = world.good("spawn_swarm", json!({ "prompts": prompts })).await;
        ids.extend(swarm["droids"].as_array().unwrap().iter().map(|one| one["sessionId"].clone()));
    }
    let told = world.good("wait_for_droids", json!({ "sessionIds": ids, "pollIntervalSeconds": 1 })).await;
    let ended = told["ended"].as_array().unwrap();
    assert_eq!(ended.len(), 300, "{}", told["open"]);
    // What was told of each is what it had said at its end.
    assert!(ended.iter().all(|one| one["end"] == "finished" && one["messageCount"] == 4), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_in_time_is_told_or_found_by_its_tag() {
    let slow = |after: bool| async move {
        let world = World::new(60_000).await;
        let order = json!({ "method": "POST", "path": "/sessions", "delayMs": 75_000, "after": after });
        world.order(json!({ "fail": [order] })).await;
        let said = world.call("spawn_droid", json!({ "prompt": "work" })).await;
        (said, world.seen().await["sessions"].clone())
    };
    let ((before, none), (after, one)) = tokio::join!(slow(false), slow(true));
    assert!(before.is_error && before.text.contains("did not answer within 60 s"), "{}", before.text);
    assert!(before.text.contains("Whether it took effect is not known"), "{}", before.text);
    assert_eq!((none, after.is_error, one), (json!(0), false, json!(1)), "{}", after.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn droids_that_have_not_begun_are_no_mean_of_a_budget() {
    let world = World::with(FactorySettings::default().idle(600_000).work(600_000), &[]).await;
    for number in 0..3 {
        world.droid(&format!("idle until it begins {number}")).await;
    }
    let dry = json!({ "prompts": ["a", "b"], "dryRun": true });
    let said = world.good("spawn_swarm", dry).await;
    assert_eq!(
        (&said["estimate"]["tokensEach"], &said["estimate"]["droidsLookedAt"]),
        (&json!(null), &json!(0)),
        "{said}"
    );
    // A budget that no mean is known for covers what is asked for.
    let swarm = world.good("spawn_swarm", json!({ "prompts": ["a", "b"], "maxTokens": 1 })).await;
    assert_eq!(swarm["started"], 2, "{swarm}");
}
