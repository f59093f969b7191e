//! Who may use which server, group and tool of a control plane, and how much.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Plane;
use super::client::Answer;
use crate::world::World;

const CREATE: &str = "servers:read,servers:write,servers:call,logs:read";

/// A key of its own, as a header shows it.
pub(super) fn key(world: &World, owner: &str, scopes: &str) -> String {
    let made = world.json(&["keys", "create", "test", "--owner", owner, "--scope", scopes]);
    format!("Bearer {}", made["key"].as_str().expect("a key"))
}

fn send(plane: &Plane, bearer: &str, method: &str, path: &str, body: &Value) -> Answer {
    plane.send(method, path, &[("Authorization", bearer), ("Content-Type", "application/json")], &body.to_string())
}

/// A server with two tools, one of them in a group.
fn shop() -> Value {
    let tool = |name: &str, groups: Value| json!({"name": name, "description": "Says it", "groups": groups, "parameters": {}, "reply": {"text": name}});
    json!({"name": "shop", "tools": [tool("search", json!(["reading"])), tool("delete", json!([]))]})
}

/// Asks a deployed server by its whole path; the status, and the result or what went wrong.
fn ask(plane: &Plane, path: &str, shown: (&str, &str), method: &str, tool: &str) -> (u16, Value) {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let mut params = json!({"_meta": meta});
    let mut headers = vec![
        shown,
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
        ("MCP-Protocol-Version", "2026-07-28"),
        ("Mcp-Method", method),
    ];
    if !tool.is_empty() {
        params["name"] = tool.into();
        params["arguments"] = json!({});
        headers.push(("Mcp-Name", tool));
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = plane.send("POST", path, &headers, &body.to_string());
    let text = answer.body.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or(&answer.body);
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    (answer.status, if value["result"].is_null() { value } else { value["result"].clone() })
}

/// The tools that somebody sees; `None` when there is nothing for them.
fn tools(plane: &Plane, path: &str, shown: (&str, &str)) -> Option<Vec<String>> {
    let (status, result) = ask(plane, path, shown, "tools/list", "");
    let all = (status == 200).then(|| result["tools"].as_array().cloned().unwrap_or_default())?;
    Some(all.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect())
}

/// Whether somebody gets the answer of a tool.
fn calls(plane: &Plane, path: &str, shown: (&str, &str), tool: &str) -> bool {
    let (status, result) = ask(plane, path, shown, "tools/call", tool);
    status == 200 && result["isError"] != true && result["content"][0]["text"] == tool
}

/// Waits for as long as a change of a policy may take.
fn until(what: &str, holds: impl Fn() -> bool) {
    until_within(5, what, holds);
}

/// Waits for at most so many seconds.
pub(super) fn until_within(seconds: u64, what: &str, holds: impl Fn() -> bool) {
    let late = Instant::now() + Duration::from_secs(seconds);
    while !holds() {
        assert!(Instant::now() < late, "{what} never came");
        // A long wait is no reason to be turned away for too many requests.
        std::thread::park_timeout(Duration::from_millis(4 * seconds));
    }
}

#[test]
fn rules_open_servers_groups_and_tools_to_others_everywhere_at_once() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys,guests", "--rate", "guests=1000/60"]);
    let (ann, bob) = (key(&world, "ann", CREATE), key(&world, "bob", CREATE));
    assert_eq!(send(&plane, &ann, "POST", "/mcp/create", &json!({"spec": shop()})).status, 201);
    assert_eq!(send(&plane, &ann, "POST", "/mcp/deploy/shop", &json!({})).json()["state"], "running");
    let (whole, group) = ("/servers/shop/mcp", "/servers/shop/groups/reading/mcp");
    let as_bob = ("Authorization", bob.as_str());
    let guest = ("X-Guest-Id", "3f2a");
    assert_eq!((tools(&plane, whole, as_bob), tools(&plane, whole, guest)), (None, None));

    let rule = json!({"who": ["owner:bob"], "servers": ["sh*"], "tools": ["sea*"], "allow": "call"});
    let set = send(&plane, &ann, "POST", "/mcp/policies/rules/bob", &rule);
    assert_eq!(set.status, 200, "{}", set.body);
    until("the rule", || calls(&plane, whole, as_bob, "search"));
    assert_eq!(tools(&plane, whole, as_bob), Some(vec!["search".to_owned()]));
    assert!(!calls(&plane, whole, as_bob, "delete"));
    assert_eq!(tools(&plane, whole, guest), None, "it speaks of bob alone");
    let by_rest =
        |tool: &str| send(&plane, &bob, "POST", &format!("/mcp/servers/shop/tools/{tool}"), &json!({})).status;
    assert_eq!((by_rest("search"), by_rest("delete")), (200, 404));
    assert_eq!(send(&plane, &bob, "GET", "/mcp/servers", &json!({})).json()["servers"][0]["name"], "shop");
    assert_eq!(send(&plane, &bob, "GET", "/mcp/servers/shop", &json!({})).status, 404, "what it runs is its owner's");
    assert_eq!(send(&plane, &bob, "DELETE", "/mcp/servers/shop", &json!({})).status, 404);
    assert_eq!(send(&plane, &bob, "DELETE", "/mcp/policies/rules/bob", &json!({})).json()["code"], "MF1056");
    let others = json!({"servers": ["shop"], "allow": "call"});
    assert_eq!(send(&plane, &bob, "POST", "/mcp/policies/rules/mine", &others).status, 200);

    // A rule of bob speaks of bob's servers, so that of ann stays closed to guests; one for a group opens that alone.
    let rule = json!({"who": ["guests"], "servers": ["shop"], "groups": ["reading"], "allow": "call"});
    assert_eq!(send(&plane, &ann, "POST", "/mcp/policies/rules/guests", &rule).status, 200);
    until("the rule for guests", || calls(&plane, group, guest, "search"));
    assert_eq!(tools(&plane, whole, guest), None);

    // What a tool needs, its owner needs too.
    let needs = json!({"servers": ["shop"], "tools": ["delete"], "needs": "shop:delete"});
    assert!(calls(&plane, whole, ("Authorization", &ann), "delete"));
    assert_eq!(send(&plane, &ann, "POST", "/mcp/policies/rules/careful", &needs).status, 200);
    let by_group = json!({"servers": ["shop"], "groups": ["g"], "needs": "shop:delete"});
    let refused = send(&plane, &ann, "POST", "/mcp/policies/rules/grouped", &by_group);
    assert_eq!(refused.json()["code"], "MF1055", "the whole server has the same tools");
    until("the scope", || !calls(&plane, whole, ("Authorization", &ann), "delete"));
    let wide = key(&world, "ann", "mcp,shop:delete");
    assert!(calls(&plane, whole, ("Authorization", &wide), "delete"));
    let (_, told) = ask(&plane, whole, ("Authorization", &ann), "tools/call", "delete");
    let told = told["content"][0]["text"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains("the rule is yours") && told.contains("keys create NAME"), "{told}");

    assert_eq!(send(&plane, &ann, "DELETE", "/mcp/policies/rules/bob", &json!({})).status, 200);
    until("the end of the rule", || tools(&plane, whole, as_bob).is_none());
    let listed = send(&plane, &ann, "GET", "/mcp/policies", &json!({})).json();
    assert_eq!((listed["rules"].as_array().map(Vec::len), &listed["quotas"]), (Some(2), &json!([])), "{listed}");
    for (rule, word) in [
        (json!({"servers": ["shop"]}), "says nothing"),
        (json!({"servers": [], "allow": "call"}), "names no server"),
        (json!({"servers": ["shop"], "who": ["eve"], "allow": "call"}), "eve"),
    ] {
        let refused = send(&plane, &ann, "POST", "/mcp/policies/rules/bad", &rule);
        assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("MF1055")), "{}", refused.body);
        assert!(refused.body.contains(word), "{}", refused.body);
    }
}

