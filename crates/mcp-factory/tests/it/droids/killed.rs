//! The process ends without a word in the middle of a swarm: nothing is lost, nothing is done twice, every droid has its end.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{call, request, serve, wait, world};

/// Droids of the swarm.
const DROIDS: usize = 20;

/// How far the swarm has come when its process is killed: requests for a session, and prompts, that Factory has seen.
const POINTS: [(u64, usize); 5] = [(1, 0), (10, 1), (10, 8), (15, 11), (20, 19)];

#[test]
fn nothing_is_lost_when_the_process_is_killed_in_a_swarm() {
    std::thread::scope(|scope| {
        for (sessions, prompts) in POINTS {
            scope.spawn(move || killed_at(sessions, prompts));
        }
    });
}

fn killed_at(sessions: u64, prompts: usize) {
    let (world, fake) = world(&["--work", "2000", "--latency", "80"]);
    let mut first = serve(&world, &[]);
    let address = first.address.clone();
    let texts: Vec<String> = (0..DROIDS).map(|number| format!("task {number}")).collect();
    let caller = std::thread::spawn(move || {
        let params = json!({ "name": "spawn_swarm", "arguments": { "prompts": texts } });
        // Nobody is there to answer any more.
        request(&address, "tools/call", "spawn_swarm", params, &json!({}))
    });
    wait("the middle of the swarm", || {
        let seen = fake.seen();
        let asked = seen["routes"]["POST sessions"].as_u64().unwrap_or_default();
        let sent = seen["prompts"].as_array().map_or(0, Vec::len);
        (asked >= sessions && sent >= prompts).then_some(())
    });
    first.kill();
    let _ = caller.join();
    let second = serve(&world, &[]);
    // Nobody asks for it: it goes on by itself, and what became of each droid is written down.
    let swarm = wait("the end of every droid", || {
        if fake.prompts().len() < DROIDS {
            return None;
        }
        let listed = call(&second.address, "list_swarms", &json!({}));
        let id = listed["swarms"][0]["swarmId"].as_str()?.to_owned();
        let swarm = call(&second.address, "get_swarm", &json!({ "swarmId": id }));
        let members = swarm["members"].as_array()?;
        members.iter().all(|one| one["times"]["ended"].is_string()).then_some(swarm)
    });
    let seen = fake.seen();
    let prompts = fake.prompts();
    let texts: BTreeSet<&String> = prompts.iter().collect();
    assert_eq!((prompts.len(), texts.len()), (DROIDS, DROIDS), "each prompt was sent once");
    assert_eq!(seen["sessions"], DROIDS, "no session that nobody knows");
    assert_eq!(swarm["counts"], json!({ "finished": DROIDS }), "{swarm}");
    let known: BTreeSet<&str> =
        swarm["members"].as_array().into_iter().flatten().filter_map(|one| one["sessionId"].as_str()).collect();
    assert_eq!(known.len(), DROIDS);
    for one in swarm["members"].as_array().into_iter().flatten() {
        assert!(one["evidence"]["lastMessageId"].is_string() && one["times"]["prompted"].is_string(), "{one}");
    }
    let orphans = call(&second.address, "find_orphans", &json!({}));
    assert_eq!((&orphans["orphans"], &orphans["lookedAt"]), (&json!([]), &json!(DROIDS)), "{orphans}");
}

#[test]
fn a_droid_that_nobody_watches_has_its_end_written_down_after_a_restart() {
    let (world, fake) = world(&["--work", "1500"]);
    let mut first = serve(&world, &[]);
    let droid = call(&first.address, "spawn_droid", &json!({ "prompt": "work", "idempotencyKey": "only-once" }));
    first.kill();
    let second = serve(&world, &[]);
    let again = call(&second.address, "spawn_droid", &json!({ "prompt": "work", "idempotencyKey": "only-once" }));
    assert_eq!((&again["sessionId"], &again["isNew"]), (&droid["sessionId"], &json!(false)), "{again}");
    let record = wait("the end of the droid", || {
        let shown = call(&second.address, "get_droid", &json!({ "sessionId": droid["sessionId"] }));
        let record: Value = shown["record"].clone();
        record["times"]["ended"].is_string().then_some(record)
    });
    assert_eq!(record["state"], "finished", "{record}");
    assert_eq!(fake.prompts(), ["work"]);
}
