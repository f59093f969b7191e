//! `clients`: entries in the files of MCP clients.

use std::path::PathBuf;

use serde_json::Value;

use crate::plane::Plane;
use crate::world::{HELLO, World};

/// A world with a server `hello` and a home of its own for the clients.
fn world() -> World {
    let mut world = World::new();
    let home = world.path("account");
    std::fs::create_dir(&home).expect("a folder");
    world.set("HOME", &home.display().to_string());
    world.write("hello.yaml", HELLO);
    world.ok(&["create", "--spec", "hello.yaml"]);
    world
}

/// Each client with the path of its file below home and below a project, what is there already, and a word of ours in it.
const FILES: &[(&str, &str, Option<&str>, &str)] = &[
    (
        "claude",
        ".config/Claude/claude_desktop_config.json",
        None,
        "{\n  \"theme\": \"dark\",\n  \"mcpServers\": {\n    \"a\": {\n      \"command\": \"a\"\n    }\n  }\n}\n",
    ),
    (
        "claude-code",
        ".claude.json",
        Some(".mcp.json"),
        "{\n  \"numStartups\": 7,\n  \"mcpServers\": {\n    \"a\": {}\n  },\n  \"last\": [1]\n}",
    ),
    (
        "cursor",
        ".cursor/mcp.json",
        Some(".cursor/mcp.json"),
        "{\n\t\"mcpServers\": {\n\t\t// mine\n\t\t\"a\": {},\n\t},\n}\n",
    ),
    (
        "codex",
        ".codex/config.toml",
        Some(".codex/config.toml"),
        "model = \"m\" # mine\n\n[mcp_servers.a]\ncommand = \"a\"\n",
    ),
    (
        "vscode",
        ".config/Code/User/mcp.json",
        Some(".vscode/mcp.json"),
        "{\n    \"inputs\": [],\n    \"servers\": {\n        \"a\": {\"type\": \"stdio\"}\n    }\n}\n",
    ),
];

fn prepared(world: &World, below: &str, text: &str) -> PathBuf {
    let file = world.path("account").join(below);
    std::fs::create_dir_all(file.parent().unwrap()).expect("a folder");
    std::fs::write(&file, text).expect("a file");
    file
}

#[test]
fn an_entry_is_written_once_and_removed_and_the_rest_stays_byte_for_byte() {
    let world = world();
    for (client, below, _, before) in FILES {
        let file = prepared(&world, below, before);
        let text = || std::fs::read_to_string(&file).expect("a file");
        let shown = world.json(&["clients", "add", client, "hello", "--print"]);
        assert_eq!((shown["result"].as_str(), shown["dryRun"].as_bool()), (Some("added"), Some(true)), "{shown}");
        assert_eq!(text(), *before, "nothing is written");
        let added = world.json(&["clients", "add", client, "hello"]);
        assert_eq!(added["result"], "added");
        let after = text();
        assert!(after.contains("\"connect\"") && after.contains("\"hello\""), "{after}");
        assert_eq!(std::fs::read_to_string(added["backup"].as_str().unwrap()).unwrap(), *before);
        assert_eq!(world.json(&["clients", "add", client, "hello"])["result"], "unchanged");
        assert_eq!(text(), after);
        let listed = world.json(&["clients", "list", client]);
        let names: Vec<&str> = listed.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["a", "hello"]);
        assert_eq!((&listed[0]["own"], &listed[1]["own"]), (&Value::Bool(false), &Value::Bool(true)), "{listed}");
        assert_eq!(world.json(&["clients", "remove", client, "hello"])["result"], "removed");
        assert_eq!(text(), *before, "{client}");
        assert_eq!(world.run(&["clients", "remove", client, "hello"]).code, 3);
        let taken = world.run(&["clients", "add", client, "hello", "--as", "a"]);
        assert_eq!((taken.code, taken.err.contains("MF1096")), (5, true), "{}", taken.err);
        assert_eq!(world.json(&["clients", "add", client, "hello", "--as", "a", "--force"])["result"], "changed");
    }
}

