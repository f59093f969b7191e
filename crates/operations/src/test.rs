//! Calls a tool, or tests every tool of a server with generated calls.

mod cases;
mod values;

use std::time::{Duration, Instant};

use engine::{CallContext, Outcome, Toolset};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::pipeline::{self, Made, Use, ms_since};
use crate::{Code, Context, Error, Subject};

pub use cases::{Case, Verdict};

/// Longest call of a test.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Which tool to call, and with what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallInput {
    /// A spec, or a server of the catalogue.
    pub subject: Subject,
    /// Name of the tool.
    pub tool: String,
    /// The arguments, a JSON object as text; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// Whether a URL of another engine than the spec's type is accepted.
    #[serde(default)]
    pub dev: bool,
}

/// What the tool answered.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CallOutput {
    /// Name of the server.
    pub server: String,
    /// Name of the tool.
    pub tool: String,
    /// Whether the answer is an error.
    pub is_error: bool,
    /// The structured answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Value>")]
    pub structured: Option<Value>,
    /// The answer as text.
    pub text: String,
    /// How long the call took, milliseconds.
    pub elapsed_ms: f64,
}

/// Which server to test.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AllInput {
    /// A spec, or a server of the catalogue.
    pub subject: Subject,
    /// Also call tools that may change data.
    #[serde(default)]
    pub write: bool,
    /// Whether a URL of another engine than the spec's type is accepted.
    #[serde(default)]
    pub dev: bool,
}

/// The verdicts of all calls.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllOutput {
    /// Name of the server.
    pub server: String,
    /// How many calls behaved as they must.
    pub passed: usize,
    /// How many did not.
    pub failed: usize,
    /// How many were not made.
    pub skipped: usize,
    /// The calls.
    pub cases: Vec<Case>,
    /// How long it all took, milliseconds.
    pub elapsed_ms: f64,
}

/// Calls one tool. An answer that is an error is an answer, not a failure.
pub async fn call(context: &Context, input: &CallInput) -> Result<CallOutput, Error> {
    let arguments = input.arguments.as_deref().map(arguments).transpose()?;
    let (server, made) = made(context, &input.subject, input.dev).await?;
    known_tool(&server, &made.toolset, &input.tool)?;
    let start = Instant::now();
    let outcome = run(context, &made.toolset, &input.tool, arguments.as_deref()).await?;
    let elapsed_ms = ms_since(start);
    let structured = outcome.structured.as_ref().map(|bytes| serde_json::from_slice(bytes)).transpose();
    let structured = structured.map_err(|error| {
        Error::new(Code::Internal, format!("tool `{}` answered with what is not JSON: {error}", input.tool))
    })?;
    close(&made).await;
    Ok(CallOutput {
        server,
        tool: input.tool.clone(),
        is_error: outcome.is_error(),
        structured,
        text: outcome.text(),
        elapsed_ms,
    })
}

/// Tests every tool: a call that must work, and calls that must be refused.
pub async fn all(context: &Context, input: &AllInput) -> Result<AllOutput, Error> {
    let start = Instant::now();
    let (server, made) = made(context, &input.subject, input.dev).await?;
    let mut cases = Vec::new();
    let total = f64::from(u32::try_from(made.plan.tools.len()).unwrap_or(u32::MAX));
    for (nth, tool) in (0u32..).zip(&made.plan.tools) {
        context.tell(f64::from(nth), total, &tool.tool);
        cases.extend(cases::of_tool(context, &made.toolset, tool, input.write).await?);
    }
    close(&made).await;
    let count = |verdict: Verdict| cases.iter().filter(|case| case.verdict == verdict).count();
    Ok(AllOutput {
        server,
        passed: count(Verdict::Passed),
        failed: count(Verdict::Failed),
        skipped: count(Verdict::Skipped),
        cases,
        elapsed_ms: ms_since(start),
    })
}

pub(crate) async fn made(context: &Context, subject: &Subject, dev: bool) -> Result<(String, Made), Error> {
    let loaded = pipeline::load(context, subject, false).await?;
    let plan = loaded.stored.as_ref().map(|stored| stored.plan.clone());
    let using = plan.as_ref().map_or(Use::New(None), Use::Stored);
    let made = Box::pin(pipeline::make(context, &loaded, loaded.dev(dev), using)).await;
    let made = made.map_err(|found| loaded.refuse(found))?;
    Ok((loaded.spec.name, made))
}

async fn close(made: &Made) {
    for database in made.connections.databases.values() {
        database.close().await;
    }
}

fn known_tool(server: &str, toolset: &Toolset, tool: &str) -> Result<(), Error> {
    let known: Vec<String> = toolset.tools().iter().map(|tool| tool.info().name.to_string()).collect();
    if known.iter().any(|known| known == tool) { Ok(()) } else { Err(crate::source::no_tool(server, tool, &known)) }
}

/// Checks that the arguments are a JSON object; everything else the tool itself says.
fn arguments(text: &str) -> Result<Box<RawValue>, Error> {
    let refuse = |why: String| {
        Error::new(Code::BadArguments, why)
            .hint("pass one JSON object, in single quotes in a shell: '{\"query\": \"laptop\"}'")
    };
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(_)) => RawValue::from_string(text.trim().to_owned())
            .map_err(|error| refuse(format!("the arguments are not JSON: {error}"))),
        Ok(_) => Err(refuse("the arguments are JSON, but not an object".to_owned())),
        Err(error) => Err(refuse(format!("the arguments are not JSON: {error}"))),
    }
}

async fn run(context: &Context, toolset: &Toolset, tool: &str, arguments: Option<&RawValue>) -> Result<Outcome, Error> {
    let answered = crate::policies::counted(context)?;
    let call = CallContext::new(&context.cancel).deadline(Instant::now() + CALL_TIMEOUT);
    let outcome = toolset.call(&call, tool, arguments).await;
    let outcome = outcome.map_err(|_| Error::new(Code::NoTool, format!("there is no tool `{tool}`")))?;
    answered(outcome.text().len());
    Ok(outcome)
}
