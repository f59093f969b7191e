//! An upstream of a test's own, and connections to it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Request, Response};
use connect::egress::Policy;
use connect::http::{Api, Call, Credentials, Limits, Method, Reply, Retries, Settings};
use connect::{Error, ErrorKind};
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What the upstream answers to request number `nth` (from 0).
pub(super) type Handler = Arc<dyn Fn(usize, &Parts, &Bytes) -> Response<Body> + Send + Sync>;

/// A request as the upstream saw it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) uri: String,
    pub(super) headers: axum::http::HeaderMap,
    pub(super) body: Bytes,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// An upstream that stops with its value.
pub(super) struct Upstream {
    pub(super) url: String,
    pub(super) seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Shared = (Handler, Arc<Mutex<Vec<Seen>>>);

async fn handle(State((handler, seen)): State<Shared>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 24).await.expect("a body");
    let nth = {
        let mut seen = seen.lock();
        seen.push(Seen {
            method: head.method.to_string(),
            uri: head.uri.to_string(),
            headers: head.headers.clone(),
            body: body.clone(),
        });
        seen.len() - 1
    };
    handler(nth, &head, &body)
}

impl Upstream {
    pub(super) async fn start(
        handler: impl Fn(usize, &Parts, &Bytes) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let router = Router::new().fallback(handle).with_state((Arc::new(handler) as Handler, Arc::clone(&seen)));
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the upstream serves");
        });
        Self { url, seen, task }
    }

    pub(super) fn settings(&self) -> Settings {
        Settings {
            policy: Policy::default().allow_private(true),
            retries: Retries { max: 2, backoff: Duration::from_millis(1), wait_max: Duration::from_secs(1) },
            limits: Limits { answer_bytes: 64 * 1024, ..Limits::default() },
            ..Settings::new("api", base::Secret::new(format!("{}/v1", self.url)))
        }
    }

    pub(super) fn api(&self) -> Api {
        Api::open(self.settings()).expect("settings that can be used")
    }

    pub(super) fn with(&self, credentials: Credentials) -> Api {
        Api::open(Settings { credentials, ..self.settings() }).expect("settings that can be used")
    }

    pub(super) fn count(&self) -> usize {
        self.seen.lock().len()
    }

    pub(super) fn last(&self) -> Seen {
        self.seen.lock().last().expect("a request").clone()
    }
}

/// Sends with a generous deadline.
pub(super) async fn send(api: &Api, call: &Call) -> Result<Reply, Error> {
    api.send(call, soon(), &CancellationToken::new()).await
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(super) fn get(path: &str) -> Call {
    Call::new(Method::GET, path)
}

pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Body>) -> Response<Body> {
    let builder = headers.iter().fold(Response::builder().status(status), |b, (name, value)| b.header(*name, *value));
    builder.body(body.into()).expect("an answer")
}

pub(super) fn ok(body: impl Into<Body>) -> Response<Body> {
    answer(200, &[], body)
}

/// The kind and the message of a failure.
pub(super) fn failed(outcome: Result<Reply, Error>) -> (ErrorKind, String) {
    let error = outcome.expect_err("a failure");
    (error.kind, error.to_string())
}

/// Replaces `\xNN` by the character of that code.
pub(super) fn unescape(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\\x") {
        out.push_str(before);
        match after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(code) => {
                out.push(char::from(code));
                rest = &after[2..];
            }
            None => {
                out.push_str("\\x");
                rest = after;
            }
        }
    }
    out + rest
}
