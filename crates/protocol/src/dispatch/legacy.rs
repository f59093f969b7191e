//! Requests of the revisions that are opened by `initialize`.

mod ask;

use std::pin::pin;
use std::sync::Arc;

use ::http::StatusCode;
use bytes::Bytes;
use futures_util::future::join_all;
use serde_json::json;
use serde_json::value::RawValue;
use smallvec::SmallVec;

pub(super) use ask::ask;

use super::params::{self, required};
use super::reply::{self, Answer, SessionFault};
use super::{Call, Incoming, Via, calls, session_of};
use crate::context::{Context, ContextParts, Flags, LogLevel, Peer};
use crate::envelope::Response;
use crate::error::Error;
use crate::headers;
use crate::listing::Kind;
use crate::revision::Revision;
use crate::session::{MAX_RUNNING, MAX_WATCHED, Opening, Session, Sessions};

/// Longest description that a client may give of itself, in bytes; it is kept for the life of the session.
const MAX_CLIENT_INFO: usize = 2_048;

pub(super) async fn request(call: &Call<'_>) -> Answer {
    if call.method == "initialize" {
        return initialize(call).unwrap_or_else(|error| reply::error(call.id, Revision::LATEST_LEGACY, &error));
    }
    let session = match session_of(call.incoming) {
        Ok(session) => session,
        // A ping may come at any time (all session-based revisions, lifecycle).
        Err(SessionFault::Unopened) if call.method == "ping" => return reply::result(call.id, b"{}"),
        Err(fault) => return fault.answer(Some(call.id)),
    };
    let exchange = &call.incoming.exchange;
    let _ = exchange.session.set(session.clone());
    exchange.outlive_connection();
    let Some(_entered) = session.running.enter(call.id, &exchange.cancel) else {
        let error = Error::internal(format!("More than {MAX_RUNNING} requests of this session are running"));
        return reply::error(call.id, session.revision, &error);
    };
    super::unless_cancelled(&exchange.cancel, pin!(dispatch(call, &session))).await
}

async fn dispatch(call: &Call<'_>, session: &Arc<Session>) -> Answer {
    let revision = session.revision;
    let offers = &call.endpoint().about().capabilities;
    let outcome = match call.method {
        "ping" => Ok(reply::result(call.id, b"{}")),
        "tools/list" if offers.tools => calls::list(call, revision, Kind::Tools),
        "resources/list" if offers.resources => calls::list(call, revision, Kind::Resources),
        "resources/templates/list" if offers.resources => calls::list(call, revision, Kind::Templates),
        "prompts/list" if offers.prompts => calls::list(call, revision, Kind::Prompts),
        "tools/call" if offers.tools => match required(call.params.name, "name") {
            Ok(name) => calls::call_tool(call, context(call, session), &name).await,
            Err(error) => Err(error),
        },
        "prompts/get" if offers.prompts => match required(call.params.name, "name") {
            Ok(name) => calls::get_prompt(call, context(call, session), &name).await,
            Err(error) => Err(error),
        },
        "resources/read" if offers.resources => match required(call.params.uri, "uri") {
            Ok(uri) => calls::read_resource(call, context(call, session), &uri).await,
            Err(error) => Err(error),
        },
        "completion/complete" if offers.completions => calls::complete(call, &context(call, session)).await,
        "logging/setLevel" if offers.logging => set_level(call, session),
        "resources/subscribe" if offers.resource_subscriptions => watch(call, session, true),
        "resources/unsubscribe" if offers.resource_subscriptions => watch(call, session, false),
        _ => Err(Error::method_not_found(call.method)),
    };
    outcome.unwrap_or_else(|error| reply::error(call.id, revision, &error))
}

fn context(call: &Call<'_>, session: &Arc<Session>) -> Context {
    Context::new(ContextParts {
        revision: session.revision,
        principal: call.incoming.principal.clone(),
        binding: call.incoming.binding.clone(),
        peer: Peer::Session(session.clone()),
        exchange: call.incoming.exchange.clone(),
        progress_token: params::progress_token(&call.meta).map(|raw| call.share(raw)),
        trace_parent: super::modern::trace_parent(call),
    })
}

fn set_level(call: &Call<'_>, session: &Session) -> Result<Answer, Error> {
    let level = required(call.params.level, "level")?;
    let level = LogLevel::parse(&level).ok_or_else(|| Error::invalid_params("Unknown log level"))?;
    session.set_log_level(level);
    Ok(reply::result(call.id, b"{}"))
}

fn watch(call: &Call<'_>, session: &Session, on: bool) -> Result<Answer, Error> {
    let uri = required(call.params.uri, "uri")?;
    if !on {
        session.unwatch(&uri);
    } else if !session.watch(&uri) {
        return Err(Error::invalid_params(format!("More than {MAX_WATCHED} resources are watched by this session")));
    }
    Ok(reply::result(call.id, b"{}"))
}

