//! The requests that reach the service.

use std::sync::Arc;

use ::http::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::params::{object, optional, required};
use super::reply::{self, Answer};
use super::rounds::{self, Finished, PromptWork, ReadWork, ToolWork};
use super::{Call, Via, modern, task_calls, write};
use crate::context::{Capability, Context};
use crate::envelope::string;
use crate::error::Error;
use crate::headers;
use crate::listing::{Kind, Listing};
use crate::revision::Revision;
use crate::service::{Completing, NeedInput, PromptCall, Reference, TaskSupport, ToolCall};
use crate::tasks::TaskRecord;

/// Values that one completion may have (all revisions).
const MAX_COMPLETIONS: usize = 100;

fn listing(call: &Call<'_>) -> Arc<Listing> {
    let (service, principal) = (&call.endpoint().service, call.incoming.principal.as_ref());
    match &call.incoming.binding {
        None => service.listing(principal),
        Some(binding) => service.listing_bound(principal, binding),
    }
}

/// One page of a list: bytes that were serialised before.
pub(super) fn list(call: &Call<'_>, revision: Revision, kind: Kind) -> Result<Answer, Error> {
    let cursor = optional(call.params.cursor, "cursor")?;
    let page = listing(call).page(kind, revision, cursor.as_deref(), call.endpoint().server_info())?;
    Ok(reply::shared_result(call.id, page))
}

pub(super) async fn call_tool(call: &Call<'_>, context: Context, name: &str) -> Result<Answer, Error> {
    let arguments = object(call.params.arguments, "arguments")?;
    let listing = listing(call);
    let Some(tool) = listing.tool(name) else {
        return Err(listing.no_tool(name));
    };
    let modern = context.is_modern();
    if let (true, Via::Http(headers)) = (modern, &call.incoming.via) {
        headers::check_arguments(&tool.headers, headers, arguments.map(RawValue::get))?;
    }
    let can_task = modern && call.endpoint().about().capabilities.tasks && context.supports(Capability::Tasks);
    if tool.task == TaskSupport::Required && !can_task && modern {
        return Err(Error::missing_capability(Capability::Tasks));
    }
    let work = ToolCall { name, arguments, meta: call.params.meta };
    if can_task && tool.task != TaskSupport::Forbidden {
        let record = task_calls::start_tool(call, &context, work, tool.resumes)?;
        return Ok(task_created(call, &record));
    }
    let work = ToolWork { service: &*call.endpoint().service, call: work };
    let revision = context.revision();
    match rounds::run(&work, context.clone(), call.endpoint(), can_task).await? {
        Finished::Done(result) => {
            let mut out = reply::result_buffer(call.id, write::tool_size(&result));
            write::tool(&result, revision, call.endpoint().server_info(), &mut out);
            out.push(b'}');
            Ok(Answer::message(StatusCode::OK, out))
        }
        Finished::NeedInput(need) => Ok(input_required(call, &context, name, need)),
        Finished::Later(rest) => {
            let record = task_calls::continue_tool(call, &context, rest)?;
            Ok(task_created(call, &record))
        }
    }
}

pub(super) async fn get_prompt(call: &Call<'_>, context: Context, name: &str) -> Result<Answer, Error> {
    let arguments = object(call.params.arguments, "arguments")?;
    let listing = listing(call);
    if !listing.has_prompt(name) {
        return Err(listing.no_prompt(name));
    }
    let work = PromptWork { service: &*call.endpoint().service, call: PromptCall { name, arguments } };
    match rounds::run(&work, context.clone(), call.endpoint(), false).await? {
        Finished::Done(result) => {
            let mut out = reply::result_buffer(call.id, 512);
            write::prompt(&result, context.revision(), call.endpoint().server_info(), &mut out);
            out.push(b'}');
            Ok(Answer::message(StatusCode::OK, out))
        }
        Finished::NeedInput(need) => Ok(input_required(call, &context, name, need)),
        Finished::Later(_) => Err(Error::internal("A prompt cannot become a task")),
    }
}

