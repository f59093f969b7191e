//! The path of one call: arguments, permit, deadline, statements, answer.

use std::pin::Pin;
use std::time::{Duration, Instant};

use connect::Query;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use spec::model::PageBy;
use tokio::sync::SemaphorePermit;

use crate::arguments;
use crate::context::CallContext;
use crate::cursor::{self, Position, Scope};
use crate::errors;
use crate::limits::{ANSWER_BYTES_MIN, BATCH_COPIES_BYTES_MAX};
use crate::outcome::{Failure, FailureKind, Outcome};
use crate::shape;
use crate::toolset::{Action, Pages, SqlAction, Tool, Toolset, instant};

type Attempt<T> = Result<T, Box<Failure>>;

impl Toolset {
    /// Runs a call that began at `started`.
    pub(crate) async fn run(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        raw: Option<&RawValue>,
        mut started: Instant,
    ) -> Attempt<Outcome> {
        let mut arguments = arguments::read(tool, &self.limits, context, raw)?;
        if tool.given.is_some() {
            tool.fill(context, &mut arguments)?;
        }
        if let Some(ask) = &tool.ask {
            // Boxed: see `act`. The person's time is not that of the call.
            let asked = Instant::now();
            arguments = Box::pin(ask.first(context, tool, arguments)).await?;
            started += asked.elapsed();
        }
        let outcome = self.act(context, tool, arguments, started).await?;
        match &tool.trim {
            // Pages were given their shape where their cursors are made.
            Some(trim) if !tool.action.has_pages() => trim.apply(self, tool, outcome, None),
            _ => Ok(outcome),
        }
    }

    /// Does what a tool does, as a part of another one.
    pub(crate) fn act_boxed<'a>(
        &'a self,
        context: &'a CallContext<'a>,
        tool: &'a Tool,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Pin<Box<dyn Future<Output = Attempt<Outcome>> + Send + 'a>> {
        Box::pin(self.act(context, tool, arguments, started))
    }

    /// Does what a tool does with arguments that were checked.
    async fn act(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        match &tool.action {
            Action::Reply { structured, content, echo } => Ok(Outcome {
                structured: structured.clone(),
                echo: *echo,
                content: content.to_vec(),
                ..Outcome::default()
            }),
            Action::Template(reply) => self.fill_reply(context, tool, reply, &arguments),
            Action::NotImplemented(reason) => {
                let text = format!("The tool `{}` is not implemented, so nothing was done: {reason}", tool.info.name);
                Err(Box::new(Failure::new(FailureKind::NotImplemented, text)))
            }
            // Boxed: what they need room for is not laid aside in every call.
            Action::Http(http) => Box::pin(self.run_http(context, tool, http, arguments, started)).await,
            Action::Redis(redis) => Box::pin(self.run_redis(context, tool, redis, arguments, started)).await,
            Action::Mongo(mongo) => Box::pin(self.run_mongo(context, tool, mongo, arguments, started)).await,
            Action::Graphql(graphql) => Box::pin(self.run_graphql(context, tool, graphql, arguments, started)).await,
            Action::Grpc(grpc) => Box::pin(self.run_grpc(context, tool, grpc, arguments, started)).await,
            Action::Files(files) => Box::pin(self.run_files(context, tool, files, arguments, started)).await,
            Action::Send(send) => Box::pin(self.run_send(context, tool, send, arguments, started)).await,
            Action::Vector(vector) => Box::pin(self.run_vector(context, tool, vector, arguments, started)).await,
            Action::Script(script) => Box::pin(self.run_script(context, tool, script, arguments, started)).await,
            Action::Call(call) => Box::pin(self.run_call(context, tool, call, arguments, started)).await,
            Action::Steps(steps) => Box::pin(self.run_steps(context, tool, steps, arguments, started)).await,
            Action::Command(command) => Box::pin(self.run_command(context, tool, command, arguments, started)).await,
            Action::Sql(sql) => self.run_sql(context, tool, sql, arguments, started).await,
        }
    }

