//! A process that is killed at any moment leaves a sound catalogue, with everything acknowledged.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::world::World;

fn spec(name: &str) -> String {
    serde_json::json!({ "name": name, "tools": [{ "name": "x", "parameters": {}, "reply": { "text": name } }] })
        .to_string()
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let world = World::new();
    world.ok(&["create", "--json", &spec("s-first")]);
    // How long one create takes here: kills are spread over a little more than that.
    let start = Instant::now();
    world.ok(&["create", "--json", &spec("s-second")]);
    let whole = start.elapsed();
    let mut acknowledged = vec!["s-first".to_owned(), "s-second".to_owned()];
    const ROUNDS: u32 = 30;
    for round in 0..ROUNDS {
        let name = format!("s-{round:02}");
        let mut child = world
            .command(&["create", "--json", &spec(&name)])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let moment = Instant::now() + whole * (round + 1) * 5 / (ROUNDS * 4);
        while Instant::now() < moment {
            std::thread::yield_now();
        }
        let _ = child.kill();
        let output = child.wait_with_output().expect("the binary ends");
        if String::from_utf8_lossy(&output.stdout).starts_with("created") {
            acknowledged.push(name);
        }
    }
    let listed = world.json(&["list"]);
    let listed: Vec<&str> =
        listed["servers"].as_array().into_iter().flatten().filter_map(|server| server["name"].as_str()).collect();
    for name in &acknowledged {
        assert!(listed.contains(&name.as_str()), "{name} was acknowledged and is lost");
    }
    for name in listed {
        assert_eq!(world.ok(&["test", name, "x"]).out.trim(), name);
    }
    let doctor = world.json(&["doctor", "--offline"]);
    assert_eq!(doctor["checks"]["catalogue"]["state"], "passed", "{doctor}");
    assert!(whole < Duration::from_secs(20));
}
