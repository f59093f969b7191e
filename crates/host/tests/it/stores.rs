//! Redis and MongoDB behind tools: the examples on real servers, and arguments that try to be more than values.

use engine::{CallContext, FailureKind};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::world::{Place, Variables, World, skipped};

const REDIS: &str = include_str!("../../../../examples/redis.yaml");
const MONGO: &str = include_str!("../../../../examples/mongodb.yaml");

/// A server of a spec, whose connection reads its URL from `name`.
async fn world(test: &str, spec: &str, name: &str, server: &str, path: &str) -> Option<World> {
    let Ok(url) = std::env::var(server) else {
        skipped(test, &format!("{server} is not set"));
        return None;
    };
    let variables = Variables::from([(name.to_owned(), format!("{url}{path}"))]);
    Some(World::new(Place::sqlite(), spec, &[], variables).await)
}

async fn redis(test: &str, spec: &str) -> Option<World> {
    world(test, spec, "REDIS_URL", "MCP_FACTORY_TEST_REDIS", "").await
}

/// With a database of its own.
async fn mongo(test: &str, spec: &str) -> Option<World> {
    let path = format!("/t_{}", uuid::Uuid::now_v7().simple());
    world(test, spec, "MONGODB_URL", "MCP_FACTORY_TEST_MONGO", &path).await
}

async fn value(world: &World, tool: &str, arguments: Value) -> Value {
    let outcome = world.call(tool, &arguments.to_string()).await;
    assert!(!outcome.is_error(), "{tool} {arguments}: {}", outcome.text());
    serde_json::from_str(&outcome.text()).unwrap_or_else(|_| Value::String(outcome.text()))
}

async fn refused(world: &World, tool: &str, arguments: Value) -> (FailureKind, String) {
    let outcome = world.call(tool, &arguments.to_string()).await;
    let failure = outcome.failure.unwrap_or_else(|| panic!("{tool} {arguments} is no failure"));
    (failure.kind, failure.text)
}

#[tokio::test]
async fn the_redis_example_does_what_the_reference_server_does() {
    let Some(world) = redis("stores: redis example", REDIS).await else { return };
    let key = |name: &str| format!("ex:{}:{name}", std::process::id());
    assert_eq!(value(&world, "set", json!({"key": key("a"), "value": "1"})).await, json!("OK"));
    let expiring = json!({"key": key("b"), "value": "2", "expireSeconds": 60});
    assert_eq!(value(&world, "set", expiring).await, json!("OK"));
    assert_eq!(value(&world, "get", json!({"key": key("a")})).await, json!("1"));
    assert_eq!(value(&world, "get", json!({"key": key("none")})).await, json!(null));
    let found = value(&world, "list", json!({"pattern": key("*")})).await;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(2), "{found}");
    assert_eq!(value(&world, "delete", json!({"keys": [key("a"), key("b"), key("none")]})).await, json!(2));
    let page = key("page");
    assert_eq!(value(&world, "count_visit", json!({"page": page})).await, json!([1, 1]));
    assert_eq!(value(&world, "count_visit", json!({"page": page})).await, json!([2, 1]));
    assert_eq!(value(&world, "delete", json!({"keys": [format!("visits:{page}")]})).await, json!(1));
    assert_eq!(value(&world, "get_user", json!({"id": key("nobody")})).await, json!({}));
}

#[tokio::test]
async fn redis_takes_arguments_as_values() {
    let Some(world) = redis("stores: redis values", REDIS).await else { return };
    let key = format!("inj:{}", std::process::id());
    let hostile = [
        "\r\nFLUSHALL\r\n",
        "*1\r\n$8\r\nFLUSHALL\r\n",
        "x EX 1",
        "NX",
        "\" ; CONFIG GET *",
        "{{ args.key }}",
        "\0",
        "$6\r\nx",
        "'; DEL *",
        "%0d%0a",
        "\u{2028}",
        "-ERR",
        "+OK\r\n",
        "(nil)",
        "EVAL \"return 1\" 0",
        "`id`",
        "$(id)",
        "../..",
        "",
    ];
    for text in hostile {
        assert_eq!(value(&world, "set", json!({"key": key, "value": text})).await, json!("OK"), "{text:?}");
        assert_eq!(value(&world, "get", json!({"key": key})).await, json!(text), "{text:?}");
    }
    for wrong in [json!({"key": ["a", "b"], "value": "x"}), json!({"key": {"a": 1}, "value": "x"}), json!({"key": "k"})]
    {
        world.call("set", &wrong.to_string()).await.failure.expect("refused by its schema");
    }
    value(&world, "delete", json!({"keys": [key]})).await;
}

const SCRIPTS: &str = "
name: scripts
connections:
  - {name: cache, type: redis, envVar: REDIS_URL}
