//! The catalogue as a whole: what servers can do, what they use, how their versions differ.

use serde_json::{Value, json};

use crate::world::World;

const SHOP: &str = include_str!("shop.yaml");

fn create(world: &World, spec: &Value) {
    world.ok(&["create", "--json", &spec.to_string()]);
}

fn replies(name: &str, parameters: &Value) -> Value {
    json!({"name": name, "description": format!("Does {name}"), "parameters": parameters, "reply": {"text": "x"}})
}

/// A shop with a database, and a server that calls its tools.
fn two() -> World {
    let world = World::with_shop();
    world.write("shop.yaml", SHOP);
    world.ok(&["create", "--spec", "shop.yaml"]);
    let assistant = json!({
        "name": "assistant", "version": "1.0.0", "description": "Helps shoppers",
        "connections": [{"name": "shop", "type": "mcp", "url": "http://127.0.0.1:1/servers/shop/mcp"}],
        "tools": [{"name": "ask_shop", "description": "Asks the shop", "connection": "shop",
                   "call": {"tool": "search_products"}, "parameters": []}],
        "prompts": [{"name": "greet_shopper", "arguments": [{"name": "who", "required": true}],
                     "messages": [{"role": "user", "text": "Greet {{ who }}"}]}],
    });
    world.ok(&["create", "--json", &assistant.to_string(), "--allow-network", "private"]);
    world
}

#[test]
fn what_servers_can_do_is_found_by_words_and_by_schema() {
    let world = two();
    let found = |arguments: &[&str]| {
        let ran = world.run(&[&["search", "--output", "json"], arguments].concat());
        let names: Vec<String> = ran.json()["found"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|one| format!("{} {}", one["server"].as_str().unwrap(), one["name"].as_str().unwrap()))
            .collect();
        assert_eq!(ran.code, i32::from(names.is_empty()), "{arguments:?}");
        names
    };
    assert_eq!(found(&["who", "can", "search", "products"])[0], "shop search_products");
    assert_eq!(found(&["who can ask a shop", "--server", "assistant"]), ["assistant ask_shop"]);
    assert_eq!(found(&["--takes", "query:string"]), ["shop search_products"]);
    assert_eq!(found(&["--takes", ":string", "--kind", "prompt"]), ["assistant greet_shopper"]);
    assert_eq!(found(&["--takes", "query:integer"]), [""; 0]);
    assert_eq!(found(&["--gives", "sku:string", "--kind", "tool"]).len(), 2);
    assert_eq!(found(&["--connection", "mcp"]), ["assistant ask_shop"]);
    assert_eq!(found(&["greeting", "--kind", "prompt"]), ["assistant greet_shopper"]);
    assert!(found(&["--effect", "reads", "--connection", "sqlite"]).contains(&"shop get_product".to_owned()));
    assert_eq!(world.run(&["search", "--takes", "a,,b"]).code, 2);
    let told = world.ok(&["search", "search", "products", "--limit", "1"]);
    assert!(
        told.out.starts_with("search_products of shop") && told.out.contains("fits by search in name"),
        "{}",
        told.out
    );
    assert!(told.err.contains("more fit"), "{}", told.err);
    world.ok(&["remove", "assistant", "--yes"]);
    assert_eq!(found(&["--connection", "mcp"]), [""; 0]);
}

#[test]
fn what_is_used_is_not_removed_by_chance() {
    let world = two();
    let uses = world.json(&["uses", "assistant"]);
    assert_eq!(uses["uses"][0]["server"], "shop", "{uses}");
    assert_eq!(uses["uses"][0]["state"], "registered", "{uses}");
    assert_eq!(uses["uses"][0]["tools"], json!(["ask_shop"]), "{uses}");
    let used = world.json(&["uses", "shop"]);
    assert_eq!(used["usedBy"][0]["server"], "assistant", "{used}");
    assert_eq!(used["uses"][0]["envVar"], "SHOP_DB", "{used}");
    assert_eq!(world.run(&["uses", "nothing"]).code, 3);

    let refused = world.run(&["remove", "shop", "--yes"]);
    assert_eq!((refused.code, refused.err.contains("MF1080")), (5, true), "{}", refused.err);
    assert!(refused.err.contains("assistant") && refused.err.contains("ask_shop"), "{}", refused.err);
    assert_eq!(world.run(&["remove", "shop", "--dry-run"]).code, 5);
    let forced = world.run(&["remove", "shop", "--force", "--yes", "--output", "json"]);
    assert_eq!((forced.code, &forced.json()["breaks"][0]["tools"]), (0, &json!(["ask_shop"])), "{}", forced.err);
    assert!(forced.err.contains("this breaks"), "{}", forced.err);
    assert_eq!(world.json(&["uses", "assistant"])["uses"][0]["state"], "missing");
}

#[test]
fn versions_are_compared_and_judged() {
    let world = World::new();
    let string = json!([{"name": "q", "type": "string", "required": true}]);
    let version = |number: &str, tools: Value| json!({"name": "x", "version": number, "tools": tools});
    create(&world, &version("1.0.0", json!([replies("find", &string), replies("old", &json!([]))])));
    let alone = world.run(&["diff", "x"]);
    assert_eq!((alone.code, alone.err.contains("MF1061")), (5, true), "{}", alone.err);

    let optional = json!([{"name": "q", "type": "string", "required": true}, {"name": "n", "type": "integer"}]);
    create(&world, &version("1.1.0", json!([replies("find", &optional), replies("old", &json!([]))])));
    let ran = world.run(&["diff", "x"]);
    assert_eq!((ran.code, ran.out.lines().next()), (0, Some("x 1.0.0 to 1.1.0: compatible")), "{}", ran.out);

    let other = json!([{"name": "q", "type": "integer", "required": true}]);
    create(&world, &version("2.0.0", json!([replies("find", &other), replies("new", &json!([]))])));
    let ran = world.run(&["diff", "x", "1.0.0", "2.0.0"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let json = world.run(&["diff", "x", "1.0.0", "2.0.0", "--output", "json"]).json();
    assert_eq!(json["verdict"], "breaking");
    let changes: Vec<String> = json["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", one["name"].as_str().unwrap(), one["what"].as_str().unwrap(), one["breaking"]))
        .collect();
    assert_eq!(changes, ["old removed true", "find changed true", "new added false"]);
    assert_eq!(world.json(&["diff", "x", "1.0.0", "1.0.0"])["verdict"], "same");
    assert_eq!(world.run(&["diff", "x", "9.0.0"]).code, 3);
    assert_eq!(world.run(&["diff", "y"]).code, 3);
}
