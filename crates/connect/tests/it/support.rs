//! What every engine's tests need.

use std::sync::Arc;
use std::time::Duration;

use connect::{Answer, Config, Database, Error, Query, Statement, Target};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A configuration with short waits.
pub(crate) fn config(url: &str) -> Config {
    Config { acquire_timeout: Duration::from_secs(5), ..Config::new("db", base::Secret::new(url)) }
}

/// Records that a test could not run, where `cargo xtask test` looks for it.
#[cfg(any(feature = "postgres", feature = "mysql", feature = "graphql", feature = "grpc"))]
pub(crate) fn skip(test: &str, reason: &str) {
    use std::io::Write as _;
    let line = format!("{test}: {reason}\n");
    match std::env::var("MCP_FACTORY_SKIPS") {
        Ok(path) => {
            let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
            file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the skip is recorded");
        }
        Err(_) => eprint!("SKIPPED {line}"),
    }
}

/// A statement whose placeholders take the arguments in order.
pub(crate) fn statement(text: &str, placeholders: usize) -> Statement {
    Statement { text: Arc::from(text), order: (0..placeholders).collect(), targets: Arc::from([]) }
}

/// A request with everything set, to be changed by a test.
pub(crate) struct Call {
    pub(crate) statements: Vec<Statement>,
    pub(crate) arguments: Vec<Vec<Value>>,
    pub(crate) write: bool,
    pub(crate) row_limit: usize,
    pub(crate) byte_limit: usize,
    pub(crate) timeout: Duration,
    pub(crate) cancel: CancellationToken,
    pub(crate) keep: Vec<String>,
    pub(crate) single: bool,
    pub(crate) acting: Option<connect::Acting>,
}

impl Call {
    /// Reads with one statement.
    pub(crate) fn read(text: &str, arguments: &[Value]) -> Self {
        Self {
            statements: vec![statement(text, arguments.len())],
            arguments: vec![arguments.to_vec()],
            write: false,
            row_limit: 1000,
            byte_limit: 1 << 20,
            timeout: Duration::from_secs(20),
            cancel: CancellationToken::new(),
            keep: Vec::new(),
            single: false,
            acting: None,
        }
    }

    /// Writes with one statement.
    pub(crate) fn write(text: &str, arguments: &[Value]) -> Self {
        Self { write: true, ..Self::read(text, arguments) }
    }

    /// Writes the columns for these targets.
    pub(crate) fn targets(mut self, targets: &[Target]) -> Self {
        for statement in &mut self.statements {
            statement.targets = Arc::from(targets);
        }
        self
    }

    /// Runs it; the rows as a value.
    pub(crate) async fn run(&self, database: &Database) -> Result<(Answer, Value), Error> {
        let mut out = b"before ".to_vec();
        let query = Query {
            statements: &self.statements,
            arguments: &self.arguments,
            write: self.write,
            row_limit: self.row_limit,
            byte_limit: self.byte_limit,
            timeout: self.timeout,
            cancel: &self.cancel,
            keep: &self.keep,
            single: self.single,
            acting: self.acting.as_ref(),
        };
        let answer = database.run(&query, &mut out).await;
        match answer {
            Ok(answer) => {
                let rows = serde_json::from_slice(&out[b"before ".len()..]).expect("the answer is JSON");
                Ok((answer, rows))
            }
            Err(error) => {
                assert_eq!(out, b"before ", "an error leaves the buffer as it was");
                Err(error)
            }
        }
    }

    /// The rows.
    pub(crate) async fn rows(&self, database: &Database) -> Value {
        self.run(database).await.expect("the request succeeds").1
    }

    /// The error.
    pub(crate) async fn error(&self, database: &Database) -> Error {
        self.run(database).await.expect_err("the request fails")
    }
}