pub(super) async fn read_resource(call: &Call<'_>, context: Context, uri: &str) -> Result<Answer, Error> {
    let work = ReadWork { service: &*call.endpoint().service, uri };
    match rounds::run(&work, context.clone(), call.endpoint(), false).await? {
        Finished::Done(result) => {
            if result.contents.is_empty() {
                return Err(Error::resource_not_found(uri));
            }
            let mut out = reply::result_buffer(call.id, 512);
            write::read(&result, context.revision(), call.endpoint().server_info(), &mut out);
            out.push(b'}');
            Ok(Answer::message(StatusCode::OK, out))
        }
        Finished::NeedInput(need) => Ok(input_required(call, &context, uri, need)),
        Finished::Later(_) => Err(Error::internal("Reading a resource cannot become a task")),
    }
}

/// The answer that sends the client away to come back with more.
fn input_required(call: &Call<'_>, context: &Context, name: &str, need: NeedInput) -> Answer {
    let mut out = reply::result_buffer(call.id, 512);
    out.extend_from_slice(b"{\"resultType\":\"input_required\"");
    if !need.requests.is_empty() {
        let questions = rounds::questions(&need.requests, context.revision());
        out.extend_from_slice(b",\"inputRequests\":");
        crate::tasks::write_questions(&questions, &mut out);
    }
    // One of the two members must be present; state also ties the retry to this request.
    if need.state.is_some() || need.requests.is_empty() {
        let state = need.state.unwrap_or_default();
        let sealed = call.endpoint().runtime.sealer.seal(&modern::binding(call, name), &state);
        out.extend_from_slice(b",\"requestState\":");
        crate::json::push_string(&mut out, &sealed);
    }
    write::meta(None, call.endpoint().server_info(), &mut out);
    out.extend_from_slice(b"}}");
    Answer::message(StatusCode::OK, out)
}

fn task_created(call: &Call<'_>, record: &TaskRecord) -> Answer {
    let mut out = reply::result_buffer(call.id, 256);
    out.extend_from_slice(b"{\"resultType\":\"task\",");
    record.write_members(&mut out);
    write::meta(None, call.endpoint().server_info(), &mut out);
    out.extend_from_slice(b"}}");
    Answer::message(StatusCode::OK, out)
}

#[derive(Deserialize)]
struct RawReference<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    uri: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawArgument<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawChosen<'a> {
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

fn part<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>, name: &str) -> Result<T, Error> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
        .ok_or_else(|| Error::invalid_params(format!("params.{name} is missing or malformed")))
}

pub(super) async fn complete(call: &Call<'_>, context: &Context) -> Result<Answer, Error> {
    let reference: RawReference<'_> = part(call.params.reference, "ref")?;
    let argument: RawArgument<'_> = part(call.params.argument, "argument")?;
    let target = match reference.kind.as_str() {
        "ref/prompt" => required(reference.name, "ref.name")?,
        "ref/resource" => required(reference.uri, "ref.uri")?,
        _ => return Err(Error::invalid_params("params.ref.type must be \"ref/prompt\" or \"ref/resource\"")),
    };
    let is_prompt = reference.kind == "ref/prompt";
    let listing = listing(call);
    if is_prompt && !listing.has_prompt(&target) {
        return Err(listing.no_prompt(&target));
    }
    let chosen = match object(call.params.context, "context")? {
        Some(raw) => part::<RawChosen<'_>>(Some(raw), "context")?.arguments,
        None => None,
    };
    let (name, value) =
        (required(argument.name, "argument.name")?, argument.value.and_then(string).unwrap_or_default());
    let ask = Completing {
        reference: if is_prompt { Reference::Prompt(&target) } else { Reference::Resource(&target) },
        argument: &name,
        value: &value,
        context: chosen,
    };
    let mut found = call.endpoint().service.complete(context, ask).await?;
    let has_more = found.has_more || found.values.len() > MAX_COMPLETIONS;
    found.values.truncate(MAX_COMPLETIONS);
    let mut completion = json!({ "values": found.values, "hasMore": has_more });
    if let Some(total) = found.total {
        completion["total"] = total.into();
    }
    Ok(value_result(call, context.revision(), json!({ "completion": completion })))
}

/// An answer built from a value, with the members that every result of a stateless revision has.
pub(super) fn value_result(call: &Call<'_>, revision: Revision, value: Value) -> Answer {
    let mut out = crate::json::render(&value).to_vec();
    if revision.is_modern() {
        out.pop();
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(b"\"resultType\":\"complete\"");
        write::meta(None, call.endpoint().server_info(), &mut out);
        out.push(b'}');
    }
    reply::result(call.id, &out)
}
