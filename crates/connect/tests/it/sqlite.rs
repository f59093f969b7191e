//! SQLite.

mod catalogue;
mod limits;
mod requests;
mod safety;
mod types;

use connect::Database;

use crate::support::{Call, config};

/// A database in memory with a schema.
async fn memory(schema: &[&str]) -> Database {
    let database = Database::open(config("sqlite::memory:")).expect("the URL is right");
    fill(&database, schema).await;
    database
}

/// A database in a file of its own.
async fn file(schema: &[&str]) -> (tempfile::TempDir, Database) {
    let dir = tempfile::tempdir().expect("a directory");
    let url = format!("sqlite:{}/shop.db?mode=rwc", dir.path().display());
    let database = Database::open(config(&url)).expect("the URL is right");
    fill(&database, schema).await;
    (dir, database)
}

async fn fill(database: &Database, schema: &[&str]) {
    for text in schema {
        Call::write(text, &[]).run(database).await.unwrap_or_else(|error| panic!("{text}: {error}"));
    }
}
