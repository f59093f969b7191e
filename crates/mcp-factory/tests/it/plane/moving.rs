//! Archives, entries of the official registry, backups.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use super::Plane;
use super::agent::Agent;
use super::durable::spec;
use crate::postgres::Database;
use crate::world::{HELLO, World, service};

fn two_versions(world: &World) {
    world.write("one.yaml", HELLO);
    world.write("two.yaml", &HELLO.replace("1.0.0", "1.1.0").replace("Hello.", "Good day."));
    world.ok(&["create", "--spec", "one.yaml"]);
    world.ok(&["create", "--spec", "two.yaml"]);
}

#[test]
fn servers_move_as_one_archive() {
    let (from, to) = (World::new(), World::new());
    two_versions(&from);
    let file = from.path("servers.tar.gz").display().to_string();
    let told = from.json(&["export", &file]);
    assert_eq!(told["manifest"]["versions"].as_array().map(Vec::len), Some(2), "{told}");
    assert_eq!(from.run(&["export", &file]).code, 5, "it is there already");
    let plane = Plane::start(&to);
    let at = |arguments: &[&str]| to.run(&[arguments, &["--url", &plane.url, "--output", "json"]].concat());
    let dry = at(&["import", &file, "--dry-run"]);
    assert_eq!((dry.code, &dry.json()["versions"][0]["result"]), (0, &json!("created")), "{}", dry.err);
    assert_eq!(at(&["import", &file]).code, 0);
    assert_eq!(at(&["status", "hello"]).json()["versions"], json!(["1.1.0", "1.0.0"]));
    assert_eq!(at(&["test", "hello", "greet"]).json()["text"], "Good day.");
    assert_eq!(at(&["import", &file]).json()["versions"][0]["result"], "unchanged");

    to.write("other.yaml", &HELLO.replace("Hello.", "Something else."));
    assert_eq!(at(&["create", "--spec", "other.yaml", "--force"]).code, 0);
    let refused = at(&["import", &file]);
    assert_eq!((refused.code, refused.err.contains("MF1081")), (5, true), "{}", refused.err);
    let dry = at(&["import", &file, "--dry-run"]);
    assert_eq!((dry.code, dry.json()["versions"][0]["result"].as_str()), (1, Some("conflict")));
    let dry = at(&["import", &file, "--force", "--dry-run"]);
    let done = at(&["import", &file, "--force"]);
    assert_eq!((dry.code, done.code, done.json()["versions"][0]["result"].as_str()), (0, 0, Some("updated")));
    assert_eq!(dry.json()["versions"], done.json()["versions"]);
    let named = at(&["import", &file, "--name", "other"]);
    assert_eq!((named.code, named.err.contains("server.json")), (2, true), "{}", named.err);

    // A disk that is full: the archive that was there is there still.
    let before = std::fs::read(&file).expect("the archive");
    let full = "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"";
    let program = env!("CARGO_BIN_EXE_mcp-factory");
    let export = ["-c", full, program, "export", &file, "--force", "--url", &plane.url];
    let ran = to.command_of(std::path::Path::new("sh"), &export).output().expect("it starts");
    assert_eq!(ran.status.code(), Some(1), "{}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(std::fs::read(&file).expect("the archive"), before);
    assert!(!from.path("servers.tar.gz.part").exists());
    let ran = to.command(&["export", "-", "--url", &plane.url]).output().expect("it starts");
    std::fs::write(to.path("stream.tar.gz"), ran.stdout).expect("a file");
    assert_eq!(at(&["import", "stream.tar.gz"]).json()["versions"][0]["result"], "unchanged");

    to.write("newer.yaml", &HELLO.replace("1.0.0", "2.0.0").replace("Hello.", "The newest."));
    assert_eq!(at(&["create", "--spec", "newer.yaml"]).code, 0);
    assert_eq!(at(&["import", &file, "--force"]).code, 0);
    assert_eq!(at(&["test", "hello", "greet"]).json()["text"], "The newest.", "an older one does not take its place");
    assert_eq!(at(&["create", "--spec", "other.yaml", "--force", "--current"]).code, 0);
    assert_eq!(at(&["test", "hello", "greet"]).json()["text"], "Something else.", "unless that is what is asked for");
    assert_eq!(at(&["create", "--spec", "newer.yaml"]).json()["result"], "unchanged");
    assert_eq!(at(&["create", "--spec", "newer.yaml", "--current"]).json()["result"], "updated");
    assert_eq!(at(&["test", "hello", "greet"]).json()["text"], "The newest.");

    let mut bytes = std::fs::read(&file).expect("the archive");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(from.path("bad.tar.gz"), bytes).expect("a file");
    let ran = from.run(&["import", "bad.tar.gz"]);
    assert_eq!((ran.code, ran.err.contains("MF1082")), (1, true), "{}", ran.err);
}

/// An archive in which a text of one of its files is another one of the same length, and the manifest says so.
fn forged(archive: &[u8], file: &str, (from, to): (&str, &str)) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(archive).read_to_end(&mut plain).expect("an archive");
    let find = |plain: &[u8], part: &[u8]| plain.windows(part.len()).position(|window| window == part).expect("a part");
    let names: Vec<usize> = (0..plain.len()).step_by(512).filter(|at| plain[*at..].starts_with(b"servers/")).collect();
    let name = |at: usize| String::from_utf8_lossy(&plain[at..at + 100]).trim_end_matches('\0').to_owned();
    let head = *names.iter().find(|at| name(**at).ends_with(file)).expect("the file");
    let size = usize::from_str_radix(std::str::from_utf8(&plain[head + 124..head + 135]).unwrap(), 8).unwrap();
    let content = head + 512..head + 512 + size;
    let before = base::Digest::of(&plain[content.clone()]);
    let at = content.start + find(&plain[content.clone()], from.as_bytes());
    plain[at..at + to.len()].copy_from_slice(to.as_bytes());
    let after = base::Digest::of(&plain[content]);
    let told = find(&plain, before.as_str().as_bytes());
    plain[told..told + after.as_str().len()].copy_from_slice(after.as_str().as_bytes());
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(&plain).expect("an archive");
    out.finish().expect("an archive")
}

