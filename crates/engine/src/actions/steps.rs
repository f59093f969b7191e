//! The `steps` action: several actions, one after the other.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::{Map, Value, json};
use spec::expression::{Expression, Scope, Tree};
use spec::model::{OnError, Step as Declared};
use tokio_util::sync::CancellationToken;

use super::part::{self, Fault, tree};
use super::scope;
use crate::context::CallContext;
use crate::errors;
use crate::outcome::{Failure, FailureKind, Outcome};
use crate::shape;
use crate::toolset::{Tool, Toolset};

type Attempt<T> = Result<T, Box<Failure>>;

/// Steps with everything that is known before a call.
#[derive(Debug)]
pub(crate) struct StepsAction {
    steps: Vec<Step>,
    result: Option<Tree>,
}

/// One step.
#[derive(Debug)]
pub(crate) struct Step {
    name: Box<str>,
    when: Option<Expression>,
    each: Option<Tree>,
    parallel: usize,
    until: Option<Until>,
    with: Vec<(Box<str>, Tree)>,
    on_error: OnError,
    fallback: Option<Tree>,
    /// Its action, as if it were a tool.
    tool: Tool,
}

#[derive(Debug)]
struct Until {
    test: Expression,
    every: Duration,
    within: Duration,
}

/// What a step gave: its value for later steps, and its outcome where it is that of one action.
struct Given {
    value: Value,
    outcome: Option<Outcome>,
}

/// A call of the tool on its way through its steps.
struct Walk<'a> {
    context: CallContext<'a>,
    tool: &'a Tool,
    arguments: &'a Map<String, Value>,
    /// When it must have ended, less the time that the call has waited for a person.
    deadline: Instant,
    items_max: usize,
}

impl Walk<'_> {
    /// Whether nothing can be done after this failure.
    fn is_over(&self, failure: &Failure) -> bool {
        failure.kind == FailureKind::Cancelled || self.context.now(self.deadline) <= Instant::now()
    }
}

impl StepsAction {
    /// Whether a step leads to other tools.
    pub(crate) fn may_ask(&self) -> bool {
        self.steps.iter().any(|step| step.tool.may_ask())
    }

    pub(crate) fn compile(steps: Vec<Step>, result: Option<&Value>) -> Result<Self, Fault> {
        Ok(Self { steps, result: result.map(tree).transpose()? })
    }
}

impl Step {
    /// Compiles a step, whose action is `tool`.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(step: &Declared, tool: Tool) -> Result<Self, Fault> {
        let expression = |text: &Option<String>| {
            let read = text.as_deref().map(Expression::bare).transpose();
            read.map_err(|fault| format!("an expression of its step `{}` cannot be read: {fault}", step.name))
        };
        let until = expression(&step.until)?.map(|test| Until {
            test,
            every: Duration::from_millis(step.every_ms),
            within: Duration::from_millis(step.within_ms),
        });
        let with = step.with.iter().map(|(name, value)| Ok((Box::from(name.as_str()), tree(value)?)));
        Ok(Self {
            name: step.name.as_str().into(),
            when: expression(&step.when)?,
            each: step.each.as_ref().map(tree).transpose()?,
            parallel: usize::try_from(step.parallel).unwrap_or(usize::MAX).max(1),
            until,
            with: with.collect::<Result<_, Fault>>()?,
            on_error: step.on_error,
            fallback: step.fallback.as_ref().map(tree).transpose()?,
            tool,
        })
    }

    fn place(&self, key: &str) -> String {
        format!("steps/{}/{key}", self.name)
    }
}

