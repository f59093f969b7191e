//! What a fake is told to do wrong, and what it remembers of its requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shim::http::{Request, Response, json_answer, text_answer, with_header};

use crate::trouble::Spoil;
use crate::uri;

/// A failure on demand.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Failure {
    /// Requests with this method; all without one.
    method: Option<String>,
    /// Requests whose path ends with these segments; `*` is any one.
    path: String,
    /// The status of the answer.
    #[serde(default)]
    status: Option<u16>,
    /// `Retry-After`.
    retry_after: Option<String>,
    /// The body; problem details without one.
    body: Option<Value>,
    /// The body is this page.
    html: Option<String>,
    /// The request is answered as it should be, and the answer is spoiled.
    spoil: Option<Spoil>,
    /// The request takes effect before it fails.
    #[serde(default)]
    after: bool,
    /// The answer comes after so many milliseconds more; with `after` the effect does not.
    #[serde(default)]
    delay_ms: u64,
    /// How often.
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

/// What `POST /_fake` takes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Order {
    fail: Vec<Failure>,
    latency_ms: Option<u64>,
    clear: bool,
}

#[derive(Debug, Default, Serialize)]
struct Seen {
    requests: usize,
    routes: BTreeMap<String, usize>,
}

/// Orders, and what was asked.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    failures: Mutex<Vec<Failure>>,
    latency_ms: AtomicU64,
    now: AtomicUsize,
    most: AtomicUsize,
    writes_now: AtomicUsize,
    writes_most: AtomicUsize,
    seen: Mutex<Seen>,
}

/// A request under way.
pub(crate) struct Under {
    orders: Arc<Orders>,
    writes: bool,
}

impl Drop for Under {
    fn drop(&mut self) {
        self.orders.now.fetch_sub(1, Ordering::Relaxed);
        if self.writes {
            self.orders.writes_now.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// What a request comes to before it is looked at.
pub(crate) enum Turn {
    /// It is answered as it should be.
    Good,
    /// It fails and does nothing.
    Before(Response),
    /// It takes effect at once, and after this time it fails, or is answered as it should be.
    After(Option<Response>, Duration),
    /// It takes effect, and its answer is spoiled.
    Spoiled(Spoil),
}

impl Orders {
    pub(crate) fn new(latency_ms: u64) -> Arc<Self> {
        let orders = Self::default();
        orders.latency_ms.store(latency_ms, Ordering::Relaxed);
        Arc::new(orders)
    }

    /// A request begins: it is counted, waits its time, and may fail.
    pub(crate) async fn begin(self: &Arc<Self>, request: &Request, route: &str) -> (Under, Turn) {
        let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(now, Ordering::Relaxed);
        let writes = request.method == http::Method::POST;
        if writes {
            let now = self.writes_now.fetch_add(1, Ordering::Relaxed) + 1;
            self.writes_most.fetch_max(now, Ordering::Relaxed);
        }
        let under = Under { orders: Arc::clone(self), writes };
        {
            let mut seen = self.seen.lock();
            seen.requests += 1;
            *seen.routes.entry(route.to_owned()).or_default() += 1;
        }
        let failure = self.take(request);
        let own = failure.as_ref().map_or(0, |failure| failure.delay_ms);
        let is_late = failure.as_ref().is_some_and(|failure| failure.after);
        let delay = self.latency_ms.load(Ordering::Relaxed) + if is_late { 0 } else { own };
        if delay > 0 {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        let turn = match failure {
            Some(failure) if failure.status.is_some() || failure.html.is_some() => {
                let response = failure.response();
                if failure.after {
                    Turn::After(Some(response), Duration::from_millis(own))
                } else {
                    Turn::Before(response)
                }
            }
            Some(Failure { spoil: Some(spoil), .. }) => Turn::Spoiled(spoil),
            Some(Failure { after: true, .. }) => Turn::After(None, Duration::from_millis(own)),
            _ => Turn::Good,
        };
        (under, turn)
    }

    fn take(&self, request: &Request) -> Option<Failure> {
        let mut failures = self.failures.lock();
        let at = failures.iter().position(|failure| failure.fits(request))?;
        failures[at].times -= 1;
        Some(if failures[at].times == 0 { failures.remove(at) } else { failures[at].clone() })
    }

    /// `POST /_fake`.
    pub(crate) fn order(&self, body: &[u8]) -> Response {
        let order: Order = match serde_json::from_slice(body) {
            Ok(order) => order,
            Err(error) => return json_answer(400, &json!({ "error": error.to_string() })),
        };
        if order.clear {
            self.failures.lock().clear();
        }
        if let Some(latency) = order.latency_ms {
            self.latency_ms.store(latency, Ordering::Relaxed);
        }
        self.failures.lock().extend(order.fail.into_iter().filter(|failure| failure.times > 0));
        json_answer(200, &json!({ "failures": self.failures.lock().len() }))
    }

    /// `GET /_fake`.
    pub(crate) fn told(&self, more: Value) -> Response {
        let seen = self.seen.lock();
        let mut told = json!({
            "requests": seen.requests, "routes": seen.routes,
            "mostAtOnce": self.most.load(Ordering::Relaxed),
            "mostWritesAtOnce": self.writes_most.load(Ordering::Relaxed), "failuresLeft": self.failures.lock().len(),
        });
        if let (Some(all), Value::Object(more)) = (told.as_object_mut(), more) {
            all.extend(more);
        }
        json_answer(200, &told)
    }
}

impl Failure {
    fn fits(&self, request: &Request) -> bool {
        let (wanted, given) = (uri::segments(&self.path), uri::segments(&request.path));
        let method = self.method.as_deref().is_none_or(|method| request.method.as_str().eq_ignore_ascii_case(method));
        let tail = given.len().checked_sub(wanted.len()).map(|from| &given[from..]);
        method && tail.is_some_and(|tail| tail.iter().zip(&wanted).all(|(one, other)| other == "*" || one == other))
    }

    fn response(&self) -> Response {
        let status = self.status.unwrap_or(502);
        let response = match (&self.html, &self.body) {
            (Some(page), _) => text_answer(status, "text/html", page.clone()),
            (None, Some(body)) => json_answer(status, body),
            (None, None) => problem(status, "as it was told to"),
        };
        match &self.retry_after {
            Some(wait) => with_header(response, "retry-after", wait),
            None => response,
        }
    }
}

/// Problem details (RFC 9457).
pub(crate) fn problem(status: u16, detail: &str) -> Response {
    let title = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    json_answer(status, &json!({ "title": title, "status": status, "detail": detail }))
}
