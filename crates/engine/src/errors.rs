//! The one place where what went wrong becomes a text for the caller: what was attempted, what went wrong, and what to
//! do next.

use std::time::Duration;

use connect::http::StatusCode;
use connect::{Error, ErrorKind};
use serde_json::{Value, json};
use spec::expression::Fault;
use spec::model::Limits;

use crate::limits::{UPSTREAM_BODY_BYTES_MAX, UPSTREAM_CHARS_MAX};
use crate::outcome::{Failure, FailureKind};
use crate::toolset::{SqlAction, Tool};

fn failure(kind: FailureKind, text: String) -> Box<Failure> {
    Box::new(Failure::new(kind, text))
}

/// What a database refused.
pub(crate) fn database(tool: &Tool, sql: &SqlAction, error: &Error, elapsed: Duration) -> Box<Failure> {
    let name = &tool.info.name;
    let (kind, next) = advice(error.kind, sql.write);
    match error.kind {
        ErrorKind::Timeout => return timeout(tool, elapsed),
        ErrorKind::Cancelled => return cancelled(tool),
        ErrorKind::Limit => return too_large(tool, error),
        ErrorKind::Statement | ErrorKind::Config | ErrorKind::Unreachable => {
            tracing::warn!(tool = &**name, connection = error.connection, error = %error, "the database failed");
        }
        _ => {}
    }
    // The hint is written for whoever runs the server; for the two of them a caller can do nothing about, it goes along.
    let hint = error.hint.as_deref().map(|hint| format!(" Hint: {hint}.")).unwrap_or_default();
    let code = error.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    let message = error.message.trim_end_matches('.');
    let undone = if sql.write && kind != FailureKind::Internal { " Nothing was changed." } else { "" };
    let text = format!(
        "`{name}` failed while trying to {} on `{}`: {message}{code}.{undone} {next}{hint}",
        error.attempted, error.connection
    );
    let mut detail = json!({ "connection": error.connection, "attempted": error.attempted, "message": error.message });
    if let Some(code) = &error.code {
        detail["code"] = code.as_str().into();
    }
    Box::new(Failure::new(kind, text).with(detail))
}

/// The kind of a failure and what to do next.
pub(crate) fn advice(kind: ErrorKind, write: bool) -> (FailureKind, &'static str) {
    match kind {
        ErrorKind::Config => (
            FailureKind::Unavailable,
            "The connection is not configured rightly: the operator of the server has to mend its URL; other arguments will not help.",
        ),
        ErrorKind::Unreachable => (
            FailureKind::Unavailable,
            "Try again in a moment; if it persists, the operator of the server has to check the database.",
        ),
        ErrorKind::PoolTimeout => (FailureKind::Busy, "The database is busy: try again in a moment."),
        ErrorKind::Statement => (
            FailureKind::Statement,
            "The tool's SQL does not fit the database: the author of the server has to mend it; other arguments will not help.",
        ),
        ErrorKind::Value => (FailureKind::Value, "Call again with a value that fits."),
        ErrorKind::Constraint => {
            (FailureKind::Constraint, "The data does not allow this: call again with values that keep to its rules.")
        }
        ErrorKind::Denied if write => (FailureKind::Denied, "The server's database account may not do this."),
        ErrorKind::Denied => (
            FailureKind::Denied,
            "This tool only reads, so the database refused a change; the author has to declare `write: true` if it should change data.",
        ),
        ErrorKind::Transient => (FailureKind::Transient, "Trying again may help."),
        ErrorKind::Timeout | ErrorKind::Cancelled | ErrorKind::Limit | ErrorKind::Other => {
            (FailureKind::Internal, "If it persists, tell the operator of the server.")
        }
    }
}

/// A connection is not there.
pub(crate) fn no_connection(tool: &Tool, connection: &str, why: &str) -> Box<Failure> {
    let text = format!(
        "`{}` cannot run: connection `{connection}` is not available: {why}. The operator of the server has to mend this; other arguments will not help.",
        tool.info.name
    );
    failure(FailureKind::Unavailable, text)
}

/// A call that cannot act for its caller.
pub(crate) fn not_acting(tool: &Tool, why: &str) -> Box<Failure> {
    let text = format!(
        "`{}` was not run: {why}. The operator of the server has to give your key what is missing; other arguments will not help.",
        tool.info.name
    );
    failure(FailureKind::Denied, text)
}

