//! What a control plane remembers: the audit log, and how much was called.

use serde_json::{Value, json};

use super::Plane;
use super::agent::Agent;
use super::durable::spec;
use crate::world::{HELLO, World};

fn made_and_called(plane: &Plane) {
    assert_eq!(plane.post("/mcp/create", &json!({"spec": spec("hello")})).status, 201);
    assert_eq!(plane.post("/mcp/deploy/hello", &json!({})).status, 200);
    let (mut agent, _) = Agent::connect(plane, "/servers/hello/mcp");
    for _ in 0..3 {
        agent.call("greet", &json!({}));
    }
    assert_eq!(agent.call("greet", &json!({"secret": "hunter2"}))["isError"], true);
    assert_eq!(plane.post("/mcp/servers/hello/tools/greet", &json!({"arguments": {}})).status, 200);
    assert_eq!(plane.post("/mcp/servers/hello/tools/nothing", &json!({"arguments": {}})).status, 404);
}

fn told(entries: &Value) -> Vec<String> {
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or_default().to_owned();
    let all = entries["entries"].as_array().expect("entries").iter();
    all.map(|entry| format!("{} {} {}", word(entry, "operation"), word(entry, "subject"), word(entry, "outcome")))
        .collect()
}

#[test]
fn changes_and_calls_are_recorded_and_proved() {
    let world = World::new();
    let plane = Plane::start(&world);
    made_and_called(&plane);
    let mut other = spec("hello");
    other["description"] = json!("Says something else");
    let changed = json!({"spec": other});
    assert_eq!(plane.post("/mcp/create", &changed).status, 409);
    let log = plane.get("/mcp/audit").json();
    let mut found = told(&log);
    // Calls are written behind, in batches.
    found.sort();
    let wanted = [
        "deployment.deploy hello ok",
        "server.create hello MF1005",
        "server.create hello ok",
        "tool.call hello MF1004",
        "tool.call hello error",
        "tool.call hello ok",
        "tool.call hello ok",
        "tool.call hello ok",
        "tool.call hello ok",
    ];
    assert_eq!(found, wanted, "{log}");
    assert!(!log.to_string().contains("hunter2"), "arguments are not kept");
    let calls = plane.until("/mcp/servers/hello/logs", |logs| logs.to_string().contains("\"error\"")).to_string();
    assert!(calls.contains("secret") && !calls.contains("hunter2"), "nor by what refuses them: {calls}");
    let made = plane.get("/mcp/audit?operation=server.create&outcome=ok").json()["entries"][0]["details"].clone();
    assert_eq!(
        (&made["version"], &made["force"], &made["address"]),
        (&json!("1.0.0"), &json!(false), &json!("127.0.0.1"))
    );
    assert!(made["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{made}");
    let refused = json!({"name": "nobody", "password": "not this one"});
    assert_eq!(plane.post("/api/session", &refused).status, 401);
    let tried = plane.get("/mcp/audit?operation=account.sign-in").json()["entries"][0].clone();
    assert_eq!((&tried["subject"], &tried["outcome"]), (&json!("nobody"), &json!("MF1044")), "{tried}");
    assert!(!tried.to_string().contains("not this one") && tried["details"]["address"] == "127.0.0.1", "{tried}");
    assert_eq!(log["entries"][0]["caller"], "operator");
    let answered = plane.get("/mcp/audit?kind=call&outcome=ok&limit=1").json();
    assert_eq!(answered["entries"][0]["details"]["tool"], "greet", "{answered}");
    assert_eq!(told(&plane.get("/mcp/audit?kind=change&outcome=ok&limit=1").json()), ["deployment.deploy hello ok"]);
    let first = plane.get("/mcp/audit?limit=4").json();
    let cursor = first["nextCursor"].as_str().expect("a cursor");
    assert_eq!(told(&plane.get(&format!("/mcp/audit?cursor={cursor}&limit=100")).json()).len(), 6);
    assert_eq!(plane.get("/mcp/audit?cursor=x").status, 400);

    let proof = plane.get("/mcp/audit/verify").json();
    assert_eq!((&proof["intact"], &proof["entries"]), (&json!(true), &json!(10)), "{proof}");
    let head = proof["head"].as_str().expect("a head");
    assert_eq!(plane.send("DELETE", "/mcp/servers/hello", &[], "").status, 200);
    let later = plane.get(&format!("/mcp/audit/verify?expect={head}")).json();
    assert_eq!((&later["intact"], &later["entries"]), (&json!(true), &json!(11)), "{later}");
    drop(plane);

    let file = rusqlite::Connection::open(world.home().join("catalogue.db")).expect("the catalogue");
    let cut = "DELETE FROM audit WHERE seq >= 9; DELETE FROM audit_calls WHERE last_seq >= 9";
    file.execute_batch(cut).expect("it can be meddled with");
    let ran = world.run(&["audit", "verify"]);
    assert_eq!((ran.code, ran.out.contains("the newest entries were removed")), (1, true), "{}", ran.out);
    let ran = world.run(&["audit", "verify", "--expect", head]);
    assert_eq!((ran.code, ran.out.contains("missing")), (1, true), "{}", ran.out);
    // Calls share rows of another table.
    let at: i64 = file.query_row("SELECT max(seq) FROM audit", [], |row| row.get(0)).expect("a change");
    file.execute("UPDATE audit SET caller = 'somebody' WHERE seq = ?1", [at]).expect("it can be meddled with");
    let ran = world.run(&["audit", "verify", "--output", "json"]);
    assert_eq!((ran.code, &ran.json()["brokenAt"]), (1, &json!(at)), "{}", ran.out);
    let hint = format!("the entries 1 to {} are", at - 1);
    assert!(ran.json()["hint"].as_str().is_some_and(|told| told.contains(&hint)), "{}", ran.out);
    let ran = world.run(&["audit", "verify"]);
    assert!(ran.err.contains(&format!("hint: {hint}")) && ran.err.contains("mcp-factory backup"), "{}", ran.err);
    file.execute("DELETE FROM audit WHERE seq = 1", []).expect("it can be meddled with");
    let ran = world.run(&["audit", "verify"]);
    assert!(ran.out.contains("entry 1 is missing"), "{}", ran.out);
    assert!(ran.err.contains("hint: no entry is known to be as it was written"), "{}", ran.err);
}

#[test]
fn whoever_changes_something_is_recorded_with_their_address_on_every_way_in() {
    let world = World::new();
    let mut plane = Plane::start_with(&world, &["--trusted-proxy", "127.0.0.1"]);
    let key = world.json(&["keys", "create", "ci", "--scope", "admin"])["key"].as_str().expect("a key").to_owned();
    let key = format!("Bearer {key}");
    let headers = |address| {
        let json = ("Content-Type", "application/json");
        vec![
            json,
            ("Accept", "application/json, text/event-stream"),
            ("Authorization", &*key),
            ("X-Forwarded-For", address),
        ]
    };
    let create = |name: &str| {
        let params = json!({"name": "create_server", "arguments": {"spec": spec(name)}, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}});
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string()
    };
    let mut over_mcp = headers("192.0.2.7");
    over_mcp.extend([
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", "tools/call"),
        ("Mcp-Name", "create_server"),
    ]);
    let made = plane.send("POST", "/mcp", &over_mcp, &create("by-mcp"));
    assert!(made.status == 200 && made.body.contains("created"), "{} {}", made.status, made.body);
    let begun = plane.send(
        "POST",
        "/mcp/create?async=true",
        &headers("192.0.2.8"),
        &json!({"spec": spec("by-job")}).to_string(),
    );
    assert_eq!(begun.status, 202, "{}", begun.body);
    let id = begun.json()["id"].as_str().expect("an id").to_owned();
    let job = || plane.send("GET", &format!("/mcp/jobs/{id}"), &headers("192.0.2.9"), "").json();
    super::policies::until_within(10, "the end of the job", || job()["state"] == "done");
    let address = |name: &str| {
        let path = format!("/mcp/audit?operation=server.create&subject={name}");
        plane.send("GET", &path, &headers("192.0.2.9"), "").json()["entries"][0]["details"]["address"].clone()
    };
    assert_eq!((address("by-mcp"), address("by-job")), (json!("192.0.2.7"), json!("192.0.2.8")));
    plane.kill();
}

