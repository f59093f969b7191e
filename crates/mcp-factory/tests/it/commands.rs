//! Every command, as text and as JSON.

use crate::world::{HELLO, World};

/// Runs a command as text and as JSON and compares both with their snapshots.
fn both(world: &World, name: &str, arguments: &[&str]) {
    world.snapshot(name, &world.run(arguments));
    let json: Vec<&str> = arguments.iter().copied().chain(["--output", "json"]).collect();
    world.snapshot(&format!("{name}-json"), &world.run(&json));
}

/// A spec over the shop's database: one tool that is inferred, two that are declared.
const SHOP: &str = include_str!("shop.yaml");

#[test]
fn a_template_is_filled_and_json_is_short_for_output_json() {
    let world = World::new();
    let listed = world.ok(&["templates", "--json"]).json();
    assert!(listed["templates"].as_array().is_some_and(|all| all.len() > 10), "{listed}");
    assert!(world.ok(&["templates", "hello"]).out.contains("tools:"));
    let made = world.json(&["create", "--template", "hello", "--name", "mine", "--set", "version=2.0.0"]);
    assert_eq!((&made["name"], &made["version"]), (&"mine".into(), &"2.0.0".into()), "{made}");
    let called = world.ok(&["test", "mine", "greet", "--json"]).json();
    assert_eq!(called["isError"], false, "{called}");
    assert_eq!(world.ok(&["doctor", "--json", "--offline", "--port", "0"]).json()["healthy"], true);
    let spec = r#"{"name":"plain","tools":[{"name":"x","parameters":{},"reply":{"text":"x"}}]}"#;
    assert!(world.ok(&["create", "--json", spec]).out.contains("created plain"), "with `create` it brings the spec");
}

