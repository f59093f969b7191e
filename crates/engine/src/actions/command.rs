//! The `command` action: a program, its arguments from those of a call, and a result from what it writes.

use std::time::Instant;

use connect::process::{Limits, Program, Run};
use serde_json::{Map, Value, json};
use spec::expression::{Scope, Template, Tree, is_template, plain};
use spec::model::{Command, CommandOutput};
use tokio::sync::Semaphore;

use super::part::{self, Fault, fixed_text, tree};
use super::{scope, selected};
use crate::context::CallContext;
use crate::errors;
use crate::limits::{COMMAND_ARGUMENT_BYTES_MAX, COMMAND_ERROR_BYTES, UPSTREAM_CHARS_MAX};
use crate::outcome::{Content, Failure, FailureKind, Outcome};
use crate::toolset::{Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// A program with everything that is known before a call.
#[derive(Debug)]
pub(crate) struct CommandAction {
    name: Box<str>,
    program: Result<Program, String>,
    arguments: Vec<Argument>,
    input: Option<Template>,
    output: CommandOutput,
    ok: Vec<i32>,
    /// What is told for an exit code, or for any other.
    told: Vec<(Option<i32>, Template)>,
    permits: Semaphore,
}

#[derive(Debug)]
struct Argument {
    tree: Tree,
    /// Whether it must not become an option.
    is_guarded: bool,
}

impl CommandAction {
    /// Compiles a command.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(action: &Command, program: Result<Program, String>) -> Result<Self, Fault> {
        let mut is_guarded = !action.options;
        let arguments = action.args.iter().map(|value| {
            // Behind `--` nothing is an option.
            is_guarded &= value != "--";
            Ok(Argument { tree: tree(value)?, is_guarded: is_guarded && begins_with_a_template(value) })
        });
        let arguments = arguments.collect::<Result<_, Fault>>()?;
        let told = action.errors.iter().map(|(code, text)| Ok((code.parse().ok(), fixed_text(text)?)));
        let permits = usize::try_from(action.concurrency).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            name: action.program.as_str().into(),
            program,
            arguments,
            input: action.stdin.as_deref().map(fixed_text).transpose()?,
            output: action.output,
            ok: action.ok_codes.iter().filter_map(|code| i32::try_from(*code).ok()).collect(),
            told: told.collect::<Result<_, Fault>>()?,
            permits: Semaphore::new(permits),
        })
    }

    /// The arguments of a run: each template is one, whatever is in it.
    fn fill(&self, context: &CallContext<'_>, tool: &Tool, arguments: &Map<String, Value>) -> Attempt<Vec<String>> {
        let scope = scope(context, arguments);
        let mut out = Vec::with_capacity(self.arguments.len());
        for (nth, argument) in self.arguments.iter().enumerate() {
            let value = part::value(tool, &format!("command/args/{nth}"), &argument.tree, &scope)?;
            let texts = match value {
                Some(Value::Array(items)) => items.into_iter().filter_map(plain).collect(),
                other => other.and_then(plain).into_iter().collect::<Vec<_>>(),
            };
            for text in &texts {
                if text.contains('\0') {
                    return Err(errors::value(tool, "an argument of the program holds a zero byte"));
                }
                if argument.is_guarded && text.starts_with('-') {
                    let shown = crate::toolset::shown(text);
                    let why = format!("`{shown}` begins with `-`, and the program would take it for an option");
                    return Err(errors::value(tool, &why));
                }
            }
            out.extend(texts);
        }
        if out.iter().map(String::len).sum::<usize>() > COMMAND_ARGUMENT_BYTES_MAX {
            let why = format!("the arguments of the program are more than {COMMAND_ARGUMENT_BYTES_MAX} bytes");
            return Err(errors::value(tool, &why));
        }
        Ok(out)
    }
}