#[test]
fn commands_at_home_are_recorded_too() {
    let world = World::new();
    assert_eq!(world.json(&["audit", "verify"])["entries"], 0);
    assert_eq!(world.json(&["audit", "list"])["entries"], json!([]));
    assert!(!world.home().exists(), "looking makes no home folder");
    world.write("hello.yaml", HELLO);
    world.ok(&["create", "--spec", "hello.yaml"]);
    world.ok(&["test", "hello", "greet"]);
    assert_eq!(world.run(&["remove", "nothing", "--yes"]).code, 3);
    world.ok(&["remove", "hello", "--dry-run"]);
    world.ok(&["remove", "hello", "--yes"]);
    let log = world.json(&["audit", "list"]);
    assert_eq!(
        told(&log),
        ["server.remove hello ok", "server.remove nothing MF1002", "tool.try hello ok", "server.create hello ok"],
        "{log}"
    );
    assert_eq!(log["entries"][0]["caller"], "local");
    let text = world.ok(&["audit", "list", "--kind", "call"]).out;
    assert!(text.contains("tool.try") && !text.contains("server.create"), "{text}");
}

#[test]
fn calls_are_counted_by_tool_caller_and_time_and_survive_a_restart() {
    let world = World::new();
    let plane = Plane::start(&world);
    made_and_called(&plane);
    let usage = plane.get("/mcp/usage").json();
    assert_eq!(usage["rows"].as_array().map(Vec::len), Some(1), "{usage}");
    let row = &usage["rows"][0];
    assert_eq!(
        (&row["server"], &row["tool"], &row["calls"], &row["errors"]),
        (&json!("hello"), &json!("greet"), &json!(5), &json!(1))
    );
    assert!(row["p50Ms"].as_f64() <= row["p99Ms"].as_f64() && row["p99Ms"].as_f64() <= row["maxMs"].as_f64(), "{row}");
    assert!(row["bytesIn"].as_u64() > Some(10) && row["bytesOut"].as_u64() > Some(10), "{row}");
    let by = plane.get("/mcp/usage?by=caller,version,day&since=30d").json();
    assert_eq!((&by["rows"][0]["caller"], &by["rows"][0]["version"]), (&json!("operator"), &json!("1.0.0")), "{by}");
    assert_eq!(plane.get("/mcp/usage?by=moon").status, 400);
    assert_eq!(plane.get("/mcp/usage?by=hour&since=30d").status, 400);
    let metrics = plane.get("/metrics").body;
    let tally = |calls: u32, metrics: &str| {
        for name in ["call_seconds_count", "calls_total"] {
            let line = format!("mcp_factory_tool_{name}{{server=\"hello\",tool=\"greet\"}} {calls}\n");
            assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
        }
        assert!(metrics.contains("mcp_factory_tool_errors_total{server=\"hello\",tool=\"greet\"} 1\n"), "{metrics}");
    };
    tally(5, &metrics);
    assert_eq!(plane.post("/mcp/servers/hello/stop", &json!({})).status, 200);
    tally(5, &plane.get("/metrics").body);
    assert_eq!(plane.post("/mcp/servers/hello/start", &json!({})).status, 200);

    let (mut agent, _) = Agent::connect(&plane, "/servers/hello/mcp");
    agent.call("greet", &json!({}));
    tally(6, &plane.get("/metrics").body);
    plane.end();
    let kept = world.json(&["usage", "--server", "hello"]);
    assert_eq!(kept["total"]["calls"], 6, "what was counted last is kept at the end: {kept}");
    let text = world.ok(&["usage", "--by", "tool,caller"]).out;
    assert!(text.lines().next().is_some_and(|head| head.starts_with("TOOL") && head.contains("P99")), "{text}");
    assert!(text.contains("greet") && text.contains("operator"), "{text}");
}

