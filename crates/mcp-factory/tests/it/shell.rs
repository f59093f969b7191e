//! What shells and people get of the command line: lines of JSON, wide tables, completion, pages, places.

use std::process::Command;

use serde_json::{Value, json};

use crate::world::World;

fn spec(name: &str) -> Value {
    let tool =
        |name: &str| json!({"name": name, "description": "Says hello", "parameters": {}, "reply": {"text": "hi"}});
    json!({"name": name, "version": "1.0.0", "description": "x".repeat(100), "tools": [tool("greet"), tool("part")]})
}

fn filled() -> World {
    let world = World::new();
    for name in ["shop-mcp", "hr-mcp"] {
        world.ok(&["create", "--json", &spec(name).to_string()]);
    }
    world
}

#[test]
fn lists_are_documents_lines_or_wide_tables() {
    let world = filled();
    world.ok(&["keys", "create", "ci"]);
    let lines = |words: &[&str]| -> Vec<Value> {
        let ran = world.ok(&[words, &["-o", "ndjson"]].concat());
        ran.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}")))
            .collect()
    };
    let names: Vec<Value> = lines(&["list"]).iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["hr-mcp", "shop-mcp"]);
    assert_eq!(lines(&["search", "hello"]).len(), 4);
    assert_eq!(lines(&["keys", "list"])[0]["kind"], "key");
    assert!(lines(&["templates"]).len() > 10 && lines(&["explain"]).len() > 50);
    assert_eq!(lines(&["status", "hr-mcp"]).len(), 1, "what is no list is one line");
    assert_eq!(world.json(&["list"])["servers"].as_array().map(Vec::len), Some(2));

    let (narrow, wide) = (world.ok(&["list"]).out, world.ok(&["list", "--output", "wide"]).out);
    assert!(narrow.contains('…') && !narrow.contains("DIGEST"), "{narrow}");
    assert!(!wide.contains('…') && wide.contains("DIGEST") && wide.contains(&"x".repeat(100)), "{wide}");
    let page = world.ok(&["list", "--limit", "1", "-o", "ndjson"]);
    assert!(page.out.lines().count() == 1 && page.err.contains("--cursor"), "{}", page.err);
    let failed = world.run(&["status", "none", "-o", "ndjson"]);
    let told: Value = serde_json::from_str(&failed.err).expect("a document");
    assert_eq!((failed.code, &told["error"]["code"]), (3, &json!("MF1002")));
}

#[test]
fn names_are_completed() {
    let world = filled();
    let complete = |current: &str, words: &[&str]| {
        let current = format!("--current={current}");
        let ran = world.ok(&[&["__complete", &current, "--"], words].concat());
        ran.out.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("", &["status"]), ["hr-mcp", "shop-mcp"]);
    assert_eq!(complete("sh", &["rm"]), ["shop-mcp"]);
    assert_eq!(complete("", &["test", "shop-mcp"]), ["greet", "part"]);
    assert_eq!(complete("--tool=p", &["logs", "shop-mcp"]), ["--tool=part"]);
    assert_eq!(complete("", &["diff", "shop-mcp"]), ["1.0.0"]);
    assert_eq!(complete("mcp,servers:r", &["keys", "create", "x", "--scope"]), ["mcp,servers:read"]);
    let id = world.json(&["keys", "create", "ci"])["id"].as_str().unwrap().to_owned();
    assert_eq!(complete("", &["keys", "revoke"]), [id]);
    assert!(complete("", &["frobnicate"]).is_empty() && complete("-", &["status"]).is_empty());
    let elsewhere = world.path("elsewhere").display().to_string();
    assert!(complete("", &["--home", &elsewhere, "status"]).is_empty(), "the line names another home folder");
}

#[test]
fn bash_completes_names_and_words() {
    let world = filled();
    world.write("completion.bash", &world.ok(&["completion", "bash"]).out);
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_mcp-factory")).parent().expect("a folder");
    let complete = |words: &[&str]| {
        let list = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let text = format!(
            "source completion.bash; COMP_WORDS=(mcp-factory {list}); COMP_CWORD={}; _mcp_factory_names mcp-factory '{}' ''; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.len(),
            words.last().expect("a word")
        );
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap_or_default());
        let ran = Command::new("bash")
            .args(["-c", &text])
            .current_dir(world.path("."))
            .env("PATH", path)
            .env("MCP_FACTORY_HOME", world.home())
            .output();
        String::from_utf8(ran.expect("bash runs").stdout).expect("text")
    };
    assert_eq!(complete(&["status", "sh"]), "shop-mcp\n");
    assert_eq!(complete(&["test", "hr-mcp", "gr"]), "greet\n");
    assert!(complete(&["sta"]).contains("status"), "{}", complete(&["sta"]));
}

#[test]
fn places_and_pages_are_told() {
    let world = filled();
    let paths = world.json(&["debug", "paths"]);
    let of = |name: &str| paths["paths"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned().unwrap();
    assert_eq!(of("home")["path"], world.home().display().to_string());
    assert_eq!((&of("store")["exists"], &of("control plane")["exists"]), (&json!(true), &json!(false)));
    assert!(!World::new().home().exists(), "looking makes nothing");

    world.ok(&["man", "--to", "pages"]);
    let page = std::fs::read_to_string(world.path("pages/mcp-factory-create.1")).expect("a page");
    assert!(page.starts_with(".TH MCP") && page.contains("\n.SH EXAMPLES\n"), "{page}");
    assert_eq!(world.ok(&["man", "create"]).out, page);
    assert_eq!(world.run(&["man", "nothing"]).code, 2);
}

#[test]
fn templates_and_connections_are_told_by_whom_they_are_used() {
    let world = World::with_shop();
    let none = world.json(&["uses", "hello"]);
    assert_eq!((&none["made"], &none["version"]), (&Value::Null, &Value::Null));
    world.ok(&["create", "--template", "hello", "--name", "greeter"]);
    assert_eq!(world.json(&["uses", "hello"])["made"], json!([{"server": "greeter", "version": "1.0.0"}]));
    assert_eq!(world.json(&["uses", "greeter"])["template"], "hello");
    // A later version is of the same origin.
    let mut next = spec("greeter");
    next["version"] = "2.0.0".into();
    world.ok(&["create", "--json", &next.to_string()]);
    assert_eq!(world.json(&["uses", "hello"])["made"][0]["version"], "2.0.0");
    let shop = world.write("shop.yaml", include_str!("shop.yaml"));
    world.ok(&["create", &shop.display().to_string()]);
    let used = world.json(&["uses", "SHOP_DB"]);
    assert_eq!(used["usedBy"][0]["server"], "shop", "{used}");
    let unknown = world.run(&["uses", "nothing"]);
    assert!(unknown.code == 3 && unknown.err.contains("MF1002"), "{}", unknown.err);
}