impl Toolset {
    pub(crate) async fn run_steps(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        action: &StepsAction,
        arguments: Map<String, Value>,
        started: Instant,
    ) -> Attempt<Outcome> {
        let deadline = context.kept(context.end(tool, started));
        let items_max = usize::try_from(self.limits.rows).unwrap_or(usize::MAX);
        let inside = CallContext { deadline: Some(deadline), progress: None, ..*context };
        let walk = Walk { context: inside, tool, arguments: &arguments, deadline, items_max };
        let total = action.steps.len() as f64;
        let (mut done, mut last) = (Map::new(), None);
        for (nth, step) in action.steps.iter().enumerate() {
            context.report(nth as f64, Some(total), &step.name);
            let names = Scope::new().with("steps", &Value::Object(done.clone()));
            let given = self.step(&walk, step, &names).await?;
            let value = given.as_ref().map_or(Value::Null, |given| given.value.clone());
            done.insert(step.name.to_string(), value);
            last = given.or(last);
        }
        context.report(total, Some(total), "done");
        let Some(result) = &action.result else { return self.ended(tool, last) };
        let names = scope(context, &arguments).and(&Scope::new().with("steps", &Value::Object(done)));
        let value = part::value(tool, "steps/result", result, &names)?.unwrap_or_default();
        self.ended(tool, Some(Given { value, outcome: None }))
    }

    /// What the tool answers.
    fn ended(&self, tool: &Tool, last: Option<Given>) -> Attempt<Outcome> {
        let Some(given) = last else { return Ok(Outcome::structured(&b"null"[..])) };
        let outcome = match given.outcome {
            Some(outcome) if outcome.structured.is_some() || tool.output.is_none() => outcome,
            _ => Outcome::structured(Bytes::from(given.value.to_string())),
        };
        if let Some(json) = &outcome.structured {
            shape::conforms(tool, json)?;
        }
        let (size, most) = (outcome.size(), self.result_bytes());
        if size > most {
            return Err(errors::too_many_bytes(tool, size, most));
        }
        Ok(outcome)
    }

    /// Does a step; nothing when it was left out.
    async fn step(&self, walk: &Walk<'_>, step: &Step, names: &Scope) -> Attempt<Option<Given>> {
        let known = scope(&walk.context, walk.arguments).and(names);
        if let Some(when) = &step.when {
            let is_true = when.is_true(&known);
            if !is_true.map_err(|fault| errors::template(walk.tool, &step.place("when"), &fault))? {
                return Ok(None);
            }
        }
        let Some(each) = &step.each else {
            return self.once(walk, step, names, &walk.context).await.map(Some);
        };
        let items = match part::value(walk.tool, &step.place("each"), each, &known)? {
            Some(Value::Array(items)) => items,
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return Err(errors::value(walk.tool, &format!("`each` of step `{}` gives no list", step.name))),
        };
        if items.len() > walk.items_max {
            let (count, most) = (items.len(), walk.items_max);
            let text = format!(
                "`{}` was not done: step `{}` has {count} items, and {most} are the most.",
                walk.tool.info.name, step.name
            );
            return Err(Box::new(Failure::new(FailureKind::Limit, text)));
        }
        self.all(walk, step, names, items)
            .await
            .map(|values| Some(Given { value: Value::Array(values), outcome: None }))
    }

    /// Does a step for each item, some at once. The first failure ends the others; nothing is left running.
    async fn all(&self, walk: &Walk<'_>, step: &Step, names: &Scope, items: Vec<Value>) -> Attempt<Vec<Value>> {
        let stop = walk.context.cancel.child_token();
        let context = CallContext { cancel: &stop, ..walk.context };
        let mut values = vec![Value::Null; items.len()];
        let (mut waiting, mut flying, mut failed) = (items.into_iter().enumerate(), FuturesUnordered::new(), None);
        loop {
            while flying.len() < step.parallel && failed.is_none() {
                let Some((index, item)) = waiting.next() else { break };
                flying.push(self.item(walk, step, names, &context, index, item));
            }
            match flying.next().await {
                None => break,
                Some((index, Ok(value))) => values[index] = value,
                Some((_, Err(failure))) => {
                    stop.cancel();
                    failed.get_or_insert(failure);
                }
            }
        }
        failed.map_or(Ok(values), Err)
    }

