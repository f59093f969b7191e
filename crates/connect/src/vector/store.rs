//! Texts with their vectors in a table.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::sql::{Condition, Sql, text};
use super::{DIMENSIONS_MAX, Embedder, ITEMS_MAX, RESULTS_MAX, Settings};
use crate::{Answer, Database, Error, ErrorKind, Query, Statement};

/// Most bytes of a search's results.
const RESULT_BYTES_MAX: usize = 16 << 20;
/// What a missing extension is told with.
const NO_EXTENSION: &str = "install pgvector on the server (Debian: postgresql-NN-pgvector), then have a superuser run `CREATE EXTENSION vector`";

/// A table of texts with their vectors.
pub struct Store {
    name: String,
    database: Arc<Database>,
    embedder: Embedder,
    settings: Settings,
    sql: Sql,
    ready: OnceCell<()>,
}

/// A text to keep.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What it is known by; another text with the same is replaced.
    pub id: String,
    /// The text.
    pub content: String,
    /// What belongs to it.
    pub metadata: Map<String, Value>,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Search<'a> {
    /// A text that the results are like.
    pub text: &'a str,
    /// Only rows whose metadata has these values; a list stands for any of its values.
    pub filter: &'a Map<String, Value>,
    /// Most results.
    pub limit: usize,
    /// Only rows that are at least so much alike: see [`super::Metric::score`].
    pub min_score: Option<f64>,
}

/// A text that was found.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Found {
    /// What it is known by.
    pub id: String,
    /// The text.
    pub content: String,
    /// What belongs to it.
    pub metadata: Value,
    /// How alike it is; more is more.
    pub score: f64,
}

impl Store {
    /// Checks the settings. Nothing is sent.
    pub fn open(name: &str, database: Arc<Database>, embedder: Embedder, settings: Settings) -> Result<Self, Error> {
        let config = |why: String| failure(name, ErrorKind::Config, "open", why);
        let sql = Sql::new(database.engine(), &settings).map_err(config)?;
        let dimensions = settings.dimensions;
        if dimensions == 0 || dimensions > DIMENSIONS_MAX {
            return Err(config(format!("a vector has 1 to {DIMENSIONS_MAX} numbers, not {dimensions}")));
        }
        if let Embedder::Hash(own) = &embedder
            && *own != dimensions
        {
            return Err(config(format!("the embedding has {own} numbers and the table {dimensions}")));
        }
        Ok(Self { name: name.to_owned(), database, embedder, settings, sql, ready: OnceCell::new() })
    }

    /// Makes the table when it is not there and may be made. Before the first use this is done anyway.
    pub async fn prepare(&self, deadline: Instant, cancel: &CancellationToken) -> Result<(), Error> {
        self.ready.get_or_try_init(|| self.make(deadline, cancel)).await.map(drop)
    }

    async fn make(&self, deadline: Instant, cancel: &CancellationToken) -> Result<(), Error> {
        if !self.settings.create {
            return Ok(());
        }
        for statement in self.sql.create() {
            let made = self.run(&statement, &[vec![]], true, deadline, cancel).await;
            made.map_err(|mut error| {
                if self.sql.is_postgres && statement.starts_with("CREATE EXTENSION") {
                    error.kind = ErrorKind::Config;
                    error.message = format!(
                        "the server has no extension `vector`, or it may not be switched on: {}",
                        error.message
                    );
                    error.hint = Some(NO_EXTENSION.to_owned());
                }
                error
            })?;
        }
        Ok(())
    }

    /// Keeps texts, all or none; those with a known identifier are replaced. Gives their number.
    pub async fn upsert(&self, items: &[Item], deadline: Instant, cancel: &CancellationToken) -> Result<usize, Error> {
        if items.len() > ITEMS_MAX {
            return Err(self.error(ErrorKind::Limit, format!("at most {ITEMS_MAX} texts are stored at once")));
        }
        if items.iter().any(|item| item.id.is_empty()) {
            return Err(self.error(ErrorKind::Value, "an identifier is empty".to_owned()));
        }
        if items.is_empty() {
            return Ok(0);
        }
        let texts: Vec<&str> = items.iter().map(|item| item.content.as_str()).collect();
        let vectors = self.embed(&texts, deadline, cancel).await?;
        self.prepare(deadline, cancel).await?;
        let rows: Vec<Vec<Value>> = items
            .iter()
            .zip(&vectors)
            .map(|(item, vector)| {
                let metadata = Value::Object(item.metadata.clone()).to_string();
                vec![item.id.as_str().into(), item.content.as_str().into(), metadata.into(), text(vector).into()]
            })
            .collect();
        self.run(&self.sql.upsert(), &rows, true, deadline, cancel).await?;
        Ok(items.len())
    }

