//! How a control plane ends: whoever spreads requests sees it first, and what runs is let end.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Plane;
use crate::world::World;

/// A server with a tool that answers after so many milliseconds.
fn slow(plane: &Plane, ms: u32) {
    let code = format!("export default async (_, {{ sleep }}) => {{ await sleep({ms}); return {{ done: true }}; }};");
    let tool = json!({"name": "wait", "description": "Waits", "parameters": {}, "script": code, "timeoutMs": 600_000});
    assert_eq!(plane.post("/mcp/create", &json!({"spec": {"name": "slow-mcp", "tools": [tool]}})).status, 201);
}

fn call(plane: &Plane) -> super::client::Answer {
    plane.post("/mcp/servers/slow-mcp/tools/wait", &json!({"arguments": {}}))
}

fn signal(plane: &Plane, word: &str) {
    let sent = std::process::Command::new("kill").args([word, &plane.pid().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

/// Waits until a new connection is refused.
fn closed(plane: &Plane) -> Duration {
    let start = Instant::now();
    while plane.try_send("GET", "/readyz", &[], "").is_ok() {
        assert!(start.elapsed() < Duration::from_secs(30), "it listens for ever");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    start.elapsed()
}

#[test]
fn new_connections_see_that_it_ends_and_running_calls_end_well() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--drain-delay", "2"]);
    slow(&plane, 3_000);
    assert_eq!(plane.get("/readyz").status, 200);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| call(&plane));
        std::thread::park_timeout(Duration::from_millis(500));
        signal(&plane, "-TERM");
        let late = Instant::now() + Duration::from_secs(2);
        let unready = || plane.try_send("GET", "/readyz", &[], "").is_ok_and(|answer| answer.status == 503);
        while !unready() {
            assert!(Instant::now() < late, "/readyz never was 503 on a new connection");
        }
        assert_eq!(plane.get("/mcp/servers").status, 200, "what comes nevertheless is answered");
        closed(&plane);
        let ended = running.join().expect("a call");
        assert_eq!((ended.status, &ended.json()["isError"]), (200, &json!(false)), "{}", ended.body);
    });
    assert!(plane.ended(), "it ended in order");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--drain-delay", "600"]);
    slow(&plane, 600_000);
    std::thread::scope(|scope| {
        let running = scope.spawn(|| plane.try_send("POST", "/mcp/servers/slow-mcp/tools/wait", &[], "{}"));
        std::thread::park_timeout(Duration::from_millis(300));
        signal(&plane, "-TERM");
        plane.until_status("/readyz", &[], 503);
        signal(&plane, "-TERM");
        closed(&plane);
        let _ = running.join();
    });
    assert!(plane.ended(), "it ended in order");
}

#[test]
fn without_a_delay_it_stops_listening_at_once() {
    let world = World::new();
    let refused = world.run(&["serve", "--drain-delay", "-1"]);
    assert_eq!(refused.code, 2, "{}", refused.err);
    let plane = Plane::start_with(&world, &["--drain-delay", "0"]);
    signal(&plane, "-TERM");
    assert!(closed(&plane) < Duration::from_secs(5));
    assert!(plane.ended(), "it ended in order");
}
