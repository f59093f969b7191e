//! Help: examples first, every command in its group, and fast.

use std::time::{Duration, Instant};

use crate::world::World;

/// The commands that a user sees.
fn commands(world: &World) -> Vec<String> {
    let script = world.ok(&["completion", "fish"]).out;
    let mut names: Vec<String> = script
        .lines()
        .filter(|line| line.contains("__fish_mcp_factory_needs_command") && line.contains(" -f -a \""))
        .filter_map(|line| line.split("-a \"").nth(1)?.split('"').next().map(str::to_owned))
        .filter(|name| !name.starts_with("__") && !name.contains(char::is_whitespace))
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn every_command_is_listed_and_begins_with_examples() {
    let world = World::new();
    let top = world.ok(&["--help"]).out;
    let names = commands(&world);
    assert!(names.len() >= 15, "{names:?}");
    for name in names.iter().filter(|name| !["ls", "rm"].contains(&name.as_str())) {
        assert!(top.contains(&format!("\n  {name} ")), "{name} is missing from the top-level help");
        let help = world.ok(&[name, "--help"]).out;
        let examples = help.find("Examples:").unwrap_or_else(|| panic!("{name} has no examples"));
        let usage = help.find("Usage:").unwrap_or_else(|| panic!("{name} has no usage"));
        assert!(examples < usage, "{name}: examples come first");
        for line in help[examples..usage].lines().skip(1).filter(|line| !line.is_empty()) {
            let is_whole =
                ["#", "curl "].iter().any(|start| line.trim_start().starts_with(start)) || line.contains("mcp-");
            assert!(is_whole, "{name}: an example is wrapped: {line}");
        }
        assert_eq!(world.ok(&["help", name]).out.trim(), help.trim(), "{name}");
        assert_eq!(world.ok(&[name, "-h"]).out.trim(), help.trim(), "{name}");
    }
}

#[test]
fn help_is_on_standard_output_and_a_missing_command_is_a_usage_error() {
    let world = World::new();
    assert_eq!(world.run(&["--help"]).err, "");
    let ran = world.run(&[]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("Usage:"));
}

#[test]
fn help_makes_nothing_and_is_fast() {
    let world = World::new();
    let fastest = (0..5)
        .map(|_| {
            let start = Instant::now();
            world.ok(&["--help"]);
            start.elapsed()
        })
        .min()
        .unwrap_or_default();
    // An unoptimized build on a busy machine; the release build is held to 20 ms elsewhere.
    assert!(fastest < Duration::from_millis(400), "{fastest:?}");
    assert!(!world.home().exists());
}