#[test]
fn owners_give_the_scopes_that_rules_of_their_own_ask_for() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    let (ann, bob) = (key(&world, "ann", &format!("{CREATE},keys")), key(&world, "bob", &format!("{CREATE},keys")));
    let deployed = |bearer: &str, name: &str| {
        let mut spec = shop();
        spec["name"] = name.into();
        assert_eq!(send(&plane, bearer, "POST", "/mcp/create", &json!({"spec": spec})).status, 201);
        assert_eq!(send(&plane, bearer, "POST", &format!("/mcp/deploy/{name}"), &json!({})).status, 200);
    };
    deployed(&ann, "shop");
    deployed(&bob, "store");
    let make = |bearer: &str| {
        let asked = json!({"name": "wide", "scopes": ["servers:call", "shop:delete"]});
        send(&plane, bearer, "POST", "/api/mcp-keys", &asked)
    };
    assert_eq!(make(&ann).status, 400, "nothing asks for the scope");
    // Bob thinks of the name first; what he gives himself counts for his own servers alone.
    let needs = |server: &str| json!({"servers": [server], "tools": ["delete"], "needs": "shop:delete"});
    assert_eq!(send(&plane, &bob, "POST", "/mcp/policies/rules/bobs", &needs("store")).status, 200);
    assert_eq!(make(&ann).status, 403, "somebody else's rule asks for it");
    let bobs = make(&bob);
    assert_eq!(bobs.status, 201, "{}", bobs.body);
    assert_eq!(send(&plane, &ann, "POST", "/mcp/policies/rules/anns", &needs("shop")).status, 200);
    let opens = json!({"who": ["owner:bob"], "servers": ["shop"], "allow": "call"});
    assert_eq!(send(&plane, &ann, "POST", "/mcp/policies/rules/opens", &opens).status, 200);
    let anns = make(&ann);
    assert_eq!(
        (anns.status, &anns.json()["scopes"]),
        (201, &json!(["servers:call", "own:shop:delete"])),
        "{}",
        anns.body
    );
    let bearer = |made: &Answer| format!("Bearer {}", made.json()["key"].as_str().expect("a key"));
    let (anns, bobs) = (bearer(&anns), bearer(&bobs));
    let may = |bearer: &str, server: &str| {
        let path = format!("/mcp/servers/{server}/tools/delete");
        send(&plane, bearer, "POST", &path, &json!({"arguments": {}})).status
    };
    until("the rules", || may(&ann, "shop") == 403 && may(&bob, "shop") == 403);
    assert_eq!((may(&anns, "shop"), may(&bobs, "store")), (200, 200));
    assert_eq!(may(&bobs, "shop"), 403, "it is not ann who gave it");
    let refused =
        send(&plane, &ann, "POST", "/mcp/policies/rules/bad", &json!({"servers": ["shop"], "needs": "own:x"}));
    assert_eq!(refused.json()["code"], "MF1055", "{}", refused.body);
}

