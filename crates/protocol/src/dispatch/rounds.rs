//! Running a handler until it has its result, asking the client in between in the way of its era.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use serde_json::json;

use super::legacy;
use crate::context::{Context, Round};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::json::render;
use crate::revision::Revision;
use crate::service::{
    Boxed, InputRequest, NeedInput, PromptCall, PromptResult, ReadResult, Reply, Service, ToolCall, ToolResult,
};
use crate::tasks::Live;

/// Rounds of questions within one call.
const MAX_ROUNDS: usize = 16;
/// Questions in one round.
const MAX_QUESTIONS: usize = 16;

/// One handler with its parameters, to be started anew each round.
pub(super) trait Work {
    type Result;
    fn start<'a>(&'a self, context: &'a Context) -> Boxed<'a, Result<Reply<Self::Result>, Error>>;
}

pub(super) struct ToolWork<'s> {
    pub(super) service: &'s dyn Service,
    pub(super) call: ToolCall<'s>,
}

pub(super) struct PromptWork<'s> {
    pub(super) service: &'s dyn Service,
    pub(super) call: PromptCall<'s>,
}

pub(super) struct ReadWork<'s> {
    pub(super) service: &'s dyn Service,
    pub(super) uri: &'s str,
}

impl Work for ToolWork<'_> {
    type Result = ToolResult;
    fn start<'a>(&'a self, context: &'a Context) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
        self.service.call_tool(context, self.call)
    }
}

impl Work for PromptWork<'_> {
    type Result = PromptResult;
    fn start<'a>(&'a self, context: &'a Context) -> Boxed<'a, Result<Reply<PromptResult>, Error>> {
        self.service.get_prompt(context, self.call)
    }
}

impl Work for ReadWork<'_> {
    type Result = ReadResult;
    fn start<'a>(&'a self, context: &'a Context) -> Boxed<'a, Result<Reply<ReadResult>, Error>> {
        self.service.read_resource(context, self.uri)
    }
}

/// How far a handler came.
pub(super) enum Finished<T> {
    Done(T),
    /// The client has to come back (stateless revisions).
    NeedInput(NeedInput),
    /// The rest becomes a task.
    Later(Boxed<'static, Result<Reply<T>, Error>>),
}

/// Runs a handler within a request.
pub(super) async fn run<W: Work>(
    work: &W,
    mut context: Context,
    endpoint: &Arc<Endpoint>,
    can_task: bool,
) -> Result<Finished<W::Result>, Error> {
    for _ in 0..MAX_ROUNDS {
        let mut reply = caught(work.start(&context)).await?;
        let need = loop {
            match reply {
                Reply::Done(result) => return Ok(Finished::Done(result)),
                Reply::Later(rest) if can_task => return Ok(Finished::Later(rest)),
                Reply::Later(rest) => reply = caught(rest).await?,
                Reply::NeedInput(need) => break need,
            }
        };
        check(&need, &context)?;
        if context.is_modern() {
            return Ok(Finished::NeedInput(need));
        }
        let inputs = legacy::ask(&context, endpoint, &need.requests).await?;
        context = context.with_round(Round { inputs, state: need.state });
    }
    Err(too_many_rounds())
}

/// Runs a handler as a task: questions go through the task.
pub(super) async fn run_task<W: Work>(
    work: &W,
    context: Context,
    endpoint: &Arc<Endpoint>,
    live: &Live,
) -> Result<W::Result, Error> {
    let first = caught(work.start(&context)).await?;
    settle(Some(work), first, context.clone(), endpoint, live).await
}

/// Brings a reply to its end within a task. Without `work` there is nothing to start anew after a question.
pub(super) async fn settle<W: Work>(
    work: Option<&W>,
    mut reply: Reply<W::Result>,
    mut context: Context,
    endpoint: &Arc<Endpoint>,
    live: &Live,
) -> Result<W::Result, Error> {
    for _ in 0..MAX_ROUNDS {
        let need = loop {
            match reply {
                Reply::Done(result) => return Ok(result),
                Reply::Later(rest) => reply = caught(rest).await?,
                Reply::NeedInput(need) => break need,
            }
        };
        check(&need, &context)?;
        let Some(work) = work else {
            return Err(Error::internal("A handler that goes on as a task cannot ask the client any more"));
        };
        let questions = questions(&need.requests, context.revision());
        let inputs = endpoint.runtime.tasks.ask(live, questions).await;
        context = context.with_round(Round { inputs, state: need.state });
        reply = caught(work.start(&context)).await?;
    }
    Err(too_many_rounds())
}

/// A handler that panics fails its own call and nothing else.
async fn caught<T>(work: Boxed<'_, Result<T, Error>>) -> Result<T, Error> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("a handler panicked; its caller was told of an internal error");
        Err(Error::internal("The server failed in a way that its authors did not foresee; its log says more"))
    })
}

fn too_many_rounds() -> Error {
    Error::internal(format!("The handler asked the client more than {MAX_ROUNDS} times"))
}

/// Never asks for what the client did not declare.
fn check(need: &NeedInput, context: &Context) -> Result<(), Error> {
    if need.requests.len() > MAX_QUESTIONS {
        return Err(Error::internal(format!("The handler asks more than {MAX_QUESTIONS} questions at once")));
    }
    for (_, request) in &need.requests {
        if !context.supports(request.capability()) {
            return Err(Error::missing_capability(request.capability()));
        }
    }
    Ok(())
}

/// The questions as they are sent: key, and `{"method":…,"params":…}`.
pub(super) fn questions(requests: &[(String, InputRequest)], revision: Revision) -> Vec<(String, Bytes)> {
    let each = requests.iter().map(|(key, request)| {
        let question = json!({ "method": request.method(), "params": request.params(revision) });
        (key.clone(), render(&question))
    });
    each.collect()
}
