//! Asking the person behind a client: in a session while the call runs, without sessions by coming back with the answer.

use engine::{Answer, Answering, Asker, Form, Outcome, Person, Question, Toolset};
use protocol::{Boxed, Capability, Context, Error, Input, InputRequest, Json, Reply, Revision, ToolCall, ToolResult};
use serde_json::{Map, Value, json};

use super::flights::{self, Flights};
use super::{Bound, Caller, adapt, inside};

/// Calls a tool that may ask.
pub(super) fn call<'a>(
    flights: &'a Flights,
    toolset: std::sync::Arc<Toolset>,
    context: &'a Context,
    call: ToolCall<'a>,
) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
    if context.is_modern() {
        return Box::pin(flights::call(flights, toolset, context, call));
    }
    Box::pin(async move {
        let asker = OfSession(context);
        let person = Person::new(&asker);
        let outcome = run(&toolset, context, &person, call).await?;
        Ok(Reply::Done(adapt::result(outcome)))
    })
}

async fn run(toolset: &Toolset, context: &Context, person: &Person<'_>, call: ToolCall<'_>) -> Result<Outcome, Error> {
    let caller = Caller::of(context.principal());
    let report = |done: f64, total: Option<f64>, message: &str| context.progress(done, total, Some(message));
    let say = |level: engine::LogLevel, text: &str| context.log(adapt::level(level), Some(call.name), text);
    let bound = context.binding::<Bound>();
    let mut inside = inside(context.cancellation(), caller.as_deref(), bound).person(person).logger(&say);
    if context.wants_progress() {
        inside = inside.progress(&report);
    }
    let outcome = toolset.call(&inside, call.name, call.arguments).await;
    outcome.map_err(|unknown| Error::invalid_params(unknown.0))
}

/// Whether a person can be asked at all.
pub(super) fn reaches(context: &Context) -> bool {
    context.supports(Capability::Elicitation) || context.supports(Capability::ElicitationUrl)
}

/// The person behind the client of a session.
struct OfSession<'a>(&'a Context);

impl Asker for OfSession<'_> {
    fn can(&self, form: &Form) -> bool {
        self.0.can_ask() && self.0.supports(capability(form))
    }

    fn ask(&self, question: Question) -> Answering<'_> {
        Box::pin(async move {
            match self.0.ask(&request(question, self.0.revision())).await {
                Ok(answered) => answered.input().map_or_else(unread, |input| answer(&input)),
                Err(error) => Answer::Unasked(error.message().to_owned()),
            }
        })
    }
}

/// What a client must have declared.
pub(super) fn capability(form: &Form) -> Capability {
    match form {
        Form::Fields(_) => Capability::Elicitation,
        Form::Page { .. } => Capability::ElicitationUrl,
    }
}

/// A question as it is sent.
pub(super) fn request(question: Question, revision: Revision) -> InputRequest {
    let message = question.message;
    match question.form {
        Form::Page { url, id } => InputRequest::ElicitUrl { message, url, id },
        Form::Fields(mut schema) => {
            if revision < Revision::V2025_11_25 {
                before_titles(&mut schema);
            }
            InputRequest::Elicit { message, schema: Json::from(schema) }
        }
    }
}

/// Before 2025-11-25 the titles of choices stand beside them, and only booleans have defaults.
fn before_titles(schema: &mut Value) {
    let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for field in fields.values_mut().filter_map(Value::as_object_mut) {
        if let Some(Value::Array(choices)) = field.remove("oneOf") {
            let each = |key: &str| choices.iter().map(|choice| choice[key].clone()).collect::<Vec<_>>();
            field.insert("enum".to_owned(), each("const").into());
            field.insert("enumNames".to_owned(), each("title").into());
        }
        if field.get("type").is_none_or(|kind| kind != "boolean") {
            field.remove("default");
        }
    }
}

/// What a person answered.
pub(super) fn answer(input: &Input<'_>) -> Answer {
    let content = || input.content().and_then(|content| serde_json::from_str::<Map<String, Value>>(content.get()).ok());
    match input.action().as_deref() {
        Some("accept") => Answer::Accepted(content().unwrap_or_default()),
        Some("decline") => Answer::Declined,
        Some("cancel") => Answer::Cancelled,
        _ => unread(),
    }
}

fn unread() -> Answer {
    Answer::Unasked("the client's answer is none of an elicitation (`action`: accept, decline or cancel)".to_owned())
}

/// A result that says that a call which asked cannot go on.
pub(super) fn given_up(why: impl Into<std::borrow::Cow<'static, str>>) -> ToolResult {
    let meta = json!({ "mcp-factory/error": { "kind": "unavailable", "retry": true } });
    ToolResult { is_error: true, meta: Some(Json::from(meta)), ..ToolResult::text(why) }
}
