//! Texts kept and found, the same in both engines.

use std::sync::Arc;
use std::time::Duration;

use connect::vector::{Embedder, Item, Metric, Search, Settings, Store, hash};
use connect::{Database, Error, ErrorKind};
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::support::{Call, config, skip};

const PGVECTOR: &str = "MCP_FACTORY_TEST_PGVECTOR";
const DIMENSIONS: usize = 256;

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

/// A database of a test's own, that goes with its value.
struct World {
    database: Arc<Database>,
    drop: Option<(Arc<Database>, String)>,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite:{}?mode=rwc", folder.path().join("notes.db").display());
        let database = Arc::new(Database::open(config(&url)).expect("a good URL"));
        Self { database, drop: None, _folder: Some(folder) }
    }

    async fn pgvector(test: &str) -> Option<Self> {
        let Ok(url) = std::env::var(PGVECTOR) else {
            skip(test, &format!("{PGVECTOR} is not set"));
            return None;
        };
        let server = Arc::new(Database::open(config(&url)).expect("a good URL"));
        let name = format!("vector_{}", uuid::Uuid::new_v4().simple());
        create(&server, &format!("CREATE DATABASE {name}")).await;
        let own = url.rsplit_once('/').map(|(start, _)| format!("{start}/{name}")).expect("a database");
        let database = Arc::new(Database::open(config(&own)).expect("a good URL"));
        Some(Self { database, drop: Some((server, name)), _folder: None })
    }

    async fn end(self) {
        self.database.close().await;
        if let Some((server, name)) = self.drop {
            create(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }

    fn store(&self, change: impl FnOnce(&mut Settings)) -> Result<Store, Error> {
        let mut settings = Settings::new("notes", DIMENSIONS);
        change(&mut settings);
        Store::open("notes", Arc::clone(&self.database), Embedder::Hash(DIMENSIONS), settings)
    }
}

async fn create(database: &Database, text: &str) {
    let mut call = Call::write(text, &[]);
    call.single = true;
    call.run(database).await.expect("it is made");
}

fn item(id: &str, content: &str, metadata: Value) -> Item {
    Item { id: id.into(), content: content.into(), metadata: serde_json::from_value(metadata).expect("an object") }
}

fn notes() -> Vec<Item> {
    vec![
        item("1", "Invoice for running shoes, paid late", json!({"kind": "invoice", "year": 2025, "paid": true})),
        item("2", "Recipe for apple pie with cinnamon", json!({"kind": "recipe", "year": 2024, "tags": ["sweet"]})),
        item("3", "Minutes of the meeting with the architect", json!({"kind": "minutes", "year": 2025, "paid": false})),
        item("4", "Recipe for pumpkin soup", json!({"kind": "recipe", "year": 2025, "it's \u{e9}": null})),
    ]
}

async fn search(store: &Store, text: &str, filter: Value, limit: usize) -> Result<Vec<String>, Error> {
    let filter: Map<String, Value> = serde_json::from_value(filter).expect("an object");
    let search = Search { text, filter: &filter, limit, min_score: None };
    let found = store.search(&search, soon(), &CancellationToken::new()).await?;
    assert!(found.is_sorted_by(|a, b| a.score >= b.score), "{found:?}");
    Ok(found.into_iter().map(|found| found.id).collect())
}

/// What both engines do.
async fn keeps_and_finds(world: &World) {
    let token = CancellationToken::new();
    for metric in [Metric::Cosine, Metric::L2, Metric::InnerProduct] {
        let table = format!("notes_{metric:?}").to_lowercase();
        let store = world.store(|settings| (settings.metric, settings.table) = (metric, table)).unwrap();
        assert!(search(&store, "anything", json!({}), 5).await.unwrap().is_empty());
        assert_eq!(store.upsert(&notes(), soon(), &token).await.unwrap(), 4);
        assert_eq!(search(&store, "apple pie recipe", json!({}), 2).await.unwrap(), ["2", "4"], "{metric:?}");
        assert_eq!(search(&store, "meetings with architects", json!({}), 1).await.unwrap(), ["3"]);
        let filter = Map::new();
        let exact = Search { text: "Recipe for pumpkin soup", filter: &filter, limit: 1, min_score: Some(0.99) };
        let found = store.search(&exact, soon(), &token).await.unwrap();
        assert_eq!((found[0].id.as_str(), found[0].content.as_str()), ("4", "Recipe for pumpkin soup"));
        assert!((found[0].score - 1.0).abs() < 1e-3, "{metric:?}: {found:?}");
        assert_eq!(found[0].metadata, json!({"kind": "recipe", "year": 2025, "it's \u{e9}": null}));
        let none = Search { text: "zzz", ..exact };
        assert!(store.search(&none, soon(), &token).await.unwrap().is_empty());
    }
}

async fn filters(world: &World) {
    let store = world.store(|_| {}).unwrap();
    store.upsert(&notes(), soon(), &CancellationToken::new()).await.unwrap();
    for (filter, expected) in [
        (json!({}), vec!["1", "2", "3", "4"]),
        (json!({"kind": "recipe"}), vec!["2", "4"]),
        (json!({"kind": "recipe", "year": 2025}), vec!["4"]),
        (json!({"year": 2024}), vec!["2"]),
        (json!({"year": "2024"}), vec![]),
        (json!({"kind": ["recipe", "minutes"]}), vec!["2", "3", "4"]),
        (json!({"kind": []}), vec![]),
        (json!({"paid": true}), vec!["1"]),
        (json!({"paid": false}), vec!["3"]),
        (json!({"paid": 1}), vec![]),
        (json!({"it's \u{e9}": null}), vec!["4"]),
        (json!({"nothing": 1}), vec![]),
        (json!({"kind": "x' OR '1'='1"}), vec![]),
        (json!({"kind') OR (1=1": "x"}), vec![]),
    ] {
        let mut found = search(&store, "note", filter.clone(), 10).await.unwrap();
        found.sort();
        assert_eq!(found, expected, "{filter}");
    }
    for odd in [json!({"a\"b": 1}), json!({"": 1}), json!({"a": {"b": 1}}), json!({"a": [[1]]}), json!({"a\\": 1})] {
        let error = search(&store, "note", odd.clone(), 1).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Value, "{odd}: {error}");
    }
}

