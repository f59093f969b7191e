//! Provoked errors: each has the right exit code, says what to do next, prints nothing on standard
//! output, and is the same as JSON.

use crate::world::{HELLO, Ran, World};

/// Arguments, exit code, code of the error (`-` for one of clap's), and a word that the text must have.
const CASES: &[(&[&str], i32, &str, &str)] = &[
    // The command line itself.
    (&["creat"], 2, "-", "create"),
    (&["lst"], 2, "-", "list"),
    (&["frobnicate"], 2, "-", "--help"),
    (&["list", "--limt", "3"], 2, "-", "--limit"),
    (&["list", "--limit", "0"], 2, "-", "1..=1000"),
    (&["list", "--limit", "many"], 2, "-", "many"),
    (&["list", "--output", "xml"], 2, "-", "json"),
    (&["status"], 2, "-", "NAME"),
    (&["remove"], 2, "-", "NAME"),
    (&["test"], 2, "-", "NAME"),
    (&["test", "hello"], 2, "-", "TOOL"),
    (&["test", "hello", "greet", "{}", "extra"], 2, "-", "extra"),
    (&["test", "hello", "greet", "--all"], 2, "-", "--all"),
    (&["run"], 2, "-", "NAME"),
    (&["run", "hello", "--transport", "carrier-pigeon"], 2, "-", "stdio"),
    (&["run", "hello", "--port", "70000"], 2, "-", "70000"),
    (&["run", "hello", "--host", "not-an-address"], 2, "-", "not-an-address"),
    (&["validate"], 2, "-", "FILE"),
    (&["completion", "tcsh"], 2, "-", "bash"),
    (&["create", "--spec", "hello.yaml", "--json", "{}"], 2, "-", "--json"),
    (&["help", "statsu"], 2, "MF1012", "status"),
    // What is not in this build.
    (&["create"], 2, "MF1012", "--spec"),
    (&["create", "--prompt", "a shop"], 2, "MF1013", "--spec"),
    (&["create", "--template", "nonsense", "--name", "x"], 3, "MF1043", "templates"),
    (&["create", "--template", "helo"], 3, "MF1043", "hello"),
    (&["create", "--template", "hello", "--set", "name"], 2, "MF1012", "PATH=VALUE"),
    (&["create", "--template", "hello", "--set", "tols.greet.name=x"], 2, "MF1012", "tools"),
    (&["create", "--set", "name=x"], 2, "-", "--template"),
    (&["create", "--spec", "hello.yaml", "--set", "name=x"], 2, "-", "--set"),
    (&["create", "--spec", "hello.yaml", "--name", "x"], 2, "-", "--name"),
    (&["templates", "helo"], 3, "MF1043", "hello"),
    (&["jobs", "show", "none"], 3, "MF1039", "jobs"),
    (&["jobs", "watch", "none"], 3, "MF1039", "jobs"),
    (&["clients", "add", "emacs", "hello"], 2, "-", "claude-code"),
    (&["clients", "add", "cursor", "helo"], 3, "MF1002", "hello"),
    (&["clients", "add", "cursor", "hello"], 2, "MF1012", "HOME"),
    (&["clients", "add", "claude", "hello", "--scope", "project"], 2, "MF1012", "claude-code"),
    (&["clients", "add", "cursor", "hello", "--http"], 1, "MF1063", "serve"),
    (&["connect"], 1, "MF1063", "serve"),
    (&["connect", "nothing"], 3, "MF1002", "list"),
    (&["connect", "hello", "db"], 2, "-", "--as"),
    (&["connect", "hello", "nope", "--as", "ann"], 3, "MF1057", "none of its connections"),
    (&["serve", "--port", "0", "--hosts-file", "nofile"], 3, "MF1006", "/etc/hosts"),
    (&["serve", "--port", "0", "--follow", "nowhere"], 1, "MF1007", "folder"),
    // What is not there.
    (&["status", "helo"], 3, "MF1002", "hello"),
    (&["remove", "nothing", "--yes"], 3, "MF1002", "list"),
    (&["plan", "nothing"], 3, "MF1002", "list"),
    (&["run", "nothing"], 3, "MF1002", "list"),
    (&["test", "nothing", "x"], 3, "MF1002", "list"),
    (&["test", "hello", "great"], 3, "MF1004", "greet"),
    (&["status", "hello", "--spec-version", "9.9.9"], 3, "MF1003", "1.0.0"),
    (&["run", "hello", "--spec-version", "9.9.9"], 3, "MF1003", "1.0.0"),
    (&["create", "--spec", "helo.yaml"], 3, "MF1006", "hello.yaml"),
    (&["validate", "nowhere/x.yaml"], 3, "MF1006", "path"),
    (&["run", "./missing.yaml"], 3, "MF1006", "path"),
    (&["explain", "MF9999"], 3, "MF1020", "explain"),
    (&["list", "--env-file", "no.env"], 3, "MF1006", "path"),
    (&["plan", "hello", "--pin", "great"], 3, "MF1004", "greet"),
    // What cannot be used.
    (&["create", "--spec", "folder.yaml"], 1, "MF1007", "file"),
    (&["import", "folder.yaml"], 1, "MF1007", "mcp-factory export"),
    (&["import", "list.json"], 1, "MF1082", "mcp-factory export"),
    (&["export", "/dev/null", "--force"], 1, "MF1026", "file"),
    (
        &["export", "s.json", "--server", "hello", "--registry", "a.b", "--public-url", "notaurl"],
        2,
        "MF1030",
        "https://mcp.example.com",
    ),
    (&["search", "--takes", "::"], 2, "MF1030", "query:string,limit"),
    (&["search", "\""], 2, "MF1030", "no word"),
    (&["search", "hello", "--server", "nope"], 3, "MF1002", "list"),
    (&["create", "--spec", "large.yaml"], 1, "MF1001", "more than 2097152 bytes"),
    (&["create", "--spec", "bad.yaml"], 1, "MF1001", "explain"),
    (&["create", "--json", "{\"name\": \"x\""], 1, "MF1001", "explain"),
    (&["create", "--spec", "latin1.yaml"], 1, "MF1001", "UTF-8"),
    (&["run", "./bad.yaml"], 1, "MF1001", "explain"),
    (&["plan", "./bad.yaml"], 1, "MF1001", "explain"),
    (&["create", "--spec", "other.yaml"], 5, "MF1005", "--force"),
    (&["remove", "hello"], 2, "MF1017", "--yes"),
    (&["remove", "hello", "--no-input"], 2, "MF1017", "--yes"),
    (&["test", "hello", "greet", "{not json"], 2, "MF1010", "JSON object"),
    (&["test", "hello", "greet", "[1]"], 2, "MF1010", "JSON object"),
    (&["test", "hello", "greet", "{\"unknown\": 1}"], 1, "MF1011", "unknown"),
    (&["plan", "hello", "--import", "hello.yaml"], 1, "MF1019", "--output json"),
    (&["plan", "hello", "--import", "other-plan.json"], 1, "MF1019", "--output json"),
    (&["plan", "./hello.yaml", "--pin", "greet"], 2, "MF1012", "create"),
    (&["plan", "./hello.yaml", "--spec-version", "1"], 2, "MF1012", "catalogue"),
    (&["list", "--cursor", "garbage"], 2, "MF1028", "nextCursor"),
    (&["list", "--env-file", "bad.env"], 2, "MF1027", "NAME=value"),
    (&["run", "-", "--transport", "http", "--watch"], 2, "MF1012", "standard input"),
    (&["run", "-", "--transport", "stdio"], 2, "MF1012", "--transport http"),
    (&["run", "-"], 1, "MF1001", "explain"),
    (&["deploy", "hello", "--target", "moon"], 2, "-", "local"),
    (&["deploy", "./hello.yaml"], 2, "MF1012", "create --spec"),
    (&["deploy", "nothing", "--target", "local"], 3, "MF1002", "list"),
    (&["run", "hello", "--transport", "http", "--host", "0.0.0.0", "--port", "0"], 6, "MF1014", "auth"),
    (&["run", "./keyed.yaml", "--transport", "http", "--port", "0"], 6, "MF1021", "KEYED_API_KEY"),
    (
        &["run", "hello", "--transport", "http", "--host", "192.0.2.77", "--allow-unauthenticated"],
        1,
        "MF1018",
        "--host",
    ),
    (&["run", "hello", "--transport", "stdio", "--oauth", "single-user"], 2, "MF1045", "--transport http"),
    (
        &["run", "hello", "--transport", "http", "--host", "0.0.0.0", "--oauth", "single-user"],
        2,
        "MF1045",
        "--public-url",
    ),
    (
        &["run", "hello", "--transport", "http", "--oauth", "single-user", "--oauth-owner-passphrase-env", "NO_OWNER"],
        6,
        "MF1046",
        "export NO_OWNER",
    ),
    (&["keys", "revoke", "nothing"], 3, "MF1047", "keys list"),
    (&["keys", "create", ""], 2, "MF1048", "program"),
    (&["run", "hello", "--transport", "http", "--auth", "keys", "--rate", "guests=1/60"], 2, "MF1049", "--auth"),
    (&["links", "hello.yaml/bin"], 1, "MF1026", "folder"),
    (&["list", "--home", "broken"], 1, "MF1008", "doctor"),
    (&["create", "--spec", "hello.yaml", "--home", "hello.yaml/home"], 1, "MF1008", "--home"),
    (&["list", "--home", ""], 2, "MF1012", "--home"),
];