tools:
  - name: reads
    parameters: {command: {type: array, required: true, items: {type: string}}}
    script: 'export default (args, { cache }) => cache.command(...args.command);'
  - name: writes
    parameters: {key: {type: string, required: true}}
    script:
      write: true
      code: |
        export default async (args, { cache }) => {
          const done = await cache.atomic([['SET', args.key, 1], ['INCRBY', args.key, 41]]);
          const value = await cache.command('GET', args.key);
          await cache.command('DEL', args.key);
          return { done, value };
        };
  - name: waits
    parameters: {seconds: {type: string, required: true}}
    timeoutMs: 10000
    redis: {command: [BLPOP, nothing-comes-here, '{{ args.seconds }}'], write: true}
";

#[tokio::test]
async fn scripts_use_redis_within_the_same_rules() {
    let Some(world) = redis("stores: redis scripts", SCRIPTS).await else { return };
    let key = format!("script:{}", std::process::id());
    assert_eq!(value(&world, "writes", json!({"key": key})).await, json!({"done": ["OK", 42], "value": "42"}));
    assert_eq!(value(&world, "reads", json!({"command": ["EXISTS", key]})).await, json!(0));
    for (command, part) in [
        (json!(["SET", "a", "1"]), "does not say that it writes"),
        (json!(["KEYS", "*"]), "use `scan`"),
        (json!(["CONFIG", "GET", "*"]), "administrators"),
        (json!(["FLUSHALL"]), "deletes"),
        (json!(["EVAL", "return 1", "0"]), "does not say that it writes"),
        (json!(["SUBSCRIBE", "c"]), "without an end"),
    ] {
        let (_, text) = refused(&world, "reads", json!({"command": command})).await;
        assert!(text.contains(part), "{command}: {text}");
    }
}

