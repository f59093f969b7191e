//! How a run ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use rquickjs::{Ctx, Function, Runtime, Value};

use crate::fault::{Fault, FaultKind};
use crate::host::{Answer, Rest};
use crate::origin::Origin;

/// How a function ended.
pub(crate) enum Ended {
    /// With its result.
    Answer(Answer),
    /// It rests, and is then called again with this, JSON.
    Resting(Bytes, Rest),
}

/// The end of an engine.
pub(crate) struct Finished {
    pub(crate) result: Result<Ended, Fault>,
    /// Promises that were rejected without anybody looking.
    pub(crate) unhandled: usize,
}

/// What the prelude's `finish` was called with.
struct Said {
    how: String,
    /// The result, or the error's name.
    text: String,
    message: String,
    stack: String,
    code: String,
    /// JSON, or nothing.
    detail: String,
}

/// Where the prelude puts the end of a run.
#[derive(Clone)]
pub(super) struct Ending {
    said: Arc<Mutex<Option<Said>>>,
    unhandled: Arc<AtomicUsize>,
    output_max: usize,
}

impl Ending {
    pub(super) fn new(output_max: usize) -> Self {
        Self { said: Arc::default(), unhandled: Arc::default(), output_max }
    }

    pub(super) fn track_rejections(&self, runtime: &Runtime) {
        let unhandled = self.unhandled.clone();
        runtime.set_host_promise_rejection_tracker(Some(Box::new(move |_, _, _, is_handled| {
            if is_handled {
                // One that was counted before.
                unhandled.fetch_sub(1, Ordering::Relaxed);
            } else {
                unhandled.fetch_add(1, Ordering::Relaxed);
            }
        })));
    }

    /// The function that the prelude calls at the end.
    pub(super) fn callback<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Function<'js>> {
        let said = self.said.clone();
        Function::new(
            ctx.clone(),
            move |how: String, text: String, message: String, stack: String, code: String, detail: String| {
                said.lock().get_or_insert(Said { how, text, message, stack, code, detail });
            },
        )
    }

    pub(super) fn is_set(&self) -> bool {
        self.said.lock().is_some()
    }

    /// The result, if there is one.
    pub(super) fn take(&self, origin: &Origin) -> Option<Result<Ended, Fault>> {
        let Said { how, text, message, stack, code, detail } = self.said.lock().take()?;
        Some(match how.as_str() {
            "ok" | "answer" | "again" if text.len().max(message.len()) > self.output_max => Err(Fault::new(
                FaultKind::Output,
                format!(
                    "the result has {} bytes, and {} are the most; return less",
                    text.len().max(message.len()),
                    self.output_max
                ),
            )),
            "ok" => Ok(Ended::Answer(Answer { json: Bytes::from(text), text: None })),
            "answer" => Ok(Ended::Answer(Answer { json: Bytes::from(text), text: Some(message) })),
            "again" => rest(&message).map(|rest| Ended::Resting(Bytes::from(text), rest)),
            "told" => {
                let mut fault = Fault::new(FaultKind::Told, message);
                fault.code = (!code.is_empty()).then_some(code);
                fault.detail = (!detail.is_empty()).then_some(detail);
                Err(fault)
            }
            "memory" => Err(out_of_memory()),
            "shape" => Err(Fault::new(FaultKind::Shape, message)),
            _ => {
                let mut fault = classify(&text, &message).located(origin, &stack);
                fault.code = (!code.is_empty()).then_some(code);
                Err(fault)
            }
        })
    }

    pub(super) fn finish(&self, result: Result<Ended, Fault>) -> Finished {
        Finished { result, unhandled: self.unhandled.load(Ordering::Relaxed) }
    }
}

/// What ends a rest, as the prelude wrote it.
fn rest(json: &str) -> Result<Rest, Fault> {
    let internal = || Fault::new(FaultKind::Internal, "what ends the script's rest cannot be read");
    let given: serde_json::Value = serde_json::from_str(json).map_err(|_| internal())?;
    let time = given["inMs"].as_f64().and_then(|time| Duration::try_from_secs_f64(time / 1e3).ok());
    let text = |name: &str| given[name].as_str().map(str::to_owned);
    Ok(Rest {
        time: time.ok_or_else(internal)?,
        change: text("key").map(|key| (key, given["version"].as_i64())),
        progress: text("progress"),
    })
}

/// What an error of the engine or of the script means.
fn classify(name: &str, message: &str) -> Fault {
    match (name, message) {
        ("InternalError", "out of memory") => out_of_memory(),
        ("RangeError" | "InternalError", message)
            if message.contains("call stack size") || message == "stack overflow" =>
        {
            Fault::new(
                FaultKind::Stack,
                "the script calls too deep; look for a function that calls itself without an end",
            )
        }
        ("ReferenceError", message) if message.contains("imports no other") => {
            Fault::new(FaultKind::Syntax, format!("the script cannot be loaded: {message}"))
        }
        ("" | "Error", message) => Fault::new(FaultKind::Thrown, message),
        (name, "") => Fault::new(FaultKind::Thrown, name),
        (name, message) => Fault::new(FaultKind::Thrown, format!("{name}: {message}")),
    }
}

/// The memory limit.
pub(super) fn out_of_memory() -> Fault {
    Fault::new(FaultKind::Memory, "the script needs more memory than its limit; handle less data at once")
}

/// An exception that reached us rather than the prelude.
pub(super) fn fault(exception: &Value<'_>, origin: &Origin) -> Fault {
    let (name, message) = (text(exception, "name"), text(exception, "message"));
    if name.is_empty() && message.is_empty() {
        return out_of_memory();
    }
    classify(&name, &message).located(origin, &text(exception, "stack"))
}

/// A text that is not JavaScript.
pub(super) fn syntax(exception: &Value<'_>, origin: &Origin) -> Fault {
    let mut fault = fault(exception, origin);
    if text(exception, "name") == "SyntaxError" {
        fault.kind = FaultKind::Syntax;
        fault.message = format!("the script cannot be read: {}", text(exception, "message"));
    }
    fault
}

/// A property of an exception as text, or nothing.
pub(super) fn text(exception: &Value<'_>, name: &str) -> String {
    let Some(object) = exception.as_object() else { return String::new() };
    match object.get::<_, Value<'_>>(name) {
        Ok(value) => value.as_string().and_then(|text| text.to_string().ok()).unwrap_or_default(),
        Err(_) => {
            let _ = object.ctx().catch();
            String::new()
        }
    }
}