fn world() -> World {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    world.write("other.yaml", &HELLO.replace("Hello.", "Other."));
    world.write(
        "keyed.yaml",
        "name: keyed\nauth: {type: api_key}\ntools:\n  - {name: x, parameters: {}, reply: {text: x}}\n",
    );
    world.write("bad.yaml", "name: x\ntools:\n  - name: y\n    paramters: {}\n");
    world.write("bad.env", "A=1\nhunter2 is a secret\n");
    world.write("other-plan.json", r#"{"format":1,"server":"else","spec":"sha256:0","connections":[],"tools":[]}"#);
    std::fs::write(world.path("latin1.yaml"), b"name: caf\xe9\n").expect("a file");
    world.write("list.json", "[]");
    world.write("large.yaml", &" ".repeat(3 << 20));
    std::fs::create_dir(world.path("folder.yaml")).expect("a folder");
    std::fs::create_dir(world.path("broken")).expect("a folder");
    world.write("broken/catalogue.db", "this is no database but a text that is long enough");
    world.ok(&["create", "--spec", "hello.yaml"]);
    world
}

#[test]
fn an_import_says_what_is_lacking() {
    let world = World::new();
    let remote = r#"{"type": "streamable-http", "url": "https://mcp.example.com/mcp", "headers": [{"name": "X-Key", "isRequired": true, "isSecret": true}]}"#;
    world.write(
        "server.json",
        &format!(r#"{{"name": "io.example/y", "description": "D", "version": "1.0.0", "remotes": [{remote}]}}"#),
    );
    let ran = world.run(&["import", "server.json"]);
    assert!(ran.code != 0 && ran.err.contains("export MCP_REMOTE_Y_X_KEY"), "{}", ran.err);
    assert!(!ran.err.contains("--allow-network"), "{}", ran.err);
}

#[test]
fn a_password_in_a_url_is_not_printed() {
    let world = World::new();
    let url = "http://u:S3CRETPW@127.0.0.1:1/mcp";
    world.write("x.yaml", &format!("name: x\nconnections:\n  api:\n    type: http\n    url: {url}\ntools:\n  - name: a\n    description: A\n    parameters: {{}}\n    reply: {{ text: A }}\n"));
    for arguments in [
        &["connect", url][..],
        &["serve", "--port", "0", "--public-url", url],
        &["run", "x.yaml", "--http", "--oauth", "--public-url", url],
        &["validate", "x.yaml"],
        &["clients", "add", "codex", "x", "--url", url],
        &["clients", "add", "codex", "x", "--http", "--url", url, "--print"],
    ] {
        let ran = world.run(arguments);
        assert_ne!(ran.code, 0, "{arguments:?}: {}", ran.out);
        assert!(!ran.out.contains("S3CRET") && !ran.err.contains("S3CRET"), "{arguments:?}: {}{}", ran.out, ran.err);
    }
}

#[test]
fn every_error_names_a_next_step() {
    let world = world();
    assert!(CASES.len() >= 60, "{}", CASES.len());
    let mut wrong = Vec::new();
    for (arguments, code, name, word) in CASES {
        let ran = world.run(arguments);
        if let Err(why) = judge(&ran, *code, name, word) {
            wrong.push(format!("{arguments:?}: {why}\n  code {}\n  out {}\n  err {}", ran.code, ran.out, ran.err));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn judge(ran: &Ran, code: i32, name: &str, word: &str) -> Result<(), String> {
    let steps = ["hint:", "help:", "tip:", "--help", "Usage:"];
    let checks = [
        (ran.code == code, format!("exit code {code} expected")),
        (ran.out.is_empty(), "nothing belongs on standard output".to_owned()),
        (ran.err.contains(word), format!("`{word}` is missing")),
        (steps.iter().any(|step| ran.err.contains(step)), "no next step is named".to_owned()),
        (name == "-" || ran.err.contains(&format!("[{name}]")), format!("code {name} is missing")),
        (!ran.err.contains("panicked") && !ran.err.contains("RUST_BACKTRACE"), "it panicked".to_owned()),
        (!ran.err.contains("hunter2"), "a secret was printed".to_owned()),
    ];
    checks.into_iter().find(|(fine, _)| !fine).map_or(Ok(()), |(_, why)| Err(why))
}

#[test]
fn every_error_is_the_same_as_json() {
    let world = world();
    let mut wrong = Vec::new();
    for (arguments, code, name, _) in CASES.iter().filter(|(arguments, ..)| !arguments.contains(&"xml")) {
        let json: Vec<&str> = arguments.iter().copied().chain(["--output", "json"]).collect();
        let ran = world.run(&json);
        // A tool's answer that is an error is an answer: it is printed as one.
        let text = if *name == "MF1011" { continue } else { &ran.err };
        let error: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let error = &error["error"];
        let hints = error["hints"].as_array().map_or(0, Vec::len);
        let known = *name == "-" || error["code"] == *name;
        let exit = error["exitCode"] == *code && ran.code == *code;
        if !(known && exit && hints > 0 && error["message"].is_string() && ran.out.is_empty()) {
            wrong.push(format!("{arguments:?}: code {} out {} err {}", ran.code, ran.out, ran.err));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_database_that_cannot_be_reached_is_a_warning_on_create_and_an_error_in_status() {
    let mut world = World::new();
    world.set("SHOP_DB", "sqlite:/nonexistent/folder/shop.db");
    world.write("shop.yaml", include_str!("shop.yaml"));
    let made = world.run(&["create", "--spec", "shop.yaml", "--output", "json"]);
    assert!(made.code == 0 || made.code == 1, "{}", made.err);
    if made.code == 0 {
        let status = world.run(&["status", "shop", "--output", "json"]);
        assert_eq!(status.code, 1);
        assert_eq!(status.json()["healthy"], false);
        assert_eq!(world.run(&["doctor"]).code, 1);
    }
    let strict = world.run(&["create", "--spec", "shop.yaml", "--strict"]);
    assert_eq!(strict.code, 1, "{}", strict.err);
}

#[test]
fn a_damaged_catalogue_is_named_with_its_remedy() {
    let world = world();
    let file = world.home().join("catalogue.db");
    let mut bytes = std::fs::read(&file).expect("the catalogue");
    bytes[4096..].fill(0xff);
    std::fs::create_dir(world.path("damaged")).expect("a folder");
    std::fs::write(world.path("damaged/catalogue.db"), bytes).expect("a file");
    let ran = world.run(&["list", "--home", "damaged"]);
    assert!(ran.code == 1 && ran.err.contains("MF1008"), "{}", ran.err);
    let found = world.run(&["doctor", "--home", "damaged", "--offline", "--output", "json"]);
    assert_eq!(found.code, 1);
    let catalogue = &found.json()["checks"]["catalogue"];
    assert_eq!(catalogue["state"], "failed");
    assert!(catalogue["fix"].as_str().is_some_and(|fix| fix.contains("restore it from a copy")), "{catalogue}");
}

#[test]
fn writers_at_the_same_time_wait_for_each_other() {
    const WRITERS: usize = 8;
    let world = World::new();
    let spec =
        |n: usize| format!(r#"{{"name":"w-{n}","tools":[{{"name":"x","parameters":{{}},"reply":{{"text":"x"}}}}]}}"#);
    let children: Vec<_> = (0..WRITERS)
        .map(|n| world.command(&["create", "--quiet", "--json", &spec(n)]).spawn().expect("it starts"))
        .collect();
    for mut child in children {
        assert_eq!(child.wait().expect("it ends").code(), Some(0));
    }
    assert_eq!(world.json(&["list"])["servers"].as_array().map(Vec::len), Some(WRITERS));
}

#[test]
fn tips_name_what_help_shows() {
    let world = World::new();
    for words in [&["lst"][..], &["__gem"], &["ls2"], &["comlete"], &["jobs", "ls"]] {
        let ran = world.run(words);
        let tip = ran.err.lines().find(|line| line.trim_start().starts_with("tip: ")).unwrap_or_default();
        assert!(ran.code == 2 && !tip.contains("'ls'") && !tip.contains("'__"), "{words:?}: {}", ran.err);
    }
    assert!(world.run(&["lss"]).err.contains("'list'"));
    let ran = world.run(&["--output", "json"]);
    assert!(ran.code == 2 && ran.err.contains("create, list, status") && !ran.err.contains("__"), "{}", ran.err);
}
