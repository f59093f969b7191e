//! A bare axum handler: JSON in, one request to an API, its JSON out. No protocol, no checks, no limits.

use axum::extract::{Json, State};
use axum::routing::post;
use axum::serve::ListenerExt;

#[derive(serde::Deserialize)]
struct Arguments {
    id: i64,
}

async fn price(
    State((client, url)): State<(reqwest::Client, String)>,
    Json(arguments): Json<Arguments>,
) -> Json<serde_json::Value> {
    let answer = client.get(format!("{url}/price/{}", arguments.id)).send().await.expect("an answer");
    Json(answer.json().await.expect("JSON"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let state = (reqwest::Client::builder().tcp_nodelay(true).build()?, std::env::var("API_URL")?);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, axum::Router::new().route("/mcp", post(price)).with_state(state)).await?;
    Ok(())
}