    async fn item(
        &self,
        walk: &Walk<'_>,
        step: &Step,
        names: &Scope,
        context: &CallContext<'_>,
        index: usize,
        item: Value,
    ) -> (usize, Attempt<Value>) {
        let names = names.clone().with("item", &item).with("index", &index.into());
        let given = self.once(walk, step, &names, context).await;
        (index, given.map(|given| given.value))
    }

    /// Does a step once, or until its condition is true, and makes of a failure what the step says.
    async fn once(&self, walk: &Walk<'_>, step: &Step, names: &Scope, context: &CallContext<'_>) -> Attempt<Given> {
        let failure = match self.tries(walk, step, names, context).await {
            Ok(given) => return Ok(given),
            Err(failure) => failure,
        };
        let is_over = walk.is_over(&failure);
        let told = json!({ "kind": failure.kind, "message": failure.text });
        if !is_over && let Some(fallback) = &step.fallback {
            let known = scope(context, walk.arguments).and(names).with("error", &told);
            let value = part::value(walk.tool, &step.place("fallback"), fallback, &known)?.unwrap_or_default();
            return Ok(Given { value, outcome: None });
        }
        if !is_over && step.on_error == OnError::Continue {
            return Ok(Given { value: json!({ "error": told }), outcome: None });
        }
        let text = format!("`{}` failed in step `{}`: {}", walk.tool.info.name, step.name, failure.text);
        Err(Box::new(Failure { text, ..*failure }))
    }

    async fn tries(&self, walk: &Walk<'_>, step: &Step, names: &Scope, context: &CallContext<'_>) -> Attempt<Given> {
        let Some(until) = &step.until else { return self.attempt(walk, step, names, context).await };
        let end = context.kept(Instant::now() + until.within).min(walk.deadline);
        loop {
            let failure = match self.attempt(walk, step, names, context).await {
                Ok(given) => {
                    let known = scope(context, walk.arguments).and(names).with("result", &given.value);
                    let is_true = until.test.is_true(&known);
                    if is_true.map_err(|fault| errors::template(walk.tool, &step.place("until"), &fault))? {
                        return Ok(given);
                    }
                    None
                }
                // What is waited for is often not there before it is ready. Who declined is not asked again.
                Err(failure)
                    if step.on_error == OnError::Continue
                        && failure.kind != FailureKind::Denied
                        && !walk.is_over(&failure) =>
                {
                    Some(failure)
                }
                Err(failure) => return Err(failure),
            };
            if Instant::now() + until.every >= context.now(end) {
                let text = format!("it was not as it should be within {} ms.", until.within.as_millis());
                return Err(failure.unwrap_or_else(|| Box::new(Failure::new(FailureKind::Timeout, text))));
            }
            wait(context.cancel, until.every).await.map_err(|()| errors::cancelled(walk.tool))?;
        }
    }

    async fn attempt(&self, walk: &Walk<'_>, step: &Step, names: &Scope, context: &CallContext<'_>) -> Attempt<Given> {
        if context.cancel.is_cancelled() {
            return Err(errors::cancelled(walk.tool));
        }
        let mut arguments = walk.arguments.clone();
        if !step.with.is_empty() {
            let known = scope(context, walk.arguments).and(names);
            for (name, tree) in &step.with {
                match part::value(walk.tool, &step.place("with"), tree, &known)? {
                    Some(value) => drop(arguments.insert(name.to_string(), value)),
                    None => drop(arguments.remove(&**name)),
                }
            }
        }
        let inside = CallContext { more: Some(names), ..*context };
        let outcome = self.act_boxed(&inside, &step.tool, arguments, Instant::now()).await?;
        match outcome.failure {
            Some(failure) => Err(Box::new(failure)),
            None => Ok(Given { value: outcome.value(), outcome: Some(outcome) }),
        }
    }
}

/// Waits, unless the caller goes away.
async fn wait(cancel: &CancellationToken, time: Duration) -> Result<(), ()> {
    tokio::select! {
        () = cancel.cancelled() => Err(()),
        () = tokio::time::sleep(time) => Ok(()),
    }
}
