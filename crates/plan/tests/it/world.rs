//! A seeded database of each engine that can be had here.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base::Secret;
use connect::{Config, Database, Engine, Query, Statement};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A database of its own.
pub(crate) struct World {
    pub(crate) db: Database,
    pub(crate) engine: Engine,
    place: Place,
}

enum Place {
    File(PathBuf),
    Schema { url: String, name: String },
    Server { url: String, name: String },
}

const TABLES: [&str; 5] = [
    "CREATE TABLE categories (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE)",
    "CREATE TABLE warehouses (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL, city VARCHAR(80))",
    "CREATE TABLE products (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(200) NOT NULL, sku VARCHAR(40) NOT NULL UNIQUE, \
     unit_price NUMERIC(10,2) NOT NULL, category_id INTEGER, notes VARCHAR(200), FOREIGN KEY (category_id) REFERENCES categories (id))",
    "CREATE TABLE inventory (product_id INTEGER NOT NULL, warehouse_id INTEGER NOT NULL, quantity INTEGER NOT NULL, \
     PRIMARY KEY (product_id, warehouse_id), FOREIGN KEY (product_id) REFERENCES products (id), \
     FOREIGN KEY (warehouse_id) REFERENCES warehouses (id))",
    "CREATE TABLE visits (id INTEGER NOT NULL PRIMARY KEY, page VARCHAR(80) NOT NULL, seen_at TIMESTAMP NULL)",
];

const ROWS: [&str; 5] = [
    "INSERT INTO categories (id, name) VALUES (1, 'electronics'), (2, 'clothing')",
    "INSERT INTO warehouses (id, name, city) VALUES (1, 'North', 'Oslo'), (2, 'South', NULL)",
    "INSERT INTO products (id, name, sku, unit_price, category_id, notes) VALUES (1, 'Laptop Pro', 'LP-1', 1299.50, 1, NULL), \
     (2, 'laptop sleeve', 'LS_2', 19.90, 2, '100% wool'), (3, 'Phone', 'PH-3', 599.00, 1, 'under_score'), \
     (4, 'Odd ''quote''', 'OQ-4', 1.00, NULL, 'back\\slash')",
    "INSERT INTO inventory (product_id, warehouse_id, quantity) VALUES (1, 1, 5), (1, 2, 7), (2, 1, 0)",
    "INSERT INTO visits (id, page, seen_at) VALUES (1, 'a', '2026-01-01 10:00:00'), (2, 'b', '2026-01-02 23:30:00'), \
     (3, 'c', '2026-01-03 00:00:00')",
];

/// One world per engine: SQLite always, the servers when the environment names them.
pub(crate) async fn all(test: &str) -> Vec<World> {
    let mut out = vec![sqlite().await];
    for (variable, postgres) in [("MCP_FACTORY_TEST_POSTGRES", true), ("MCP_FACTORY_TEST_MYSQL", false)] {
        match std::env::var(variable) {
            Ok(url) => out.push(server(&url, postgres).await),
            Err(_) => skip(test, variable),
        }
    }
    for world in &out {
        for sql in TABLES.iter().chain(&ROWS) {
            // MySQL reads a backslash in a string as an escape.
            let sql = if world.engine == Engine::Mysql {
                sql.replace("back\\slash", "back\\\\slash")
            } else {
                (*sql).to_owned()
            };
            world.execute(&sql).await;
        }
    }
    out
}

fn skip(test: &str, variable: &str) {
    use std::io::Write as _;
    let line = format!("{test}: {variable} is not set\n");
    match std::env::var("MCP_FACTORY_SKIPS") {
        Ok(path) => {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|mut file| file.write_all(line.as_bytes())).unwrap();
        }
        Err(_) => eprint!("SKIPPED {line}"),
    }
}

/// A name that no other test and no other process has.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    format!("t_plan_{}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed), time % 1_000_000_007)
}

fn open(url: &str, schema: Option<String>) -> Database {
    Database::open(Config { schema, ..Config::new("db", Secret::new(url)) }).unwrap()
}

async fn sqlite() -> World {
    let file = std::env::temp_dir().join(format!("{}.db", unique()));
    std::fs::write(&file, b"").unwrap();
    let db = open(&format!("sqlite:{}", file.display()), None);
    World { db, engine: Engine::Sqlite, place: Place::File(file) }
}

async fn server(url: &str, postgres: bool) -> World {
    let name = unique();
    let admin = open(url, None);
    let word = if postgres { "SCHEMA" } else { "DATABASE" };
    execute(&admin, &format!("CREATE {word} {name}")).await;
    admin.close().await;
    if postgres {
        // The tables are made in the schema by way of the search path that the URL sets.
        let sign = if url.contains('?') { '&' } else { '?' };
        let db = open(&format!("{url}{sign}options=-csearch_path%3D{name}"), Some(name.clone()));
        World { db, engine: Engine::Postgresql, place: Place::Schema { url: url.to_owned(), name } }
    } else {
        let db = open(&format!("{}/{name}", url.trim_end_matches('/')), None);
        World { db, engine: Engine::Mysql, place: Place::Server { url: url.to_owned(), name } }
    }
}

async fn execute(db: &Database, sql: &str) {
    let statement = Statement { text: sql.into(), order: [].into(), targets: [].into() };
    run(db, &[statement], &[Vec::new()], true, false).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Runs statements with values and gives the answer's text and the number of changed rows.
pub(crate) async fn run(
    db: &Database,
    statements: &[Statement],
    arguments: &[Vec<Value>],
    write: bool,
    single: bool,
) -> Result<(String, u64), connect::Error> {
    let cancel = CancellationToken::new();
    let query = Query {
        statements,
        arguments,
        write,
        row_limit: 1000,
        byte_limit: 1 << 20,
        timeout: Duration::from_secs(20),
        cancel: &cancel,
        keep: &[],
        single,
        acting: None,
    };
    let mut out = Vec::new();
    let answer = db.run(&query, &mut out).await?;
    Ok((String::from_utf8(out).unwrap(), answer.affected))
}

impl World {
    pub(crate) async fn execute(&self, sql: &str) {
        execute(&self.db, sql).await;
    }

    /// Removes it.
    pub(crate) async fn end(self) {
        self.db.close().await;
        match self.place {
            Place::File(file) => {
                let _ = std::fs::remove_file(file);
            }
            Place::Schema { url, name } => execute(&open(&url, None), &format!("DROP SCHEMA {name} CASCADE")).await,
            Place::Server { url, name } => execute(&open(&url, None), &format!("DROP DATABASE {name}")).await,
        }
    }
}