#[test]
fn whoever_was_given_a_server_learns_that_it_is_stopped_and_strangers_learn_nothing() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys,guests", "--rate", "guests=1000/60"]);
    let (ann, bob, eve) = (key(&world, "ann", CREATE), key(&world, "bob", CREATE), key(&world, "eve", CREATE));
    assert_eq!(send(&plane, &ann, "POST", "/mcp/create", &json!({"spec": shop()})).status, 201);
    send(&plane, &ann, "POST", "/mcp/deploy/shop", &json!({}));
    let whole = json!({"who": ["owner:bob"], "servers": ["shop"], "allow": "call"});
    assert_eq!(send(&plane, &ann, "POST", "/mcp/policies/rules/bob", &whole).status, 200);
    let part = json!({"who": ["guests"], "servers": ["shop"], "groups": ["reading"], "allow": "call"});
    assert_eq!(send(&plane, &ann, "POST", "/mcp/policies/rules/guests", &part).status, 200);
    let (bob, eve, guest) = (("Authorization", &*bob), ("Authorization", &*eve), ("X-Guest-Id", "3f2a"));
    let (path, group) = ("/servers/shop/mcp", "/servers/shop/groups/reading/mcp");
    until("the rules", || calls(&plane, path, bob, "search") && calls(&plane, group, guest, "search"));
    send(&plane, &ann, "POST", "/mcp/servers/shop/stop", &json!({}));
    let told = |path: &str, shown| {
        let (status, why) = ask(&plane, path, shown, "tools/list", "");
        (status, why["error"].as_str().unwrap_or_default().to_owned(), why.to_string())
    };
    for (path, shown) in [(path, bob), (group, guest)] {
        let (status, code, why) = told(path, shown);
        assert_eq!((status, &*code, why.contains("stopped")), (404, "MF1060", true), "{why}");
        assert!(!why.contains("mcp-factory start"), "starting it is its owner's: {why}");
    }
    for (path, shown) in [(path, eve), (path, guest), (group, eve)] {
        let (status, code, why) = told(path, shown);
        assert_eq!((status, &*code), (404, "MF1002"), "{why}");
    }
}

