//! A bare axum handler: JSON in, one prepared statement on a pool, one row out as JSON.
//! No protocol, no checks, no limits, no read-only guard.

use axum::extract::{Json, State};
use axum::routing::post;
use axum::serve::ListenerExt;
use sqlx::Row;
use sqlx::postgres::{PgPool, PgPoolOptions};

#[derive(serde::Deserialize)]
struct Arguments {
    id: i32,
}

async fn product(State(pool): State<PgPool>, Json(arguments): Json<Arguments>) -> Json<serde_json::Value> {
    let row = sqlx::query("SELECT id, sku, name, price::float8 AS price FROM bench_products WHERE id = $1")
        .bind(arguments.id)
        .fetch_one(&pool)
        .await
        .expect("the row is there");
    Json(serde_json::json!([{
        "id": row.get::<i32, _>(0),
        "sku": row.get::<String, _>(1),
        "name": row.get::<String, _>(2),
        "price": row.get::<f64, _>(3),
    }]))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let url = std::env::var("DATABASE_URL")?;
    let connections = std::env::var("POOL")?.parse()?;
    let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false).connect(&url).await?;
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, axum::Router::new().route("/mcp", post(product)).with_state(pool)).await?;
    Ok(())
}
