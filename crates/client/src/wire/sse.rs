//! HTTP+SSE (2024-11-05): everything of the server comes on one stream, and messages go to the address that it names.

use std::sync::Arc;

use bytes::Bytes;
use connect::http::{Body, Live, Method};
use connect::{Error, ErrorKind};
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::Url;

use super::streamable::Endpoint;
use super::{Fault, error, refused};
use crate::door::Door;
use crate::limits::NOTIFY_TIMEOUT;
use crate::pending::Pending;

/// An open stream, and where messages go. Dropping it closes the stream.
pub(crate) struct Sse {
    name: String,
    door: Arc<Door>,
    messages: Endpoint,
    _open: DropGuard,
}

impl Sse {
    /// Opens the stream and waits for the address of messages.
    pub(crate) async fn open(
        name: &str,
        door: Arc<Door>,
        endpoint: &Endpoint,
        pending: &Arc<Pending>,
        deadline: Instant,
    ) -> Result<Self, Fault> {
        let mut answer = door.live(&endpoint.call(Method::GET, "text/event-stream"), deadline).await?;
        let status = answer.status.as_u16();
        if !answer.status.is_success() {
            let body = answer.rest().await.unwrap_or_default();
            return Err(refused(name, status, &body).into());
        }
        if !answer.is_events() {
            return Err(error(name, ErrorKind::Other, "the address gives no stream of events").into());
        }
        let messages = loop {
            match answer.event().await? {
                Some(event) if event.event == "endpoint" => break below(name, &door, endpoint, &event.data)?,
                Some(_) => {}
                None => {
                    let why = "the server closed the stream before it named an address for messages";
                    return Err(error(name, ErrorKind::Transient, why).into());
                }
            }
        };
        let open = CancellationToken::new();
        let closed = open.clone();
        let (reader, to, pending) = (Arc::clone(&door), messages.clone(), Arc::clone(pending));
        tokio::spawn(async move {
            let why = tokio::select! {
                () = closed.cancelled() => "the connection was closed".to_owned(),
                why = read(answer, &pending, &reader, &to) => why,
            };
            pending.close(&why);
        });
        Ok(Self { name: name.to_owned(), door, messages, _open: open.drop_guard() })
    }

    pub(crate) async fn send(&self, body: Bytes, deadline: Instant) -> Result<(), Fault> {
        let answer = post(&self.door, &self.messages, body, deadline).await?;
        let status = answer.status;
        if status.is_success() {
            return Ok(());
        }
        if status.as_u16() == 404 {
            return Err(Fault::SessionGone);
        }
        let body = answer.rest().await.unwrap_or_default();
        Err(refused(&self.name, status.as_u16(), &body).into())
    }
}

async fn post(door: &Door, to: &Endpoint, body: Bytes, deadline: Instant) -> Result<Live, Error> {
    let mut call = to.call(Method::POST, "*/*");
    call.body = Body::Json(body);
    door.live(&call, deadline).await
}

/// Reads the stream until it ends; says why.
async fn read(mut answer: Live, pending: &Pending, door: &Arc<Door>, to: &Endpoint) -> String {
    loop {
        let event = match answer.event().await {
            Ok(Some(event)) => event,
            Ok(None) => return "the server closed its stream".to_owned(),
            Err(error) => return error.message,
        };
        if event.event != "message" {
            continue;
        }
        for reply in pending.take(event.data.as_bytes(), None) {
            let (door, to) = (Arc::clone(door), to.clone());
            tokio::spawn(async move {
                let sent = post(&door, &to, reply, Instant::now() + NOTIFY_TIMEOUT);
                let _ = tokio::time::timeout(NOTIFY_TIMEOUT, sent).await;
            });
        }
    }
}

/// The address that a server names, which has to be of its own origin: credentials go there.
fn below(name: &str, door: &Door, endpoint: &Endpoint, named: &str) -> Result<Endpoint, Error> {
    let origin = door.origin();
    let base = Url::parse(&format!("{origin}{}", endpoint.path));
    let url = base.and_then(|base| base.join(named.trim()));
    match url {
        Ok(url) if url.origin().ascii_serialization() == origin => {
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            Ok(Endpoint::of(&format!("{}{query}", url.path())))
        }
        _ => Err(error(
            name,
            ErrorKind::Denied,
            "the server names an address for messages that is not of its own origin",
        )),
    }
}