#[test]
fn a_quota_that_says_nothing_or_is_nobodys_is_refused() {
    let world = World::new();
    key(&world, "bob", CREATE);
    let nothing = world.run(&["policies", "quota", "members"]);
    assert_eq!((nothing.code, nothing.out.as_str()), (2, ""), "{}", nothing.err);
    assert!(nothing.err.contains("100 servers") && nothing.err.contains("--calls"), "{}", nothing.err);
    let nobody = world.run(&["policies", "quota", "bib", "--calls", "3"]);
    assert!(nobody.code == 3 && nobody.err.contains("did you mean `bob`?"), "{}", nobody.err);
    assert_eq!(world.json(&["policies", "list"])["quotas"], json!([]));
    world.ok(&["policies", "quota", "bob", "--calls", "3"]);
    let nothing = world.run(&["policies", "quota", "bob"]);
    assert!(nothing.code == 2 && nothing.err.contains("3 calls of tools a day"), "{}", nothing.err);
}

#[test]
fn quotas_are_kept_and_say_what_remains() {
    let world = World::new();
    let mut plane = Plane::start_with(&world, &["--auth", "keys"]);
    let bob = key(&world, "bob", CREATE);
    world.ok(&["policies", "quota", "bob", "--calls", "3"]);
    // The last one: that it is followed says that the other one is too.
    world.ok(&["policies", "quota", "members", "--servers", "1"]);
    let made = send(&plane, &bob, "POST", "/mcp/create", &json!({"spec": shop()}));
    assert_eq!(made.status, 201, "{}", made.body);
    let mut other = shop();
    other["name"] = "other".into();
    let create = || send(&plane, &bob, "POST", "/mcp/create", &json!({"spec": other, "dryRun": true}));
    until("the quota of servers", || create().status == 403);
    let refused = create().json();
    assert_eq!(refused["code"], "MF1054", "{refused}");
    assert!(refused["detail"].as_str().is_some_and(|text| text.contains("1 of 1 servers are used; 0 remain")));
    assert_eq!(
        send(&plane, &bob, "POST", "/mcp/create", &json!({"spec": shop()})).status,
        200,
        "the same is no other one"
    );

    send(&plane, &bob, "POST", "/mcp/deploy/shop", &json!({}));
    let shown = ("Authorization", bob.as_str());
    assert!(calls(&plane, "/servers/shop/mcp", shown, "search"));
    assert_eq!(send(&plane, &bob, "POST", "/mcp/servers/shop/tools/search", &json!({})).status, 200);
    assert!(calls(&plane, "/servers/shop/mcp", shown, "search"));
    let (_, refused) = ask(&plane, "/servers/shop/mcp", shown, "tools/call", "search");
    let text = refused["content"][0]["text"].as_str().unwrap_or_default();
    assert!(refused["isError"] == true && text.contains("MF1054") && text.contains("3 of 3"), "{refused}");
    let rest = send(&plane, &bob, "POST", "/mcp/servers/shop/tools/search", &json!({}));
    assert_eq!((rest.status, rest.json()["code"].as_str()), (403, Some("MF1054")), "{}", rest.body);

    // What was used is known to the next process too.
    let stored = rusqlite::Connection::open(world.home().join("catalogue.db")).expect("the catalogue");
    let calls_of =
        |owner: &str| stored.query_row("SELECT calls FROM spent WHERE owner = ?1", [owner], |row| row.get(0));
    until("what was used", || calls_of("bob").unwrap_or(0_i64) == 3);
    plane.kill();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    let rest = send(&plane, &bob, "POST", "/mcp/servers/shop/tools/search", &json!({}));
    assert_eq!(rest.json()["code"], "MF1054", "{}", rest.body);
    world.ok(&["policies", "quota", "bob", "--remove"]);
    let call = || send(&plane, &bob, "POST", "/mcp/servers/shop/tools/search", &json!({})).status;
    until("the end of the quota", || call() == 200);
}

