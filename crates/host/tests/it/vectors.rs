//! Search by meaning behind tools: the example on SQLite and on PostgreSQL with pgvector, and an API of embeddings.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use engine::FailureKind;
use serde_json::{Value, json};

use crate::world::{Place, Variables, World, drop_from, skipped};

const NOTES: &str = include_str!("../../../../examples/notes-search.yaml");
const PGVECTOR: &str = "MCP_FACTORY_TEST_PGVECTOR";

async fn value(world: &World, tool: &str, arguments: Value) -> Value {
    let outcome = world.call(tool, &arguments.to_string()).await;
    assert!(!outcome.is_error(), "{tool} {arguments}: {}", outcome.text());
    serde_json::from_str(&outcome.text()).unwrap()
}

async fn refused(world: &World, tool: &str, arguments: Value) -> (FailureKind, String) {
    let outcome = world.call(tool, &arguments.to_string()).await;
    let failure = outcome.failure.unwrap_or_else(|| panic!("{tool} {arguments} is no failure"));
    (failure.kind, failure.text)
}

fn ids(found: &Value) -> Vec<&str> {
    found["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_example_in_sqlite() {
    notes(&World::new(Place::sqlite(), NOTES, &[], Variables::new()).await).await;
}

#[tokio::test]
async fn the_example_in_pgvector() {
    let Ok(server) = std::env::var(PGVECTOR) else {
        return skipped("vectors: pgvector example", &format!("{PGVECTOR} is not set"));
    };
    let place = Place::on(&server).await;
    let url = place.url.clone();
    let world = World::new(place, NOTES, &[], Variables::new()).await;
    notes(&world).await;
    drop(world);
    drop_from(&server, &url).await;
}

/// What the tools of the example do, the same in both.
async fn notes(world: &World) {
    let all = [
        ("shoes", "Invoice for running shoes, paid late", "money", 2025),
        ("pie", "Recipe for apple pie with cinnamon", "kitchen", 2024),
        ("soup", "Recipe for pumpkin soup", "kitchen", 2025),
        ("plan", "Minutes of the meeting with the architect", "house", 2026),
    ];
    let many: Vec<Value> = all[1..]
        .iter()
        .map(|(id, text, topic, year)| json!({"id": id, "text": text, "metadata": {"topic": topic, "year": year}}))
        .collect();
    let (id, text, topic, year) = all[0];
    let kept = value(world, "store_note", json!({"id": id, "text": text, "topic": topic, "year": year})).await;
    assert_eq!(kept, json!({"stored": 1, "ids": ["shoes"]}));
    assert_eq!(value(world, "store_notes", json!({"notes": many})).await["stored"], 3);

    let found = value(world, "search_notes", json!({"text": "invoices for a runing shoe"})).await;
    assert_eq!(ids(&found)[0], "shoes", "{found}");
    assert_eq!(found["items"][0]["text"], text);
    assert_eq!(found["items"][0]["metadata"], json!({"topic": "money", "year": 2025}));
    let scores: Vec<f64> =
        found["items"].as_array().unwrap().iter().map(|one| one["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b) && scores[0] > 0.3, "{scores:?}");
    let recipes = value(world, "search_notes", json!({"text": "recipe", "topic": "kitchen"})).await;
    assert_eq!(ids(&recipes).len(), 2, "{recipes}");
    let years =
        value(world, "search_notes", json!({"text": "recipe", "topic": "kitchen", "years": [2025, 2026]})).await;
    assert_eq!(ids(&years), ["soup"]);
    assert_eq!(ids(&value(world, "search_notes", json!({"text": "recipe", "limit": 1})).await).len(), 1);
    assert_eq!(ids(&value(world, "search_notes", json!({"text": "zebra", "minScore": 0.9})).await).len(), 0);
    let whole = value(world, "search_notes", json!({"text": text, "minScore": 0.999})).await;
    assert_eq!(ids(&whole), ["shoes"]);

    // The same text is one note; a known identifier is replaced.
    let first = value(world, "store_note", json!({"text": "Buy milk"})).await;
    assert_eq!(value(world, "store_note", json!({"text": "Buy milk"})).await, first);
    value(world, "store_note", json!({"id": "plan", "text": "Buy milk and bread", "topic": "shop"})).await;
    let milk = value(world, "search_notes", json!({"text": "milk", "minScore": 0.2})).await;
    assert_eq!(ids(&milk).len(), 2, "{milk}");
    assert_eq!(value(world, "delete_notes", json!({"ids": [first["ids"][0], "none"]})).await, json!({"deleted": 1}));
    hostile(world).await;
    assert_eq!(value(world, "forget_topic", json!({"topic": "kitchen"})).await, json!({"deleted": 2}));
    let left = value(world, "search_notes", json!({"text": "recipe", "limit": 50})).await;
    assert_eq!(ids(&left).len(), 2, "{left}");
}

/// Values that try to be more.
async fn hostile(world: &World) {
    for text in
        ["'; DROP TABLE notes; --", "$1", "') OR 1=1 --", "kitchen' OR '1'='1", "{{ args.text }}", "%", "\"", "\\"]
    {
        let found = value(world, "search_notes", json!({"text": "recipe", "topic": text})).await;
        assert_eq!(ids(&found).len(), 0, "{text}: {found}");
        assert_eq!(value(world, "forget_topic", json!({"topic": text})).await, json!({"deleted": 0}), "{text}");
        assert_eq!(value(world, "delete_notes", json!({"ids": [text]})).await, json!({"deleted": 0}), "{text}");
    }
    let odd = json!([{"id": "odd", "text": "odd", "metadata": {"a\"b": 1}}, {"id": "", "text": "x"}]);
    refused(world, "store_notes", json!({"notes": odd})).await;
    let (kind, why) = refused(world, "store_note", json!({"text": "!?"})).await;
    assert!(kind == FailureKind::Value && why.contains("no letter"), "{why}");
    refused(world, "search_notes", json!({"text": "x", "topic": {"$ne": 1}})).await;
}

const SCRIPTS: &str = "
name: scripts
connections:
  - name: notes
    type: vector
    envVar: DATABASE_URL
    table: app_notes
    embedding: {model: small, dimensions: 3, envVar: MODELS_URL, credentials: {type: bearer, token: {env: MODELS_KEY}}}
tools:
  - name: learns
    parameters: {}
    script:
      write: true
      code: |
        export default async (args, { notes }) => {
          await notes.store([{ id: 'a', text: 'red red' }, { id: 'b', text: 'blue', metadata: { kind: 'sky' } }]);
          await notes.store('green', { id: 'c', metadata: { kind: 'leaf' } });
          const found = await notes.search('red', { limit: 1 });
          const filtered = await notes.search('red', { filter: { kind: ['sky', 'leaf'] } });
          const { deleted } = await notes.delete('c');
          const nothing = await notes.delete(null, { filter: {} }).catch((error) => error.message);
          return { found: found.map((one) => one.id), filtered: filtered.length, deleted, nothing };
        };
  - name: quiet
    parameters: {call: {type: string, required: true}}
    script: \"export default (args, { notes }) => notes[args.call]('x');\"
  - name: search
    parameters: {text: {type: string, required: true}}
    vector: {search: {text: '{{ args.text }}'}}
";

/// How often a text names each of three colours. One that begins with `!` is refused with what was shown.
async fn embeddings(headers: HeaderMap, body: Bytes) -> (StatusCode, Json<Value>) {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let texts: Vec<&str> = body["input"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    if texts[0].starts_with('!') || shown != "Bearer models-secret-key" {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": {"message": format!("no such key: {shown}")}})));
    }
    let vector = |text: &str| ["red", "green", "blue"].map(|colour| text.matches(colour).count());
    let data: Vec<Value> =
        texts.iter().enumerate().map(|(nth, text)| json!({"index": nth, "embedding": vector(text)})).collect();
    (StatusCode::OK, Json(json!({ "data": data })))
}

#[tokio::test]
async fn an_api_of_embeddings_behind_a_script() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route("/v1/embeddings", post(embeddings));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let pairs = [("MODELS_URL", url), ("MODELS_KEY", "models-secret-key".to_owned())];
    let variables = Variables::from(pairs.map(|(name, value)| (name.to_owned(), value)));
    let world = World::new(Place::sqlite(), SCRIPTS, &[], variables).await;
    let done = value(&world, "learns", json!({})).await;
    assert_eq!((&done["found"], &done["filtered"], &done["deleted"]), (&json!(["a"]), &json!(2), &json!(1)), "{done}");
    assert!(done["nothing"].as_str().unwrap().contains("to be deleted"), "{done}");
    for call in ["store", "delete"] {
        let (_, why) = refused(&world, "quiet", json!({"call": call})).await;
        assert!(why.contains("does not say that it writes"), "{why}");
    }
    let (kind, why) = refused(&world, "search", json!({"text": "!red"})).await;
    assert_eq!(kind, FailureKind::Denied, "{why}");
    assert!(why.contains("no such key") && !why.contains("models-secret-key"), "{why}");
}
