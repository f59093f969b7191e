//! Starting tasks, and the methods of the tasks extension.

use std::sync::Arc;
use std::task::Poll;

use ::http::StatusCode;
use bytes::Bytes;

use super::params::{answers, required};
use super::reply::{self, Answer};
use super::rounds::{self, ToolWork};
use super::{Call, Via, calls, write};
use crate::context::{Capability, Context, Flags};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::{Event, Exchange};
use crate::headers;
use crate::revision::Revision;
use crate::service::{Boxed, Reply, ToolCall, ToolResult};
use crate::tasks::{Live, Owner, TaskRecord};

fn owner<'a>(call: &'a Call<'_>) -> Owner<'a> {
    Owner { endpoint: &call.endpoint().about().name, principal: call.incoming.principal.as_ref() }
}

/// Starts a tool as a task from its beginning.
pub(super) fn start_tool(call: &Call<'_>, context: &Context, work: ToolCall<'_>) -> Result<TaskRecord, Error> {
    let name = work.name.to_owned();
    let arguments = work.arguments.map(serde_json::value::RawValue::to_owned);
    let meta = work.meta.map(serde_json::value::RawValue::to_owned);
    let exchange = Exchange::new(true);
    let (endpoint, context) = (call.endpoint().clone(), context.clone().into_task(exchange.clone()));
    call.endpoint().runtime.tasks.start(&owner(call), exchange.cancel.clone(), move |live| async move {
        let call = ToolCall { name: &name, arguments: arguments.as_deref(), meta: meta.as_deref() };
        let tool = ToolWork { service: &*endpoint.service, call };
        let work = rounds::run_task(&tool, context, &endpoint, &live);
        finish(&endpoint, &live, &exchange, work).await
    })
}

/// Goes on as a task with a tool that has begun within the request.
pub(super) fn continue_tool(
    call: &Call<'_>,
    context: &Context,
    rest: Boxed<'static, Result<Reply<ToolResult>, Error>>,
) -> Result<TaskRecord, Error> {
    let exchange = Exchange::new(true);
    let (endpoint, context) = (call.endpoint().clone(), context.clone().into_task(exchange.clone()));
    call.endpoint().runtime.tasks.start(&owner(call), exchange.cancel.clone(), move |live| async move {
        let work = async {
            let reply = rest.await?;
            rounds::settle(None::<&ToolWork<'_>>, reply, context, &endpoint, &live).await
        };
        finish(&endpoint, &live, &exchange, work).await
    })
}

/// Runs the work of a task to its end; its progress messages become the status message.
async fn finish(
    endpoint: &Arc<Endpoint>,
    live: &Live,
    exchange: &Exchange,
    work: impl Future<Output = Result<ToolResult, Error>>,
) -> Result<Bytes, Bytes> {
    let mut work = std::pin::pin!(work);
    let outcome = std::future::poll_fn(|cx| {
        while let Poll::Ready(event) = exchange.poll_next(cx) {
            if let Some(message) = progress_message(&event) {
                endpoint.runtime.tasks.report(live, message);
            }
        }
        work.as_mut().poll(cx)
    })
    .await;
    let mut out = Vec::new();
    match outcome {
        Ok(result) => {
            write::tool(&result, Revision::LATEST, endpoint.server_info(), &mut out);
            Ok(out.into())
        }
        Err(error) => {
            error.write(Revision::LATEST, &mut out);
            Err(out.into())
        }
    }
}

fn progress_message(event: &Event) -> Option<String> {
    let Event::Message(message) = event else { return None };
    let value: serde_json::Value = serde_json::from_slice(message).ok()?;
    value.pointer("/params/message")?.as_str().map(str::to_owned)
}

/// `tasks/get`, `tasks/update`, `tasks/cancel`.
pub(super) fn dispatch(call: &Call<'_>) -> Result<Answer, Error> {
    let flags = call.meta.capabilities.map(|raw| Flags::parse(raw.get().as_bytes())).unwrap_or_default();
    if !flags.has(Capability::Tasks) {
        return Err(Error::missing_capability(Capability::Tasks));
    }
    let id = required(call.params.task_id, "taskId")?;
    if let Via::Http(headers) = &call.incoming.via {
        headers::check_name(headers, &id)?;
    }
    let tasks = &call.endpoint().runtime.tasks;
    match call.method {
        "tasks/get" => return Ok(show(call, &tasks.get(&owner(call), &id)?)),
        "tasks/update" => tasks.answer(&owner(call), &id, answers(call.params.input_responses)?)?,
        _ => tasks.cancel(&owner(call), &id)?,
    }
    Ok(calls::value_result(call, Revision::LATEST, serde_json::json!({})))
}

fn show(call: &Call<'_>, record: &TaskRecord) -> Answer {
    let mut out = reply::result_buffer(call.id, 512);
    out.extend_from_slice(b"{\"resultType\":\"complete\",");
    record.write_members(&mut out);
    record.write_details(&mut out);
    write::meta(None, call.endpoint().server_info(), &mut out);
    out.extend_from_slice(b"}}");
    Answer::message(StatusCode::OK, out)
}
