//! The calls that test a tool, and what they must give.

use std::time::Instant;

use ::plan::{ActionPlan, ToolPlan};
use engine::{FailureKind, Outcome, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::values;
use crate::pipeline::ms_since;
use crate::{Code, Context, Error};

/// What a call showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It behaved as it must.
    Passed,
    /// It did not.
    Failed,
    /// It was not made.
    Skipped,
}

/// One call and its verdict.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// Name of the tool.
    pub tool: String,
    /// What was tried: `minimal`, `full`, `missing NAME`, `wrong type NAME`, `unknown argument`.
    pub case: String,
    /// The arguments.
    #[schemars(with = "Value")]
    pub arguments: Value,
    /// What it showed.
    pub verdict: Verdict,
    /// Why, where it did not simply pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long the call took, milliseconds.
    pub elapsed_ms: f64,
}

/// Name of an argument that no tool has.
const UNKNOWN: &str = "no_such_argument";
/// Longest text of an answer in a reason, characters.
const REASON_CHARS: usize = 300;

/// What must come back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Answer,
    Refusal,
}

/// Tests one tool.
pub(super) async fn of_tool(
    context: &Context,
    toolset: &Toolset,
    tool: &ToolPlan,
    write: bool,
) -> Result<Vec<Case>, Error> {
    let skipped = |reason: String| {
        let (tool, case) = (tool.tool.clone(), "all".to_owned());
        vec![Case {
            tool,
            case,
            arguments: Value::Null,
            verdict: Verdict::Skipped,
            reason: Some(reason),
            elapsed_ms: 0.0,
        }]
    };
    match &tool.action {
        ActionPlan::NotImplemented { reason } => return Ok(skipped(format!("it has no action: {reason}"))),
        action if action.may_write() && !write => {
            return Ok(skipped("it may change data; `--write` tests it too".to_owned()));
        }
        _ => {}
    }
    let mut cases = Vec::new();
    let minimal = arguments(tool, false);
    for (name, made) in [("minimal", minimal.clone()), ("full", arguments(tool, true))] {
        match made {
            Ok(made) if name == "full" && Ok(&made) == minimal.as_ref() => {}
            Ok(made) => cases.push(check(context, toolset, tool, name.to_owned(), made, Expected::Answer).await?),
            Err(why) => cases.push(Case {
                tool: tool.tool.clone(),
                case: name.to_owned(),
                arguments: Value::Null,
                verdict: Verdict::Skipped,
                reason: Some(format!("no value can be made up for {why}; give `examples` in the spec")),
                elapsed_ms: 0.0,
            }),
        }
    }
    for (name, made) in refusals(tool, &minimal.unwrap_or_default()) {
        cases.push(check(context, toolset, tool, name, made, Expected::Refusal).await?);
    }
    Ok(cases)
}

/// Arguments that must be accepted: the required ones, or all.
fn arguments(tool: &ToolPlan, all: bool) -> Result<Map<String, Value>, String> {
    tool.parameters
        .iter()
        // A cursor comes from an answer; it cannot be made up.
        .filter(|parameter| parameter.required || (all && parameter.name != "cursor"))
        .map(|parameter| {
            let value =
                values::valid(&parameter.schema.to_value()).map_err(|why| format!("`{}`: {why}", parameter.name))?;
            Ok((parameter.name.clone(), value))
        })
        .collect()
}

/// Arguments that must be refused.
fn refusals(tool: &ToolPlan, minimal: &Map<String, Value>) -> Vec<(String, Map<String, Value>)> {
    let mut found = Vec::new();
    for parameter in &tool.parameters {
        if parameter.required {
            let mut without = minimal.clone();
            without.remove(&parameter.name);
            found.push((format!("missing {}", parameter.name), without));
        }
        if let Some(wrong) = values::of_wrong_type(&parameter.schema.to_value()) {
            let mut with = minimal.clone();
            with.insert(parameter.name.clone(), wrong);
            found.push((format!("wrong type {}", parameter.name), with));
        }
        if let Some(outside) = values::out_of_bounds(&parameter.schema.to_value()) {
            let mut with = minimal.clone();
            with.insert(parameter.name.clone(), outside);
            found.push((format!("out of bounds {}", parameter.name), with));
        }
    }
    let mut with = minimal.clone();
    with.insert(UNKNOWN.to_owned(), Value::Bool(true));
    found.push(("unknown argument".to_owned(), with));
    found
}

async fn check(
    context: &Context,
    toolset: &Toolset,
    tool: &ToolPlan,
    case: String,
    arguments: Map<String, Value>,
    expected: Expected,
) -> Result<Case, Error> {
    let raw: Box<RawValue> = to_raw_value(&arguments)
        .map_err(|error| Error::new(Code::Internal, format!("arguments cannot be written as JSON: {error}")))?;
    let start = Instant::now();
    let outcome = super::run(context, toolset, &tool.tool, Some(&raw)).await?;
    let elapsed_ms = ms_since(start);
    let (verdict, reason) = judge(tool, &outcome, expected);
    Ok(Case { tool: tool.tool.clone(), case, arguments: Value::Object(arguments), verdict, reason, elapsed_ms })
}

fn judge(tool: &ToolPlan, outcome: &Outcome, expected: Expected) -> (Verdict, Option<String>) {
    let text: String = outcome.text().chars().take(REASON_CHARS).collect();
    let kind = outcome.failure.as_ref().map(|failure| failure.kind);
    match (expected, kind) {
        (Expected::Refusal, Some(FailureKind::Arguments)) => (Verdict::Passed, None),
        (Expected::Refusal, Some(_)) => {
            (Verdict::Failed, Some(format!("it went past the check of its arguments: {text}")))
        }
        (Expected::Refusal, None) => {
            (Verdict::Failed, Some("it was accepted, and should have been refused".to_owned()))
        }
        (Expected::Answer, Some(FailureKind::NotFound)) => {
            (Verdict::Passed, Some("no row has the made-up key, and the answer says so".to_owned()))
        }
        (Expected::Answer, Some(_)) => (Verdict::Failed, Some(text)),
        (Expected::Answer, None) => match conforms(tool, outcome) {
            Ok(()) => (Verdict::Passed, None),
            Err(why) => (Verdict::Failed, Some(why)),
        },
    }
}

/// Checks a structured answer against the schema that the tool promises.
fn conforms(tool: &ToolPlan, outcome: &Outcome) -> Result<(), String> {
    let Some(schema) = &tool.output else { return Ok(()) };
    let Some(bytes) = &outcome.structured else {
        return Err("it promises a structured answer and gave none".to_owned());
    };
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("its answer is not JSON: {error}"))?;
    let validator =
        jsonschema::validator_for(schema).map_err(|error| format!("its output schema is no schema: {error}"))?;
    match validator.iter_errors(&value).next() {
        None => Ok(()),
        Some(error) => Err(format!("its answer does not fit its output schema: {error} at {}", error.instance_path())),
    }
}
