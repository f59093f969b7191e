//! The same commands at home and at a control plane: the same output, the same exit codes.

use super::Plane;
use crate::world::{HELLO, Ran, World};

const SHOP: &str = include_str!("../shop.yaml");

/// Commands in the order in which they are run.
const COMMANDS: &[&[&str]] = &[
    &["list"],
    &["create", "--spec", "hello.yaml"],
    &["create", "--spec", "hello.yaml", "--output", "json"],
    &["create", "--spec", "shop.yaml"],
    &["create", "--spec", "changed.yaml"],
    &["create", "--spec", "changed.yaml", "--output", "json"],
    &["create", "--spec", "bad.yaml"],
    &["create", "--spec", "bad.yaml", "--output", "json"],
    &["create", "--spec", "nothing.yaml"],
    &["create", "--json", "{\"name\": \"x\", \"tools\": [], \"more\": 1}"],
    &["create", "--spec", "shop.yaml", "--dry-run"],
    &["list"],
    &["list", "--output", "json"],
    &["list", "--limit", "1"],
    &["list", "--cursor", "nonsense"],
    &["status", "hello"],
    &["status", "shop", "--output", "json"],
    &["status", "shoop"],
    &["status", "shop", "--spec-version", "9.9.9", "--output", "json"],
    &["test", "hello", "greet"],
    &["test", "shop", "get_product", "{\"id\": 3}"],
    &["test", "shop", "get_product", "{\"id\": \"x\"}"],
    &["test", "shop", "get_product", "nonsense"],
    &["test", "shop", "get_prodct", "{}"],
    &["test", "shop", "--all"],
    &["test", "shop.yaml", "--all", "--output", "json"],
    &["validate", "hello.yaml", "bad.yaml"],
    &["validate", "bad.yaml", "--output", "json"],
    &["plan", "shop"],
    &["plan", "shop.yaml", "--output", "json"],
    &["plan", "shop", "--pin", "get_product"],
    &["plan", "shop", "--pin", "nothing"],
    &["fmt", "hello.yaml", "shop.yaml"],
    &["fmt", "--check", "bad.yaml"],
    &["schema"],
    &["explain", "mf1005"],
    &["explain", "MF9999"],
    &["explain", "--output", "json"],
    &["version"],
    &["doctor", "--port", "0", "--offline"],
    &["search", "search", "products"],
    &["search", "--takes", "id", "--output", "json"],
    &["search", "nothing-like-it"],
    &["uses", "shop"],
    &["uses", "shop", "--output", "json"],
    &["uses", "shoop"],
    &["diff", "shop"],
    &["remove", "hello", "--dry-run"],
    &["remove", "hello", "--yes"],
    &["remove", "hello", "--yes"],
    &["status", "hello"],
];

/// Times and places differ from run to run.
fn plain(world: &World, text: &str) -> String {
    let folder = world.path("").display().to_string();
    let mut text = text.replace(folder.trim_end_matches('/'), "[DIR]");
    for (pattern, by) in [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[TIME]"),
        (r"TIME +NOTE", "TIME  NOTE"),
        (r"\d+(\.\d+)? +ms +", "[MS]  "),
        (r"\d+(\.\d+)? +ms", "[MS]"),
        (r#"Ms": \d+(\.\d+)?(e-\d+)?"#, r#"Ms": "[MS]""#),
        (r"\d+ MiB are free", "[N] MiB are free"),
    ] {
        text = regex::Regex::new(pattern).expect("a pattern").replace_all(&text, by).into_owned();
    }
    text
}

fn prepared() -> World {
    let mut world = World::with_shop();
    world.set("PATH", "/nonexistent");
    world.write("hello.yaml", HELLO);
    world.write("changed.yaml", &HELLO.replace("Hello.", "Good day."));
    world.write("shop.yaml", SHOP);
    world.write("bad.yaml", "name: Bad Name\ntols: []\ntools:\n  - nam: x\n");
    world
}

#[test]
fn commands_print_the_same_at_home_and_at_a_control_plane() {
    let (home, away) = (prepared(), prepared());
    let plane = Plane::start(&away);
    let at = ["--url", plane.url.as_str()];
    for command in COMMANDS {
        let here = home.run(command);
        let there = away.run(&[*command, &at].concat());
        let shown = |world: &World, ran: &Ran| (ran.code, plain(world, &ran.out), plain(world, &ran.err));
        assert_eq!(shown(&home, &here), shown(&away, &there), "{command:?}");
    }
}

#[test]
fn a_control_plane_that_is_not_there_is_told_of() {
    let world = World::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let url = format!("http://{free}");
    let ran = world.run(&["list", "--url", &url]);
    assert_eq!(ran.code, 7, "{}", ran.err);
    assert!(ran.err.contains("MF1042") && ran.err.contains("hint:"), "{}", ran.err);
    let mut world = World::new();
    world.set("MCP_FACTORY_URL", &url);
    assert_eq!(world.run(&["list"]).code, 7);
    let ran = world.run(&["list", "--key-env", "NO_SUCH_KEY"]);
    assert_eq!((ran.code, ran.err.contains("NO_SUCH_KEY")), (4, true), "{}", ran.err);
    assert_eq!(world.run(&["list", "--url", "ftp://x"]).code, 2);
    assert_eq!(world.run(&["run", "x", "--url", &url]).code, 2);
}