#[test]
fn create_and_what_looks_at_servers() {
    let mut world = World::with_shop();
    // What clients this machine has is no matter of the snapshots.
    world.set("PATH", "/nonexistent");
    world.write("shop.yaml", SHOP);
    world.snapshot("create", &world.run(&["create", "--spec", "shop.yaml"]));
    world.snapshot("create-again-json", &world.run(&["create", "--spec", "shop.yaml", "--output", "json"]));
    both(&world, "list", &["list"]);
    both(&world, "status", &["status", "shop"]);
    both(&world, "plan", &["plan", "shop"]);
    both(&world, "doctor", &["doctor", "--port", "0"]);
    both(&world, "test-one", &["test", "shop", "get_product", r#"{"id": 3}"#]);
    both(&world, "test-all", &["test", "shop", "--all"]);
    both(&world, "remove-dry-run", &["remove", "shop", "--dry-run"]);
    world.snapshot("remove", &world.run(&["remove", "shop", "--yes"]));
    both(&world, "list-empty", &["list"]);
}

#[test]
fn create_without_storing() {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    both(&world, "create-dry-run", &["create", "--spec", "hello.yaml", "--dry-run"]);
    assert!(!world.home().exists(), "a dry run makes no home folder");
}

#[test]
fn validate_tells_everything_at_once() {
    let world = World::new();
    world.write("good.yaml", HELLO);
    world.write("bad.yaml", "name: Bad Name\ntols: []\ntools:\n  - nam: x\n");
    both(&world, "validate", &["validate", "good.yaml"]);
    let ran = world.run(&["validate", "good.yaml", "bad.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("--> bad.yaml:2:1"), "{}", ran.err);
    std::fs::write(world.path("latin1.yaml"), b"name: caf\xe9\n").expect("a file");
    let ran = world.run(&["validate", "latin1.yaml", "bad.yaml", "good.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("UTF-8") && ran.err.contains("--> bad.yaml:2:1"), "{}", ran.err);
    assert!(ran.out.contains("good.yaml"), "a file that is no text keeps no other from being checked: {}", ran.out);
    let found = world.run(&["validate", "bad.yaml", "--output", "json"]).json();
    assert_eq!(found["valid"], false);
    assert!(found["files"][0]["diagnostics"].as_array().is_some_and(|all| all.len() >= 2), "{found}");
}

#[test]
fn small_commands() {
    let world = World::new();
    both(&world, "version", &["version"]);
    both(&world, "help-exit-codes", &["help", "exit-codes"]);
    both(&world, "explain", &["explain", "mf1005"]);
    let schema = world.json(&["schema"]);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        assert!(world.ok(&["completion", shell]).out.contains("mcp-factory"));
    }
    assert!(world.json(&["completion", "bash"])["script"].is_string());
}

#[test]
fn links_are_the_same_program() {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    let made = world.json(&["links", "bin"]);
    assert_eq!(made["links"].as_array().map(Vec::len), Some(17));
    world.ok(&["links", "bin"]);
    let run = |name: &str, arguments: &[&str]| {
        let output = world.command_of(&world.path(name), arguments).output().expect("the link runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(run("bin/mcp-create", &["--spec", "./hello.yaml"]).0, Some(0));
    assert!(run("bin/mcp-list", &[]).1.contains("hello"));
    assert_eq!(run("bin/mcp-test", &["hello", "greet"]), (Some(0), "Hello.\n".to_owned()));
    assert_eq!(run("bin/mcp-test", &["hello", "--all"]).0, Some(0));
    assert_eq!(run("bin/mcp-status", &["hello"]).0, Some(0));
    assert_eq!(run("bin/mcp-remove", &["hello", "--yes"]).0, Some(0));
}

#[test]
fn specs_come_from_arguments_and_standard_input() {
    let world = World::new();
    let spec = r#"{"name": "test", "tools": [{"name": "ping", "reply": {"text": "pong"}}]}"#;
    assert_eq!(world.json(&["create", "--json", spec])["result"], "created");
    let ran = world.run_with(&["create", "--spec", "-", "--output", "json"], HELLO);
    assert_eq!((ran.code, ran.json()["name"].as_str()), (0, Some("hello")));
    let ran = world.run_with(&["validate", "-"], HELLO);
    assert!(ran.out.starts_with("<stdin>: valid hello 1.0.0"), "{}", ran.out);
}

#[test]
fn quiet_says_nothing_but_data() {
    let world = World::new();
    world.write("hello.yaml", HELLO);
    assert_eq!(world.ok(&["create", "--spec", "hello.yaml", "--quiet"]).err, "");
    assert_eq!(world.ok(&["list", "-q"]).err, "");
}

#[test]
fn colours_are_asked_for_or_absent() {
    let mut world = World::new();
    let plain = world.run(&["status", "x"]).err;
    assert!(!plain.contains('\u{1b}'), "{plain}");
    world.set("CLICOLOR_FORCE", "1");
    assert!(world.run(&["status", "x"]).err.contains('\u{1b}'));
    assert!(!world.run(&["status", "x", "--no-color"]).err.contains('\u{1b}'));
    world.set("NO_COLOR", "1");
    assert!(!world.run(&["status", "x"]).err.contains('\u{1b}'));
}

#[test]
fn formatting_keeps_comments_and_the_digest() {
    let world = World::new();
    let odd = "# a greeting\nname:   hello\ntools:\n    -   name: greet\n        parameters: {}\n        reply: {text: Hello.}   # said\n";
    world.write("odd.yaml", odd);
    let digest = |file: &str| world.json(&["validate", file])["files"][0]["digest"].clone();
    let before = digest("odd.yaml");
    assert_eq!(world.run(&["fmt", "--check", "odd.yaml"]).code, 1);
    let printed = world.ok(&["fmt", "odd.yaml"]).out;
    assert!(printed.contains("# a greeting") && printed.contains("# said") && printed != odd, "{printed}");
    assert_eq!(world.json(&["fmt", "--write", "odd.yaml"])["formatted"], false);
    assert_eq!(std::fs::read_to_string(world.path("odd.yaml")).expect("the file"), printed);
    assert_eq!(world.ok(&["fmt", "--check", "odd.yaml"]).out, "");
    assert_eq!(digest("odd.yaml"), before);
    world.write("broken.yaml", "name: [x");
    let ran = world.run(&["fmt", "broken.yaml"]);
    assert!(ran.code == 1 && ran.err.contains("MF1001"), "{}", ran.err);
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_is_lost_is_a_failure_and_a_reader_that_leaves_is_none() {
    let world = World::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the device");
    let output = world.command(&["schema"]).stdout(full).output().expect("it runs");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && told.contains("MF1026"), "{told}");
    let mut child = world.command(&["schema"]).stdout(std::process::Stdio::piped()).spawn().expect("it runs");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// Every file below a folder, with what it holds.
fn files(folder: &std::path::Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path()) {
        match entry.is_dir() {
            true => found.extend(files(&entry)),
            // The files beside the catalogue come and go with whoever reads it.
            false if entry.to_string_lossy().contains(".db-") => {}
            false => drop(found.insert(entry.clone(), std::fs::read(&entry).expect("a file"))),
        }
    }
    found
}

#[test]
fn what_writes_files_or_plans_can_be_tried() {
    let world = World::with_shop();
    world.write("shop.yaml", SHOP);
    world.write("loose.yaml", &format!("{}\n\n\n", HELLO.replace("{ text: Hello. }", "{text:   Hello.}")));
    world.ok(&["create", "--spec", "shop.yaml"]);
    world.ok(&["backup", "all.gz"]);
    let before = files(&world.path(""));
    for (words, told) in [
        (&["backup", "more.gz"][..], "would write more.gz: "),
        (&["backup", "all.gz", "--force"], "would write all.gz: "),
        (&["restore", "all.gz", "--force"], "in the place of everything that is stored"),
        (&["export", "servers.tar.gz"], "would write servers.tar.gz with 1 version"),
        (
            &["export", "s.json", "--server", "shop", "--registry", "com.example", "--public-url", "https://a.example"],
            "would write s.json",
        ),
        (&["fmt", "--write", "loose.yaml"], "would be formatted: loose.yaml"),
        (&["links", "bin"], "would make bin/mcp-create"),
        (&["plan", "shop", "--pin", "get_product"], "revision 2 (new)"),
        (&["plan", "shop", "--refresh"], "plan of shop"),
    ] {
        let ran = world.ok(&[words, &["--dry-run"]].concat());
        assert!(ran.out.contains(told), "{words:?}: {}", ran.out);
        assert!(ran.err.contains("nothing was changed"), "{words:?}: {}", ran.err);
        let after = files(&world.path(""));
        let changed = after.iter().filter(|(path, content)| before.get(*path) != Some(*content)).map(|(path, _)| path);
        let changed: Vec<_> = changed.filter(|path| !path.ends_with("catalogue.db")).collect();
        assert!(changed.is_empty() && after.len() == before.len(), "{words:?} changed {changed:?}");
    }
    assert_eq!(world.json(&["plan", "shop"])["revision"], 1);
    for (words, code) in [
        (&["backup", "all.gz"][..], 5),
        (&["backup", "nowhere/all.gz"], 1),
        (&["restore", "all.gz"], 5),
        (&["restore", "none.gz"], 3),
        (&["export", "all.gz"], 5),
    ] {
        assert_eq!(
            world.run(&[words, &["--dry-run"]].concat()).code,
            code,
            "{words:?}: what cannot be done cannot be tried"
        );
    }
}
