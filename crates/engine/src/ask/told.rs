//! What callers and people are told when a tool asks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::outcome::{Failure, FailureKind};
use crate::toolset::{Tool, shown};

/// What a client must be able to do.
const CAPABILITY: &str = "the MCP capability `elicitation` with forms";

fn failure(kind: FailureKind, text: String, detail: Value) -> Box<Failure> {
    Box::new(Failure::new(kind, text).with(detail))
}

/// What a person is told who is asked for values.
pub(super) fn what_for(tool: &Tool, count: usize) -> String {
    let name = tool.info.title.as_deref().unwrap_or(&tool.info.name);
    let values = if count == 1 { "a value" } else { "some values" };
    format!("{name} needs {values} from you. {}", tool.info.description.trim())
}

/// Nobody can be asked for what is missing.
pub(super) fn missing(tool: &Tool, names: &[&str], form: &Value) -> Box<Failure> {
    let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let text = format!(
        "`{}` was not run and nothing was done: {} missing, which a person has to give, and this client cannot ask one ({CAPABILITY}). \
         Ask the person yourself, and call again with {}.",
        tool.info.name,
        if let [one] = listed.as_slice() { format!("{one} is") } else { format!("{} are", listed.join(", ")) },
        if listed.len() == 1 { "it" } else { "them" },
    );
    failure(FailureKind::Arguments, text, json!({ "missing": names, "form": form }))
}

/// Nobody can be asked for a yes.
pub(super) fn no_yes(tool: &Tool, message: &str) -> Box<Failure> {
    let text = format!(
        "`{}` was not run and nothing was done: it needs the yes of a person to this: {}\nThis client cannot ask one. It can be called from a client \
         that has {CAPABILITY}; no argument stands for the yes.",
        tool.info.name,
        message.trim()
    );
    failure(FailureKind::Denied, text, json!({ "asked": "nobody", "question": message, "capability": "elicitation" }))
}

/// The person said no.
pub(super) fn declined(tool: &Tool) -> Box<Failure> {
    let text = format!(
        "`{}` was not run and nothing was done: the person who was asked declined. Do not call it again unless they ask for it.",
        tool.info.name
    );
    failure(FailureKind::Denied, text, json!({ "asked": "declined" }))
}

/// The person closed the question.
pub(super) fn closed(tool: &Tool) -> Box<Failure> {
    let text = format!(
        "`{}` was not run and nothing was done: the person closed the question without an answer. Ask whether they want it before you call it again.",
        tool.info.name
    );
    failure(FailureKind::Denied, text, json!({ "asked": "cancelled" }))
}

/// The person did not answer.
pub(super) fn late(tool: &Tool, timeout: Duration) -> Box<Failure> {
    let text = format!(
        "`{}` was not run and nothing was done: nobody answered within {} s (`ask.timeoutMs` of the tool). Call it again when somebody is there.",
        tool.info.name,
        timeout.as_secs()
    );
    failure(FailureKind::Timeout, text, json!({ "asked": "late" }))
}

/// The question did not reach the person.
pub(super) fn unasked(tool: &Tool, why: &str) -> Box<Failure> {
    let text = format!(
        "`{}` was not run and nothing was done: the person could not be asked: {}.",
        tool.info.name,
        why.trim_end_matches('.')
    );
    failure(FailureKind::Unavailable, text, json!({ "asked": "nobody" }))
}

/// A form came back with a field that it did not have.
pub(super) fn not_asked(tool: &Tool, name: &str) -> Box<Failure> {
    let message = format!("`{}` was not asked for", shown(name));
    let text = format!("The answer for `{}` was refused and nothing was run: {message}.", tool.info.name);
    failure(FailureKind::Arguments, text, json!({ "problems": [{ "message": message }] }))
}

/// What was wrong with the last answer, for the person.
pub(super) fn problems(failure: &Failure) -> String {
    let problems = failure.detail.as_ref().and_then(|detail| detail.get("problems")?.as_array());
    let each = problems.into_iter().flatten().filter_map(|problem| problem.get("message")?.as_str());
    let listed: Vec<&str> = each.collect();
    if listed.is_empty() {
        return "The last answer cannot be used.".to_owned();
    }
    format!("The last answer cannot be used: {}.", listed.join("; ").trim_end_matches('.'))
}

/// No answer was good.
pub(super) fn never_good(tool: &Tool, last: Option<&Failure>) -> Box<Failure> {
    let why = last.map(problems).unwrap_or_default();
    let text =
        format!("`{}` was not run and nothing was done: the person was asked several times. {why}", tool.info.name);
    let detail = last.and_then(|failure| failure.detail.clone()).unwrap_or_default();
    failure(FailureKind::Arguments, text, detail)
}
