//! What was acknowledged is there after `kill -9`.

use serde_json::{Value, json};

use super::Plane;
use crate::world::World;

/// A spec of this name with one fixed reply.
pub(super) fn spec(name: &str) -> Value {
    let tool = json!({"name": "greet", "description": "Says hello", "parameters": {}, "reply": {"text": format!("I am {name}.")}});
    json!({"name": name, "tools": [tool]})
}

#[test]
fn acknowledged_creates_survive_kill_9_and_the_rest_is_absent_or_whole() {
    let world = World::new();
    let mut acknowledged: Vec<String> = Vec::new();
    let mut sent = 0;
    for round in 0..4 {
        let mut plane = Plane::start(&world);
        for name in &acknowledged {
            assert_eq!(plane.get(&format!("/mcp/servers/{name}")).status, 200, "{name} is lost");
        }
        let pid = i32::try_from(plane.pid()).expect("a process id");
        let killer = std::thread::spawn(move || {
            std::thread::park_timeout(std::time::Duration::from_millis(120 + 70 * round));
            let _ = kill_9(pid);
        });
        loop {
            let name = format!("made-{sent}");
            sent += 1;
            let header = [("Content-Type", "application/json")];
            match plane.try_send("POST", "/mcp/create", &header, &spec(&name).to_string()) {
                Ok(answer) => {
                    assert_eq!(answer.status, 201, "{}", answer.body);
                    acknowledged.push(name);
                }
                Err(_) => break,
            }
        }
        killer.join().expect("the killer ends");
        plane.kill();
    }
    let plane = Plane::start(&world);
    assert!(acknowledged.len() >= 4, "only {} were acknowledged", acknowledged.len());
    let listed = plane.get("/mcp/servers").json();
    let names: Vec<&str> =
        listed["servers"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    for name in &acknowledged {
        assert!(names.contains(&name.as_str()), "{name} is lost");
    }
    for name in names {
        let called = plane.post(&format!("/mcp/servers/{name}/tools/greet"), &json!({})).json();
        assert_eq!(called["text"], format!("I am {name}."), "{name} is not whole");
    }
}

/// Kills a process without a word.
fn kill_9(pid: i32) -> std::io::Result<std::process::ExitStatus> {
    std::process::Command::new("kill").args(["-9", &pid.to_string()]).status()
}

#[test]
fn acknowledged_jobs_are_done_by_the_next_process() {
    let world = World::new();
    let mut plane = Plane::start(&world);
    let jobs: Vec<String> = (0..20)
        .map(|number| {
            let answer = plane.post("/mcp/create?async=true", &spec(&format!("job-{number}")));
            assert_eq!(answer.status, 202, "{}", answer.body);
            answer.json()["id"].as_str().unwrap().to_owned()
        })
        .collect();
    plane.kill();
    let plane = Plane::start(&world);
    for (number, job) in jobs.iter().enumerate() {
        let done = plane.until(&format!("/mcp/jobs/{job}"), |job| job["state"] == "done");
        assert_eq!(done["result"]["name"], format!("job-{number}"), "{done}");
    }
    assert_eq!(plane.get("/mcp/servers").json()["servers"].as_array().map(Vec::len), Some(20));
}

#[test]
fn a_kept_answer_survives_and_a_key_that_was_cut_off_can_be_used_again() {
    let world = World::new();
    let mut plane = Plane::start(&world);
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "one")];
    let body = spec("once").to_string();
    let first = plane.send("POST", "/mcp/create", &headers, &body);
    assert_eq!(first.status, 201);
    plane.kill();
    let plane = Plane::start(&world);
    let again = plane.send("POST", "/mcp/create", &headers, &body);
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(again.body, first.body);
}

#[test]
fn a_call_that_was_cut_off_is_not_made_again_under_its_key() {
    let world = World::new();
    let mut plane = Plane::start(&world);
    let code = "export default async (_, { state, again }) => {
                await state.set('calls', ((await state.get('calls')) ?? 0) + 1); return again(true, { inMs: 60000 }); }";
    let count = "export default async (_, { state }) => ({ calls: (await state.get('calls')) ?? 0 })";
    let slow = json!({"name": "slow", "state": {}, "tools": [
        {"name": "work", "description": "Takes long", "parameters": {}, "script": {"code": code, "write": true}},
        {"name": "count", "description": "Counts", "parameters": {}, "script": {"code": count}},
    ]});
    assert_eq!(plane.post("/mcp/create", &json!({"spec": slow})).status, 201);
    let send = |plane: &Plane| {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "one")];
        plane.try_send("POST", "/mcp/servers/slow/tools/work", &headers, r#"{"arguments": {}}"#)
    };
    let calls = |plane: &Plane| {
        plane.post("/mcp/servers/slow/tools/count", &json!({"arguments": {}})).json()["structured"]["calls"].clone()
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| send(&plane));
        let late = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while calls(&plane) != json!(1) {
            assert!(std::time::Instant::now() < late, "it never began: {}", calls(&plane));
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
        assert_eq!(send(&plane).expect("an answer").json()["code"], "MF1037");
        kill_9(i32::try_from(plane.pid()).expect("a process id")).expect("it can be killed");
        let _ = first.join();
    });
    plane.kill();
    let plane = Plane::start(&world);
    for _ in 0..2 {
        let again = send(&plane).expect("an answer");
        assert_eq!((again.status, &again.json()["code"]), (409, &json!("MF1097")), "{}", again.body);
    }
    assert_eq!(calls(&plane), json!(1));
}

#[test]
fn one_control_plane_holds_a_home_folder() {
    let world = World::new();
    let plane = Plane::start(&world);
    let second = world.run(&["serve", "--port", "0"]);
    assert_eq!(second.code, 1, "{}", second.err);
    assert!(second.err.contains(&plane.url), "{}", second.err);
}

#[test]
fn a_catalogue_that_is_taken_away_is_told_of_and_comes_back() {
    let world = World::new();
    let plane = Plane::start(&world);
    assert_eq!(plane.post("/mcp/create", &json!({"spec": spec("kept")})).status, 201);
    let (home, away) = (world.home(), world.path("away"));
    std::fs::create_dir(&away).expect("a folder");
    let names = ["catalogue.db", "catalogue.db-wal", "catalogue.db-shm"];
    let moved = |from: &std::path::Path, to: &std::path::Path| {
        names.iter().for_each(|name| std::fs::rename(from.join(name), to.join(name)).expect("it is moved"));
    };
    moved(&home, &away);
    let lost = plane.post("/mcp/create", &json!({"spec": spec("lost")}));
    assert_eq!((lost.status, lost.json()["code"].as_str()), (503, Some("MF1126")), "{}", lost.body);
    assert!(lost.body.contains("removed or moved away while it was in use"), "{}", lost.body);
    assert_eq!(plane.get("/mcp/servers").status, 503);
    for path in ["/readyz", "/readyz?verbose"] {
        let unready = plane.get(path);
        assert_eq!((unready.status, unready.json()["status"].as_str()), (503, Some("failed")), "{path}");
    }
    assert_eq!(plane.get("/livez").status, 200);
    moved(&away, &home);
    assert_eq!(plane.get("/readyz").status, 200);
    assert_eq!(plane.post("/mcp/create", &json!({"spec": spec("later")})).status, 201);
    let servers = plane.get("/mcp/servers").json()["servers"].clone();
    assert_eq!(servers.as_array().map(Vec::len), Some(2), "{servers}");
}
