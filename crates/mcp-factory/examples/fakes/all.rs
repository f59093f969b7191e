//! Fakes of services that tests and users without an account cannot have. They keep what they are told in memory, and
//! check credentials, signatures, methods and shapes as the services' public documents say. They are no complete services.

#[path = "echo.rs"]
mod echo;
#[path = "events.rs"]
mod events;
#[path = "github.rs"]
mod github;
#[path = "jira.rs"]
mod jira;
#[path = "linear.rs"]
mod linear;
#[path = "oauth.rs"]
mod oauth;
#[path = "pages.rs"]
mod pages;
#[path = "search.rs"]
mod search;
#[path = "shared.rs"]
mod shared;
#[path = "signed.rs"]
mod signed;
#[path = "slack.rs"]
mod slack;
#[path = "stripe.rs"]
mod stripe;
#[path = "trouble.rs"]
mod trouble;
#[path = "twilio.rs"]
mod twilio;

use axum::Router;
use tokio::net::TcpListener;

/// The folder of each fake, what it is, and what it wants to see.
pub(crate) const FAKES: &[(&str, &str, &str)] = &[
    ("github", "GitHub's REST API", "bearer token `github-token`"),
    ("slack", "Slack's Web API", "bearer token `slack-token`"),
    ("jira", "Jira Cloud's REST API, version 3", "user `ann@example.com`, password `jira-token`"),
    ("twilio", "Twilio's messages", "user `AC00000000000000000000000000000001`, password `twilio-token`"),
    ("stripe", "Stripe's REST API", "bearer token `stripe-key`"),
    ("linear", "Linear's GraphQL API", "header `Authorization: linear-key`"),
    ("search", "Brave's search", "header `X-Subscription-Token: search-key`"),
    ("prometheus", "Prometheus's HTTP API", "nothing"),
    ("signed", "receivers of signed webhooks", "keys `stripe-signing-key`, `github-signing-key`, `slack-signing-key`"),
    ("oauth", "an OAuth 2.0 server and an API behind it", "client `client`, secret `client-secret`"),
    ("events", "streams of events, as model APIs send them", "bearer token `model-key`"),
    ("echo", "says back what it was asked", "nothing"),
    ("pages", "a site with pages, and rules for robots", "nothing"),
    ("trouble", "slow, endless, packed, broken and moved answers", "nothing"),
];

/// All fakes, each below its folder.
pub(crate) fn router() -> Router {
    Router::new()
        .nest("/github", github::router())
        .nest("/slack", slack::router())
        .nest("/jira", jira::router())
        .nest("/twilio", twilio::router())
        .nest("/stripe", stripe::router())
        .nest("/linear", linear::router())
        .nest("/search", search::brave())
        .nest("/prometheus", search::prometheus())
        .nest("/signed", signed::router())
        .nest("/oauth", oauth::router())
        .nest("/events", events::router())
        .nest("/echo", echo::router())
        .nest("/pages", pages::router())
        .route("/robots.txt", axum::routing::get(pages::robots))
        .nest("/trouble", trouble::router())
}

/// Serves the fakes until the program or the test ends; gives their URL. Port 0 takes a free one.
pub(crate) async fn start(address: &str) -> std::io::Result<String> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move { axum::serve(listener, router()).await });
    Ok(format!("http://{address}"))
}