#[test]
fn an_archive_whose_parts_say_different_things_is_refused() {
    let (from, to) = (World::new(), World::new());
    from.write("one.yaml", HELLO);
    from.ok(&["create", "--spec", "one.yaml"]);
    from.ok(&["export", "servers.tar.gz"]);
    let whole = std::fs::read(from.path("servers.tar.gz")).expect("the archive");
    for (file, change, why) in [
        ("spec.yaml", ("Hello.", "Benign"), "something else"),
        ("spec.yaml", ("text: Hello.", "tixt: Hello."), "MF0"),
        ("plan.json", ("greet", "groot"), "plan"),
    ] {
        std::fs::write(to.path("forged.tar.gz"), forged(&whole, file, change)).expect("a file");
        for more in [&[][..], &["--dry-run"]] {
            let ran = to.run(&[&["import", "forged.tar.gz"], more].concat());
            assert_eq!((ran.code, ran.err.contains("MF1082"), ran.err.contains(why)), (1, true, true), "{}", ran.err);
        }
    }
    assert_eq!(to.json(&["list"])["servers"], json!([]));
    std::fs::write(to.path("whole.tar.gz"), whole).expect("a file");
    to.ok(&["import", "whole.tar.gz"]);
}

#[test]
fn the_store_is_backed_up_while_it_serves_and_restored() {
    let world = World::new();
    two_versions(&world);
    let plane = Plane::start(&world);
    let told = world.json(&["backup", "all.gz"]);
    assert!(told["rows"].as_u64() > Some(4), "{told}");
    assert_eq!(world.run(&["backup", "all.gz"]).code, 5, "it is there already");
    let held = world.run(&["restore", "all.gz", "--force", "--yes"]);
    assert_eq!((held.code, held.err.contains("MF1084")), (5, true), "{}", held.err);
    plane.end();
    world.ok(&["remove", "hello", "--yes"]);
    let refused = world.run(&["restore", "all.gz"]);
    assert_eq!((refused.code, refused.err.contains("MF1083")), (5, true), "{}", refused.err);
    assert_eq!(world.run(&["restore", "all.gz", "--force"]).code, 2, "it asks first");
    world.ok(&["restore", "all.gz", "--force", "--yes"]);
    assert_eq!(world.ok(&["test", "hello", "greet"]).out, "Good day.\n");
    assert_eq!(world.json(&["audit", "verify"])["intact"], true);
    assert_eq!(world.json(&["audit", "list", "--operation", "platform.restore"])["entries"][0]["outcome"], "ok");
    world.ok(&["restore", "all.gz", "--home", "another"]);
    assert_eq!(world.json(&["list", "--home", "another"])["servers"][0]["name"], "hello");
    let half = std::fs::read(world.path("all.gz")).expect("the backup");
    std::fs::write(world.path("half.gz"), &half[..half.len() / 2]).expect("a file");
    let ran = world.run(&["restore", "half.gz", "--home", "third"]);
    assert_eq!((ran.code, ran.err.contains("MF1082")), (1, true), "{}", ran.err);
}