/// A value that was sent cannot be used where it belongs.
pub(crate) fn value(tool: &Tool, why: &str) -> Box<Failure> {
    let why = why.trim_end_matches('.');
    failure(FailureKind::Value, format!("`{}` was not run: {why}. Call again with a value that fits.", tool.info.name))
}

/// A template of the action could not be evaluated.
pub(crate) fn template(tool: &Tool, place: &str, fault: &Fault) -> Box<Failure> {
    let text = format!(
        "`{}` was not run: the template at `{place}` has no value: {fault}. Other arguments may avoid it; else the author of the server has to mend it.",
        tool.info.name
    );
    Box::new(Failure::new(FailureKind::Value, text).with(json!({ "place": place, "message": fault.message })))
}

/// The answer is larger than the server allows.
pub(crate) fn too_many_bytes(tool: &Tool, size: usize, most: usize) -> Box<Failure> {
    let text = format!(
        "`{}` ran, but its answer of {size} bytes is larger than the {most} that this server gives. Ask for less.",
        tool.info.name
    );
    failure(FailureKind::Limit, text)
}

/// What Redis or MongoDB refused, or that there is no answer of it.
pub(crate) fn store(tool: &Tool, error: &Error, write: bool, elapsed: Duration) -> Box<Failure> {
    let (kind, next) = match error.kind {
        ErrorKind::Timeout => return timeout(tool, elapsed),
        ErrorKind::Cancelled => return cancelled(tool),
        ErrorKind::Limit => (FailureKind::Limit, "Ask for less."),
        ErrorKind::Statement => (
            FailureKind::Statement,
            "What the tool asks does not fit the data or the server: other arguments may; else the author of the server has to mend it.",
        ),
        ErrorKind::Denied if write => (FailureKind::Denied, "The server's account may not do this."),
        other => advice(other, write),
    };
    let name = &tool.info.name;
    if matches!(error.kind, ErrorKind::Statement | ErrorKind::Config | ErrorKind::Unreachable | ErrorKind::Other) {
        tracing::warn!(tool = &**name, connection = error.connection, error = %error, "the store failed");
    }
    let hint = error.hint.as_deref().map(|hint| format!(" Hint: {hint}.")).unwrap_or_default();
    let code = error.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    let message = error.message.trim_end_matches('.');
    let text = format!(
        "`{name}` failed while trying to {} on `{}`: {message}{code}. {next}{hint}",
        error.attempted, error.connection
    );
    let detail = json!({ "connection": error.connection, "attempted": error.attempted, "message": error.message });
    Box::new(Failure::new(kind, text).with(detail))
}

/// What a store of files or a way to people refused, with its code for programs.
pub(crate) fn of_files(tool: &Tool, error: &Error, elapsed: Duration) -> Box<Failure> {
    let (kind, next) = match (error.kind, error.code.as_deref()) {
        (ErrorKind::Timeout, _) => return timeout(tool, elapsed),
        (ErrorKind::Cancelled, _) => return cancelled(tool),
        (_, Some("not_found")) => (FailureKind::NotFound, "Look for what is there, and call again with its path."),
        (ErrorKind::Value, _) => (FailureKind::Value, "Call again with a value that fits."),
        (ErrorKind::Constraint, _) => (FailureKind::Constraint, "Look at what is there now, then decide."),
        (ErrorKind::Limit, _) => (FailureKind::Limit, "Ask for less."),
        (ErrorKind::Denied, _) => (FailureKind::Denied, "Other values may be permitted; this one is not."),
        (ErrorKind::Unreachable | ErrorKind::Transient | ErrorKind::PoolTimeout, _) => {
            (FailureKind::Transient, "Try again in a moment.")
        }
        _ => (FailureKind::Unavailable, "The operator of the server has to look at the connection."),
    };
    let mut text = format!("`{}` failed: {error}", tool.info.name);
    if !text.ends_with('.') {
        text.push('.');
    }
    let detail = json!({ "code": error.code, "message": error.message });
    Box::new(Failure::new(kind, format!("{text} {next}")).with(detail))
}

