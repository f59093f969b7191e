//! Servers that run in the process of the control plane.

use std::io::BufRead as _;

use serde_json::{Value, json};

use super::Plane;
use super::agent::Agent;
use super::durable::spec;
use super::policies::until_within;
use crate::world::World;

/// What the tool of a deployed server says.
fn greets(plane: &Plane, name: &str) -> String {
    let path = format!("/servers/{name}/mcp");
    let (mut agent, _) = Agent::connect(plane, &path);
    let answer = agent.call("greet", &json!({}));
    answer["content"][0]["text"].as_str().unwrap_or_default().to_owned()
}

/// A version of the server `shop-mcp` that says this.
fn version(number: &str, says: &str) -> Value {
    let tool = json!({"name": "greet", "description": "Says hello", "parameters": {}, "reply": {"text": says}});
    json!({"name": "shop-mcp", "version": number, "tools": [tool]})
}

fn made(plane: &Plane, spec: &Value) {
    let answer = plane.post("/mcp/create", &json!({"spec": spec, "force": true}));
    assert!(answer.status < 300, "{}", answer.body);
}

#[test]
fn a_server_is_deployed_called_stopped_started_and_logged() {
    let world = World::new();
    let plane = Plane::start(&world);
    made(&plane, &spec("hello"));
    assert_eq!(plane.get("/mcp/servers/hello").json()["deployment"], Value::Null);
    assert_eq!(plane.post("/mcp/servers/hello/start", &json!({})).status, 404);
    assert_eq!(plane.send("POST", "/servers/hello/mcp", &[], "").status, 404);

    let deployed = plane.post("/mcp/deploy/hello", &json!({})).json();
    assert_eq!(deployed["state"], "running", "{deployed}");
    assert_eq!(deployed["healthy"], true, "{deployed}");
    assert_eq!(deployed["url"], format!("{}/servers/hello/mcp", plane.url));
    assert_eq!(greets(&plane, "hello"), "I am hello.");
    assert_eq!(plane.get("/mcp/servers/hello").json()["deployment"]["state"], "running");

    let dry = [("Content-Type", "application/json"), ("Dry-Run", "true")];
    let tried = plane.send("POST", "/mcp/servers/hello/stop", &dry, "{}").json();
    assert_eq!((&tried["dryRun"], &tried["state"]), (&json!(true), &json!("stopped")), "{tried}");
    let tried = plane.send("POST", "/api/mcp-keys", &dry, r#"{"name": "x"}"#);
    assert_eq!((tried.status, tried.header("location")), (200, None), "{}", tried.body);
    let unclear = [("Content-Type", "application/json"), ("Dry-Run", "maybe")];
    assert_eq!(plane.send("POST", "/mcp/servers/hello/stop", &unclear, "{}").status, 400);
    assert_eq!(plane.post("/mcp/deploy/hello?async=maybe", &json!({})).status, 400);
    assert_eq!(
        plane.post("/mcp/deploy/hello", &json!({"version": "1.0.0", "rollback": true})).json()["code"],
        "MF1030"
    );

    let (mut agent, _) = Agent::connect(&plane, "/servers/hello/mcp");
    let refused = agent.call("greet", &json!({"no": "such argument"}));
    assert_eq!(refused["isError"], true);
    let log = plane.until("/mcp/servers/hello/logs", |log| log["entries"].as_array().is_some_and(|all| all.len() == 2));
    let entries = log["entries"].as_array().unwrap();
    assert_eq!((&entries[0]["outcome"], &entries[0]["tool"]), (&json!("ok"), &json!("greet")), "{log}");
    assert_eq!((&entries[1]["outcome"], &entries[1]["version"]), (&json!("error"), &json!("1.0.0")), "{log}");
    assert!(
        entries[1]["message"].as_str().is_some_and(|text| text.contains("such argument") || text.contains("no")),
        "{log}"
    );
    let cursor = log["followCursor"].as_str().unwrap();
    let page = |query: &str| plane.get(&format!("/mcp/servers/hello/logs?{query}"));
    let later = page(&format!("cursor={cursor}"));
    assert_eq!(later.header("link"), None, "this is the last page");
    let later = later.json();
    assert_eq!((later["entries"].as_array().map(Vec::len), later["followCursor"].as_str()), (Some(0), Some(cursor)));
    assert!(log["nextCursor"].is_null() && later["nextCursor"].is_null(), "{log} {later}");
    assert!(page("cursor=1.0&limit=1").header("link").is_some_and(|link| link.contains("rel=\"next\"")));
    assert_eq!(plane.get("/mcp/servers/hello/logs?tool=other").json()["entries"], json!([]));
    assert_eq!(
        plane.get("/mcp/servers/hello/logs?since=1h&limit=1").json()["entries"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(plane.get("/mcp/servers/hello/logs?since=yesterday").status, 400);
    assert!(plane.get("/metrics").body.contains("mcp_factory_tool_calls_total{server=\"hello\",tool=\"greet\"} 2"));

    assert_eq!(plane.post("/mcp/servers/hello/stop", &json!({})).json()["state"], "stopped");
    let called = plane.post("/mcp/servers/hello/tools/greet", &json!({}));
    assert_eq!((called.status, &called.json()["code"]), (404, &json!("MF1060")), "{}", called.body);
    let tried = plane.post("/mcp/servers/hello/tools/greet", &json!({"version": "1.0.0"}));
    assert_eq!(tried.status, 200, "what is stored may be tried by whose it is: {}", tried.body);
    let stopped = plane.send("POST", "/servers/hello/mcp", &[], "");
    assert_eq!((stopped.status, &stopped.json()["error"]), (404, &json!("MF1060")), "{}", stopped.body);
    assert!(stopped.body.contains("mcp-factory start hello"), "{}", stopped.body);
    assert_eq!(plane.post("/mcp/servers/hello/start", &json!({})).json()["state"], "running");
    assert_eq!(greets(&plane, "hello"), "I am hello.");

    assert_eq!(plane.send("DELETE", "/mcp/servers/hello", &[], "").status, 200);
    assert_eq!(plane.send("POST", "/servers/hello/mcp", &[], "").status, 404);
    assert_eq!(plane.post("/mcp/deploy/hello", &json!({})).status, 404);
    made(&plane, &spec("hello"));
    assert_eq!(plane.post("/mcp/deploy/hello", &json!({"target": "moon"})).json()["code"], "MF1062");
    assert_eq!(plane.post("/mcp/deploy/hello", &json!({"rollback": true})).status, 404);
}

#[test]
fn versions_are_switched_held_and_rolled_back() {
    let world = World::new();
    let plane = Plane::start(&world);
    made(&plane, &version("1.0.0", "one"));
    plane.post("/mcp/deploy/shop-mcp", &json!({}));
    assert_eq!(greets(&plane, "shop-mcp"), "one");
    assert_eq!(plane.post("/mcp/deploy/shop-mcp", &json!({"rollback": true})).json()["code"], "MF1061");

    // It follows the current version, and a client that stays connected sees another content of the same version.
    made(&plane, &version("1.1.0", "two"));
    plane.until("/mcp/servers/shop-mcp", |server| server["deployment"]["version"] == "1.1.0");
    assert_eq!(greets(&plane, "shop-mcp"), "two");
    let (mut connected, _) = Agent::connect(&plane, "/servers/shop-mcp/mcp");
    made(&plane, &version("1.1.0", "three"));
    let mut says = String::new();
    for _ in 0..400 {
        says = connected.call("greet", &json!({}))["content"][0]["text"].as_str().unwrap_or_default().to_owned();
        if says == "three" {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    assert_eq!(says, "three");

    let back = plane.post("/mcp/deploy/shop-mcp", &json!({"rollback": true})).json();
    assert_eq!(
        (&back["version"], &back["heldAt"], &back["previous"]),
        (&json!("1.0.0"), &json!("1.0.0"), &json!("1.1.0"))
    );
    assert_eq!(greets(&plane, "shop-mcp"), "one");
    made(&plane, &version("1.2.0", "four"));
    assert_eq!(greets(&plane, "shop-mcp"), "one", "it is held at its version");
    plane.post("/mcp/deploy/shop-mcp", &json!({"version": "1.2.0"}));
    assert_eq!(greets(&plane, "shop-mcp"), "four");
    assert_eq!(plane.post("/mcp/deploy/shop-mcp", &json!({"version": "9.9.9"})).status, 404);
}

#[test]
fn trying_to_start_names_the_version_that_would_go_on() {
    let world = World::new();
    let plane = Plane::start(&world);
    made(&plane, &version("1.0.0", "one"));
    plane.post("/mcp/deploy/shop-mcp", &json!({}));
    let mut ailing = version("1.1.0", "two");
    ailing["connections"] = json!([{"name": "db", "type": "postgresql", "url": "postgresql://127.0.0.1:9/none"}]);
    let rows =
        json!({"name": "rows", "description": "Reads", "connection": "db", "parameters": {}, "sql": "SELECT 1 AS one"});
    ailing["tools"].as_array_mut().expect("tools").push(rows);
    made(&plane, &ailing);
    let goes_on = |server: &Value| server["reason"].as_str().is_some_and(|why| why.contains("version 1.0.0 goes on"));
    plane.until("/mcp/servers/shop-mcp", |server| goes_on(&server["deployment"]));
    let dry = [("Content-Type", "application/json"), ("Dry-Run", "true")];
    for path in ["/mcp/servers/shop-mcp/start", "/mcp/deploy/shop-mcp"] {
        for stopped in [false, true] {
            if stopped {
                plane.post("/mcp/servers/shop-mcp/stop", &json!({}));
            }
            let would = plane.send("POST", path, &dry, "{}").json();
            let is = plane.post(path, &json!({})).json();
            for told in [&would, &is] {
                assert_eq!((&told["state"], &told["version"]), (&json!("running"), &json!("1.0.0")), "{told}");
                assert!(goes_on(told), "{told}");
            }
            assert_eq!(would["reason"], is["reason"]);
        }
    }
}

#[test]
fn versions_answer_side_by_side() {
    let world = World::new();
    let plane = Plane::start(&world);
    for (number, says) in [("1.0.0", "one"), ("2.0.0", "two")] {
        made(&plane, &version(number, says));
    }
    assert_eq!(plane.send("POST", "/servers/shop-mcp/versions/1.0.0/mcp", &[], "").status, 404, "it is not deployed");
    plane.post("/mcp/deploy/shop-mcp", &json!({}));
    let says = |path: &str| {
        let path = format!("/servers/shop-mcp{path}/mcp");
        let (mut agent, about) = Agent::connect(&plane, &path);
        let answer = agent.call("greet", &json!({}))["content"][0]["text"].as_str().unwrap().to_owned();
        (answer, about["serverInfo"]["version"].as_str().unwrap().to_owned())
    };
    let is = |text: &str, version: &str| (text.to_owned(), version.to_owned());
    assert_eq!(says(""), is("two", "2.0.0"));
    assert_eq!(says("/versions/1.0.0"), is("one", "1.0.0"));
    assert_eq!(says("/versions/2.0.0"), is("two", "2.0.0"));
    let none = plane.send("POST", "/servers/shop-mcp/versions/3.0.0/mcp", &[], "");
    assert_eq!(none.status, 404);
    assert!(none.body.contains("no version `3.0.0`") && none.body.contains("2.0.0"), "{}", none.body);
    assert_eq!(says("/%76ersions/1.0%2E0"), is("one", "1.0.0"), "names may be encoded");
    plane.post("/mcp/deploy/shop-mcp", &json!({"rollback": false, "version": "1.0.0"}));
    assert_eq!((says(""), says("/versions/2.0.0")), (is("one", "1.0.0"), is("two", "2.0.0")));
    // Another content of a version that is not switched to is seen there too.
    made(&plane, &version("2.0.0", "three"));
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "greet", "arguments": {},
        "_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}}});
    let headers = [
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "greet"),
    ];
    let mut heard = String::new();
    for _ in 0..400 {
        heard = plane.send("POST", "/servers/shop-mcp/versions/2.0.0/mcp", &headers, &call.to_string()).body;
        if heard.contains("three") {
            break;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(20));
    }
    assert!(heard.contains("three"), "{heard}");
    plane.post("/mcp/servers/shop-mcp/stop", &json!({}));
    assert_eq!(plane.send("POST", "/servers/shop-mcp/versions/2.0.0/mcp", &[], "").status, 404);
}

#[test]
fn the_specs_of_a_folder_are_followed() {
    let world = World::new();
    let folder = world.path("specs");
    std::fs::create_dir(&folder).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    write("a.json", &spec("a-mcp").to_string());
    write("notes.txt", "no spec");
    let plane = Plane::start_with(&world, &["--follow", "specs"]);
    let runs =
        |name: &str| plane.until(&format!("/mcp/servers/{name}"), |server| server["deployment"]["state"] == "running");
    runs("a-mcp");
    assert_eq!(greets(&plane, "a-mcp"), "I am a-mcp.");
    write("b.yaml", "name: b-mcp\ntools: [{name: greet, description: Says hello, parameters: {}, reply: {text: b}}]\n");
    runs("b-mcp");
    let mut changed = spec("a-mcp");
    changed["tools"][0]["reply"]["text"] = json!("I am another one.");
    write("a.json", &changed.to_string());
    plane.until("/mcp/servers/a-mcp", |_| greets(&plane, "a-mcp") == "I am another one.");
    let mut raised = spec("a-mcp");
    raised["version"] = json!("2.0.0");
    raised["tools"][0]["reply"]["text"] = json!("I am the next one.");
    write("a.json", &raised.to_string());
    plane.until("/mcp/servers/a-mcp", |_| greets(&plane, "a-mcp") == "I am the next one.");
    write("a.json", &changed.to_string());
    plane.until("/mcp/servers/a-mcp", |_| greets(&plane, "a-mcp") == "I am another one.");
    write("a.json", "{");
    write("c.json", &spec("c-mcp").to_string());
    runs("c-mcp");
    assert_eq!(greets(&plane, "a-mcp"), "I am another one.", "what cannot be used changes nothing");

    // Another file of the same version is told of, until the first one is away.
    write("z.json", &spec("a-mcp").to_string());
    let told = || std::fs::read_to_string(world.path("serve.log")).unwrap_or_default();
    until_within(60, "the refusal", || told().contains("makes version 1.0.0 of `a-mcp` already"));
    assert_eq!(greets(&plane, "a-mcp"), "I am another one.");
    std::fs::remove_file(folder.join("a.json")).expect("it is there");
    plane.until("/mcp/servers/a-mcp", |_| greets(&plane, "a-mcp") == "I am a-mcp.");
}

#[test]
fn a_spec_file_is_followed_and_deployed_at_the_control_plane() {
    let world = World::new();
    world.write("a.json", &spec("a-mcp").to_string());
    let ran = world.run(&["deploy", "--follow", "a.json"]);
    assert_eq!((ran.code, ran.err.contains("MF1063")), (1, true), "{}", ran.err);
    let plane = Plane::start(&world);
    let silent = std::process::Stdio::null;
    let follow = ["deploy", "--follow", "a.json", "--url", &plane.url];
    let mut child = world.command(&follow).stdout(silent()).stderr(silent()).spawn().expect("it starts");
    plane.until("/mcp/servers/a-mcp", |server| server["deployment"]["state"] == "running");
    let mut changed = spec("a-mcp");
    changed["tools"][0]["reply"]["text"] = json!("I am another one.");
    world.write("a.json", &changed.to_string());
    plane.until("/mcp/servers/a-mcp", |_| greets(&plane, "a-mcp") == "I am another one.");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn what_a_deployed_version_uses_is_not_removed_by_chance() {
    let world = World::new();
    let plane = Plane::start(&world);
    made(&plane, &spec("back"));
    let url = "https://factory.example.com/servers/back/mcp";
    let tool = json!({"name": "pass_on", "description": "Passes it on", "connection": "back", "parameters": {}, "call": {"tool": "greet"}});
    let front = json!({"name": "front", "version": "1.0.0", "connections": [{"name": "back", "type": "mcp", "url": url}], "tools": [tool]});
    let made = plane.post("/mcp/create", &json!({"spec": front}));
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(plane.post("/mcp/deploy/front", &json!({"version": "1.0.0"})).status, 200);
    let mut next = spec("front");
    next["version"] = json!("2.0.0");
    assert_eq!(plane.post("/mcp/create", &json!({"spec": next})).status, 200);
    let used = plane.get("/mcp/servers/back/dependencies").json();
    let user = &used["usedBy"][0];
    assert_eq!(
        (&user["server"], &user["version"], &user["tools"]),
        (&json!("front"), &json!("1.0.0"), &json!(["pass_on"]))
    );
    let refused = plane.send("DELETE", "/mcp/servers/back", &[], "");
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("MF1080")), "{}", refused.body);
    assert_eq!(plane.post("/mcp/deploy/front", &json!({})).status, 200);
    assert_eq!(plane.send("DELETE", "/mcp/servers/back", &[], "").status, 200);
}

#[test]
fn a_log_is_followed_without_falling_behind_and_through_a_restart() {
    const CALLS: usize = 60;
    let world = World::new();
    let mut plane = Plane::start(&world);
    made(&plane, &spec("hello"));
    plane.post("/mcp/deploy/hello", &json!({}));
    greets(&plane, "hello");
    plane.until("/mcp/servers/hello/logs", |log| log["entries"].as_array().is_some_and(|all| all.len() == 1));
    let follow = ["logs", "hello", "-f", "-n", "1", "--url", &plane.url];
    let noted = world.path("follow.log");
    let mut child = world
        .command(&follow)
        .stdout(std::process::Stdio::piped())
        .stderr(std::fs::File::create(&noted).expect("a log"))
        .spawn()
        .expect("it starts");
    let mut lines = std::io::BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || lines.next().expect("a line").expect("a text");
    assert!(next().contains("greet"));
    let (mut agent, _) = Agent::connect(&plane, "/servers/hello/mcp");
    (0..CALLS).for_each(|_| drop(agent.call("greet", &json!({}))));
    let begun = std::time::Instant::now();
    (0..CALLS).for_each(|_| assert!(next().contains("greet")));
    // One call for each look would take half a minute.
    assert!(begun.elapsed() < std::time::Duration::from_secs(15), "{:?}", begun.elapsed());

    let port = plane.address.rsplit(':').next().expect("a port").to_owned();
    plane.kill();
    until_within(60, "a note", || std::fs::read_to_string(&noted).is_ok_and(|text| text.contains("until it is back")));
    let plane = Plane::start_at(&world, &port, &[]);
    greets(&plane, "hello");
    assert!(next().contains("greet"));
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

/// Threads, open files and kilobytes of memory of a process.
fn cost(pid: u32) -> (usize, usize, usize) {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default()
    };
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    (number("Threads:"), files, number("VmRSS:"))
}

#[test]
fn a_deployment_takes_no_thread_and_no_file_of_its_own() {
    const MORE: usize = 120;
    let world = World::new();
    let plane = Plane::start(&world);
    let deploy = |numbers: std::ops::Range<usize>| {
        for number in numbers {
            let name = format!("s{number}-mcp");
            made(&plane, &spec(&name));
            assert_eq!(plane.post(&format!("/mcp/deploy/{name}"), &json!({})).status, 200);
        }
    };
    // What is opened once is open then.
    deploy(0..20);
    greets(&plane, "s1-mcp");
    let before = cost(plane.pid());
    deploy(20..20 + MORE);
    greets(&plane, "s100-mcp");
    let after = cost(plane.pid());
    assert!(plane.get("/metrics").body.contains(&format!("mcp_factory_servers_running {}", 20 + MORE)));
    // Threads for blocking work and connections come and go; one for each server would be far more.
    assert!(after.0 < before.0 + MORE / 4, "threads: {before:?}, {after:?}");
    assert!(after.1 < before.1 + MORE / 4, "files: {before:?}, {after:?}");
    assert!(after.2.saturating_sub(before.2) / MORE < 512, "kilobytes for each: {before:?}, {after:?}");
}

#[test]
fn timers_of_deployed_servers_ring() {
    let world = World::new();
    let plane = Plane::start(&world);
    let set = "export default async (_, { state, timers }) => { await timers.set('once', { inMs: 50, tool: 'ring', args: {} }); return { set: true }; };";
    let ring = "export default async (_, { state }) => { await state.set('rang', true); return { rang: true }; };";
    let look = "export default async (_, { state }) => ({ rang: (await state.get('rang')) ?? false });";
    let tool = |name: &str, code: &str| json!({"name": name, "description": "Does it", "parameters": {}, "script": {"write": true, "code": code}});
    made(
        &plane,
        &json!({"name": "bell", "state": {}, "tools": [tool("set", set), tool("ring", ring), tool("look", look)]}),
    );
    plane.post("/mcp/deploy/bell", &json!({}));
    let (mut agent, _) = Agent::connect(&plane, "/servers/bell/mcp");
    let answer = agent.call("set", &json!({}));
    assert!(!answer["isError"].as_bool().unwrap_or_default(), "{answer}");
    for _ in 0..600 {
        if agent.call("look", &json!({}))["structuredContent"]["rang"] == true {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(25));
    }
    panic!("it never rang");
}

#[test]
fn a_version_that_is_not_well_is_not_switched_to() {
    let world = World::with_shop();
    let mut plane = Plane::start(&world);
    made(&plane, &version("1.0.0", "one"));
    plane.post("/mcp/deploy/shop-mcp", &json!({}));
    let broken = json!({"name": "shop-mcp", "version": "2.0.0",
        "connections": [{"name": "db", "type": "sqlite", "envVar": "NOT_SET_ANYWHERE"}],
        "tools": [{"name": "greet", "description": "Reads", "connection": "db", "parameters": {}, "sql": "SELECT 1 AS one"}]});
    made(&plane, &broken);
    let found = plane.until("/mcp/servers/shop-mcp", |server| server["deployment"]["reason"].is_string());
    assert_eq!(found["deployment"]["version"], "1.0.0", "{found}");
    assert_eq!(found["deployment"]["healthy"], false, "{found}");
    assert_eq!(greets(&plane, "shop-mcp"), "one");
    plane.kill();
    let plane = Plane::start(&world);
    assert_eq!(greets(&plane, "shop-mcp"), "one", "what answered before is taken up again");
}

#[test]
fn deployments_survive_kill_9_and_stopped_ones_stay_stopped() {
    let world = World::new();
    let mut plane = Plane::start(&world);
    for name in ["a-mcp", "b-mcp"] {
        made(&plane, &spec(name));
        assert_eq!(plane.post(&format!("/mcp/deploy/{name}"), &json!({})).status, 200);
    }
    plane.post("/mcp/servers/b-mcp/stop", &json!({}));
    plane.kill();
    let plane = Plane::start(&world);
    assert_eq!(greets(&plane, "a-mcp"), "I am a-mcp.");
    assert_eq!(plane.send("POST", "/servers/b-mcp/mcp", &[], "").status, 404);
    let shown = plane.until("/mcp/servers/a-mcp", |server| server["deployment"]["state"] == "running");
    assert_eq!(shown["deployment"]["healthy"], true, "{shown}");
}

#[test]
fn commands_deploy_at_the_control_plane_of_the_home_folder_and_at_a_named_one() {
    let world = World::new();
    world.ok(&["create", "--json", &spec("hello").to_string()]);
    let ran = world.run(&["start", "hello"]);
    assert_eq!((ran.code, ran.err.contains("MF1060")), (3, true), "{}", ran.err);
    let plane = Plane::start(&world);
    for at in [&[][..], &["--url", plane.url.as_str()]] {
        let run = |words: &[&str]| world.run(&[words, at].concat());
        let ran = run(&["deploy", "hello", "--target", "local"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(
            ran.out.starts_with("running hello 1.0.0 in ") && ran.out.contains("/servers/hello/mcp"),
            "{}",
            ran.out
        );
        assert_eq!(greets(&plane, "hello"), "I am hello.");
        plane.until("/mcp/servers/hello/logs", |log| log["entries"].as_array().is_some_and(|all| !all.is_empty()));
        let log = run(&["logs", "hello", "--since", "1h", "--tool", "greet"]);
        assert!(log.code == 0 && log.out.contains("greet") && log.out.contains("ok"), "{}{}", log.out, log.err);
        assert_eq!(run(&["logs", "nothing"]).code, 3);
        let status = run(&["status", "hello"]);
        assert!(status.out.contains("deployed   running 1.0.0 at "), "{}", status.out);
        assert_eq!(run(&["stop", "hello"]).code, 0);
        assert_eq!(plane.send("POST", "/servers/hello/mcp", &[], "").status, 404);
        assert_eq!(run(&["start", "hello"]).code, 0);
        assert_eq!(greets(&plane, "hello"), "I am hello.");
        let ran = run(&["deploy", "hello", "--rollback"]);
        assert_eq!((ran.code, ran.err.contains("MF1061")), (5, true), "{}", ran.err);
    }
}

#[test]
fn a_deployment_asks_for_the_key_that_its_spec_names() {
    let mut world = World::new();
    world.set("HELLO_API_KEY", "a-long-secret-key");
    let plane = Plane::start(&world);
    let mut keyed = spec("hello");
    keyed["auth"] = json!({"type": "api_key", "header": "X-API-Key"});
    made(&plane, &keyed);
    assert_eq!(plane.post("/mcp/deploy/hello", &json!({})).json()["state"], "running");
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}).to_string();
    let headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    assert_eq!(plane.send("POST", "/servers/hello/mcp", &headers, &hello).status, 401);
    let shown = [headers[0], headers[1], ("X-API-Key", "a-long-secret-key")];
    assert_ne!(plane.send("POST", "/servers/hello/mcp", &shown, &hello).status, 401);
}