async fn changes(world: &World) {
    let token = CancellationToken::new();
    let store = world.store(|_| {}).unwrap();
    store.upsert(&notes(), soon(), &token).await.unwrap();
    let odd = "it's \"new\"; DROP TABLE notes; -- é";
    store.upsert(&[item(odd, odd, json!({"a": odd}))], soon(), &token).await.unwrap();
    store.upsert(&[item("2", "Bicycle repair", json!({}))], soon(), &token).await.unwrap();
    assert_eq!(search(&store, "bicycles", json!({}), 1).await.unwrap(), ["2"]);
    assert_eq!(search(&store, odd, json!({"a": odd}), 9).await.unwrap(), [odd]);
    let ids = [odd.to_owned(), "3".to_owned(), "none".to_owned()];
    assert_eq!(store.delete(&ids, soon(), &token).await.unwrap(), 2);
    assert_eq!(store.delete(&[], soon(), &token).await.unwrap(), 0);
    assert_eq!(search(&store, "note", json!({}), 10).await.unwrap().len(), 3);
    // All or none: the last text has nothing to embed.
    let error =
        store.upsert(&[item("8", "good", json!({})), item("9", "...", json!({}))], soon(), &token).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Value, "{error}");
    assert_eq!(search(&store, "good", json!({}), 10).await.unwrap().len(), 3);
    let many: Vec<_> = (0..501).map(|nth| item(&nth.to_string(), "x", json!({}))).collect();
    assert_eq!(store.upsert(&many, soon(), &token).await.unwrap_err().kind, ErrorKind::Limit);
    assert_eq!(store.upsert(&many[..500], soon(), &token).await.unwrap(), 500);
    assert_eq!(store.upsert(&[item("", "x", json!({}))], soon(), &token).await.unwrap_err().kind, ErrorKind::Value);
}

#[tokio::test]
async fn sqlite_keeps_and_finds() {
    let world = World::sqlite();
    keeps_and_finds(&world).await;
    filters(&world).await;
    changes(&world).await;
}

#[tokio::test]
async fn pgvector_keeps_and_finds() {
    let Some(world) = World::pgvector("vector pgvector_keeps_and_finds").await else { return };
    keeps_and_finds(&world).await;
    filters(&world).await;
    changes(&world).await;
    world.end().await;
}

#[tokio::test]
async fn a_server_without_the_extension_is_told() {
    let Ok(url) = std::env::var("MCP_FACTORY_TEST_POSTGRES") else {
        return skip("vector a_server_without_the_extension_is_told", "MCP_FACTORY_TEST_POSTGRES is not set");
    };
    let database = Arc::new(Database::open(config(&url)).unwrap());
    let check = Call::read("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'", &[]);
    if check.rows(&database).await != json!([]) {
        return skip("vector a_server_without_the_extension_is_told", "machine: this PostgreSQL has pgvector");
    }
    let store = Store::open("notes", database, Embedder::Hash(8), Settings::new("notes", 8)).unwrap();
    let error = store.prepare(soon(), &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Config, "{error}");
    assert!(error.to_string().contains("pgvector") && error.to_string().contains("connection `notes`"), "{error}");
}

