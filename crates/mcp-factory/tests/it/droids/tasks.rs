//! Long calls as tasks (`io.modelcontextprotocol/tasks`): they outlive their client's connection and the process.

use serde_json::{Value, json};

use super::{call, request, serve, wait, world};

fn tasks() -> Value {
    json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } })
}

/// Starts a tool as a task, and gives its id.
fn start(address: &str, tool: &str, arguments: &Value) -> String {
    let params = json!({ "name": tool, "arguments": arguments });
    let answer = request(address, "tools/call", tool, params, &tasks()).expect("an answer");
    let result = &answer["result"];
    assert_eq!((&result["resultType"], &result["status"]), (&json!("task"), &json!("working")), "{answer}");
    result["taskId"].as_str().expect("an id").to_owned()
}

fn about(address: &str, method: &str, id: &str) -> Value {
    request(address, method, id, json!({ "taskId": id }), &tasks()).expect("an answer")["result"].clone()
}

fn ended(address: &str, id: &str) -> Value {
    wait("the end of the task", || Some(about(address, "tasks/get", id)).filter(|task| task["status"] != "working"))
}

#[test]
fn a_watch_survives_its_client_and_the_process() {
    let (world, fake) = world(&["--work", "12000"]);
    let mut first = serve(&world, &[]);
    let arguments = json!({ "prompt": "A long work", "pollIntervalSeconds": 5, "timeoutSeconds": 120 });
    let id = start(&first.address, "spawn_and_watch", &arguments);
    wait("the prompt", || (fake.prompts().len() == 1).then_some(()));
    let told = wait("a word about it", || {
        let task = about(&first.address, "tasks/get", &id);
        task["statusMessage"].as_str().map(str::to_owned)
    });
    assert!(told.contains("message"), "{told}");
    first.kill();
    let second = serve(&world, &[]);
    let task = ended(&second.address, &id);
    assert_eq!(task["status"], "completed", "{task}");
    let value = &task["result"]["structuredContent"];
    assert_eq!((&value["end"], &value["messageCount"]), (&json!("finished"), &json!(4)), "{task}");
    assert_eq!(fake.prompts(), ["A long work"], "it was sent once");
    assert_eq!(fake.seen()["sessions"], 1);
}

#[test]
fn a_wait_goes_on_a_task_can_be_cancelled_and_one_that_cannot_go_on_says_so() {
    let (mut world, fake) = world(&["--work", "10000"]);
    // A shim that says nothing for a while.
    let shim = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = shim.local_addr().expect("an address").to_string();
    std::thread::spawn(move || shim.incoming().flatten().for_each(std::mem::forget));
    world.set("FACTORY_SHIM_URL", &format!("http://{address}"));
    world.set("FACTORY_SHIM_SECRET", "s3cret");
    let mut first = serve(&world, &[]);
    let swarm = call(&first.address, "spawn_swarm", &json!({ "prompts": ["a", "b", "c"] }));
    let waits = json!({ "swarmId": swarm["swarmId"], "pollIntervalSeconds": 1 });
    let wait_id = start(&first.address, "wait_for_droids", &waits);
    let exec_id = start(&first.address, "factory_exec", &json!({ "prompt": "hi" }));
    let gone_id = start(&first.address, "spawn_and_watch", &json!({ "prompt": "[fake:work=600000]" }));
    wait("its prompt", || (fake.prompts().len() == 4).then_some(()));
    about(&first.address, "tasks/cancel", &gone_id);
    assert_eq!(ended(&first.address, &gone_id)["status"], "cancelled");
    first.kill();
    let second = serve(&world, &[]);
    let waited = ended(&second.address, &wait_id);
    assert_eq!(waited["result"]["structuredContent"]["satisfied"], true, "{waited}");
    let exec = ended(&second.address, &exec_id);
    assert_eq!(exec["status"], "failed", "a run is not repeated: {exec}");
    assert!(exec["error"]["message"].as_str().is_some_and(|text| text.contains("has ended")), "{exec}");
    assert_eq!(about(&second.address, "tasks/get", &gone_id)["status"], "cancelled");
    let unknown = request(&second.address, "tasks/get", "nothing", json!({ "taskId": "nothing" }), &tasks());
    assert!(unknown.expect("an answer")["error"].is_object());
    assert_eq!(fake.prompts().len(), 4);
}
