//! Many who watch, and one look for all of them.

use serde_json::{Value, json};

use super::{call, serve, world};

const WATCHERS: usize = 20;

#[test]
fn one_look_at_the_list_serves_all_who_watch() {
    let (world, fake) = world(&["--work", "14000"]);
    let server = serve(&world, &[]);
    let watch = |number: usize| {
        let prompt = format!("watched {number}");
        let arguments = json!({ "prompt": prompt, "pollIntervalSeconds": 5, "timeoutSeconds": 600 });
        (prompt, call(&server.address, "spawn_and_watch", &arguments))
    };
    let watch = &watch;
    let told: Vec<(String, Value)> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..WATCHERS).map(|number| scope.spawn(move || watch(number))).collect();
        calls.into_iter().map(|call| call.join().expect("an answer")).collect()
    });
    for (prompt, value) in &told {
        assert_eq!((&value["end"], &value["interrupted"]), (&json!("finished"), &json!(false)), "{value}");
        assert_eq!(value["messages"][0]["text"], *prompt, "each gets its own: {value}");
    }
    let routes = fake.seen()["routes"].clone();
    let count = |route: &str| routes[route].as_u64().unwrap_or_default();
    let looks: u64 = told.iter().filter_map(|(_, value)| value["looks"].as_u64()).sum();
    assert!(count("GET sessions") > 0, "nobody looked at the list: {routes}");
    assert!(count("GET sessions/*") < looks, "each looked for itself: {looks} looks, {routes}");
    assert_eq!(count("POST sessions"), WATCHERS as u64, "{routes}");
}