/// Opens a session.
fn initialize(call: &Call<'_>) -> Result<Answer, Error> {
    let requested = required(call.params.protocol_version, "protocolVersion")?;
    let revision = Revision::negotiate(&requested);
    let capabilities = params::object(call.params.capabilities, "capabilities")?;
    let client = call.params.client_info.filter(|raw| raw.get().len() <= MAX_CLIENT_INFO);
    let id = match call.incoming.via {
        Via::Http(_) => Sessions::new_id().ok_or_else(|| Error::internal("No randomness for a session id"))?,
        Via::Connection(_) => Box::default(),
    };
    let session = Arc::new(Session::open(Opening {
        id: id.clone(),
        endpoint: call.endpoint().number,
        revision,
        principal: call.incoming.principal.as_ref().map(crate::principal::Principal::shared_id),
        client: client.map(|raw| Bytes::copy_from_slice(raw.get().as_bytes())),
        flags: capabilities.map(|raw| Flags::parse(raw.get().as_bytes())).unwrap_or_default(),
    }));
    let mut answer = reply::result(call.id, &initialize_result(call, revision));
    match &call.incoming.via {
        Via::Connection(connection) => {
            super::listen::forward_to_connection(call.endpoint(), connection, &session);
            connection.set_session(session);
        }
        Via::Http(_) => {
            if !call.endpoint().runtime.sessions.insert(session) {
                let error = Error::internal("Too many sessions are open; try again later");
                let mut answer = reply::error(call.id, revision, &error);
                answer.status = StatusCode::SERVICE_UNAVAILABLE;
                return Ok(answer);
            }
            answer.session = Some(id);
        }
    }
    Ok(answer)
}

fn initialize_result(call: &Call<'_>, revision: Revision) -> Bytes {
    let about = call.endpoint().about();
    let mut result = json!({
        "protocolVersion": revision.as_str(),
        "capabilities": about.capabilities.declaration(revision),
        "serverInfo": about.implementation(revision),
    });
    if let Some(instructions) = &about.instructions {
        result["instructions"] = instructions.clone().into();
    }
    crate::json::render(&result)
}

pub(super) fn notification(call: &Call<'_>) -> Answer {
    let session = match session_of(call.incoming) {
        Ok(session) => session,
        Err(fault) => {
            return if matches!(call.incoming.via, Via::Http(_)) { fault.answer(None) } else { Answer::silent() };
        }
    };
    if let ("notifications/cancelled", Some(id)) = (call.method, call.params.request_id) {
        session.running.cancel(id.get());
    }
    Answer::silent()
}

/// An answer to a question that we asked.
pub(super) fn response(incoming: &Incoming, response: &Response<'_>) -> Answer {
    match session_of(incoming) {
        Ok(session) => {
            let share = |raw: &RawValue| Bytes::copy_from_slice(raw.get().as_bytes());
            session.answer(response.id, response.outcome.map(share).map_err(share));
            Answer::silent()
        }
        Err(SessionFault::Unopened) => Answer::silent(),
        Err(fault) => fault.answer(None),
    }
}

/// Several messages at once.
pub(super) async fn batch(incoming: &Incoming, items: Vec<&RawValue>) -> Answer {
    if let Err(error) = batch_allowed(incoming, items.len()) {
        return reply::refused(None, Revision::LATEST, &error);
    }
    let answers = join_all(items.iter().map(|item| Box::pin(super::one(incoming, item.get())))).await;
    let mut out = Vec::from(b"[");
    for answer in answers.into_iter().filter(|answer| !answer.body.is_empty()) {
        if out.len() > 1 {
            out.push(b',');
        }
        answer.body.iter().for_each(|chunk| out.extend_from_slice(chunk));
    }
    if out.len() == 1 {
        return Answer::silent();
    }
    out.push(b']');
    Answer { body: SmallVec::from_iter([Bytes::from(out)]), status: StatusCode::OK, session: None }
}

fn batch_allowed(incoming: &Incoming, count: usize) -> Result<(), Error> {
    let limit = incoming.endpoint.runtime.options.max_batch;
    if count == 0 || count > limit {
        return Err(Error::invalid_request(format!("A batch has 1 to {limit} messages")));
    }
    let revision = match session_of(incoming) {
        Ok(session) => session.revision,
        Err(SessionFault::Missing | SessionFault::Unopened) => {
            let named = match &incoming.via {
                Via::Http(headers) => headers::single(headers, &headers::PROTOCOL_VERSION)?,
                Via::Connection(_) => None,
            };
            named.map_or(Revision::ASSUMED, |version| Revision::parse(version).unwrap_or(Revision::LATEST))
        }
        // Each message gets the answer that it would get alone.
        Err(SessionFault::Dead) => Revision::ASSUMED,
    };
    if revision.has_batches() {
        return Ok(());
    }
    Err(Error::invalid_request(format!("Batches are not part of revision {revision}; send one message at a time")))
}
