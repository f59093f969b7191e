//! What answers a running script.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use connect::{Acting, Answer, Database, Error, ErrorKind, Query};
use futures_util::future::BoxFuture;
use script::{Host, HostError, HostFuture, Level, Rest};
use serde_json::Value;
use spec::model::Limits;
use tokio_util::sync::CancellationToken;

use super::ScriptAction;
use super::reach::sql::Prepared;
use super::reach::state::changed;
use super::reach::{Reach, refuse};
use crate::context::CallContext;
use crate::errors;
use crate::mask::Mask;
use crate::outcome::FailureKind;
use crate::toolset::Toolset;

/// The host of one call.
pub(super) struct ScriptHost<'a> {
    pub(super) set: &'a Toolset,
    pub(super) action: &'a ScriptAction,
    pub(super) context: &'a CallContext<'a>,
    pub(super) mask: &'a Mask,
    pub(super) limits: &'a Limits,
    /// When the run must have ended, less the time that the call has waited for a person.
    pub(super) kept: Instant,
}

impl Host for ScriptHost<'_> {
    fn call(&self, function: usize, arguments: String) -> HostFuture<'_> {
        Box::pin(self.dispatch(function, arguments))
    }

    fn rest<'a>(&'a self, rest: &'a Rest) -> BoxFuture<'a, Result<(), HostError>> {
        Box::pin(self.resting(rest))
    }

    fn progress(&self, done: f64, total: Option<f64>, message: &str) {
        self.context.report(done, total, &self.mask.text(message));
    }

    fn log(&self, level: Level, text: &str) {
        self.context.log(level, &self.mask.text(text));
    }
}

impl ScriptHost<'_> {
    /// Others have the permit of a call that rests.
    async fn resting(&self, rest: &Rest) -> Result<(), HostError> {
        if let Some(held) = self.context.held {
            held.release();
        }
        let ended = if rest.change.is_none() && rest.progress.is_none() {
            tokio::time::sleep(rest.time).await;
            Ok(())
        } else {
            let Some(state) = self.action.reach.iter().find_map(Reach::memory) else {
                let why = "`again` can wait for a key of `state` only where the server remembers something: the spec has no `state`";
                return Err(refuse(FailureKind::Value, why.to_owned()));
            };
            tokio::time::timeout(rest.time, changed(state?, self, rest)).await.unwrap_or(Ok(()))
        };
        if let Some(held) = self.context.held {
            held.take_back().await;
        }
        ended
    }

    async fn dispatch(&self, function: usize, arguments: String) -> Result<Bytes, HostError> {
        let Some((at, name)) = self.action.functions.get(function) else {
            return Err(refuse(FailureKind::Internal, "there is no such function".to_owned()));
        };
        self.action.reach[*at].call(self, name, &arguments).await
    }

    /// When the run must have ended, as it is now.
    pub(super) fn deadline(&self) -> Instant {
        self.context.now(self.kept)
    }

    /// Whether the script may change data.
    pub(super) fn writes(&self) -> bool {
        self.action.write
    }

    /// Most rows or documents of one answer.
    pub(super) fn rows(&self) -> usize {
        self.action.row_limit
    }

    /// Runs a statement: its rows, or with `execute` the number of rows that it changed.
    pub(super) async fn statement(
        &self,
        database: Arc<Database>,
        prepared: Arc<Prepared>,
        values: Vec<Value>,
        acting: Option<Acting>,
        execute: bool,
    ) -> Result<Bytes, HostError> {
        let timeout = self.deadline().saturating_duration_since(Instant::now());
        let (write, row_limit) = (self.action.write, self.action.row_limit);
        let byte_limit = usize::try_from(self.limits.result_bytes).unwrap_or(usize::MAX);
        // A task of its own, so that a run which ends first still cancels the statement at the server.
        let cancel = CancellationToken::new();
        let guard = cancel.clone().drop_guard();
        let task = tokio::spawn(async move {
            let sets = [values];
            let query = Query {
                statements: std::slice::from_ref(&prepared.statement),
                arguments: &sets,
                write,
                row_limit,
                byte_limit,
                timeout,
                cancel: &cancel,
                keep: &[],
                single: false,
                acting: acting.as_ref(),
            };
            let mut out = Vec::new();
            database.run(&query, &mut out).await.map(|answer| (answer, out))
        });
        let done = task.await.map_err(|_| refuse(FailureKind::Internal, "the connection failed".to_owned()))?;
        guard.disarm();
        let (answer, rows) = done.map_err(|error| told(&error, write))?;
        self.answer(execute, &answer, rows)
    }

    fn answer(&self, execute: bool, answer: &Answer, rows: Vec<u8>) -> Result<Bytes, HostError> {
        if execute {
            return Ok(Bytes::from(answer.affected.to_string()));
        }
        if answer.truncated {
            let message = format!(
                "the query gives more than {} rows, the most that this server's queries give; add a `LIMIT`, narrow it, or \
                 raise `limits.rows`",
                self.action.row_limit
            );
            return Err(refuse(FailureKind::Limit, message));
        }
        Ok(if rows.is_empty() { Bytes::from_static(b"[]") } else { Bytes::from(rows) })
    }
}

pub(super) fn told(error: &Error, write: bool) -> HostError {
    let kind = match error.kind {
        ErrorKind::Timeout => FailureKind::Timeout,
        ErrorKind::Cancelled => FailureKind::Cancelled,
        ErrorKind::Limit => FailureKind::Limit,
        other => errors::advice(other, write).0,
    };
    refuse(kind, error.to_string())
}
