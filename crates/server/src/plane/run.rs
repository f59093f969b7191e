//! Doing what a request asks.

use std::borrow::Cow;

use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response};
use operations::operation::Effect;
use operations::{Context, Error};
use protocol::http::Body;
use serde_json::{Map, Value};

use super::routes::Route;
use super::{answer, decode, headers, idempotency, problem};

/// Does the operation of a request and answers. What changes something goes on when the caller goes away.
pub(super) async fn operation(
    mut context: Context,
    request: &str,
    route: &'static Route,
    path: Map<String, Value>,
    head: Parts,
    body: Bytes,
) -> Response<Body> {
    if let Err(error) = headers::check_dry_run(&head.headers).and_then(|()| check_async(route, &head)) {
        return problem::of(&error, request, None);
    }
    let changes = route.operation.declared().effect != Effect::Reads;
    if changes {
        context.precondition = headers::precondition(&head.headers);
        if headers::is_dry_run(&head.headers) {
            context = context.trying();
        }
    }
    let request = request.to_owned();
    let work = async move {
        let answered = once(&context, &request, route, path, &head, &body).await;
        answered.unwrap_or_else(|error| problem::of(&error, &request, None))
    };
    if !changes {
        return work.await;
    }
    match tokio::spawn(work).await {
        Ok(answer) => answer,
        Err(error) => {
            let error = Error::new(operations::Code::Internal, format!("the work did not end: {error}"));
            problem::of(&error, "", None)
        }
    }
}

/// The same, and only once for a request with a key.
async fn once(
    context: &Context,
    request: &str,
    route: &'static Route,
    path: Map<String, Value>,
    head: &Parts,
    body: &Bytes,
) -> Result<Response<Body>, Error> {
    if route.operation.declared().secret && head.headers.contains_key(headers::IDEMPOTENCY_KEY) {
        let what = format!(
            "`{}` takes no Idempotency-Key: its answer is a secret, and is not kept",
            route.operation.declared().name
        );
        return Err(Error::new(operations::Code::BadRequest, what)
            .hint("send it without the header; where an answer was lost, remove what was made and make it again"));
    }
    let key = match head.method {
        Method::POST if !route.operation.declared().secret && !headers::is_dry_run(&head.headers) => {
            idempotency::look(context, route.operation, head, body).await?
        }
        _ => idempotency::Key::None,
    };
    match key {
        idempotency::Key::Answered(answer) => Ok(*answer),
        idempotency::Key::None => Ok(done(context, request, route, path, head, body).await),
        idempotency::Key::Claimed(claimed) => {
            let answer = done(context, request, route, path, head, body).await;
            Ok(idempotency::keep(context, claimed, answer).await)
        }
    }
}

async fn done(
    context: &Context,
    request: &str,
    route: &'static Route,
    path: Map<String, Value>,
    head: &Parts,
    body: &Bytes,
) -> Response<Body> {
    let input = match decode::input(route, path, head.uri.query(), &head.headers, body) {
        Ok(input) => input,
        Err(error) => {
            let mut answer = problem::of(&error, request, None);
            answer.extensions_mut().insert(idempotency::NotBegun);
            return answer;
        }
    };
    let sent = ["/spec/text", "/subject/spec/text"].into_iter().find_map(|at| input.pointer(at)?.as_str());
    let sent = sent.map(str::to_owned);
    let result = if route.operation.declared().job && wants_job(head) && !headers::is_dry_run(&head.headers) {
        operations::jobs::begin(context, route.operation, input).await.map(|job| answer::job(&job))
    } else {
        let done = route.operation.run(context, input).await;
        done.map(|done| answer::done(&head.method, &head.uri, &head.headers, &done))
    };
    result.unwrap_or_else(|error| {
        let mut answer = problem::of(&error, request, sent.as_deref());
        if idempotency::is_not_begun(error.code) {
            answer.extensions_mut().insert(idempotency::NotBegun);
        }
        answer
    })
}

/// What the query says of a job.
fn asked_for_job(head: &Parts) -> impl Iterator<Item = Cow<'_, str>> {
    let query = head.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == decode::ASYNC).map(|(_, value)| value)
}

/// Refuses an `async` that says neither yes nor no.
fn check_async(route: &Route, head: &Parts) -> Result<(), Error> {
    let known = |value: Cow<'_, str>| matches!(value.as_ref(), "" | "1" | "true" | "0" | "false");
    if !route.operation.declared().job || asked_for_job(head).all(known) {
        return Ok(());
    }
    Err(Error::new(operations::Code::BadRequest, "`async` says neither yes nor no")
        .hint("write `?async=true`, or leave it out"))
}

/// Whether the caller asked for a job.
fn wants_job(head: &Parts) -> bool {
    asked_for_job(head).any(|value| matches!(value.as_ref(), "" | "1" | "true"))
        || headers::prefers_async(&head.headers)
}
