//! Jobs: what is told of them, and what becomes of those of a control plane that is gone.

use std::io::{BufRead as _, BufReader, Write as _};

use serde_json::{Value, json};

use super::Plane;
use super::agent::Agent;
use super::durable::spec;
use crate::postgres::Database;
use crate::world::{World, service};

/// A server whose tools take this long each to answer a test.
fn slow(tools: usize, seconds: u32) -> Value {
    let code = format!(
        "export default async (_, {{ sleep }}) => {{ await sleep({}); return {{ done: true }}; }};",
        seconds * 1000
    );
    let tools: Vec<Value> = (0..tools)
        .map(|nth| json!({"name": format!("t{nth}"), "description": "Waits", "parameters": {}, "script": code, "timeoutMs": 600_000}))
        .collect();
    json!({"name": "slow-mcp", "tools": tools})
}

fn begun(plane: &Plane, path: &str, body: &Value) -> String {
    let begun = plane.post(&format!("{path}?async=true"), body);
    assert_eq!(begun.status, 202, "{}", begun.body);
    begun.json()["id"].as_str().unwrap().to_owned()
}

/// The events of a stream: their numbers, and what they say.
fn events(text: &str) -> Vec<(i64, Value)> {
    let blocks = text.split("\n\n").filter(|block| block.starts_with("id: "));
    let read = blocks.map(|block| {
        let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).expect("a line").trim();
        (line("id:").parse().unwrap(), serde_json::from_str(line("data:")).unwrap())
    });
    read.collect()
}

const STREAM: (&str, &str) = ("Accept", "text/event-stream");

#[test]
fn the_events_of_a_job_are_told_and_told_again() {
    let world = World::new();
    let plane = Plane::start(&world);
    let job = begun(&plane, "/mcp/create", &json!({"spec": spec("hello")}));
    let path = format!("/mcp/jobs/{job}/events");
    let told = plane.send("GET", &path, &[STREAM], "");
    assert_eq!(told.header("content-type"), Some("text/event-stream"));
    let all = events(&told.body);
    let states: Vec<&str> = all.iter().filter_map(|(_, event)| event["state"].as_str()).collect();
    assert_eq!(states, ["queued", "running", "done"], "{}", told.body);
    let numbers: Vec<i64> = all.iter().map(|(number, _)| *number).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as i64), "{numbers:?}");
    let again = plane.send("GET", &path, &[STREAM, ("Last-Event-ID", "2")], "");
    assert_eq!(events(&again.body), all[2..]);
    let last = numbers.len().to_string();
    assert_eq!(plane.send("GET", &path, &[STREAM, ("Last-Event-ID", &last)], "").status, 204);
    let listed = plane.get(&format!("{path}?after=2")).json();
    assert_eq!((&listed["ended"], listed["events"].as_array().map(Vec::len)), (&json!(true), Some(all.len() - 2)));
    assert_eq!(plane.send("GET", "/mcp/jobs/none/events", &[STREAM], "").status, 404);
    for at in [&[][..], &["--url", plane.url.as_str()]] {
        let run = |words: &[&str]| world.run(&[words, at].concat());
        let watched = run(&["jobs", "watch", &job]);
        assert!(watched.code == 0 && watched.err.contains("queued") && watched.err.contains("done"), "{}", watched.err);
        let listed = run(&["jobs", "list"]);
        assert!(listed.out.contains(&job) && listed.out.contains("server.create"), "{}", listed.out);
        assert_eq!(run(&["jobs", "show", "none"]).code, 3);
    }
    let mut other = spec("hello");
    other["description"] = json!("Says something else");
    let failed = begun(&plane, "/mcp/create", &json!({"spec": other}));
    let watched = world.run(&["jobs", "watch", &failed]);
    assert_eq!((watched.code, watched.err.contains("MF1005")), (5, true), "{}", watched.err);
}

