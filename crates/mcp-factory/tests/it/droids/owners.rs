//! Who goes on with a swarm: one at a time, although a process stood still; and nobody with another account.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Fake, Process, call, request, serve, wait, world};

/// What a tool says that has to fail.
fn refused(address: &str, tool: &str, arguments: &Value) -> String {
    let params = json!({ "name": tool, "arguments": arguments });
    let answer = request(address, "tools/call", tool, params, &json!({})).expect("an answer");
    assert_eq!(answer["result"]["isError"], true, "{tool}: {answer}");
    answer["result"]["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

fn signal(process: &Process, name: &str) {
    let pid = process.child.id().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().expect("kill").success());
}

#[test]
fn a_process_that_stood_still_sends_no_prompt_that_another_call_sends() {
    const DROIDS: usize = 4;
    let (world, fake) = world(&["--work", "1000"]);
    // The sessions are made at once, and their makers hear of it after they have stood still.
    let late = json!({ "method": "POST", "path": "/sessions", "after": true, "delayMs": 20_000, "times": DROIDS });
    fake.order(&json!({ "fail": [late] }));
    let server = serve(&world, &[]);
    let address = server.address.clone();
    let caller = std::thread::spawn(move || {
        let texts: Vec<String> = (0..DROIDS).map(|number| format!("task {number}")).collect();
        let params = json!({ "name": "spawn_swarm", "arguments": { "prompts": texts } });
        request(&address, "tools/call", "spawn_swarm", params, &json!({}))
    });
    wait("the sessions", || (fake.seen()["routes"]["POST sessions"] == DROIDS).then_some(()));
    signal(&server, "-STOP");
    // Nothing tells that the hold of a process that stands still has run out: it is a quarter of a minute.
    let until = Instant::now() + Duration::from_secs(18);
    while Instant::now() < until {
        std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
    }
    signal(&server, "-CONT");
    caller.join().expect("it comes back").expect("an answer");
    wait("the end of every droid", || {
        let listed = call(&server.address, "list_swarms", &json!({}));
        let swarm = call(&server.address, "get_swarm", &json!({ "swarmId": listed["swarms"][0]["swarmId"] }));
        (swarm["counts"] == json!({ "finished": DROIDS })).then_some(())
    });
    let mut prompts = fake.prompts();
    prompts.sort();
    assert_eq!(prompts, ["task 0", "task 1", "task 2", "task 3"], "each once");
    assert_eq!(fake.seen()["sessions"], DROIDS);
}

#[test]
fn what_one_account_began_is_not_gone_on_with_by_another() {
    let (mut world, fake) = world(&["--work", "1000"]);
    let slow = json!({ "method": "POST", "path": "/sessions", "delayMs": 3_000, "times": 2 });
    fake.order(&json!({ "fail": [slow] }));
    let mut first = serve(&world, &[]);
    let address = first.address.clone();
    let arguments = json!({ "prompts": ["ours", "ours too"], "idempotencyKeys": ["one", "two"] });
    let caller = std::thread::spawn({
        let params = json!({ "name": "spawn_swarm", "arguments": arguments });
        // Nobody is there to answer any more.
        move || request(&address, "tools/call", "spawn_swarm", params, &json!({}))
    });
    wait("the beginning", || (fake.seen()["routes"]["POST sessions"] == 2).then_some(()));
    first.kill();
    let _ = caller.join();
    let other = Fake::start(&world, &[]);
    let ours = format!("http://{}/api/v0", fake.0.address);
    world.set("FACTORY_API_URL", &format!("http://{}/api/v0", other.0.address));
    {
        let second = serve(&world, &[]);
        let listed = call(&second.address, "list_swarms", &json!({}));
        let swarm = json!({ "swarmId": listed["swarms"][0]["swarmId"] });
        for (tool, arguments) in [("resume_swarm", &swarm), ("cancel_swarm", &swarm), ("spawn_swarm", &arguments)] {
            let text = refused(&second.address, tool, arguments);
            assert!(text.contains("FACTORY_API_KEY"), "{tool}: {text}");
        }
        let settled = call(&second.address, "settle_droids", &json!({}));
        assert_eq!((&settled["open"], &settled["resumed"]), (&json!(0), &json!(0)), "{settled}");
        call(&second.address, "spawn_droid", &json!({ "prompt": "theirs" }));
        assert_eq!(other.prompts(), ["theirs"]);
    }
    world.set("FACTORY_API_URL", &ours);
    let third = serve(&world, &[]);
    wait("the end of ours", || {
        let listed = call(&third.address, "list_swarms", &json!({}));
        let all = listed["swarms"].as_array()?;
        let id = &all.iter().find(|one| one["kind"] == "swarm")?["swarmId"];
        let swarm = call(&third.address, "get_swarm", &json!({ "swarmId": id }));
        (swarm["counts"] == json!({ "finished": 2 })).then_some(())
    });
    let mut prompts = fake.prompts();
    prompts.sort();
    assert_eq!((prompts, other.prompts().len()), (vec!["ours".to_owned(), "ours too".to_owned()], 1));
}
