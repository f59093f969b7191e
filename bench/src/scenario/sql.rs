//! A `sql` tool on PostgreSQL: one row by key, the same statement, table, pool and client for all.

use anyhow::{Context, Result};
use serde_json::json;

use crate::Settings;
use crate::compare::{Contender, Plan, confine, measure};
use crate::load::Request;
use crate::peers::{self, Database, KEY};
use crate::report::Table;

const CONNECTIONS: usize = 16;
/// Connections to the database that each server may open.
const POOL: usize = 10;
/// The share of a processor that each server has in the second series.
const SHARE: f64 = 0.5;
const OURS: &str = "mcp-factory";
const TOOLBOX: &str = "MCP Toolbox 1.12.0";
const BARE: &str = "bare axum + sqlx";
const COLUMNS: &str = "SELECT id, sku, name, price::float8 AS price FROM bench_products WHERE id =";

/// Makes a database with 10,000 products.
pub async fn database(settings: &Settings) -> Result<Database> {
    let url = settings.database.as_deref().context("no PostgreSQL: set MCP_FACTORY_TEST_POSTGRES")?;
    let name = format!("bench_{}", std::process::id());
    let database = Database::parse(url, &name)?;
    execute(url, &format!("CREATE DATABASE {name}")).await?;
    execute(
        &database.url,
        "CREATE TABLE IF NOT EXISTS bench_products (id int PRIMARY KEY, sku text NOT NULL, name text NOT NULL, price numeric(10,2) NOT NULL);
         INSERT INTO bench_products SELECT n, 'SKU-' || n, 'Product number ' || n, n % 900 + 0.99 FROM generate_series(1, 10000) n;
         CREATE TABLE IF NOT EXISTS products (id serial PRIMARY KEY, sku text UNIQUE, name text NOT NULL, category text, price numeric(10,2), stock int);
         INSERT INTO products (sku, name, category, price, stock) SELECT 'P-' || n, 'Laptop ' || n, 'electronics', n, n FROM generate_series(1, 100) n;
         ANALYZE",
    )
    .await?;
    Ok(database)
}

/// Drops it again.
pub async fn drop_database(settings: &Settings) {
    if let Some(url) = &settings.database {
        let _ = execute(url, &format!("DROP DATABASE IF EXISTS bench_{} WITH (FORCE)", std::process::id())).await;
    }
}

async fn execute(url: &str, sql: &str) -> Result<()> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    let driver = tokio::spawn(connection);
    client.batch_execute(sql).await?;
    drop(client);
    driver.await??;
    Ok(())
}

/// The comparison.
pub async fn run(settings: &Settings) -> Result<Table> {
    let database = database(settings).await?;
    let result = compare(settings, &database).await;
    drop_database(settings).await;
    result
}

async fn compare(settings: &Settings, database: &Database) -> Result<Table> {
    let spec = json!({
        "name": "bench-mcp",
        "auth": {"type": "api_key", "envVar": "BENCH_MCP_API_KEY"},
        "connections": [{"name": "shop", "type": "postgresql", "envVar": "BENCH_DATABASE_URL", "pool": {"max": POOL}}],
        "tools": [{
            "name": "get_product",
            "description": "One product",
            "connection": "shop",
            "parameters": {"id": {"type": "integer", "required": true}},
            "sql": {"query": format!("{COLUMNS} :id")},
        }],
    });
    let arguments = r#""name":"get_product","arguments":{"id":4711}"#;
    let request = move |port, key| Request::mcp(port, "tools/call", Some("get_product"), arguments, key, "SKU-4711");
    let bare = |port| Request::post(port, "/mcp", &[], r#"{"id":4711}"#, "SKU-4711");
    // The bare handler is built without TLS, so nobody uses it.
    let url = format!("{}?sslmode=disable", database.url);
    let ours = peers::ours(settings, &spec.to_string(), &[("BENCH_DATABASE_URL", &url)]).await;
    let toolbox = peers::toolbox(settings, database, &format!("{COLUMNS} $1"), POOL).await;
    let mut contenders = [
        Contender { name: OURS, server: ours, request: Box::new(move |port| request(port, Some(KEY))) },
        Contender { name: TOOLBOX, server: toolbox, request: Box::new(move |port| request(port, None)) },
        Contender { name: BARE, server: peers::sqlx(&url, POOL).await, request: Box::new(bare) },
    ];
    let plan = Plan::of(settings, CONNECTIONS);
    let whole = measure(&contenders, plan).await;
    confine(&mut contenders, SHARE);
    let confined = measure(&contenders, plan).await;
    let mut table = whole.table();
    confined.fill(&mut table, ", half a processor");
    table.at_most("server CPU per call, us", whole.median(OURS, |f| f.cpu_us), 70.0);
    for (comparison, where_) in [(&whole, "with a processor"), (&confined, "with half a processor")] {
        let (toolbox, bare) =
            (format!("calls/s over MCP Toolbox's, {where_}"), format!("calls/s over the bare handler's, {where_}"));
        table.at_least(&toolbox, comparison.ratio(OURS, TOOLBOX, |f| f.rate), 3.0);
        table.at_least(&bare, comparison.ratio(OURS, BARE, |f| f.rate), 0.8);
    }
    Ok(table)
}
