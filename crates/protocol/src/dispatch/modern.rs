//! Requests of the stateless revisions: each one describes itself completely.

use std::pin::pin;

use ::http::StatusCode;
use serde_json::json;

use super::params::{self, optional, required};
use super::reply::{self, Answer};
use super::{Call, Via, calls, listen, task_calls};
use crate::code;
use crate::context::{Context, ContextParts, LogLevel, Peer, Round, SharedClient};
use crate::envelope::string;
use crate::error::{Error, clip};
use crate::headers;
use crate::listing::Kind;
use crate::revision::Revision;
use crate::seal::Binding;
use crate::session::MAX_RUNNING;

pub(super) async fn request(call: &Call<'_>) -> Answer {
    let revision = match admit(call) {
        Ok(revision) => revision,
        Err(error) => return reply::refused(Some(call.id), Revision::LATEST, &error),
    };
    let connection = match &call.incoming.via {
        Via::Http(_) => return dispatch(call, revision).await,
        Via::Connection(connection) => connection,
    };
    let cancel = &call.incoming.exchange.cancel;
    let Some(_entered) = connection.running.enter(call.id, cancel) else {
        let error = Error::internal(format!("More than {MAX_RUNNING} requests are running"));
        return reply::error(call.id, revision, &error);
    };
    super::unless_cancelled(cancel, pin!(dispatch(call, revision))).await
}

/// Checks what every request must have, before looking at what it wants.
fn admit(call: &Call<'_>) -> Result<Revision, Error> {
    let missing = |name: &str| {
        Error::invalid_params(format!("params._meta[\"io.modelcontextprotocol/{name}\"] is missing or malformed"))
    };
    let version = call.meta.version.and_then(string).ok_or_else(|| missing("protocolVersion"))?;
    if let Via::Http(headers) = &call.incoming.via {
        match headers::single(headers, &headers::PROTOCOL_VERSION)? {
            Some(found) if found == version => {}
            Some(_) => return Err(Error::header_mismatch("Header MCP-Protocol-Version does not match params._meta")),
            None => return Err(Error::header_mismatch("Header MCP-Protocol-Version is missing")),
        }
    }
    let revision = Revision::parse(&version).filter(|revision| revision.is_modern());
    let revision = revision.ok_or_else(|| unsupported_version(&version))?;
    if let Via::Http(headers) = &call.incoming.via {
        headers::check_method(headers, call.method)?;
    }
    if !call.meta.capabilities.is_some_and(|raw| raw.get().starts_with('{')) {
        return Err(missing("clientCapabilities"));
    }
    Ok(revision)
}

/// The error that lists what we speak.
pub(super) fn unsupported_version(requested: &str) -> Error {
    Error::custom(code::UNSUPPORTED_VERSION, format!("Unsupported protocol version: {}", clip(requested)))
        .with_data(json!({ "supported": supported(), "requested": clip(requested) }))
}

/// Every revision, newest first; those before 2026-07-28 are opened by `initialize`.
fn supported() -> Vec<&'static str> {
    Revision::ALL.iter().rev().map(|revision| revision.as_str()).collect()
}

async fn dispatch(call: &Call<'_>, revision: Revision) -> Answer {
    let offers = &call.endpoint().about().capabilities;
    let outcome = match call.method {
        "server/discover" => Ok(discover(call)),
        "tools/list" if offers.tools => calls::list(call, revision, Kind::Tools),
        "resources/list" if offers.resources => calls::list(call, revision, Kind::Resources),
        "resources/templates/list" if offers.resources => calls::list(call, revision, Kind::Templates),
        "prompts/list" if offers.prompts => calls::list(call, revision, Kind::Prompts),
        "tools/call" if offers.tools => with_round(call, revision, "name", Wanted::Tool).await,
        "prompts/get" if offers.prompts => with_round(call, revision, "name", Wanted::Prompt).await,
        "resources/read" if offers.resources => with_round(call, revision, "uri", Wanted::Resource).await,
        "completion/complete" if offers.completions => match context(call, revision) {
            Ok(context) => calls::complete(call, &context).await,
            Err(error) => Err(error),
        },
        "subscriptions/listen" => listen::listen(call).await,
        "tasks/get" | "tasks/update" | "tasks/cancel" if offers.tasks => task_calls::dispatch(call),
        _ => Err(Error::method_not_found(call.method)),
    };
    outcome.unwrap_or_else(|error| reply::error(call.id, revision, &error))
}

