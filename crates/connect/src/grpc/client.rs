//! Calls: sent, received piece by piece, ended by a status.

use base::Secret;
use bytes::{Bytes, BytesMut};
use http::Method as Verb;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::frame::{self, Fault, Reader};
use super::status::{Code, Status};
use super::{Call, Limits, Method, Schema, message, metadata};
use crate::http::{Api, Http2, Settings, Shown};
use crate::{Error, ErrorKind};

/// A connection to a server of gRPC.
pub struct Client {
    pub(super) api: Api,
    limits: Limits,
    schema: OnceCell<Schema>,
}

/// What a call gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The messages as JSON; one for a method that does not stream.
    pub messages: Vec<Value>,
    /// Whether a bound ended the call before the server did.
    pub truncated: bool,
}

/// How a call ended that did not go well.
pub(super) enum Ended {
    /// The server says so.
    Status(Status),
    /// Something else.
    Error(Error),
}

/// What is sent.
pub(super) struct Sent<'a> {
    pub(super) path: &'a str,
    pub(super) body: Bytes,
    pub(super) metadata: &'a [(String, String)],
    pub(super) limits: Limits,
}

/// What takes the messages as they come; what it gives back as an error ends the call.
type Take<'a> = dyn FnMut(Bytes, &Shown) -> Result<(), Error> + Send + 'a;

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// Checks the settings. The base URL has the scheme `http` (without TLS) or `https`; `grpc` and `grpcs` stand for them.
    /// Nothing is sent.
    pub fn open(mut settings: Settings, limits: Limits) -> Result<Self, Error> {
        settings.http2 = Http2::Only;
        for (ours, plain) in [("grpc://", "http://"), ("grpcs://", "https://")] {
            if let Some(rest) = settings.base.expose().strip_prefix(ours) {
                settings.base = Secret::new(format!("{plain}{rest}"));
            }
        }
        Ok(Self { api: Api::open(settings)?, limits, schema: OnceCell::new() })
    }

    /// What of the calling user each call brings along.
    pub fn subject(&self) -> crate::http::Subject {
        self.api.subject()
    }

    /// Takes a schema that need not be asked for.
    #[must_use]
    pub fn with_schema(self, schema: Schema) -> Self {
        Self { schema: OnceCell::new_with(Some(schema)), ..self }
    }

    /// The schema: the one that was given, or what the server told when it was first asked.
    pub async fn schema(&self, deadline: Instant, cancel: &CancellationToken) -> Result<&Schema, Error> {
        self.schema.get_or_try_init(|| self.reflect(deadline, cancel)).await
    }

    /// Calls a method. Each message is handed to `progress` as it comes, with its number from 1, and collected.
    pub async fn call(
        &self,
        method: &Method,
        call: &Call<'_>,
        deadline: Instant,
        cancel: &CancellationToken,
        progress: &mut (dyn FnMut(usize, &Value) + Send),
    ) -> Result<Reply, Error> {
        let written = message::write(method.input(), call.message).map_err(|why| {
            let name = method.input().full_name().to_owned();
            self.error(ErrorKind::Value, format!("the message `{name}` cannot be made of this JSON: {why}"))
        })?;
        let most = self.api.request_bytes_max();
        if written.len() > most {
            return Err(self.error(ErrorKind::Limit, format!("the message is larger than {most} bytes")));
        }
        let mut body = BytesMut::new();
        frame::write(&written, &mut body).map_err(|why| self.error(ErrorKind::Limit, why))?;
        let body = body.freeze();
        let mut nth = 0;
        let mut renewed = false;
        let mut shown = Shown { subject: call.subject.cloned(), token: None };
        loop {
            let mut messages = Vec::new();
            let mut take = |bytes: Bytes, shown: &Shown| {
                let mask = |bytes: &[u8]| self.api.masked(bytes, shown);
                let read = message::read_masked(method.output(), &bytes, &mask);
                let value =
                    read.map_err(|why| self.error(ErrorKind::Other, format!("an answer cannot be read: {why}")))?;
                messages.push(value);
                if let Some(last) = messages.last() {
                    progress(messages.len(), last);
                }
                Ok(())
            };
            let limits = if method.is_streaming() { self.limits } else { Limits { messages: 1, ..self.limits } };
            let sent = Sent { path: &method.path(), body: body.clone(), metadata: call.metadata, limits };
            let ended = match self.exchange(sent, &mut shown, deadline, cancel, &mut take).await {
                Ok(truncated) => return self.reply(method, messages, truncated),
                Err(ended) => ended,
            };
            let refused = matches!(&ended, Ended::Status(status) if status.code == Code::UNAUTHENTICATED);
            if refused && messages.is_empty() && !std::mem::replace(&mut renewed, true) {
                // A token that was refused is fetched anew, once.
                if self.api.refuse(&shown).await {
                    continue;
                }
            }
            let wait = self.api.retry_wait(nth);
            let again = messages.is_empty() && is_worth_repeating(&ended, method.is_idempotent());
            match wait.filter(|wait| again && Instant::now() + *wait < deadline) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(self.failed(ended, Some(method), &shown)),
            }
            nth += 1;
        }
    }

    fn reply(&self, method: &Method, messages: Vec<Value>, truncated: bool) -> Result<Reply, Error> {
        if !method.is_streaming() && (messages.len() != 1 || truncated) {
            let count = if truncated { "more than one".to_owned() } else { "no".to_owned() };
            return Err(self.error(ErrorKind::Other, format!("the server answered with {count} message")));
        }
        Ok(Reply { messages, truncated })
    }

    /// Sends messages and takes those that come; true when a bound ended it.
    pub(super) async fn exchange(
        &self,
        sent: Sent<'_>,
        shown: &mut Shown,
        deadline: Instant,
        cancel: &CancellationToken,
        take: &mut Take<'_>,
    ) -> Result<bool, Ended> {
        let work = async {
            self.api.wait_turn(deadline).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            let headers = metadata::headers(self.api.own_headers().iter().chain(sent.metadata), left)
                .map_err(|why| self.error(ErrorKind::Value, why))?;
            let answer = self.api.start(&Verb::POST, sent.path, headers, sent.body, shown).await?;
            self.receive(answer, sent.limits, shown, take).await
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(self.error(ErrorKind::Cancelled, "the caller went away").into()),
            outcome = tokio::time::timeout_at(deadline, work) => outcome.unwrap_or_else(|_| {
                Err(self.error(ErrorKind::Timeout, "the call did not end before the deadline").into())
            }),
        }
    }

    async fn receive(
        &self,
        answer: http::Response<Incoming>,
        limits: Limits,
        shown: &Shown,
        take: &mut Take<'_>,
    ) -> Result<bool, Ended> {
        let (head, mut body) = answer.into_parts();
        // A call that fails at once has its status here.
        if let Some(status) = Status::of(&head.headers) {
            return ended(status);
        }
        let mut reader = Reader::new(self.packing(&head)?, limits.message_bytes);
        let (mut count, mut bytes) = (0, 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.broken(&error))?;
            if let Some(trailers) = frame.trailers_ref() {
                let status = Status::of(trailers).ok_or_else(|| self.unfinished())?;
                if status.code == Code::OK && !reader.is_empty() {
                    return Err(self.error(ErrorKind::Transient, "the last message was cut off").into());
                }
                return ended(status);
            }
            reader.add(&frame.into_data().unwrap_or_default());
            loop {
                let message = match reader.next() {
                    Ok(Some(message)) => message,
                    Ok(None) => break,
                    Err(Fault::TooLarge) => {
                        let most = limits.message_bytes;
                        return Err(self
                            .error(ErrorKind::Limit, format!("a message is larger than {most} bytes"))
                            .into());
                    }
                    Err(Fault::Broken(why)) => return Err(self.error(ErrorKind::Other, why).into()),
                };
                bytes += message.len();
                if count == limits.messages || (bytes > limits.bytes && count > 0) {
                    // Dropping the body cancels the call at the server.
                    return Ok(true);
                }
                count += 1;
                take(message, shown)?;
            }
        }
        Err(self.unfinished().into())
    }

    /// Whether messages may be packed; an answer that is none of gRPC is an error.
    fn packing(&self, head: &http::response::Parts) -> Result<bool, Ended> {
        let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = text("content-type");
        if head.status != http::StatusCode::OK || !kind.starts_with("application/grpc") {
            let message = format!("the answer is none of gRPC: {}, content type `{kind}`", head.status);
            let code = if head.status.is_success() { Code(2) } else { Code::of_http(head.status.as_u16()) };
            return Err(self.error(code.kind(), message).into());
        }
        match text("grpc-encoding") {
            "" | "identity" => Ok(false),
            "gzip" => Ok(true),
            other => Err(self
                .error(ErrorKind::Other, format!("messages are packed by `{other}`, which was not asked for"))
                .into()),
        }
    }

    fn unfinished(&self) -> Error {
        self.error(ErrorKind::Transient, "the answer ended without a status")
    }

    fn broken(&self, error: &hyper::Error) -> Error {
        self.error(ErrorKind::Transient, format!("the connection broke: {}", crate::http::reason(error)))
    }

    /// The error that a call ended with.
    pub(super) fn failed(&self, ended: Ended, method: Option<&Method>, shown: &Shown) -> Error {
        match ended {
            Ended::Error(error) => error,
            Ended::Status(status) => {
                let text = status.text(method.map(Method::schema));
                let clean = self.api.masked(text.as_bytes(), shown);
                let text = clean.map_or(text, |clean| String::from_utf8_lossy(&clean).into_owned());
                let mut error = self.error(status.code.kind(), format!("the server answered: {text}"));
                error.code = Some(status.code.to_string());
                error
            }
        }
    }

    /// An error of this connection, without its secrets.
    pub fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { attempted: "call a gRPC method", ..self.api.error(kind, message) }
    }
}

fn ended(status: Status) -> Result<bool, Ended> {
    if status.code == Code::OK { Ok(false) } else { Err(Ended::Status(status)) }
}

fn is_worth_repeating(ended: &Ended, idempotent: bool) -> bool {
    match ended {
        Ended::Status(status) => idempotent && status.code == Code::UNAVAILABLE,
        // Without a connection nothing was sent.
        Ended::Error(error) if error.kind == ErrorKind::Unreachable => true,
        Ended::Error(error) => idempotent && error.kind == ErrorKind::Transient,
    }
}

impl From<Error> for Ended {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}
