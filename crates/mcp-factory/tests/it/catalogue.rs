//! Versions, conflicts, plans, pages of the list.

use crate::world::{HELLO, World};

#[test]
fn the_same_spec_is_unchanged_however_it_is_written() {
    let world = World::new();
    world.write("a.yaml", HELLO);
    world.write("b.yaml", &format!("# a comment\n{}", HELLO.replace("{ text: Hello. }", "\n      text: \"Hello.\"")));
    assert_eq!(world.json(&["create", "--spec", "a.yaml"])["result"], "created");
    assert_eq!(world.json(&["create", "--spec", "a.yaml"])["result"], "unchanged");
    assert_eq!(world.json(&["create", "--spec", "b.yaml"])["result"], "unchanged");
}

#[test]
fn another_content_under_the_same_version_is_a_conflict() {
    let world = World::new();
    world.write("a.yaml", HELLO);
    world.write("b.yaml", &HELLO.replace("Hello.", "Good day."));
    world.ok(&["create", "--spec", "a.yaml"]);
    let ran = world.run(&["create", "--spec", "b.yaml"]);
    assert_eq!(ran.code, 5, "{}", ran.err);
    assert_eq!(world.run(&["create", "--spec", "b.yaml", "--dry-run"]).code, 5);
    assert_eq!(world.ok(&["test", "hello", "greet"]).out, "Hello.\n");
    assert_eq!(world.json(&["create", "--spec", "b.yaml", "--force"])["result"], "updated");
    assert_eq!(world.ok(&["test", "hello", "greet"]).out, "Good day.\n");
}

#[test]
fn versions_are_kept_side_by_side() {
    let world = World::new();
    world.write("a.yaml", HELLO);
    world.write("b.yaml", &HELLO.replace("1.0.0", "1.1.0").replace("Hello.", "Good day."));
    world.ok(&["create", "--spec", "a.yaml"]);
    assert_eq!(world.json(&["create", "--spec", "b.yaml"])["result"], "updated");
    for more in [&["--dry-run"][..], &[]] {
        assert_eq!(world.json(&[&["create", "--spec", "a.yaml"], more].concat())["result"], "unchanged");
    }
    let status = world.json(&["status", "hello"]);
    assert_eq!((&status["version"], &status["versions"]), (&"1.1.0".into(), &serde_json::json!(["1.1.0", "1.0.0"])));
    assert_eq!(world.ok(&["test", "hello", "greet", "--spec-version", "1.0.0"]).out, "Hello.\n");
    assert_eq!(world.ok(&["test", "hello", "greet"]).out, "Good day.\n");
    assert_eq!(world.run(&["status", "hello", "--spec-version", "3.0.0"]).code, 3);
}

#[test]
fn a_plan_is_edited_pinned_and_kept() {
    let world = World::with_shop();
    world.write("shop.yaml", include_str!("shop.yaml"));
    world.ok(&["create", "--spec", "shop.yaml"]);
    let mut plan = world.json(&["plan", "shop"]);
    let search = &mut plan["plan"]["tools"][0];
    assert_eq!((&search["tool"], &search["origin"]), (&"search_products".into(), &"inferred".into()));
    search["action"]["sql"]["statements"] = serde_json::json!([{ "sql": "SELECT name FROM products WHERE name LIKE :query || '%' ORDER BY name LIMIT :limit" }]);
    world.write("edited.json", &plan.to_string());
    let stored = world.json(&["plan", "shop", "--import", "edited.json"]);
    assert_eq!((&stored["revision"], &stored["changed"]), (&2.into(), &true.into()));
    let rows = world.json(&["test", "shop", "search_products", r#"{"query": "Aurora"}"#]);
    assert_eq!(
        rows["structured"],
        serde_json::json!([{ "name": "Aurora 13 laptop" }, { "name": "Aurora 15 Pro laptop" }])
    );

    // Planning and creating again keep it; unpinning gives the inferred one back.
    let refreshed = world.json(&["plan", "shop", "--refresh"]);
    assert_eq!(refreshed["plan"]["tools"][0]["origin"], "pinned");
    assert_eq!(world.json(&["create", "--spec", "shop.yaml"])["tools"][0]["origin"], "pinned");
    let again = world.json(&["plan", "shop", "--unpin", "search_products"]);
    assert_eq!(again["plan"]["tools"][0]["origin"], "inferred");
}

#[test]
fn what_could_not_be_inferred_is_inferred_when_the_database_is_there() {
    let mut world = World::with_shop();
    world.write("shop.yaml", &include_str!("shop.yaml").replace("SHOP_DB", "LATER_DB"));
    let made = world.json(&["create", "--spec", "shop.yaml"]);
    assert_eq!(made["tools"][0]["origin"], "none");
    assert!(made["warnings"].as_array().is_some_and(|all| !all.is_empty()));
    assert_eq!(world.run(&["status", "shop"]).code, 1);
    world.set("LATER_DB", &format!("sqlite:{}", world.path("shop.db").display()));
    let rows = world.json(&["test", "shop", "search_products", r#"{"query": "jeans"}"#]);
    assert_eq!(rows["structured"].as_array().map(Vec::len), Some(2), "{rows}");
    assert_eq!(world.run(&["status", "shop"]).code, 0);
}

#[test]
fn lists_come_in_pages() {
    let world = World::new();
    for name in ["a", "b", "c"] {
        let spec = serde_json::json!({ "name": name, "tools": [{ "name": "x", "reply": { "text": "x" } }] });
        world.ok(&["create", "--json", &spec.to_string()]);
    }
    let first = world.json(&["list", "--limit", "2"]);
    assert_eq!(first["servers"].as_array().map(Vec::len), Some(2));
    let cursor = first["nextCursor"].as_str().expect("a cursor");
    let second = world.json(&["list", "--limit", "2", "--cursor", cursor]);
    assert_eq!((&second["servers"][0]["name"], second.get("nextCursor")), (&"c".into(), None));
}

#[test]
fn an_environment_file_gives_what_the_environment_does_not() {
    let world = World::with_shop();
    world.write("shop.yaml", &include_str!("shop.yaml").replace("SHOP_DB", "FILE_DB"));
    world.write("vars.env", &format!("# the shop\nFILE_DB=\"sqlite:{}\"\n", world.path("shop.db").display()));
    world.ok(&["create", "--spec", "shop.yaml", "--env-file", "vars.env"]);
    let row = world.json(&["test", "shop", "get_product", r#"{"id": 1}"#, "--env-file", "vars.env"]);
    assert_eq!(row["structured"]["sku"], "LAP-13-AIR");
    assert_eq!(world.run(&["test", "shop", "get_product", r#"{"id": 1}"#]).code, 1);
}
