//! A client on standard streams reaches an endpoint of Streamable HTTP.
//!
//! Messages pass as they are, in both directions and in every revision. What belongs to the transport alone is added here: the
//! session, the headers that repeat parts of a message, the stream of messages that belong to no request. Over HTTP a request
//! of the stateless revision is cancelled by closing its answer. A server that went away is reached anew, with the same
//! `initialize`, and the client is told that lists may have changed.

mod carry;
mod line;
mod listen;
mod message;
mod renew;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use connect::http;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::limits::{BRIDGE_DRAIN, BRIDGE_QUEUE, BRIDGED_MAX, MESSAGE_BYTES};
use crate::oauth::Login;
use line::Line;
use message::{Kind, Message};

/// An endpoint.
pub struct Place {
    /// The connection to its origin. Its credentials and headers go with every request.
    pub http: http::Settings,
    /// The path of the endpoint, with its query.
    pub endpoint: String,
    /// Where the tokens come from that the server wants.
    pub login: Option<Arc<Login>>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Says where the endpoint is. It is asked again when the endpoint went away; the text says why there is none.
pub type Find = dyn Fn() -> Result<Place, String> + Send + Sync;

/// What a client sees of another server.
struct Bridge {
    find: Box<Find>,
    /// How the server is reached now.
    line: RwLock<Arc<Line>>,
    /// One at a time reaches it anew.
    renewing: tokio::sync::Mutex<()>,
    /// The request that opened the session.
    opening: Mutex<Option<Message>>,
    out: mpsc::Sender<Bytes>,
    /// Requests of the client that are not answered.
    flights: Mutex<HashMap<String, Flight>>,
    tasks: TaskTracker,
    ending: CancellationToken,
}

/// A request that is not answered.
struct Flight {
    /// Cancelled when the client does not want the answer.
    cancel: CancellationToken,
    is_stateless: bool,
    /// It is answered when the conversation ends, and nobody waits for it.
    is_endless: bool,
}

/// Relays between a client on a pair of streams and an endpoint, until the input ends or `stop` fires.
///
/// # Errors
/// The endpoint is nowhere, or a stream cannot be read or written any more.
pub async fn bridge<R, W>(find: Box<Find>, input: R, output: W, stop: CancellationToken) -> std::io::Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let line = Line::open(&find).map_err(std::io::Error::other)?;
    let (out, outbox) = mpsc::channel(BRIDGE_QUEUE);
    let bridge = Arc::new(Bridge {
        find,
        line: RwLock::new(Arc::new(line)),
        renewing: tokio::sync::Mutex::default(),
        opening: Mutex::default(),
        out,
        flights: Mutex::default(),
        tasks: TaskTracker::new(),
        ending: stop.clone(),
    });
    let writer = tokio::spawn(write(outbox, output));
    let read = tokio::select! {
        read = bridge.read(tokio::io::BufReader::new(input)) => read,
        () = stop.cancelled() => Ok(()),
    };
    // Who closed the input may still read the answers to what was asked before.
    let _ = tokio::time::timeout(BRIDGE_DRAIN, bridge.answered()).await;
    bridge.ending.cancel();
    bridge.tasks.close();
    let _ = tokio::time::timeout(BRIDGE_DRAIN, bridge.tasks.wait()).await;
    let line = Arc::clone(&bridge.line.read());
    line.leave().await;
    drop(bridge);
    match tokio::time::timeout(BRIDGE_DRAIN, writer).await {
        Ok(Ok(written)) => read.and(written),
        _ => read,
    }
}

impl Bridge {
    async fn read(self: &Arc<Self>, mut input: impl AsyncBufRead + Unpin) -> std::io::Result<()> {
        let bound = u64::try_from(MESSAGE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        let mut text = Vec::new();
        loop {
            text.clear();
            if (&mut input).take(bound).read_until(b'\n', &mut text).await? == 0 {
                return Ok(());
            }
            if text.len() > MESSAGE_BYTES {
                return Err(std::io::Error::other(format!("a message is larger than {MESSAGE_BYTES} bytes")));
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            match Message::read(text.trim_ascii()) {
                Ok(message) => self.take(message).await,
                Err(why) => self.say(message::failure(&Value::Null, message::PARSE_ERROR, &why, None)).await,
            }
        }
    }

    /// Takes a message of the client.
    async fn take(self: &Arc<Self>, message: Message) {
        match &message.kind {
            Kind::Request { id, method } => {
                let (id, opens) = (id.clone(), method == "initialize");
                if opens {
                    *self.opening.lock() = Some(message.clone());
                }
                let Some(cancel) = self.fly(&id, &message) else {
                    let why = format!("more than {BRIDGED_MAX} requests wait for their answers");
                    return self.say(message::failure(&id, message::REFUSED, &why, None)).await;
                };
                let work = self.clone().answer(message, id, cancel);
                if opens {
                    // What follows needs the session.
                    work.await;
                } else {
                    self.tasks.spawn(work);
                }
            }
            Kind::Batch => {
                let bridge = Arc::clone(self);
                self.tasks.spawn(async move { bridge.carry(&message).await });
            }
            Kind::Invalid { id, why } => {
                self.say(message::failure(id, message::INVALID_REQUEST, why, None)).await;
            }
            Kind::Cancelled { id } if self.is_cancelled_by_closing(id) => {
                if let Some(flight) = self.flights.lock().remove(&id.to_string()) {
                    flight.cancel.cancel();
                }
            }
            Kind::Initialized => {
                self.carry(&message).await;
                let line = Arc::clone(&self.line.read());
                self.tasks.spawn(Arc::clone(self).listen(line));
            }
            // Notifications and answers stay in their order.
            Kind::Cancelled { .. } | Kind::Other => self.carry(&message).await,
        }
    }

    /// Brings a request to its end.
    async fn answer(self: Arc<Self>, message: Message, id: Value, cancel: CancellationToken) {
        tokio::select! {
            () = self.carry(&message) => {}
            () = cancel.cancelled() => {}
            () = self.ending.cancelled() => {}
        }
        self.flights.lock().remove(&id.to_string());
    }

    /// Notes a request; nothing when there are too many.
    fn fly(&self, id: &Value, message: &Message) -> Option<CancellationToken> {
        let mut flights = self.flights.lock();
        if flights.len() >= BRIDGED_MAX {
            return None;
        }
        let cancel = CancellationToken::new();
        let is_endless = message.method() == Some("subscriptions/listen");
        let flight = Flight { cancel: cancel.clone(), is_stateless: message.is_stateless(), is_endless };
        flights.insert(id.to_string(), flight);
        Some(cancel)
    }

    fn is_cancelled_by_closing(&self, id: &Value) -> bool {
        self.flights.lock().get(&id.to_string()).is_none_or(|flight| flight.is_stateless)
    }

    /// Waits until every request but those that never end is answered.
    async fn answered(&self) {
        while self.flights.lock().values().any(|flight| !flight.is_endless) {
            tokio::time::sleep(crate::limits::BRIDGE_LOOK).await;
        }
    }

    /// Hands a message to the client.
    async fn say(&self, message: Bytes) {
        let _ = self.out.send(message).await;
    }
}

async fn write<W: AsyncWrite + Unpin>(mut outbox: mpsc::Receiver<Bytes>, mut output: W) -> std::io::Result<()> {
    while let Some(message) = outbox.recv().await {
        let mut text = Vec::with_capacity(message.len() + 1);
        text.extend_from_slice(&message);
        text.push(b'\n');
        output.write_all(&text).await?;
        output.flush().await?;
    }
    Ok(())
}
