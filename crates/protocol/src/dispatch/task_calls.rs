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
use crate::tasks::{Interrupted, Live, Owner, TaskRecord, TaskStatus};

fn owner<'a>(call: &'a Call<'_>) -> Owner<'a> {
    Owner { endpoint: &call.endpoint().about().name, principal: call.incoming.principal.as_ref() }
}

/// Starts a tool as a task from its beginning. What it takes to call it anew is kept when it `resumes`; what the URL of the
/// client bound is not known to another process, so such a call is not called anew.
pub(super) fn start_tool(
    call: &Call<'_>,
    context: &Context,
    work: ToolCall<'_>,
    resumes: bool,
) -> Result<TaskRecord, Error> {
    let asked = Asked {
        name: work.name.to_owned(),
        arguments: work.arguments.map(serde_json::value::RawValue::to_owned),
        meta: work.meta.map(serde_json::value::RawValue::to_owned),
    };
    let anew = (resumes && call.incoming.binding.is_none()).then(|| Interrupted {
        tool: asked.name.as_str().into(),
        arguments: asked.arguments.as_ref().map(|arguments| arguments.get().into()),
        caller: call
            .incoming
            .principal
            .as_ref()
            .and_then(|caller| call.endpoint().service.caller_kept(caller))
            .map(Into::into),
    });
    let exchange = Exchange::new(true);
    let (endpoint, context) = (call.endpoint().clone(), context.clone());
    call.endpoint()
        .runtime
        .tasks
        .start(&owner(call), anew, exchange.cancel.clone(), move |live| asked.run(endpoint, context, live, exchange))
}

/// A call of a tool that outlives its request.
struct Asked {
    name: String,
    arguments: Option<Box<serde_json::value::RawValue>>,
    meta: Option<Box<serde_json::value::RawValue>>,
}

impl Asked {
    async fn run(
        self,
        endpoint: Arc<Endpoint>,
        context: Context,
        live: Arc<Live>,
        exchange: Arc<Exchange>,
    ) -> Result<Bytes, Bytes> {
        let context = context.into_task(exchange.clone(), live.id());
        let call = ToolCall { name: &self.name, arguments: self.arguments.as_deref(), meta: self.meta.as_deref() };
        let tool = ToolWork { service: &*endpoint.service, call };
        let work = rounds::run_task(&tool, context, &endpoint, &live);
        finish(&endpoint, &live, &exchange, work).await
    }
}

/// Takes up the tasks of an endpoint that nobody runs any more: their process has ended. A tool that can go on is called anew;
/// any other task has failed, and says so.
pub(crate) fn take_up(endpoint: &Arc<Endpoint>) {
    let tasks = &endpoint.runtime.tasks;
    for record in tasks.abandoned(&endpoint.about().name) {
        let raw = |json: &str| serde_json::value::RawValue::from_string(json.to_owned()).ok();
        let again = |work: &Interrupted| match &record.principal {
            None => Some(None),
            Some(id) => endpoint.service.caller_again(id, work.caller.as_deref()).map(Some),
        };
        let caller = record.interrupted.as_ref().and_then(again);
        match (record.interrupted.clone(), caller) {
            (Some(work), Some(caller)) if record.status == TaskStatus::Working => {
                tracing::info!(task = %record.id, tool = %work.tool, "a task that was cut off goes on");
                let asked =
                    Asked { name: work.tool.into(), arguments: work.arguments.as_deref().and_then(raw), meta: None };
                let exchange = Exchange::new(true);
                let context = Context::local(Revision::LATEST, caller);
                let endpoint = endpoint.clone();
                tasks.go_on(record, exchange.cancel.clone(), move |live| asked.run(endpoint, context, live, exchange));
            }
            _ => {
                let why = "The process that ran this task has ended, and the task cannot go on. What it did until then is done; look before you call the tool again";
                let mut error = Vec::new();
                Error::internal(why).write(Revision::LATEST, &mut error);
                tasks.give_up(record, error.into());
            }
        }
    }
}

/// Goes on as a task with a tool that has begun within the request.
pub(super) fn continue_tool(
    call: &Call<'_>,
    context: &Context,
    rest: Boxed<'static, Result<Reply<ToolResult>, Error>>,
) -> Result<TaskRecord, Error> {
    let exchange = Exchange::new(true);
    let (endpoint, context) = (call.endpoint().clone(), context.clone());
    call.endpoint().runtime.tasks.start(&owner(call), None, exchange.cancel.clone(), move |live| async move {
        let context = context.into_task(exchange.clone(), live.id());
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