#[test]
fn quotas_hold_for_what_is_made_at_once_and_for_specs_that_are_only_tried() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    let bob = key(&world, "bob", CREATE);
    let boss = key(&world, "boss", "admin");
    let quota = |quota: Value| send(&plane, &boss, "POST", "/mcp/policies/quotas/bob", &quota).status;
    assert_eq!(quota(json!({"servers": 2, "callsPerDay": 1})), 200);
    let made = std::thread::scope(|scope| {
        let create = |nth: usize| {
            let mut spec = shop();
            spec["name"] = format!("shop-{nth}").into();
            send(&plane, &bob, "POST", "/mcp/create", &json!({"spec": spec})).status
        };
        let all: Vec<_> = (0..8).map(|nth| scope.spawn(move || create(nth))).collect();
        all.into_iter().map(|one| one.join().expect("an answer")).filter(|status| *status == 201).count()
    });
    assert_eq!(made, 2, "as soon as the quota is acknowledged, and not one more");
    let tried = json!({"subject": {"from": "spec", "spec": {"name": "shop.json", "text": shop().to_string()}}, "tool": "search"});
    let call = || send(&plane, &bob, "POST", "/mcp/call", &tried);
    assert_eq!(call().status, 200, "{}", call().body);
    assert_eq!((call().status, &call().json()["code"]), (403, &json!("MF1054")));
    let test = send(&plane, &bob, "POST", "/mcp/test", &json!({"subject": tried["subject"]}));
    assert_eq!((test.status, &test.json()["code"]), (403, &json!("MF1054")), "{}", test.body);
}