#[test]
fn what_cannot_be_begun_is_refused_at_once() {
    let world = World::new();
    let plane = Plane::start(&world);
    for (path, body) in [
        ("/mcp/create", json!({"spec": {"name": "x"}})),
        ("/mcp/create", json!({"spec": "name: [", "strict": true})),
        ("/mcp/create", json!({"spec": spec("hello"), "strict": "perhaps"})),
        ("/mcp/create", json!({"nothing": 1})),
        ("/mcp/create/natural", json!({"prompt": "a shop"})),
        ("/mcp/test", json!({"subject": {"from": "spec", "spec": "name: x"}})),
        ("/mcp/test", json!({"subject": {"from": "server", "name": "none"}})),
        ("/mcp/deploy/none", json!({})),
        ("/mcp/deploy/none", json!({"target": "moon"})),
    ] {
        let (at_once, later) = (plane.post(path, &body), plane.post(&format!("{path}?async=true"), &body));
        assert!((400..500).contains(&at_once.status), "{path} {body}: {}", at_once.body);
        let (mut wanted, mut found) = (at_once.json(), later.json());
        for answer in [&mut wanted, &mut found] {
            answer["requestId"] = json!("");
        }
        assert_eq!((later.status, found), (at_once.status, wanted), "{path} {body}");
    }
    assert_eq!(plane.get("/mcp/jobs").json()["jobs"], json!([]));
}

#[test]
fn a_job_tells_its_progress_and_is_stopped() {
    let world = World::new();
    let plane = Plane::start(&world);
    assert!(plane.post("/mcp/create", &json!({"spec": slow(3, 600)})).status < 300);
    let job = begun(&plane, "/mcp/test", &json!({"subject": {"from": "server", "name": "slow-mcp"}}));
    let mut socket = std::net::TcpStream::connect(&plane.address).expect("a connection");
    let head =
        format!("GET /mcp/jobs/{job}/events HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\n\r\n", plane.address);
    socket.write_all(head.as_bytes()).expect("a request");
    let mut lines = BufReader::new(socket).lines().map_while(Result::ok);
    let progress = lines.find(|line| line.starts_with("data: ") && line.contains("\"total\"")).expect("progress");
    assert!(progress.contains("\"t0\""), "{progress}");
    assert_eq!(world.json(&["jobs", "cancel", &job])["state"], "cancelled");
    assert!(lines.any(|line| line.contains("\"cancelled\"")), "the stream tells of the end");
    plane.until(&format!("/mcp/jobs/{job}"), |job| job["state"] == "cancelled");
}

#[test]
fn an_agent_hears_how_far_an_operation_is() {
    let world = World::new();
    let plane = Plane::start(&world);
    let headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    let (agent, _) = Agent::connect(&plane, "/mcp");
    let call = json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": {"name": "create_server",
        "arguments": {"spec": spec("hello")}, "_meta": {"progressToken": "p"}}});
    let session = agent.session().to_owned();
    let told = plane.send("POST", "/mcp", &[headers[0], headers[1], ("Mcp-Session-Id", &session)], &call.to_string());
    assert!(told.body.contains("notifications/progress") && told.body.contains("planned"), "{}", told.body);
}

#[test]
fn jobs_of_a_control_plane_that_is_gone_are_taken_up_or_ended() {
    let test = "jobs_of_a_control_plane_that_is_gone_are_taken_up_or_ended";
    let Some(server) = service("MCP_FACTORY_TEST_POSTGRES", test) else { return };
    let database = Database::new(server);
    let (mut one, mut two) = (World::new(), World::new());
    for world in [&mut one, &mut two] {
        world.set("MCP_FACTORY_STORE", &database.url());
    }
    let mut first = Plane::start(&one);
    let second = Plane::start(&two);
    assert!(first.post("/mcp/create", &json!({"spec": slow(1, 600)})).status < 300);
    assert_eq!(first.post("/mcp/deploy/slow-mcp", &json!({})).json()["state"], "running");
    // Each control plane runs what is deployed.
    second.until("/mcp/servers/slow-mcp", |server| server["deployment"]["state"] == "running");
    let subject = json!({"subject": {"from": "server", "name": "slow-mcp"}});
    let tests: Vec<String> = (0..4).map(|_| begun(&first, "/mcp/test", &subject)).collect();
    first.until(&format!("/mcp/jobs/{}", tests[3]), |job| job["state"] == "running");
    // There is no place left for this one.
    let creates = begun(&first, "/mcp/create", &json!({"spec": spec("later")}));
    first.kill();
    let made = second.until(&format!("/mcp/jobs/{creates}"), |job| job["endedAt"].is_string());
    assert_eq!(made["state"], "done", "{made}");
    for id in tests {
        let ended = second.until(&format!("/mcp/jobs/{id}"), |job| job["endedAt"].is_string());
        assert_eq!((&ended["state"], &ended["error"]["code"]), (&json!("failed"), &json!("MF1097")), "{ended}");
    }
}