#[test]
fn nothing_is_restored_while_a_control_plane_begins() {
    let world = World::new();
    two_versions(&world);
    world.ok(&["backup", "all.gz"]);
    // It holds the folder, and has not told yet where it is.
    let lock = std::fs::File::create(world.home().join("serve.lock")).expect("the lock");
    lock.lock().expect("nobody else holds it");
    let held = world.run(&["restore", "all.gz", "--force", "--yes"]);
    assert_eq!((held.code, held.err.contains("MF1084")), (5, true), "{}", held.err);
    drop(lock);
    world.ok(&["restore", "all.gz", "--force", "--yes"]);
}

#[test]
fn nothing_is_restored_while_a_control_plane_of_another_home_folder_uses_the_database() {
    let test = "nothing_is_restored_while_a_control_plane_of_another_home_folder_uses_the_database";
    let Some(server) = service("MCP_FACTORY_TEST_POSTGRES", test) else { return };
    let database = Database::new(server);
    let (mut one, mut two) = (World::new(), World::new());
    for world in [&mut one, &mut two] {
        world.set("MCP_FACTORY_STORE", &database.url());
    }
    two_versions(&one);
    let file = one.path("all.gz").display().to_string();
    one.ok(&["backup", &file]);
    let plane = Plane::start(&one);
    let held = two.run(&["restore", &file, "--force", "--yes"]);
    assert_eq!((held.code, held.err.contains("MF1084")), (5, true), "{}", held.err);
    plane.end();
    // The server sees a moment later that nobody is there any more.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let ran = two.run(&["restore", &file, "--force", "--yes"]);
        if ran.code == 0 {
            break;
        }
        assert!(ran.err.contains("MF1084") && std::time::Instant::now() < until, "{}", ran.err);
    }
    assert_eq!(two.json(&["audit", "list", "--operation", "platform.restore"])["entries"][0]["outcome"], "ok");
}

#[test]
fn an_entry_of_the_registry_becomes_a_server_that_passes_calls_on() {
    let world = World::new();
    let plane = Plane::start_with(&world, &["--allow-network", "private"]);
    assert_eq!(plane.post("/mcp/create", &json!({"spec": spec("hello")})).status, 201);
    assert_eq!(plane.post("/mcp/deploy/hello", &json!({})).status, 200);
    let at = |arguments: &[&str]| world.run(&[arguments, &["--url", &plane.url, "--output", "json"]].concat());
    let ran = at(&["export", "server.json", "--server", "hello", "--registry", "com.example"]);
    assert_eq!((ran.code, ran.err.contains("HTTPS")), (0, true), "{}", ran.err);
    let text = std::fs::read_to_string(world.path("server.json")).expect("the entry");
    let document: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["name"], "com.example/hello");
    assert_eq!(document["remotes"][0]["url"], format!("{}/servers/hello/mcp", plane.url));
    assert_eq!(at(&["export", "x.json", "--server", "hello", "--registry", "nothing"]).code, 2);

    let ran = at(&["import", "server.json", "--name", "twin"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let deployed = plane.post("/mcp/deploy/twin", &json!({})).json();
    assert_eq!(deployed["healthy"], true, "{deployed}");
    let (mut agent, _) = Agent::connect(&plane, "/servers/twin/mcp");
    assert_eq!(agent.call("greet", &json!({}))["content"][0]["text"], "I am hello.");
    assert_eq!(at(&["uses", "hello"]).json()["usedBy"][0]["server"], "twin");
}
