use std::collections::BTreeSet;

use serde_json::{Value, json};
use store::{AuditQuery, Lease, NewJob};

use super::changes;
use crate::{Caller, Context, Environment, Home, all};

const HELLO: &str = "name: hello\ntools:\n  - name: greet\n    description: Says hello\n    parameters: {}\n    reply: { text: Hello. }\n";

/// Operations that cannot succeed here: one always refuses, the other needs a server elsewhere.
const NEVER: [&str; 2] = ["server.create.natural", "server.registry.import"];

/// What came to the log since `seen` entries: operation, subject, outcome.
async fn since(context: &Context, seen: &mut usize) -> Vec<(String, String, String)> {
    let query = AuditQuery { limit: 1_000, ..AuditQuery::default() };
    let mut found = context.store(move |store| store.audit(&query)).await.unwrap();
    found.reverse();
    let new = found.iter().skip(*seen).map(|entry| entry.note.clone());
    let new =
        new.map(|note| (note.operation.into_owned(), note.subject.to_string(), note.outcome.into_owned())).collect();
    *seen = found.len();
    new
}

/// A home with a server, and a job that waits.
async fn home(folder: &std::path::Path) -> Context {
    let context = Context::new(Home::at(folder), Environment::only([]), Caller::Local, "test");
    let job = NewJob {
        id: "0198-job".to_owned(),
        operation: "server.create".to_owned(),
        owner: "local".to_owned(),
        caller: "null".to_owned(),
        input: "{}".to_owned(),
    };
    let lease = Lease { holder: "gone".to_owned(), now: 1, until: 2 };
    context.store(move |store| store.put_job(&job, &lease)).await.unwrap();
    context
}

/// Every operation that changes something: what it is asked, and the subject of its entry. What is refused says `!` before it.
fn script(archive: &Value) -> Vec<(&'static str, Value, &'static str)> {
    let spec = |text: &str| json!({"spec": {"name": "hello.yaml", "text": text}});
    let server = |name: &str| json!({"subject": {"from": "server", "name": name}, "pin": ["greet"]});
    vec![
        ("server.create", spec(HELLO), "hello"),
        ("server.create", spec(HELLO), "hello"),
        ("server.create", spec(&HELLO.replace("Hello.", "Hullo.")), "!hello"),
        ("server.create", spec("name: ["), "!"),
        ("server.create.natural", json!({"prompt": "a shop"}), "!"),
        ("server.plan", server("hello"), "hello"),
        ("server.plan", server("nothing"), "!nothing"),
        ("deployment.start", json!({"name": "hello"}), "!hello"),
        ("deployment.stop", json!({"name": "hello"}), "!hello"),
        ("deployment.deploy", json!({"name": "hello"}), "hello"),
        ("deployment.deploy", json!({"name": "hello", "version": "9.9.9"}), "!hello"),
        ("deployment.stop", json!({"name": "hello"}), "hello"),
        ("deployment.start", json!({"name": "hello"}), "hello"),
        ("archive.import", json!({"archive": archive}), ""),
        ("archive.import", json!({"archive": "AAAA"}), "!"),
        ("server.registry.import", json!({"document": {"name": "io.github.a/shop"}}), "!shop"),
        ("job.cancel", json!({"id": "0198-job"}), "0198-job"),
        ("job.cancel", json!({"id": "0199-job"}), "!0199-job"),
        ("key.create", json!({"name": "ci"}), "KEY"),
        ("key.create", json!({"name": "ci", "days": 0}), "!ci"),
        ("key.revoke", json!({"id": "KEY"}), "KEY"),
        ("key.revoke", json!({"id": "KEY"}), "!KEY"),
        ("account.create", json!({"name": "ann"}), "ann"),
        ("account.create", json!({"name": "ann"}), "!ann"),
        ("account.create", json!({"name": "a b\nc"}), "!a bc"),
        ("account.reset", json!({"name": "ann"}), "ann"),
        ("account.reset", json!({"name": "bob"}), "!bob"),
        ("account.remove", json!({"name": "ann"}), "ann"),
        ("account.remove", json!({"name": "ann"}), "!ann"),
        ("policy.set", json!({"name": "r", "servers": ["hello"], "allow": "call"}), "r"),
        ("policy.set", json!({"name": "r", "servers": [], "allow": "call"}), "!r"),
        ("policy.remove", json!({"name": "r"}), "r"),
        ("policy.remove", json!({"name": "r"}), "!r"),
        ("quota.set", json!({"who": "members", "servers": 3}), "members"),
        ("quota.set", json!({"who": "member", "servers": 3}), "!member"),
        ("quota.remove", json!({"who": "members"}), "members"),
        ("quota.remove", json!({"who": "members"}), "!members"),
        ("server.remove", json!({"name": "hello"}), "hello"),
        ("server.remove", json!({"name": "hello"}), "!hello"),
    ]
}

#[tokio::test]
async fn a_change_leaves_one_entry_that_is_ok_and_a_refusal_one_that_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let context = home(folder.path()).await;
    let (mut seen, mut done, mut refused, mut key) = (0, BTreeSet::new(), BTreeSet::new(), String::new());
    let mut archive = Value::Null;
    for step in 0..script(&archive).len() {
        let (name, input, subject) = script(&archive).swap_remove(step);
        let operation = all::find(name).unwrap();
        let input: Value = serde_json::from_str(&input.to_string().replace("KEY", &key)).unwrap();
        // What is only tried is not there, and nobody is told of it.
        if operation.declared().tries {
            let _ = operation.run(&context.trying(), input.clone()).await;
            assert_eq!(since(&context, &mut seen).await, [], "{name} {input} was only tried");
        }
        let ran = operation.run(&context, input.clone()).await;
        if name == "key.create"
            && let Ok(made) = &ran
        {
            key = made.output["id"].as_str().unwrap().to_owned();
        }
        let outcome = ran.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok").to_owned();
        assert_eq!(outcome != "ok", subject.starts_with('!'), "{name} {input}: {outcome}");
        if outcome == "ok" { &mut done } else { &mut refused }.insert(name);
        let subject = subject.trim_start_matches('!').replace("KEY", &key);
        assert_eq!(since(&context, &mut seen).await, [(name.to_owned(), subject, outcome)], "{name} {input}");
        if archive.is_null() {
            let packed = all::find("archive.export").unwrap().run(&context, json!({})).await.unwrap();
            archive = packed.output["archive"].clone();
        }
    }
    for operation in all::all().iter().filter(|one| changes(one.declared())) {
        let name = operation.declared().name;
        assert!(refused.contains(name), "no refusal of `{name}` was looked at");
        assert!(done.contains(name) || NEVER.contains(&name), "`{name}` never succeeded");
    }
}
