//! What tools do beside SQL: one module for each action, which compiles it once and runs each call.

pub(crate) mod call;
pub(crate) mod command;
pub(crate) mod files;
pub(crate) mod graphql;
pub(crate) mod grpc;
pub(crate) mod http;
pub(crate) mod mongo;
mod part;
pub(crate) mod redis;
pub(crate) mod reply;
pub(crate) mod send;
pub(crate) mod steps;
pub(crate) mod vector;

use std::time::Instant;

use base::Select;
use bytes::Bytes;
use serde_json::{Map, Value};
use spec::expression::Scope;
use tokio::sync::SemaphorePermit;

pub(crate) use part::{Fault, fixed_text};

use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Failure, Outcome};
use crate::shape;
use crate::toolset::{Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// One call on its way: its permit, and when it must have ended.
pub(crate) struct Turn<'a> {
    /// When the call must have ended.
    pub(crate) deadline: Instant,
    _permit: Option<SemaphorePermit<'a>>,
}

impl Toolset {
    /// Takes a permit for a call that began at `started`, and finds its end.
    pub(crate) async fn turn(&self, context: &CallContext<'_>, tool: &Tool, started: Instant) -> Attempt<Turn<'_>> {
        let deadline = context.end(tool, started);
        let permit = self.permit(context, tool, deadline).await?;
        if deadline <= Instant::now() {
            return Err(errors::timeout(tool, started.elapsed()));
        }
        Ok(Turn { deadline, _permit: permit })
    }

    /// Most bytes that an action may give: more than is answered where the result is shaped.
    pub(crate) fn raw_bytes(&self, tool: &Tool) -> usize {
        tool.trim.as_ref().map_or_else(|| self.result_bytes(), |trim| trim.raw_bytes)
    }

    /// Most bytes of one answer.
    pub(crate) fn result_bytes(&self) -> usize {
        usize::try_from(self.limits.result_bytes).unwrap_or(usize::MAX)
    }
}

/// The names that templates of a call look up: `args`, and `caller`.
pub(crate) fn scope(context: &CallContext<'_>, arguments: &Map<String, Value>) -> Scope {
    let caller = context.known().cloned().map_or_else(|| Value::Object(Map::new()), Value::Object);
    let scope = Scope::new().with("args", &Value::Object(arguments.clone())).with("caller", &caller);
    match context.more {
        None => scope,
        Some(more) => scope.and(more),
    }
}

/// A selection, and how it is written.
pub(crate) type Selection = (Select, Box<str>);

/// Reads a selection.
fn selection(text: Option<&String>) -> Result<Option<Selection>, Fault> {
    text.map(|text| Ok((Select::parse(text)?, text.as_str().into()))).transpose()
}

/// A JSON value as the result of a call, of which a part may be selected.
fn selected(set: &Toolset, tool: &Tool, select: Option<&Selection>, value: Value) -> Attempt<Outcome> {
    let value = match select {
        None => value,
        Some((select, written)) => {
            let missing = || errors::unusable(tool, &format!("it has no `{written}`"));
            select.pick(&value).ok_or_else(missing)?
        }
    };
    let json = Bytes::from(value.to_string());
    if json.len() > set.raw_bytes(tool) {
        return Err(errors::too_many_bytes(tool, json.len(), set.raw_bytes(tool)));
    }
    shape::conforms(tool, &json)?;
    Ok(Outcome::structured(json))
}