enum Wanted {
    Tool,
    Prompt,
    Resource,
}

/// The three requests that may ask back: they carry a name for the header, answers, and sealed state.
async fn with_round(call: &Call<'_>, revision: Revision, key: &str, wanted: Wanted) -> Result<Answer, Error> {
    let raw = if key == "uri" { call.params.uri } else { call.params.name };
    let name = required(raw, key)?;
    if let Via::Http(headers) = &call.incoming.via {
        headers::check_name(headers, &name)?;
    }
    let context = context(call, revision)?;
    let context = match round(call, &name)? {
        Some(round) => context.with_round(round),
        None => context,
    };
    match wanted {
        Wanted::Tool => calls::call_tool(call, context, &name).await,
        Wanted::Prompt => calls::get_prompt(call, context, &name).await,
        Wanted::Resource => calls::read_resource(call, context, &name).await,
    }
}

fn round(call: &Call<'_>, name: &str) -> Result<Option<Round>, Error> {
    let inputs = params::answers(call.params.input_responses)?;
    let state = match optional(call.params.request_state, "requestState")? {
        None => None,
        Some(sealed) => {
            let opened = call.endpoint().runtime.sealer.open(&binding(call, name), &sealed);
            Some(opened.ok_or_else(|| Error::invalid_params("params.requestState is expired or was changed"))?)
        }
    };
    Ok((!inputs.is_empty() || state.is_some()).then_some(Round { inputs, state }))
}

/// What request state is bound to.
pub(super) fn binding<'a>(call: &'a Call<'_>, name: &'a str) -> Binding<'a> {
    Binding {
        endpoint: &call.endpoint().about().name,
        principal: call.incoming.principal.as_ref().map(crate::principal::Principal::id),
        method: call.method,
        name,
        arguments: call.params.arguments.map_or("{}", serde_json::value::RawValue::get),
    }
}

pub(super) fn context(call: &Call<'_>, revision: Revision) -> Result<Context, Error> {
    let log_level = match optional(call.meta.log_level, "_meta logLevel")? {
        None => None,
        Some(level) => Some(LogLevel::parse(&level).ok_or_else(|| Error::invalid_params("Unknown log level"))?),
    };
    let log_level = log_level.filter(|_| call.endpoint().about().capabilities.stateless_logging);
    let info = call.meta.client_info.map(|raw| call.share(raw));
    let capabilities = call.meta.capabilities.map(|raw| call.share(raw)).unwrap_or_default();
    Ok(Context::new(ContextParts {
        revision,
        principal: call.incoming.principal.clone(),
        binding: call.incoming.binding.clone(),
        peer: Peer::Modern { client: SharedClient::new(info, capabilities), log_level },
        exchange: call.incoming.exchange.clone(),
        progress_token: params::progress_token(&call.meta).map(|raw| call.share(raw)),
        trace_parent: trace_parent(call),
    }))
}

/// `traceparent` without its quotes; it has no characters that need escapes.
pub(super) fn trace_parent(call: &Call<'_>) -> Option<bytes::Bytes> {
    let text = call.meta.traceparent?.get().strip_prefix('"')?.strip_suffix('"')?;
    (!text.contains('\\')).then(|| call.incoming.body.slice_ref(text.as_bytes()))
}

fn discover(call: &Call<'_>) -> Answer {
    const TTL_MS: u64 = 60_000;
    let about = call.endpoint().about();
    let mut result = json!({
        "resultType": "complete",
        "supportedVersions": supported(),
        "capabilities": about.capabilities.declaration(Revision::LATEST),
        "ttlMs": TTL_MS,
        "cacheScope": "public",
        "_meta": { "io.modelcontextprotocol/serverInfo": about.implementation(Revision::LATEST) },
    });
    if let Some(instructions) = &about.instructions {
        result["instructions"] = instructions.clone().into();
    }
    let mut answer = reply::result(call.id, result.to_string().as_bytes());
    answer.status = StatusCode::OK;
    answer
}