#[test]
fn keys_accounts_rules_and_quotas_leave_entries_that_name_them() {
    let world = World::new();
    let plane = Plane::start(&world);
    let created = plane.post("/api/mcp-keys", &json!({"name": "ci"})).json();
    let id = created["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/mcp-keys/{id}");
    assert_eq!(plane.send("DELETE", &path, &[], "").status, 200);
    assert_eq!(plane.send("DELETE", &path, &[], "").status, 404);
    let mine = plane.get(&format!("/mcp/audit?subject={id}")).json();
    let (made, revoked) = (format!("key.create {id} ok"), format!("key.revoke {id} "));
    assert_eq!(told(&mine), [format!("{revoked}MF1047"), format!("{revoked}ok"), made]);
    drop(plane);
    world.ok(&["accounts", "create", "ann"]);
    world.ok(&["accounts", "reset", "ann"]);
    assert_eq!(world.run(&["accounts", "create", "ann"]).code, 2);
    assert_eq!(world.run(&["policies", "remove", "nopolicy"]).code, 3);
    let log = world.json(&["audit", "list", "--limit", "4"]);
    let wanted =
        ["policy.remove nopolicy MF1056", "account.create ann MF1052", "account.reset ann ok", "account.create ann ok"];
    assert_eq!(told(&log), wanted, "{log}");
}

#[test]
fn a_call_whose_answer_was_received_is_in_the_log() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--quiet"]);
    made_and_called(&plane);
    let (mut agent, _) = Agent::connect(&plane, "/servers/hello/mcp");
    for calls in 6..16 {
        agent.call("greet", &json!({}));
        let log = plane.get("/mcp/servers/hello/logs").json();
        assert_eq!(log["entries"].as_array().map(Vec::len), Some(calls), "{log}");
    }
    let told = std::fs::read_to_string(world.path("serve.log")).expect("a log");
    assert!(!told.contains("INFO"), "requests are told although it is to be quiet: {told}");
}