/// The names of what somebody finds.
fn found(plane: &Plane, bearer: &str, question: &str) -> Vec<String> {
    let answer = send(plane, bearer, "GET", &format!("/mcp/capabilities?q={question}"), &Value::Null).json();
    answer["found"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn search_uses_and_the_factory_itself_show_what_policies_give() {
    let world = World::new();
    let (owner, other) = (key(&world, "ann", &format!("{CREATE},mcp")), key(&world, "bob", &format!("{CREATE},mcp")));
    let plane = Plane::start_with(&world, &["--auth", "keys"]);
    let mut spec = shop();
    spec["connections"] = json!([{"name": "api", "type": "http", "url": "https://api.example.com/v1"}]);
    spec["tools"][0] = json!({"name": "search", "description": "Says it", "groups": ["reading"], "connection": "api",
        "parameters": {}, "http": {"path": "/x"}});
    assert_eq!(send(&plane, &owner, "POST", "/mcp/create", &json!({"spec": spec})).status, 201);
    send(&plane, &owner, "POST", "/mcp/deploy/shop", &json!({}));
    let listed = |bearer: &str| {
        let all = send(&plane, bearer, "GET", "/mcp/servers", &Value::Null).json();
        all["servers"].as_array().map(Vec::len).unwrap_or_default()
    };
    let uses = |bearer: &str| send(&plane, bearer, "GET", "/mcp/servers/shop/dependencies", &Value::Null);
    let at_factory = |bearer: &str| tools(&plane, "/mcp?tools=servers", ("Authorization", bearer)).unwrap_or_default();
    assert_eq!((found(&plane, &owner, "says"), listed(&owner)), (vec!["delete".to_owned(), "search".to_owned()], 1));
    assert_eq!(uses(&owner).json()["uses"][0]["place"], "https://api.example.com/v1");
    assert_eq!((found(&plane, &other, "says"), listed(&other), uses(&other).status), (vec![], 0, 404));
    assert!(at_factory(&other).is_empty());

    // By a group: its tools alone, wherever they are shown, and what they use without its place.
    let rule = json!({"who": ["owner:bob"], "servers": ["shop"], "groups": ["reading"], "allow": "call"});
    let set = send(&plane, &owner, "POST", "/mcp/policies/rules/reading", &rule);
    assert!(set.status < 300, "{}", set.body);
    let late = Instant::now() + Duration::from_secs(5);
    while found(&plane, &other, "says") != ["search"] {
        assert!(Instant::now() < late, "the rule has no force");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    assert_eq!((listed(&other), at_factory(&other)), (1, vec!["shop__search".to_owned()]));
    let told = uses(&other).json();
    assert_eq!((&told["uses"][0]["connection"], &told["uses"][0]["place"]), (&json!("api"), &Value::Null), "{told}");
    // It is called by the door of the group, which knows of no other tool.
    let (status, result) = ask(&plane, "/mcp?tools=servers", ("Authorization", &other), "tools/call", "shop__search");
    assert!(status == 200 && result["content"].is_array(), "{status} {result}");
    let (_, refused) = ask(&plane, "/mcp?tools=servers", ("Authorization", &other), "tools/call", "shop__delete");
    assert!(refused["error"].is_object(), "{refused}");
}

#[test]
fn a_key_has_scopes_that_something_asks_for() {
    let world = World::new();
    let make = |scopes: &str| world.run(&["keys", "create", "test", "--scope", scopes]);
    let refused = make("server:read");
    assert!(refused.code == 2 && refused.err.contains("did you mean `servers:read`?"), "{}", refused.err);
    assert!(refused.err.contains("`metrics:read`") && refused.err.contains("MF1048"), "{}", refused.err);
    assert_eq!(make("mcp,servers:read,servers:write,servers:call,logs:read,keys,metrics:read,admin").code, 0);
    assert_eq!(make("orders").code, 2);
    world.ok(&["policies", "set", "orders", "--server", "*", "--needs", "orders"]);
    assert_eq!(make("orders").code, 0, "a policy asks for it");
    let spec = json!({"name": "hr", "auth": {"type": "oauth2", "issuer": "https://id.example.com", "scopes": ["hr:read"]},
        "tools": [{"name": "t", "description": "Says t", "parameters": {}, "reply": {"text": "t"}}]});
    world.ok(&["create", "--json", &spec.to_string()]);
    assert_eq!(make("hr:read").code, 2, "it is not deployed");
    let plane = Plane::start(&world);
    world.run(&["deploy", "hr"]);
    assert_eq!(make("hr:read").code, 0, "the spec of a deployed server asks for it");
    drop(plane);
}

#[test]
fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let world = World::new();
    let plane = Plane::start(&world);
    let at = ["--dry-run", "--url", plane.url.as_str()];
    let dry = |words: &[&str]| world.run(&[words, &at].concat());
    let real = |words: &[&str]| world.ok(&[words, &at[1..]].concat());
    real(&["create", "--json", &shop().to_string()]);
    let would = dry(&["deploy", "shop"]);
    assert!(would.code == 0 && would.out.starts_with("would be running: shop"), "{}{}", would.out, would.err);
    assert!(would.err.contains("nothing was changed"), "{}", would.err);
    assert_eq!(plane.get("/mcp/servers/shop").json()["deployment"], Value::Null);
    real(&["deploy", "shop"]);
    for (words, said) in [
        (&["stop", "shop"][..], "would be stopped: shop"),
        (&["remove", "shop"], "would remove shop"),
        (&["keys", "create", "ci"], "would make the key ci"),
        (&["accounts", "create", "ann"], "would make the account ann"),
        (&["policies", "set", "r", "--server", "*", "--allow", "list"], "would set the rule r"),
        (&["policies", "quota", "guests", "--calls", "5"], "would set the quota of guests"),
    ] {
        let would = dry(words);
        assert!(would.code == 0 && would.out.starts_with(said), "{words:?} {}{}", would.out, would.err);
    }
    assert_eq!(plane.get("/mcp/servers/shop").json()["deployment"]["state"], "running");
    assert_eq!(plane.get("/api/mcp-keys").json()["keys"], json!([]));
    assert_eq!(plane.get("/mcp/policies").json()["rules"], json!([]));
    assert_eq!(dry(&["keys", "revoke", "nothing"]).code, 3, "what cannot be done cannot be tried");
    assert_eq!(dry(&["serve"]).code, 2);
    // The home folder is tried like a control plane.
    let would = world.run(&["keys", "create", "ci", "--dry-run"]);
    assert_eq!((would.code, would.out.trim()), (0, "would make the key ci"), "{}", would.err);
    assert_eq!(world.json(&["keys", "list"])["keys"], json!([]));
}
