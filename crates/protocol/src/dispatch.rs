//! From a body to an answer: era, revision, method, handler.

mod calls;
mod legacy;
pub(crate) mod listen;
mod modern;
mod params;
mod reply;
mod rounds;
mod task_calls;
mod write;

use std::pin::Pin;
use std::sync::Arc;

use ::http::HeaderMap;
use bytes::Bytes;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

pub(crate) use reply::{Answer, Chunks};

use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::envelope::{self, Body, Message};
use crate::error::{Error, clip};
use crate::exchange::Exchange;
use crate::headers;
use crate::principal::Principal;
use crate::revision::Revision;
use crate::service::Binding;
use crate::session::Session;
use params::{Meta, Params};
pub(crate) use task_calls::take_up;

/// How the methods of all messages begin that draw no answer.
const NOTIFICATIONS: &str = "notifications/";

/// One body from a peer, with everything known about where it came from.
pub(crate) struct Incoming {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) body: Bytes,
    pub(crate) via: Via,
    pub(crate) principal: Option<Principal>,
    /// What the URL says.
    pub(crate) binding: Option<Binding>,
    pub(crate) exchange: Arc<Exchange>,
}

/// How a body came in.
pub(crate) enum Via {
    /// Streamable HTTP: every body stands alone.
    Http(HeaderMap),
    /// A connection with memory.
    Connection(Arc<Connection>),
}

/// Answers a body. Dropping the future abandons the work.
pub(crate) async fn run(incoming: Incoming) -> Answer {
    let text = match envelope::open(&incoming.body) {
        Ok(Body::One(text)) => text,
        Ok(Body::Many(items)) => return legacy::batch(&incoming, items).await,
        Err(error) => return reply::refused(None, Revision::LATEST, &error),
    };
    one(&incoming, text).await
}

async fn one(incoming: &Incoming, text: &str) -> Answer {
    let message = match envelope::parse(text) {
        Ok(message) => message,
        Err(refusal) => return reply::refused(refusal.id, Revision::LATEST, &refusal.error),
    };
    let (id, method, raw) = match &message {
        Message::Request(request) => (Some(request.id), &*request.method, request.params),
        Message::Notification(notification) => (None, &*notification.method, notification.params),
        Message::Response(response) => return legacy::response(incoming, response),
    };
    let (params, meta) = match read_params(raw) {
        Ok(parsed) => parsed,
        Err(error) => return reply::refused(id, Revision::LATEST, &error),
    };
    let call = Call { incoming, id: id.unwrap_or("null"), method, params, meta };
    if let (Via::Connection(connection), "notifications/cancelled", Some(id)) =
        (&incoming.via, method, call.params.request_id)
    {
        // The notification has no metadata that would tell the era of the request that it means.
        connection.cancel(id.get());
        return Answer::silent();
    }
    match (era(incoming, method, &call.meta), id) {
        (Err(error), id) => reply::refused(id, Revision::LATEST, &error),
        (Ok(Era::Modern), Some(_)) => modern::request(&call).await,
        // A connection has nowhere to say so; over HTTP the sender would take silence for consent.
        (Ok(_), None) if matches!(incoming.via, Via::Http(_)) && !method.starts_with(NOTIFICATIONS) => {
            let text = format!("\"{}\" is a request and needs an \"id\"", clip(method));
            reply::refused(None, Revision::LATEST, &Error::invalid_request(text))
        }
        // Over HTTP a request is cancelled by closing its connection; there is nothing that a notification could do.
        (Ok(Era::Modern), None) => Answer::silent(),
        (Ok(Era::Legacy), Some(_)) => legacy::request(&call).await,
        (Ok(Era::Legacy), None) => legacy::notification(&call),
    }
}

/// What is answered, unless the request was cancelled: then nothing is (cancellation, in every revision), also when the work saw
/// that first and ended with an answer. The work stays where it lies: every function that it is handed to would have room for it.
async fn unless_cancelled(cancel: &CancellationToken, work: Pin<&mut impl Future<Output = Answer>>) -> Answer {
    match cancel.run_until_cancelled(work).await {
        Some(answer) if !cancel.is_cancelled() => answer,
        _ => Answer::silent(),
    }
}

/// One message that asks for something.
pub(crate) struct Call<'a> {
    pub(crate) incoming: &'a Incoming,
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) params: Params<'a>,
    pub(crate) meta: Meta<'a>,
}

impl<'a> Call<'a> {
    pub(crate) fn endpoint(&self) -> &'a Arc<Endpoint> {
        &self.incoming.endpoint
    }

    /// The bytes behind a part of the body, shared.
    pub(crate) fn share(&self, raw: &RawValue) -> Bytes {
        self.incoming.body.slice_ref(raw.get().as_bytes())
    }
}

fn read_params(raw: Option<&RawValue>) -> Result<(Params<'_>, Meta<'_>), Error> {
    let Some(raw) = raw else { return Ok((Params::default(), Meta::default())) };
    let params: Params<'_> = serde_json::from_str(raw.get())
        .map_err(|fault| Error::invalid_params(format!("Unreadable params: {fault}")))?;
    let meta = match params.meta {
        Some(meta) if meta.get().starts_with('{') => serde_json::from_str(meta.get())
            .map_err(|fault| Error::invalid_params(format!("Unreadable params._meta: {fault}")))?,
        Some(_) => return Err(Error::invalid_params("params._meta must be an object")),
        None => Meta::default(),
    };
    Ok((params, meta))
}

enum Era {
    Modern,
    Legacy,
}

/// Chooses the era of one message: stateless metadata in the body, or the header of a stateless revision.
fn era(incoming: &Incoming, method: &str, meta: &Meta<'_>) -> Result<Era, Error> {
    if meta.is_modern() {
        return Ok(Era::Modern);
    }
    let Via::Http(headers) = &incoming.via else {
        // Discovery without metadata is a stateless client that forgot it, not a session-based one.
        return Ok(if method == "server/discover" { Era::Modern } else { Era::Legacy });
    };
    match headers::single(headers, &headers::PROTOCOL_VERSION)? {
        None if headers.contains_key(headers::METHOD) && !headers.contains_key(headers::SESSION_ID) => Ok(Era::Modern),
        None => Ok(Era::Legacy),
        Some(version) => match Revision::parse(version) {
            Some(revision) if revision.is_modern() => Ok(Era::Modern),
            Some(_) => Ok(Era::Legacy),
            None => Err(modern::unsupported_version(version)),
        },
    }
}

/// The session that a message of the session-based revisions belongs to.
fn session_of(incoming: &Incoming) -> Result<Arc<Session>, reply::SessionFault> {
    match &incoming.via {
        Via::Connection(connection) => connection.session().ok_or(reply::SessionFault::Unopened),
        Via::Http(headers) => {
            let id = headers.get(headers::SESSION_ID).ok_or(reply::SessionFault::Missing)?;
            let id = id.to_str().map_err(|_| reply::SessionFault::Dead)?;
            let sessions = &incoming.endpoint.runtime.sessions;
            sessions.find(id, incoming.endpoint.number, incoming.principal.as_ref()).ok_or(reply::SessionFault::Dead)
        }
    }
}