/// No answer of an upstream.
pub(crate) fn upstream(tool: &Tool, error: &Error, elapsed: Duration) -> Box<Failure> {
    let (kind, next) = match error.kind {
        ErrorKind::Timeout => return timeout(tool, elapsed),
        ErrorKind::Cancelled => return cancelled(tool),
        ErrorKind::Limit => (FailureKind::Limit, "Ask for less, or try again later."),
        // Somebody answered, and said why.
        ErrorKind::Denied if error.code.is_some() => (
            FailureKind::Denied,
            "The server's credentials do not allow this; the operator of the server has to mend it.",
        ),
        ErrorKind::Denied => (
            FailureKind::Denied,
            "This server does not send requests there; the operator of the server decides where they may go.",
        ),
        ErrorKind::Unreachable | ErrorKind::Transient | ErrorKind::PoolTimeout => (
            FailureKind::Unavailable,
            "Try again in a moment; if it persists, the operator of the server has to look at the upstream.",
        ),
        ErrorKind::Value => (FailureKind::Value, "Call again with a value that fits."),
        ErrorKind::Config => (
            FailureKind::Unavailable,
            "The connection is not configured rightly: the operator of the server has to mend it; other arguments will not help.",
        ),
        ErrorKind::Statement | ErrorKind::Constraint | ErrorKind::Other => {
            (FailureKind::Internal, "If it persists, tell the operator of the server.")
        }
    };
    let name = &tool.info.name;
    tracing::warn!(tool = &**name, connection = error.connection, error = %error, "the upstream failed");
    let hint = error.hint.as_deref().map(|hint| format!(" Hint: {hint}.")).unwrap_or_default();
    let message = error.message.trim_end_matches('.');
    // A program has no connection: what it is called by is its tool.
    let place = match error.connection == **name {
        true => String::new(),
        false => format!(" on `{}`", error.connection),
    };
    let text = format!("`{name}` failed while trying to {}{place}: {message}. {next}{hint}", error.attempted);
    let detail = json!({ "connection": error.connection, "attempted": error.attempted, "message": error.message });
    Box::new(Failure::new(kind, text).with(detail))
}

/// What an API says in its own terms (GraphQL, gRPC): an error that it answered with is not one of the way there.
pub(crate) fn api(tool: &Tool, error: &Error, elapsed: Duration) -> Box<Failure> {
    let kind = match error.kind {
        ErrorKind::Denied if error.code.is_some() || error.message.contains("answered") => FailureKind::Denied,
        ErrorKind::Constraint => FailureKind::Constraint,
        ErrorKind::Statement => FailureKind::Statement,
        ErrorKind::Other if error.code.as_deref() == Some("NOT_FOUND") => FailureKind::NotFound,
        _ => return upstream(tool, error, elapsed),
    };
    let next = match kind {
        FailureKind::Denied => "The server's credentials do not allow this; the operator of the server has to mend it.",
        FailureKind::Constraint => "The state of things does not allow this.",
        FailureKind::NotFound => "Check the arguments, or search first.",
        _ => "The tool does not fit the API: the author of the server has to mend it; other arguments will not help.",
    };
    let (name, message) = (&tool.info.name, error.message.trim_end_matches('.'));
    let code = error.code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
    let text = format!(
        "`{name}` failed while trying to {} on `{}`: {message}{code}. {next}",
        error.attempted, error.connection
    );
    let mut detail = json!({ "connection": error.connection, "attempted": error.attempted, "message": error.message });
    if let Some(code) = &error.code {
        detail["code"] = code.as_str().into();
    }
    Box::new(Failure::new(kind, text).with(detail))
}

/// An answer of an upstream that is no success.
pub(crate) struct Answered<'a> {
    pub(crate) connection: &'a str,
    pub(crate) status: StatusCode,
    pub(crate) body: &'a Value,
}

/// The answer of an upstream is not what the action reads.
pub(crate) fn unreadable(tool: &Tool, connection: &str, why: &str) -> Box<Failure> {
    let text = format!(
        "`{}` failed: the answer of `{connection}` cannot be used: {why}. The author of the server has to look at it; other arguments may avoid it.",
        tool.info.name
    );
    Box::new(Failure::new(FailureKind::Output, text).with(json!({ "connection": connection, "message": why })))
}

/// The kind of failure that a status stands for (RFC 9110, section 15).
pub(crate) fn of_status(status: StatusCode) -> FailureKind {
    match status.as_u16() {
        400 | 405 | 406 | 411 | 413..=417 | 422 | 428 | 431 => FailureKind::Value,
        401 | 402 | 403 | 407 | 451 => FailureKind::Denied,
        404 | 410 => FailureKind::NotFound,
        409 | 412 | 423 => FailureKind::Constraint,
        408 | 425 | 502..=504 => FailureKind::Transient,
        429 => FailureKind::Busy,
        _ => FailureKind::Internal,
    }
}