    /// The texts that are most like another one, the nearest first.
    pub async fn search(
        &self,
        search: &Search<'_>,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Vec<Found>, Error> {
        let limit = search.limit.clamp(1, RESULTS_MAX);
        let vectors = self.embed(&[search.text], deadline, cancel).await?;
        self.prepare(deadline, cancel).await?;
        let value = |why| self.error(ErrorKind::Value, why);
        if !self.sql.is_postgres {
            let unbound = self.sql.filter(search.filter, 0).map_err(value)?;
            self.check_scan(&unbound, deadline, cancel).await?;
        }
        let condition = self.sql.filter(search.filter, 1).map_err(value)?;
        let mut values: Vec<Value> = vectors.iter().map(|vector| text(vector).into()).collect();
        values.extend(condition.values.iter().cloned());
        let statement = self.sql.search(&condition, limit);
        let (_, rows) = self.run(&statement, &[values], false, deadline, cancel).await?;
        let found = rows.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(|row| self.found(row));
        Ok(found.filter(|found| search.min_score.is_none_or(|least| found.score >= least)).collect())
    }

    fn found(&self, row: &Value) -> Option<Found> {
        let metadata = match &row["metadata"] {
            Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
            other => other.clone(),
        };
        let score = self.settings.metric.score(row["distance"].as_f64()?);
        let text = |key: &str| row[key].as_str().map(str::to_owned);
        Some(Found { id: text("id")?, content: text("content")?, metadata, score })
    }

    /// A search in SQLite looks at every row: beyond the bound it is refused rather than made inexact.
    async fn check_scan(
        &self,
        condition: &Condition,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<(), Error> {
        let most = self.settings.scan_rows;
        let statement = self.sql.count(condition, most + 1);
        let (_, rows) = self.run(&statement, std::slice::from_ref(&condition.values), false, deadline, cancel).await?;
        if rows[0]["count"].as_u64().unwrap_or_default() > most as u64 {
            let mut error = self.error(ErrorKind::Limit, format!("there are more than {most} rows to look at"));
            error.hint = Some(
                "filter by metadata, raise `scanRows`, or keep the vectors in PostgreSQL with pgvector".to_owned(),
            );
            return Err(error);
        }
        Ok(())
    }

    /// Where the texts are.
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// Deletes the texts whose metadata has these values; gives how many there were. A filter that asks for nothing is refused.
    pub async fn delete_where(
        &self,
        filter: &Map<String, Value>,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<u64, Error> {
        if filter.is_empty() {
            return Err(
                self.error(ErrorKind::Value, "a filter that asks for nothing would delete everything".to_owned())
            );
        }
        self.prepare(deadline, cancel).await?;
        let condition = self.sql.filter(filter, 0).map_err(|why| self.error(ErrorKind::Value, why))?;
        let statement = self.sql.delete(&condition);
        Ok(self.run(&statement, &[condition.values], true, deadline, cancel).await?.0.affected)
    }

    /// Deletes texts by their identifiers; gives how many there were.
    pub async fn delete(&self, ids: &[String], deadline: Instant, cancel: &CancellationToken) -> Result<u64, Error> {
        if ids.len() > ITEMS_MAX {
            return Err(self.error(ErrorKind::Limit, format!("at most {ITEMS_MAX} texts are deleted at once")));
        }
        if ids.is_empty() {
            return Ok(0);
        }
        self.prepare(deadline, cancel).await?;
        let condition = self.sql.by_ids(ids);
        let statement = self.sql.delete(&condition);
        Ok(self.run(&statement, &[condition.values], true, deadline, cancel).await?.0.affected)
    }

    async fn embed(
        &self,
        texts: &[&str],
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let work = self.embedder.embed(&self.name, texts, deadline, cancel);
        let vectors = tokio::time::timeout_at(deadline, work).await.unwrap_or_else(|_| {
            Err(self.error(ErrorKind::Timeout, "the vectors were not there before the deadline".to_owned()))
        })?;
        let wanted = self.settings.dimensions;
        match vectors.iter().find(|vector| vector.len() != wanted) {
            Some(other) => {
                let message = format!("the embedding gives {} numbers, and the table has {wanted}", other.len());
                Err(self.error(ErrorKind::Config, message))
            }
            None => Ok(vectors),
        }
    }

    async fn run(
        &self,
        statement: &str,
        rows: &[Vec<Value>],
        write: bool,
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<(Answer, Value), Error> {
        let count = rows.first().map_or(0, Vec::len);
        let statement = Statement { text: Arc::from(statement), order: (0..count).collect(), targets: Arc::from([]) };
        let query = Query {
            statements: std::slice::from_ref(&statement),
            arguments: rows,
            write,
            row_limit: RESULTS_MAX,
            byte_limit: RESULT_BYTES_MAX,
            timeout: deadline.saturating_duration_since(Instant::now()),
            cancel,
            keep: &[],
            single: false,
            acting: None,
        };
        let mut out = Vec::new();
        let answer = self
            .database
            .run(&query, &mut out)
            .await
            .map_err(|error| Error { connection: self.name.clone(), ..error })?;
        let rows = if out.is_empty() { Value::Null } else { serde_json::from_slice(&out).unwrap_or_default() };
        Ok((answer, rows))
    }

    fn error(&self, kind: ErrorKind, message: String) -> Error {
        failure(&self.name, kind, "search by meaning", message)
    }
}

fn failure(connection: &str, kind: ErrorKind, attempted: &'static str, message: String) -> Error {
    let connection = connection.to_owned();
    Error { kind, connection, attempted, message, code: None, position: None, hint: None }
}
