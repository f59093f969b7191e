//! Answers that are read while they come: events one by one, or a body as a whole.

use std::collections::VecDeque;
use std::sync::Arc;

use base::Secret;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::body::reason;
use super::events::Collector;
use super::wire::Wire;
use super::{Api, Call, Event, Events};
use crate::{Error, ErrorKind};

/// Every event there is.
static ALL: Events = Events { keep: Vec::new(), done_event: None, done_data: None, max: usize::MAX, unfinished: false };

/// An answer that is still being read. Dropping it ends the request. Secrets are masked in what is read.
pub struct Live {
    /// The status.
    pub status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    collector: Collector<'static>,
    ready: VecDeque<Event>,
    /// Most bytes of one event, or of the body.
    most: usize,
    wire: Arc<Wire>,
    further: Vec<Secret>,
}

impl std::fmt::Debug for Live {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Live").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Api {
    /// Sends a request once and gives its answer as soon as it begins. Redirects are not followed; a token that is refused is
    /// fetched anew, once. Dropping the future ends the request.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn live(&self, call: &Call, deadline: Instant) -> Result<Live, Error> {
        let (body, kind) = call.body.encode().map_err(|why| self.error(ErrorKind::Value, why))?;
        if body.len() > self.settings.limits.request_bytes {
            let most = self.settings.limits.request_bytes;
            return Err(self.error(ErrorKind::Limit, format!("the body is larger than {most} bytes")));
        }
        let mut headers = self.headers(call)?;
        self.insert(&mut headers, "accept-encoding", "identity")?;
        if let Some(kind) = kind {
            self.insert(&mut headers, CONTENT_TYPE.as_str(), &kind)?;
        }
        let mut renewed = false;
        loop {
            self.wait_turn(deadline).await?;
            let (mut url, mut shown) = (self.url(&call.path, &call.query)?, headers.clone());
            let subject = call.subject.as_ref();
            let token = self.show_credentials(&call.method, &mut url, &mut shown, &body, subject).await?;
            let answer = self.wire.start(&call.method, &url, shown, body.clone()).await?;
            let (head, answer) = answer.into_parts();
            if head.status == StatusCode::UNAUTHORIZED && token.is_some() && !std::mem::replace(&mut renewed, true) {
                self.forget_token(subject, token.as_ref()).await;
                continue;
            }
            return Ok(Live {
                status: head.status,
                headers: head.headers,
                body: answer,
                collector: Collector::new(&ALL),
                ready: VecDeque::new(),
                most: call.answer_bytes.unwrap_or(self.settings.limits.answer_bytes),
                wire: Arc::clone(&self.wire),
                further: token.into_iter().chain(call.subject.clone()).collect(),
            });
        }
    }
}

impl Live {
    /// A header of the answer, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header of the answer that may be there several times, as texts.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Whether it is a stream of events.
    pub fn is_events(&self) -> bool {
        self.header(CONTENT_TYPE.as_str())
            .is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
    }

    /// The next event; nothing when the stream has ended. A future that is dropped loses nothing.
    ///
    /// # Errors
    /// The stream broke, or an event is larger than the limit.
    pub async fn event(&mut self) -> Result<Option<Event>, Error> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                let text = |text: &str| self.wire.mask.text_without(text, &self.further);
                return Ok(Some(Event { event: text(&event.event), data: text(&event.data), id: event.id }));
            }
            let Some(bytes) = self.chunk().await? else { return Ok(None) };
            self.collector.take(&bytes);
            self.ready.extend(self.collector.found.drain(..));
            if self.collector.held() > self.most {
                return Err(self.too_large("an event of the answer"));
            }
        }
    }

    /// The whole body.
    ///
    /// # Errors
    /// It broke, or is larger than the limit.
    pub async fn rest(mut self) -> Result<Bytes, Error> {
        let mut all = BytesMut::new();
        while let Some(bytes) = self.chunk().await? {
            if all.len() + bytes.len() > self.most {
                return Err(self.too_large("the answer"));
            }
            all.extend_from_slice(&bytes);
        }
        Ok(self.wire.mask.bytes_without(all.freeze(), &self.further))
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        match self.body.frame().await {
            None => Ok(None),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => {
                Err(self.wire.error(ErrorKind::Transient, format!("the answer cannot be read: {}", reason(&error))))
            }
        }
    }

    fn too_large(&self, what: &str) -> Error {
        self.wire.error(ErrorKind::Limit, format!("{what} is larger than {} bytes", self.most))
    }
}
