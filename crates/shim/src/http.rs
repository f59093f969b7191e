//! A small HTTP/1.1 server: whole requests in, answers or streams of events out.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::limits::{BODY_BYTES_MAX, CONNECTIONS_MAX, EVENTS_WAITING_MAX, READ_TIMEOUT};

/// What an answer carries.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;
/// An answer.
pub type Response = http::Response<Body>;

/// A request, read to its end.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, as it was sent.
    pub path: String,
    /// The query, as it was sent; empty without one.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Request {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers one. The future is dropped when the caller goes away.
    fn answer(self: Arc<Self>, request: Request) -> impl Future<Output = Response> + Send;
}

/// Answers requests until it is told to stop; then running ones have a moment to end.
pub async fn serve<H: Handler>(listener: TcpListener, handler: Arc<H>, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // The semaphore is never closed.
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let _ = stream.set_nodelay(true);
        let (handler, stop) = (Arc::clone(&handler), stop.clone());
        tokio::spawn(async move {
            let _permit = permit;
            let service = service_fn(move |request| {
                let handler = Arc::clone(&handler);
                async move {
                    let response = whole(handler, request).await;
                    if response.extensions().get::<Hangup>().is_some() {
                        return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
                    }
                    Ok(response)
                }
            });
            let mut server = hyper::server::conn::http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(READ_TIMEOUT);
            let connection = server.serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            tokio::select! {
                // What a peer does wrong on its connection is its own affair.
                _ = connection.as_mut() => {}
                () = stop.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), connection).await;
                }
            }
        });
    }
}

async fn whole<H: Handler>(handler: Arc<H>, request: hyper::Request<Incoming>) -> Response {
    let (head, body) = request.into_parts();
    let read = tokio::time::timeout(READ_TIMEOUT, Limited::new(body, BODY_BYTES_MAX).collect()).await;
    let body = match read {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return refusal(413, "too_large", &format!("the body has more than {BODY_BYTES_MAX} bytes"));
        }
        Ok(Err(_)) => return refusal(400, "bad_request", "the body could not be read"),
        Err(_) => return refusal(408, "timeout", "the body did not come in time"),
    };
    let request = Request {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    };
    handler.answer(request).await
}

/// Marks an answer that is not given.
#[derive(Clone, Copy, Debug)]
struct Hangup;

/// No answer: the connection ends. For fakes of what goes wrong.
pub fn hang_up() -> Response {
    let mut response = text_answer(500, "text/plain", "");
    response.extensions_mut().insert(Hangup);
    response
}

/// An answer that ends before its body does: it says that it has more bytes than come. For fakes of what goes wrong.
pub fn cut_short(status: u16, part: Bytes, claimed: usize) -> Response {
    let stream = futures_util::stream::iter([Ok::<_, Infallible>(Frame::data(part))]);
    let mut response = text_answer(status, "application/json", "");
    *response.body_mut() = StreamBody::new(stream).boxed_unsync();
    response.headers_mut().insert(http::header::CONTENT_LENGTH, HeaderValue::from(claimed));
    response
}

/// The body of an answer, read to its end.
pub async fn whole_body(response: Response) -> Bytes {
    response.into_body().collect().await.unwrap_or_else(|never| match never {}).to_bytes()
}

/// A JSON answer.
pub fn json_answer(status: u16, body: &Value) -> Response {
    text_answer(status, "application/json", body.to_string())
}

/// An answer with a text.
pub fn text_answer(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Full::new(body.into()).boxed_unsync());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An error: `{"error": code, "detail": text}`.
pub fn refusal(status: u16, code: &str, detail: &str) -> Response {
    json_answer(status, &json!({ "error": code, "detail": detail }))
}

/// Adds a header.
#[must_use]
pub fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Where the events of a stream are put. When the caller has gone, `send` fails and `closed` ends.
#[derive(Clone, Debug)]
pub struct Events(mpsc::Sender<Bytes>);

impl Events {
    /// Sends bytes as they are.
    pub async fn raw(&self, bytes: impl Into<Bytes>) -> bool {
        self.0.send(bytes.into()).await.is_ok()
    }

    /// Sends an event; each line of its data is a line of its own. `false` when the caller has gone.
    pub async fn send(&self, event: &str, data: &str) -> bool {
        let mut text = format!("event: {event}\n");
        for line in data.split('\n') {
            text.push_str("data: ");
            text.push_str(line);
            text.push('\n');
        }
        text.push('\n');
        self.raw(text).await
    }

    /// Waits until the caller has gone.
    pub async fn closed(&self) {
        self.0.closed().await;
    }
}

/// An answer whose events are still to come.
pub fn events() -> (Events, Response) {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(EVENTS_WAITING_MAX);
    let stream = futures_util::stream::poll_fn(move |context| {
        receiver.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes))))
    });
    let mut response = Response::new(StreamBody::new(stream).boxed_unsync());
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that collect answers are asked not to.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    (Events(sender), response)
}
