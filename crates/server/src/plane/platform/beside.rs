//! What a call of the factory's own tools may say beside the input: what the headers `Dry-Run` and `Idempotency-Key` say
//! over REST.

use http::StatusCode;
use operations::kept::{self, Reply};
use operations::operation::{Done, Effect, Erased};
use operations::{Context, Error};
use protocol::Json;
use protocol::service::ToolResult;
use serde_json::{Map, Value, json};

use super::super::{idempotency, problem};

const DRY_RUN: &str = "dryRun";
const KEY: &str = "idempotencyKey";

/// What was said beside the input.
#[derive(Default)]
pub(super) struct Beside {
    /// Whether it is only tried.
    pub(super) tries: bool,
    /// Under which key the answer is kept.
    pub(super) key: Option<String>,
}

/// The schema of the arguments: the input, and what may be said beside it.
pub(super) fn schema(operation: &dyn Erased) -> Value {
    let (mut schema, declared) = (operation.input_schema(), operation.declared());
    if declared.effect == Effect::Reads {
        return schema;
    }
    let properties = &mut schema["properties"];
    if declared.tries && properties.get(DRY_RUN).is_none() {
        let what = "Whether to say what would be done, and to change nothing.";
        properties[DRY_RUN] = json!({"type": "boolean", "default": false, "description": what});
    }
    if !declared.secret {
        let what = "A new word, such as a UUID. Sent again within a day with the same arguments, the call is not done again: \
                    the first answer is given.";
        properties[KEY] =
            json!({"type": "string", "minLength": 1, "maxLength": kept::KEY_CHARS_MAX, "description": what});
    }
    schema
}

/// Takes out of the arguments what is no input.
pub(super) fn take(operation: &dyn Erased, fields: &mut Map<String, Value>) -> Result<Beside, Error> {
    let (mut beside, declared) = (Beside::default(), operation.declared());
    if declared.effect == Effect::Reads {
        return Ok(beside);
    }
    // What is no truth value is left to the input, which refuses it.
    let tries = fields.get(DRY_RUN).and_then(Value::as_bool);
    let is_input = operation.input_schema()["properties"].get(DRY_RUN).is_some();
    if let Some(tries) = tries.filter(|_| declared.tries && !is_input) {
        fields.remove(DRY_RUN);
        beside.tries = tries;
    }
    if !declared.secret
        && let Some(key) = fields.remove(KEY)
    {
        let key = key.as_str().map(str::to_owned).ok_or_else(kept::no_key)?;
        // What was only tried leaves the key to what is done then.
        beside.key = Some(key).filter(|_| tries != Some(true));
    }
    Ok(beside)
}

/// Does an operation once: a key that was used before gives the answer of then.
pub(super) async fn once(context: &Context, operation: &dyn Erased, key: &str, input: Value) -> ToolResult {
    // Who sends a call again may write its arguments in another order.
    let mut sorted = input.clone();
    sorted.sort_all_objects();
    let request = format!("{}\n{sorted}", operation.declared().name);
    match kept::claim(context, operation, key, base::Digest::of(request.as_bytes()).as_str()).await {
        Ok(None) => {}
        Ok(Some(reply)) => return replayed(reply),
        Err(error) => return failed(&error),
    }
    let ended = operation.run(context, input).await;
    let reply = match &ended {
        Ok(done) => Some(reply(StatusCode::OK, done.output.to_string())),
        Err(error) => {
            let status = problem::status(error.code);
            let kept = idempotency::is_kept(status) && !idempotency::is_not_begun(error.code);
            kept.then(|| reply(status, words(error)))
        }
    };
    let noted = match reply {
        Some(reply) => kept::keep(context, key, reply).await,
        None => kept::drop_claim(context, key).await,
    };
    if let Err(error) = noted {
        tracing::error!(%error, "the answer to a call with an idempotency key could not be kept");
    }
    answered(ended)
}

/// An operation's end as the answer of a tool.
pub(super) fn answered(ended: Result<Done, Error>) -> ToolResult {
    match ended {
        Ok(done) => ToolResult::structured(Json::to(&done.output)),
        Err(error) => failed(&error),
    }
}

fn reply(status: StatusCode, body: String) -> Reply {
    Reply { status: status.as_u16(), headers: "{}".to_owned(), body: body.into_bytes() }
}

fn replayed(reply: Reply) -> ToolResult {
    let is_answer = reply.status == StatusCode::OK.as_u16();
    match Json::parse(reply.body.clone()) {
        Ok(json) if is_answer => ToolResult::structured(json),
        _ => ToolResult::error(String::from_utf8_lossy(&reply.body).into_owned()),
    }
}

/// A failure as a model can act on it.
pub(super) fn failed(error: &Error) -> ToolResult {
    ToolResult::error(words(error))
}

/// The problems with their places, what went wrong, and what to do.
fn words(error: &Error) -> String {
    let mut text = String::new();
    if !error.diagnostics.is_empty() {
        text.push_str(&error.render_diagnostics(false));
        text.push('\n');
    }
    text.push_str(&format!("{}: {}", error.code.as_str(), error.message));
    for hint in &error.hints {
        text.push_str(&format!("\nhint: {hint}"));
    }
    text
}