#[test]
fn projects_have_files_of_their_own_and_missing_ones_are_made() {
    let world = world();
    for (client, below, project, _) in FILES {
        world.ok(&["clients", "add", client, "hello"]);
        assert!(world.path("account").join(below).exists(), "{client}");
        let ran = world.run(&["clients", "add", client, "hello", "--scope", "project"]);
        match project {
            Some(path) => assert!(ran.code == 0 && world.path(path).exists(), "{}{}", ran.out, ran.err),
            None => assert_eq!(ran.code, 2, "{}", ran.err),
        }
    }
    assert_eq!(world.json(&["clients", "list"]).as_array().map(Vec::len), Some(9));
}

#[test]
fn what_a_client_starts_is_the_server() {
    let world = world();
    world.ok(&["clients", "add", "claude-code", "hello"]);
    let text = std::fs::read_to_string(world.path("account").join(".claude.json")).unwrap();
    let entry = serde_json::from_str::<Value>(&text).unwrap()["mcpServers"]["hello"].clone();
    assert_eq!(entry["type"], "stdio");
    let words: Vec<&str> = entry["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let hello = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}\n";
    let ran = world.run_with(&words, hello);
    assert!(ran.code == 0 && ran.out.contains("\"hello\""), "{}{}", ran.out, ran.err);
    assert!(entry["command"].as_str().is_some_and(|path| path.ends_with("mcp-factory")), "{entry}");
}

#[test]
fn a_url_is_written_with_the_name_of_the_variable_of_its_key() {
    let mut world = world();
    assert_eq!(world.run(&["clients", "add", "cursor", "hello", "--http"]).code, 1);
    let plane = Plane::start(&world);
    world.set("MCP_FACTORY_KEY", "a-secret");
    for (client, part) in [
        ("claude-code", "\"Authorization\": \"Bearer ${MCP_FACTORY_KEY}\""),
        ("cursor", "\"Authorization\": \"Bearer ${env:MCP_FACTORY_KEY}\""),
        ("vscode", "\"type\": \"http\""),
        ("codex", "bearer_token_env_var = \"MCP_FACTORY_KEY\""),
    ] {
        let ran = world.ok(&["clients", "add", client, "hello", "--http", "--url", &plane.url, "--print"]);
        assert!(ran.out.contains(part) && ran.out.contains("/servers/hello/mcp"), "{}", ran.out);
        assert!(!ran.out.contains("a-secret"), "{}", ran.out);
    }
    let ran = world.run(&["clients", "add", "claude", "hello", "--http"]);
    assert_eq!((ran.code, ran.err.contains("programs only")), (2, true), "{}", ran.err);
}

#[test]
fn a_file_that_cannot_be_understood_is_left_alone() {
    let world = world();
    for (client, below, text, place) in [
        ("cursor", ".cursor/mcp.json", "{\"mcpServers\": {\n", ":2:1 "),
        ("codex", ".codex/config.toml", "mcp_servers = { hello = {} }\n", ":1:1 "),
    ] {
        let file = prepared(&world, below, text);
        let ran = world.run(&["clients", "add", client, "hello"]);
        assert!(ran.code == 1 && ran.err.contains("MF1095") && ran.err.contains(place), "{}", ran.err);
        assert_eq!(std::fs::read_to_string(file).unwrap(), text);
    }
    let ran = world.run(&["clients", "add", "codex", "helo"]);
    assert_eq!((ran.code, ran.err.contains("did you mean `hello`")), (3, true), "{}", ran.err);
}

#[test]
fn an_entry_of_another_program_is_only_replaced_when_that_is_asked_for() {
    let world = world();
    for (client, below, entry) in [
        ("cursor", ".cursor/mcp.json", "{\"command\":\"npx\",\"args\":[\"-y\",\"other-tool\",\"connect\"]}"),
        (
            "claude-code",
            ".claude.json",
            "{\"command\":\"npx\",\"args\":[\"mcp-factory\"],\"cwd\":\"/srv/mcp-factory\"}",
        ),
        ("vscode", ".config/Code/User/mcp.json", "{\"type\":\"http\",\"url\":\"https://mcp-factory.example.com/mcp\"}"),
        ("codex", ".codex/config.toml", "command = \"npx\" # not mcp-factory\nargs = [\"connect\"]\n"),
    ] {
        let section = if client == "vscode" { "servers" } else { "mcpServers" };
        let text = match client {
            "codex" => format!("[mcp_servers.hello]\n{entry}"),
            _ => format!("{{\"{section}\": {{\"hello\": {entry}}}}}"),
        };
        let file = prepared(&world, below, &text);
        assert_eq!(world.json(&["clients", "list", client])[0]["own"], false, "{client}");
        let ran = world.run(&["clients", "add", client, "hello"]);
        assert_eq!((ran.code, ran.err.contains("MF1096")), (5, true), "{client}: {}", ran.err);
        let ran = world.run(&["clients", "remove", client, "hello"]);
        assert_eq!((ran.code, ran.err.contains("--force")), (5, true), "{client}: {}", ran.err);
        assert_eq!(world.run(&["clients", "add", client, "hello", "--as", ""]).code, 2, "{client}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        let dry = ["clients", "remove", client, "hello", "--force", "--dry-run"];
        assert_eq!(world.json(&dry)["result"], "removed", "{client}");
        assert_eq!(world.json(&["clients", "add", client, "hello", "--force"])["result"], "changed");
        assert!(!std::fs::read_to_string(&file).unwrap().contains("npx"), "{client}");
        assert_eq!(world.json(&["clients", "list", client])[0]["own"], true, "{client}");
    }
}

/// Texts, and what people make of them.
type Edits = &'static [(&'static str, &'static str)];

/// A file after an entry was added, what people make of it, and a part of it that is changed by another entry of the name.
const FILLED_IN: &[(&str, &str, Edits)] = &[
    (
        "claude",
        ".config/Claude/claude_desktop_config.json",
        &[
            ("\"<value>\"", "\"s3cret\""),
            ("\"env\": {", "\"disabled\": true, // for now\n      \"env\": {\n        \"LOG\": \"1\","),
        ],
    ),
    ("cursor", ".cursor/mcp.json", &[("\"args\"", "\"envFile\": \".env\",\n      \"args\"")]),
    (
        "codex",
        ".codex/config.toml",
        &[
            ("\nargs", "\nenabled = false # for now\nstartup_timeout_sec = 60\nargs"),
            ("[\"SHOP_KEY\"]\n", "[\"MINE\", \"SHOP_KEY\"]\n\n[mcp_servers.hello.env]\nLOG = \"1\"\n"),
        ],
    ),
];

#[test]
fn what_people_filled_in_stays_when_an_entry_is_written_again() {
    let world = world();
    for (client, below, edits) in FILLED_IN {
        let add = ["clients", "add", client, "hello", "--variable", "SHOP_KEY"];
        let told = world.ok(&add).err;
        assert_eq!(told.contains("fill in what SHOP_KEY holds"), *client == "claude", "{told}");
        let file = world.path("account").join(below);
        let mut text = std::fs::read_to_string(&file).unwrap();
        for (from, to) in *edits {
            assert!(text.contains(from), "{client}: {text}");
            text = text.replacen(from, to, 1);
        }
        std::fs::write(&file, &text).unwrap();
        let again = world.json(&add);
        assert_eq!((&again["result"], &again["fillIn"]), (&Value::from("unchanged"), &Value::Null), "{client}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        let other = world.json(&[&add[..], &["--spec-version", "1.0.0"]].concat());
        assert_eq!(other["result"], "changed", "{client}");
        let after = std::fs::read_to_string(&file).unwrap();
        assert!(after.contains("\"--spec-version\""), "{after}");
        for (_, to) in *edits {
            let to = to.strip_suffix("args").unwrap_or(to);
            assert!(after.contains(to), "{to} in {after}");
        }
        assert_eq!(world.json(&add)["result"], "changed");
        let back = std::fs::read_to_string(&file).unwrap();
        let same = |text: &str| text.replace(char::is_whitespace, "");
        assert_eq!(same(&back), same(&text), "{client}");
    }
}

#[test]
fn no_name_leads_to_another_path() {
    let world = world();
    let at = ["--url", "http://127.0.0.1:9"];
    for words in [
        &["clients", "add", "cursor", "hello", "--http", "--print", "--group", "a/../../x"][..],
        &["clients", "add", "cursor", "../x", "--http", "--print"],
        &["clients", "add", "cursor", "hello", "--print", "--spec-version", ".."],
        &["connect", "hello", "--group", "a?b"],
    ] {
        let ran = world.run(&[words, &at].concat());
        assert_eq!((ran.code, ran.err.contains("is no name of a")), (2, true), "{words:?} {}", ran.err);
    }
}