/// An upstream answered with an error. `told` are the author's words for it.
pub(crate) fn answered(tool: &Tool, answered: Answered<'_>, told: Option<String>) -> Box<Failure> {
    let Answered { connection, status, body } = answered;
    let kind = of_status(status);
    let reason = status.canonical_reason().map(|reason| format!(" {reason}")).unwrap_or_default();
    let text = told.filter(|text| !text.is_empty()).unwrap_or_else(|| {
        let next = match kind {
            FailureKind::Value => "Call again with other arguments.",
            FailureKind::Denied => {
                "The server's credentials do not allow this; the operator of the server has to mend it."
            }
            FailureKind::NotFound => "Check the arguments, or search first.",
            FailureKind::Constraint => "The state of things does not allow this.",
            FailureKind::Busy | FailureKind::Transient => "Try again in a moment.",
            _ => "If it persists, tell the operator of the server.",
        };
        let said = spec::expression::plain(body.clone()).filter(|text| !text.trim().is_empty());
        let said = said.map(|text| format!(": {}", clipped(&text))).unwrap_or_default();
        format!("`{}` failed: `{connection}` answered {}{reason}{said}. {next}", tool.info.name, status.as_u16())
    });
    let mut detail = json!({ "connection": connection, "status": status.as_u16() });
    if body.to_string().len() <= UPSTREAM_BODY_BYTES_MAX {
        detail["body"] = body.clone();
    }
    Box::new(Failure::new(kind, text).with(detail))
}

/// What an upstream said, short enough for a message.
fn clipped(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    match text.char_indices().nth(UPSTREAM_CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// The call took too long.
pub(crate) fn timeout(tool: &Tool, elapsed: Duration) -> Box<Failure> {
    let text = format!(
        "`{}` was stopped after {} ms, the longest that it may take. Ask for less (narrower arguments), or try again later.",
        tool.info.name,
        elapsed.as_millis()
    );
    failure(FailureKind::Timeout, text)
}

/// The caller went away.
pub(crate) fn cancelled(tool: &Tool) -> Box<Failure> {
    failure(FailureKind::Cancelled, format!("`{}` was cancelled by the caller.", tool.info.name))
}

/// Too many calls at once.
pub(crate) fn busy(tool: &Tool, limits: &Limits) -> Box<Failure> {
    let text = format!(
        "`{}` was not started: the server runs at most {} calls at once and none ended in time. Try again in a moment.",
        tool.info.name, limits.concurrency
    );
    failure(FailureKind::Busy, text)
}

/// Each element of a batch takes a copy of the other arguments, and they are too large for so many.
pub(crate) fn batch_too_large(tool: &Tool, batch: &str, elements: usize, shared: usize) -> Box<Failure> {
    let text = format!(
        "`{}` was not started: `{batch}` has {elements} elements, and each is run with {shared} bytes of other arguments. \
         Send fewer elements at once, or shorter arguments.",
        tool.info.name
    );
    failure(FailureKind::Limit, text)
}

/// The connection has no database.
pub(crate) fn unavailable(tool: &Tool, sql: &SqlAction) -> Box<Failure> {
    no_connection(tool, &sql.connection, sql.unavailable.as_deref().unwrap_or("it is not configured"))
}

/// A row was asked for and there is none.
pub(crate) fn no_row(tool: &Tool) -> Box<Failure> {
    let text =
        format!("`{}` found nothing: no row matches these arguments. Check them, or search first.", tool.info.name);
    failure(FailureKind::NotFound, text)
}

/// The result breaks the promise of the output schema.
pub(crate) fn output(tool: &Tool, place: &str, why: &str) -> Box<Failure> {
    let at = if place.is_empty() { String::new() } else { format!(" at {place}") };
    let text = format!(
        "`{}` ran, but its result does not conform to the declared `returns`{at}: {why}. The author of the server has to mend `returns` or the action; \
         other arguments may avoid it.",
        tool.info.name
    );
    Box::new(Failure::new(FailureKind::Output, text).with(json!({ "place": place, "message": why })))
}

/// What was answered is not what the tool makes its result of.
pub(crate) fn unusable(tool: &Tool, why: &str) -> Box<Failure> {
    let text = format!(
        "`{}` ran, but no result can be made of its answer: {why}. The author of the server has to mend the tool; other arguments may avoid it.",
        tool.info.name
    );
    Box::new(Failure::new(FailureKind::Output, text).with(json!({ "place": "", "message": why })))
}

fn too_large(tool: &Tool, error: &Error) -> Box<Failure> {
    let text = format!(
        "`{}` was stopped: {}. Ask for fewer rows or narrower arguments.",
        tool.info.name,
        error.message.trim_end_matches('.')
    );
    failure(FailureKind::Limit, text)
}