#[tokio::test]
async fn a_scan_is_bounded_and_exact() {
    let world = World::sqlite();
    let token = CancellationToken::new();
    let store = world.store(|settings| settings.scan_rows = 4).unwrap();
    store.upsert(&notes(), soon(), &token).await.unwrap();
    assert_eq!(search(&store, "note", json!({}), 10).await.unwrap().len(), 4);
    store.upsert(&[item("5", "One more note", json!({"kind": "note"}))], soon(), &token).await.unwrap();
    let error = search(&store, "note", json!({}), 1).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Limit, "{error}");
    assert!(error.to_string().contains("more than 4 rows") && error.to_string().contains("pgvector"), "{error}");
    assert_eq!(search(&store, "note", json!({"kind": "note"}), 1).await.unwrap(), ["5"]);
    // Against the plain sum over all pairs.
    let items: Vec<_> =
        (0..300).map(|nth| item(&format!("{nth:03}"), &format!("number {nth} of {}", nth * 7), json!({}))).collect();
    let wide = world.store(|settings| settings.table = "numbers".into()).unwrap();
    wide.upsert(&items, soon(), &token).await.unwrap();
    let wanted = hash::embed("number 77", DIMENSIONS);
    let score =
        |item: &Item| -> f32 { hash::embed(&item.content, DIMENSIONS).iter().zip(&wanted).map(|(a, b)| a * b).sum() };
    let mut all: Vec<_> = items.iter().map(|item| (score(item), item.id.clone())).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let best: Vec<_> = all.iter().take(5).map(|(_, id)| id.clone()).collect();
    assert_eq!(search(&wide, "number 77", json!({}), 5).await.unwrap(), best);
}

#[test]
fn settings_are_checked() {
    let database = Arc::new(Database::open(config("sqlite::memory:")).unwrap());
    let open = |embedder, settings| Store::open("notes", Arc::clone(&database), embedder, settings).map(drop);
    assert!(open(Embedder::Hash(8), Settings::new("notes", 8)).is_ok());
    for (own, table, dimensions) in [
        (8, "notes", 9),
        (0, "notes", 0),
        (9000, "notes", 9000),
        (8, "a\"b", 8),
        (8, "", 8),
        (8, "a.b", 8),
        (8, "a b", 8),
    ] {
        let error = open(Embedder::Hash(own), Settings::new(table, dimensions)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Config, "{error}");
    }
    let mysql = Arc::new(Database::open(config("mysql://root@127.0.0.1:1/x")).unwrap());
    let error = Store::open("notes", mysql, Embedder::Hash(8), Settings::new("notes", 8)).map(drop).unwrap_err();
    assert!(error.to_string().contains("pgvector"), "{error}");
}

#[tokio::test]
async fn vectors_can_be_used_in_sql_of_ones_own() {
    let world = World::sqlite();
    let rows = |text: &'static str| Call::read(text, &[]);
    let text = "SELECT vector_distance_l2(vector_blob('[0, 3]'), '[4, 0]') AS a, vector_distance_ip(vector_blob('[1, 2]'), '[3, 4]') AS b, \
                vector_distance_cosine(vector_blob('[1, 0]'), '[0, 1]') AS c, vector_distance_cosine(vector_blob('[0, 0]'), '[0, 1]') AS d";
    create(&world.database, "CREATE TABLE t (a)").await;
    assert_eq!(rows(text).rows(&world.database).await, json!([{"a": 5.0, "b": -11.0, "c": 1.0, "d": 1.0}]));
    for (text, part) in [
        ("SELECT vector_distance_l2(vector_blob('[1]'), '[1, 2]')", "1 and 2 numbers"),
        ("SELECT vector_blob('x')", "written `[1.0, 2.0]`"),
        ("SELECT vector_blob('[1e99]')", "too large"),
        ("SELECT vector_distance_l2('x', '[1]')", "no blob"),
        ("SELECT vector_distance_l2(vector_blob('[1]'), 5)", "no text"),
    ] {
        let error = rows(text).error(&world.database).await;
        assert!(error.to_string().contains(part), "{text}: {error}");
    }
}