/// Whether what a caller gives stands at its beginning.
fn begins_with_a_template(value: &Value) -> bool {
    match value {
        Value::String(text) => is_template(text) && text.starts_with('{'),
        Value::Array(items) => items.iter().any(begins_with_a_template),
        _ => false,
    }
}

impl Toolset {
    pub(crate) async fn run_command(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &CommandAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let program = action.program.as_ref().map_err(|why| refused(tool, action, why))?;
        let given = action.fill(context, tool, &arguments)?;
        let input =
            action.input.as_ref().map(|text| part::text(tool, "command/stdin", text, &scope(context, &arguments)));
        let input = input.transpose()?.flatten().unwrap_or_default();
        let turn = self.turn(context, tool, started).await?;
        let _slot = tokio::select! {
            slot = tokio::time::timeout_at(turn.deadline.into(), action.permits.acquire()) => match slot {
                Ok(Ok(slot)) => slot,
                Ok(Err(_)) | Err(_) => return Err(errors::busy(tool, &self.limits)),
            },
            () = context.cancel.cancelled() => return Err(errors::cancelled(tool)),
        };
        let limits = Limits { output_bytes: self.result_bytes(), error_bytes: COMMAND_ERROR_BYTES };
        let run = Run { arguments: &given, input: input.as_bytes(), limits };
        let ended = program.run(run, turn.deadline.into(), context.cancel).await;
        let ended = ended.map_err(|error| errors::upstream(tool, &error, started.elapsed()))?;
        if !ended.code.is_some_and(|code| action.ok.contains(&code)) {
            return Err(failed(&scope(context, &arguments), tool, action, &ended));
        }
        let text = String::from_utf8_lossy(&ended.output).into_owned();
        match action.output {
            CommandOutput::Text if tool.output.is_none() => Ok(Outcome::content(Content::Text(text))),
            CommandOutput::Text => selected(self, tool, None, Value::String(text)),
            CommandOutput::Lines => {
                selected(self, tool, None, text.lines().map(Value::from).collect::<Vec<_>>().into())
            }
            CommandOutput::Json => {
                let value = serde_json::from_str(&text);
                let value =
                    value.map_err(|error| errors::unusable(tool, &format!("the program wrote no JSON ({error})")))?;
                selected(self, tool, None, value)
            }
        }
    }
}

fn refused(tool: &Tool, action: &CommandAction, why: &str) -> Box<Failure> {
    let text = format!(
        "`{}` cannot run: the program `{}` is not available: {why}. The operator of the server has to mend this; other arguments will not help.",
        tool.info.name, action.name
    );
    Box::new(Failure::new(FailureKind::Unavailable, text))
}

/// An exit code that is a failure.
fn failed(call: &Scope, tool: &Tool, action: &CommandAction, ended: &connect::process::Ended) -> Box<Failure> {
    let clipped = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim();
        let skipped = text.chars().count().saturating_sub(UPSTREAM_CHARS_MAX);
        text.chars().skip(skipped).collect::<String>()
    };
    let (output, errors) = (clipped(&ended.output), clipped(&ended.errors));
    let how = match (ended.code, ended.signal) {
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".to_owned(),
    };
    let words = action.told.iter().find(|(code, _)| code.is_some() && *code == ended.code);
    let words = words.or_else(|| action.told.iter().find(|(code, _)| code.is_none()));
    let known = Scope::new()
        .with("code", &ended.code.map_or(Value::Null, Value::from))
        .with("output", &output.as_str().into())
        .with("errors", &errors.as_str().into());
    let known = call.clone().and(&known);
    let told = words.and_then(|(_, text)| text.text(&known).ok().flatten());
    let text = told.unwrap_or_else(|| {
        let said = if errors.is_empty() { &output } else { &errors };
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        format!("`{}` failed: the program `{}` {how}{said}", tool.info.name, action.name)
    });
    let detail = json!({ "program": &*action.name, "code": ended.code, "errors": errors });
    Box::new(Failure::new(FailureKind::Upstream, text).with(detail))
}