    async fn run_sql(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        sql: &SqlAction,
        mut arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let Some(database) = &sql.database else {
            return Err(errors::unavailable(tool, sql));
        };
        let cursor = sql.page.as_ref().and_then(|_| arguments.remove(cursor::ARGUMENT));
        let scope = sql.page.as_ref().map(|_| Scope::new(&self.digest, &tool.info.name, &arguments));
        let at = match (&scope, cursor.as_ref().and_then(Value::as_str)) {
            (Some(scope), Some(cursor)) => scope.read(cursor)?,
            _ => Position::Start,
        };
        let mut sets = bind(tool, sql, &mut arguments, &at)?;
        sets.iter_mut().for_each(|set| sql.instants.iter().for_each(|at| instant::in_utc(&mut set[*at])));
        if sets.is_empty() {
            return Ok(shape::nothing(sql));
        }
        let deadline = context.end(tool, started);
        let _permit = self.permit(context, tool, deadline).await?;
        let timeout = remaining(deadline).ok_or_else(|| errors::timeout(tool, started.elapsed()))?;
        let batch = sql.batch.as_ref().map(|_| sets.len() as f64);
        if batch.is_some() {
            context.report(0.0, batch, "running the batch in one transaction");
        }
        let acting = match &sql.acts {
            None => None,
            Some(acts) => Some(acts.of(context).map_err(|why| errors::not_acting(tool, &why))?),
        };
        let query = Query {
            statements: statements(sql, &at),
            arguments: &sets,
            write: sql.write,
            row_limit: sql.page.as_ref().map_or(sql.row_limit, |page| page.size),
            byte_limit: self.raw_bytes(tool),
            timeout,
            cancel: context.cancel,
            keep: sql.page.as_ref().map(|page| page.key.as_slice()).unwrap_or_default(),
            single: shape::is_single(sql),
            acting: acting.as_ref(),
        };
        let mut out = Vec::with_capacity(ANSWER_BYTES_MIN);
        shape::open(sql, &mut out);
        let answer = database.run(&query, &mut out).await;
        let answer = answer.map_err(|error| errors::database(tool, sql, &error, started.elapsed()))?;
        if let Some(total) = batch {
            context.report(total, batch, "the batch is committed");
        }
        let next = sql.page.as_ref().and_then(|page| next(page, &at, &answer));
        let next = next.zip(scope.as_ref()).map(|(position, scope)| scope.write(&position));
        let outcome = shape::close(tool, sql, out, &answer, next)?;
        match (&tool.trim, &sql.page, &scope) {
            (Some(trim), Some(page), Some(scope)) => {
                let pager = |shown: usize, last: &RawValue| Some(scope.write(&behind(page, &at, shown, last)?));
                trim.apply(self, tool, outcome, Some(&pager))
            }
            _ => Ok(outcome),
        }
    }

    /// A permit to use a connection; the wait counts as part of the call. A call within one that holds a permit needs none.
    pub(crate) async fn permit(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        deadline: Instant,
    ) -> Attempt<Option<SemaphorePermit<'_>>> {
        if context.is_held {
            return Ok(None);
        }
        if let Ok(permit) = self.permits.try_acquire() {
            return Ok(Some(permit));
        }
        tokio::select! {
            permit = tokio::time::timeout_at(deadline.into(), self.permits.acquire()) => match permit {
                Ok(Ok(permit)) => Ok(Some(permit)),
                // The semaphore is never closed, so what is left is the timeout.
                Ok(Err(_)) | Err(_) => Err(errors::busy(tool, &self.limits)),
            },
            () = context.cancel.cancelled() => Err(errors::cancelled(tool)),
        }
    }
}

fn remaining(deadline: Instant) -> Option<Duration> {
    deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

/// The sets of values that the statements run with: one, or one for each element of the batch.
fn bind(tool: &Tool, sql: &SqlAction, arguments: &mut Map<String, Value>, at: &Position) -> Attempt<Vec<Vec<Value>>> {
    let size = sql.page.as_ref().map_or(0, |page| page.size);
    let Some(batch) = &sql.batch else {
        return Ok(vec![sql.slots.iter().map(|slot| slot.take(arguments, at, size)).collect()]);
    };
    let elements = match arguments.remove(&**batch) {
        Some(Value::Array(elements)) => elements,
        _ => Vec::new(),
    };
    let shared: usize = sql.slots.iter().map(|slot| slot.shared_bytes(arguments)).sum();
    if shared.saturating_mul(elements.len()) > BATCH_COPIES_BYTES_MAX {
        return Err(errors::batch_too_large(tool, batch, elements.len(), shared));
    }
    let one = |mut element: Value| sql.slots.iter().map(|slot| slot.take_element(arguments, &mut element)).collect();
    Ok(elements.into_iter().map(one).collect())
}

fn statements<'a>(sql: &'a SqlAction, at: &Position) -> &'a [connect::Statement] {
    let next = sql.page.as_ref().and_then(|page| page.next.as_deref());
    next.filter(|_| !at.is_start()).unwrap_or(&sql.statements)
}

/// Where the next page begins when this page ends early, after `shown` rows of which this is the last.
fn behind(page: &Pages, at: &Position, shown: usize, last: &RawValue) -> Option<Position> {
    Some(match page.by {
        PageBy::Offset => Position::Offset(at.offset() + shown as u64),
        PageBy::Keyset => {
            let row: Value = serde_json::from_str(last.get()).ok()?;
            Position::Key(page.key.iter().map(|column| row.get(column).cloned()).collect::<Option<_>>()?)
        }
    })
}

/// Where the next page begins, if there is one.
fn next(page: &Pages, at: &Position, answer: &connect::Answer) -> Option<Position> {
    answer.truncated.then(|| match page.by {
        PageBy::Offset => Position::Offset(at.offset() + answer.rows as u64),
        PageBy::Keyset => Position::Key(answer.last.clone()),
    })
}
