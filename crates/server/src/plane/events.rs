//! What is told of a job, as a stream of events.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use http_body::Frame;
use operations::all::JobEvents;
use operations::jobs::{EventsInput, EventsOutput};
use operations::{Context, Error, perform};
use protocol::http::{Body, BoxError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The operation that is told as a stream.
pub(super) const OPERATION: &str = "job.events";
/// How long a stream is silent at most.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Events on their way to a client that does not read them.
const QUEUE: usize = 16;

/// Whether a request asks for a stream.
pub(super) fn is_wanted(head: &Parts) -> bool {
    let asked = head.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    asked.flat_map(|text| text.split(',')).any(|range| {
        let kind = range.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("text/event-stream")
    })
}

/// The events of a job after the one that the request names, as they are told, until the job or `ending` comes.
pub(super) async fn stream(
    context: Context,
    job: &str,
    head: &Parts,
    ending: CancellationToken,
) -> Result<Response<Body>, Error> {
    let last = head.headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse::<i64>().ok());
    let input = EventsInput { id: job.to_owned(), after: last, wait_ms: Some(0) };
    let first = Box::pin(perform::<JobEvents>(&context, input.clone())).await?;
    if first.ended && first.events.is_empty() {
        // A browser's client then asks no more.
        let mut nothing = Response::new(Body::empty());
        *nothing.status_mut() = StatusCode::NO_CONTENT;
        return Ok(nothing);
    }
    let (out, body) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        tokio::select! {
            () = ending.cancelled() => {}
            () = pass_on(&context, input, first, &out) => {}
        }
    });
    let mut answer = Response::new(Body::wrap(Passing(body)));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(answer)
}

async fn pass_on(context: &Context, mut input: EventsInput, mut found: EventsOutput, out: &mpsc::Sender<Bytes>) {
    input.wait_ms = Some(u64::try_from(KEEP_ALIVE.as_millis()).unwrap_or(u64::MAX));
    loop {
        if found.events.is_empty() && out.send(Bytes::from_static(b": it goes on\n\n")).await.is_err() {
            return;
        }
        for event in &found.events {
            input.after = Some(event.id);
            let kind = if event.state.is_some() { "state" } else { "progress" };
            let data = serde_json::to_string(event).unwrap_or_default();
            let text = format!("id: {}\nevent: {kind}\ndata: {data}\n\n", event.id);
            if out.send(text.into()).await.is_err() {
                return;
            }
        }
        if found.ended {
            return;
        }
        // What fails now is found out by the next request.
        let Ok(next) = Box::pin(perform::<JobEvents>(context, input.clone())).await else { return };
        found = next;
    }
}

/// A body of what comes through a channel.
struct Passing(mpsc::Receiver<Bytes>);

impl http_body::Body for Passing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.poll_recv(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
