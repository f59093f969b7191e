//! The demonstration: the example spec, and a database for it.

use std::path::Path;
use std::time::Duration;

use base::Secret;
use connect::{Config, Database, Engine};

use crate::{Code, Error};

/// The example of the design document, as it is printed there.
pub const SPEC: &str = include_str!("../../../examples/inventory-mcp.yaml");
/// Where the example comes from, for messages.
pub const SPEC_NAME: &str = "examples/inventory-mcp.yaml";
/// The variable that holds the URL of the example's database.
pub const VARIABLE: &str = "DATABASE_URL";
/// The table that the example's tool searches.
pub const TABLE: &str = "products";

/// Longest time of one statement.
const STATEMENT: Duration = Duration::from_secs(10);

const DATA: &str = include_str!("demo/products.sql");

/// What was done to a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The table was made and filled.
    Made,
    /// A table of this name was there and was left alone.
    Kept,
}

/// Makes an embedded database with the demonstration data and gives its URL.
pub async fn embedded(folder: &Path) -> Result<String, Error> {
    let file = folder.join("shop.db");
    // An empty file is an empty database.
    std::fs::write(&file, []).map_err(|error| {
        Error::new(Code::CannotWrite, format!("cannot write {}: {error}", file.display()))
            .hint("choose a folder with room that you may write, with TMPDIR")
    })?;
    let url = format!("sqlite:{}", file.display());
    fill(&url).await?;
    Ok(url)
}

/// Makes and fills the table of the demonstration, unless one of its name is there.
pub async fn fill(url: &str) -> Result<Filled, Error> {
    let database = open(url)?;
    let catalogue = database.catalogue().await.map_err(upstream)?;
    if catalogue.table(TABLE).is_some() {
        database.close().await;
        return Ok(Filled::Kept);
    }
    for statement in DATA.split(";\n").map(str::trim).filter(|text| !text.is_empty()) {
        database.execute(statement, STATEMENT).await.map_err(upstream)?;
    }
    database.close().await;
    Ok(Filled::Made)
}

/// The engine of the example's connection.
pub const ENGINE: Engine = Engine::Postgresql;

/// The engine that a URL names.
pub fn engine(url: &str) -> Option<Engine> {
    Engine::of_url(url)
}

fn open(url: &str) -> Result<Database, Error> {
    let config = Config::new("inventory_db", Secret::new(url));
    Database::open(Config { pool_max: 1, acquire_timeout: Duration::from_secs(5), ..config }).map_err(upstream)
}

fn upstream(error: connect::Error) -> Error {
    Error::new(Code::Upstream, error.to_string())
        .hint(format!("check {VARIABLE}, or unset it: the demonstration then uses an embedded database"))
}