#[tokio::test]
async fn a_wait_ends_before_its_deadline_or_with_its_caller() {
    let Some(world) = redis("stores: redis waits", SCRIPTS).await else { return };
    let cancel = CancellationToken::new();
    let context = CallContext::new(&cancel).deadline(std::time::Instant::now() + std::time::Duration::from_millis(600));
    let outcome = world.call_with(&context, "waits", r#"{"seconds": "0"}"#).await;
    assert!(!outcome.is_error() && outcome.text() == "null", "{}", outcome.text());
    let context = CallContext::new(&cancel);
    let call = world.call_with(&context, "waits", r#"{"seconds": "0"}"#);
    let began = std::time::Instant::now();
    let (outcome, ()) = tokio::join!(call, async { cancel.cancel() });
    assert_eq!(outcome.failure.map(|failure| failure.kind), Some(FailureKind::Cancelled));
    assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn the_mongodb_example_finds_changes_and_removes() {
    let Some(world) = mongo("stores: mongodb example", MONGO).await else { return };
    for (title, author, year) in [("Dune", "Herbert", 1965), ("Emma", "Austen", 1815), ("Persuasion", "Austen", 1817)] {
        let added = value(&world, "add_book", json!({"title": title, "author": author, "year": year})).await;
        assert_eq!(added["inserted"], json!(1));
    }
    let all = value(&world, "find_books", json!({})).await;
    assert_eq!(all["documents"].as_array().map(Vec::len), Some(3), "an absent argument asks for nothing: {all}");
    let found = value(&world, "find_books", json!({"author": "Austen", "since": 1816})).await;
    let id = found["documents"][0]["_id"].as_str().expect("an id").to_owned();
    assert_eq!((found["documents"][0]["title"].as_str(), &found["more"]), (Some("Persuasion"), &json!(false)));
    let page = value(&world, "find_books", json!({"skip": 1, "limit": 1})).await;
    assert_eq!((page["documents"][0]["title"].as_str(), &page["more"]), (Some("Persuasion"), &json!(true)));
    let renamed = value(&world, "rename_book", json!({"id": id, "title": "Persuasion, 1817"})).await;
    assert_eq!(renamed["modified"], json!(1));
    assert_eq!(value(&world, "get_book", json!({"id": id})).await["documents"][0]["title"], json!("Persuasion, 1817"));
    assert_eq!(value(&world, "count_books", json!({"author": "Austen"})).await, json!({"count": 2}));
    let grouped = value(&world, "books_by_author", json!({})).await;
    assert_eq!(grouped["documents"], json!([{"_id": "Austen", "books": 2}, {"_id": "Herbert", "books": 1}]));
    assert_eq!(value(&world, "remove_book", json!({"id": id})).await, json!({"deleted": 1}));
    let authors = value(&world, "authors", json!({})).await;
    assert_eq!(authors["values"].as_array().map(Vec::len), Some(2));
}

const LOGIN: &str = "
name: login
connections:
  - {name: docs, type: mongodb, envVar: MONGODB_URL}
tools:
  - name: add
    parameters: {name: {type: string, required: true}, password: {type: string, required: true}}
    mongo: {collection: users, insert: {document: {name: '{{ args.name }}', password: '{{ args.password }}'}}, write: true}
  - name: log_in
    parameters: {name: {}, password: {}}
    mongo: {collection: users, count: {filter: {name: '{{ args.name }}', password: '{{ args.password }}'}}}
  - name: label
    parameters: {text: {type: string, required: true}}
    mongo: {collection: users, aggregate: {pipeline: [{$project: {_id: 0, label: '{{ args.text }}'}}]}}
  - name: forget
    parameters: {name: {type: string}}
    mongo: {collection: users, delete: {filter: {name: '{{ args.name }}'}, many: true}, write: true}
  - name: scripted
    parameters: {}
    script: |
      export default async (args, { docs }) => ({
        count: await docs.count('users'),
        names: await docs.distinct('users', { field: 'name' }),
        found: await docs.find('users', { filter: { name: 'admin' }, projection: { _id: 0, name: 1 }, limit: 1 }),
      });
";

/// Values that stand for operators, of the lists that testers of web applications use.
fn payloads() -> Vec<Value> {
    let mut all = vec![
        json!({"$ne": null}),
        json!({"$ne": ""}),
        json!({"$ne": 1}),
        json!({"$gt": ""}),
        json!({"$gte": ""}),
        json!({"$lt": "~"}),
        json!({"$lte": "~"}),
        json!({"$exists": true}),
        json!({"$regex": ".*"}),
        json!({"$regex": "^p", "$options": "i"}),
        json!({"$in": ["secret", "admin"]}),
        json!({"$nin": []}),
        json!({"$not": {"$eq": 1}}),
        json!({"$type": 2}),
        json!({"$where": "1 == 1"}),
        json!({"$where": "sleep(5000)"}),
        json!({"$expr": true}),
        json!({"$or": [{}, {"a": 1}]}),
        json!({"$and": []}),
        json!({"$nor": [{"a": 1}]}),
        json!({"$all": []}),
        json!({"$size": 0}),
        json!({"$mod": [1, 0]}),
        json!({"$elemMatch": {}}),
        json!({"$jsonSchema": {}}),
        json!({"$comment": "x"}),
        json!({"$text": {"$search": "a"}}),
        json!({"$oid": "507f1f77bcf86cd799439011"}),
        json!({"$numberLong": "1"}),
        json!({"$regularExpression": {"pattern": ".*", "options": ""}}),
        json!({"$function": {"body": "function() { return true }", "args": [], "lang": "js"}}),
        json!({"$minKey": 1}),
        json!({"a": {"$gt": ""}}),
        json!([{"$gt": ""}]),
        json!({"deep": [{"er": {"$ne": 1}}]}),
        json!({"$": 1}),
        json!({"$$ROOT": 1}),
    ];
    all.extend(
        [
            "$ne",
            "' || '1'=='1",
            "\"; return true; var a=\"",
            "{\"$ne\": null}",
            "{$gt: ''}",
            "[$ne]=1",
            "';sleep(5000);'",
            "\0",
        ]
        .map(Value::from),
    );
    all
}

#[tokio::test]
async fn mongodb_takes_arguments_as_values() {
    let Some(world) = mongo("stores: mongodb values", LOGIN).await else { return };
    value(&world, "add", json!({"name": "admin", "password": "secret"})).await;
    assert_eq!(value(&world, "log_in", json!({"name": "admin", "password": "secret"})).await, json!({"count": 1}));
    let payloads = payloads();
    assert!(payloads.len() >= 30);
    for payload in payloads {
        let arguments = json!({"name": "admin", "password": payload});
        let outcome = world.call("log_in", &arguments.to_string()).await;
        match payload {
            Value::String(_) => assert_eq!(outcome.text(), "{\"count\":0}", "{arguments}"),
            _ => {
                let failure = outcome.failure.unwrap_or_else(|| panic!("{arguments} is no failure"));
                assert_eq!(failure.kind, FailureKind::Value, "{}", failure.text);
                assert!(failure.text.contains("begin with `$` are operators"), "{}", failure.text);
            }
        }
    }
    for text in ["$password", "$$ROOT", "$name", "plain"] {
        let label = value(&world, "label", json!({"text": text})).await;
        assert_eq!(label["documents"], json!([{"label": text}]), "a text is no field");
    }
    let (kind, text) = refused(&world, "forget", json!({})).await;
    assert_eq!(kind, FailureKind::Statement);
    assert!(text.contains("`all: true`"), "{text}");
    let scripted = value(&world, "scripted", json!({})).await;
    assert_eq!(scripted, json!({"count": 1, "names": ["admin"], "found": [{"name": "admin"}]}));
    assert_eq!(value(&world, "forget", json!({"name": "admin"})).await, json!({"deleted": 1}));
}

#[tokio::test]
async fn a_password_is_in_no_error() {
    for (spec, name, url, tool) in [
        (SCRIPTS, "REDIS_URL", "redis://:hunter2-secret@127.0.0.1:1", "waits"),
        (LOGIN, "MONGODB_URL", "mongodb://u:hunter2-secret@127.0.0.1:1/db", "log_in"),
    ] {
        let variables = Variables::from([(name.to_owned(), url.to_owned())]);
        let world = World::new(Place::sqlite(), spec, &[], variables).await;
        let arguments =
            if tool == "waits" { json!({"seconds": "1"}) } else { json!({"name": "a", "password": "hunter2-secret"}) };
        let (kind, text) = refused(&world, tool, arguments).await;
        assert_eq!(kind, FailureKind::Unavailable, "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}
