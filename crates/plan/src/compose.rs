//! Tools that are made of other tools: calls and steps.

use spec::Spec;
use spec::model::{Action, Annotations, Call, Step, Steps, Tool};
use spec::sql::Effects;

use crate::annotations::derive;
use crate::make::{Ask, NOTHING, Planned, Reality, bare, operation, plan_step};
use crate::model::{ActionPlan, CallPlan, Origin, Plan, StepPlan, StepsPlan, ToolPlan};

/// What nothing is known of.
const ANYTHING: Effects = Effects { read_only: false, destructive: true, idempotent: false };

/// A call. What a tool of this spec does is found out when all of them are planned: see [`settle`].
pub(crate) fn call(tool: &Tool, reality: &Reality, call: &Call) -> ToolPlan {
    let real = reality.operations.iter().find(|real| real.tool == tool.name);
    let write = match (&tool.connection, call.write) {
        (_, Some(write)) => write,
        (Some(_), None) => !real.is_some_and(|real| real.is_read_only),
        (None, None) => false,
    };
    let action = ActionPlan::Call(CallPlan { connection: tool.connection.clone(), action: call.clone(), write });
    let effects = if write { ANYTHING } else { NOTHING };
    let selects = call.select.is_some();
    if call.arguments.is_some() {
        // What the other tool takes is not what this one takes.
        let mut planned = bare(tool, Origin::Declared, action, &[effects]);
        if planned.output.is_none() && !selects {
            planned.output = real.and_then(|real| real.output.clone());
        }
        return planned;
    }
    operation(tool, reality, action, effects, selects)
}

/// Steps, each planned as if it were a tool.
pub(crate) fn steps(spec: &Spec, plan: &Plan, reality: &Reality, ask: &Ask<'_>, steps: &Steps) -> Planned {
    let (mut list, mut effects, mut diagnostics) = (Vec::new(), Vec::new(), Vec::new());
    for (index, step) in steps.list.iter().enumerate() {
        let alone = alone(ask.tool, step);
        let path = format!("{}/steps/do/{index}", ask.path);
        let one = Ask { tool: &alone, path, dialect: ask.dialect, rows: ask.rows };
        let (planned, found) = plan_step(spec, plan, reality, &one);
        diagnostics.extend(found);
        effects.push(effects_of(&planned.annotations));
        let mut bare = step.clone();
        bare.action = None;
        list.push(StepPlan { step: bare, action: planned.action });
    }
    let action = ActionPlan::Steps(StepsPlan { list, result: steps.result.clone() });
    (bare(ask.tool, Origin::Declared, action, &effects), diagnostics)
}

/// A step as if it were a tool.
pub(crate) fn alone(tool: &Tool, step: &Step) -> Tool {
    Tool {
        name: format!("{}/{}", tool.name, step.name),
        connection: step.connection.clone(),
        returns: None,
        annotations: Annotations::default(),
        action: step.action.clone(),
        ..tool.clone()
    }
}

fn effects_of(hints: &Annotations) -> Effects {
    Effects {
        read_only: hints.read_only_hint == Some(true),
        destructive: hints.destructive_hint == Some(true),
        idempotent: hints.idempotent_hint == Some(true),
    }
}

/// Gives tools that call tools of this spec what those do, take and give.
pub(crate) fn settle(plan: &mut Plan, spec: &Spec) {
    // A chain of calls is as long as there are tools at most.
    for _ in 0..=plan.tools.len() {
        let mut changed = false;
        for index in 0..plan.tools.len() {
            let Some(declared) = spec.tools.iter().find(|tool| tool.name == plan.tools[index].tool) else { continue };
            changed |= settle_one(plan, declared, index);
        }
        if !changed {
            return;
        }
    }
}

fn settle_one(plan: &mut Plan, declared: &Tool, index: usize) -> bool {
    if plan.tools[index].is_pinned() {
        return false;
    }
    let before = plan.tools[index].clone();
    let mut effects = vec![effects_of(&before.annotations)];
    let mut action = before.action.clone();
    let mut open = before.annotations.open_world_hint == Some(true);
    let each: Vec<&mut ActionPlan> = match &mut action {
        ActionPlan::Steps(steps) => steps.list.iter_mut().map(|step| &mut step.action).collect(),
        one => vec![one],
    };
    for call in each.into_iter().filter_map(own_call) {
        let Some(other) = plan.tools.iter().find(|other| other.tool == call.action.tool) else { continue };
        let other_effects = effects_of(&other.annotations);
        open |= other.annotations.open_world_hint == Some(true);
        if call.action.write.is_none() {
            effects.push(other_effects);
            call.write |= !other_effects.read_only;
        }
    }
    let after = &mut plan.tools[index];
    after.annotations = derive(&declared.annotations, &effects, open);
    if after.action != action {
        after.made = Some(action.digest());
        after.action = action;
    }
    alias(plan, declared, index);
    plan.tools[index] != before
}

/// A call of a tool of this spec.
fn own_call(action: &mut ActionPlan) -> Option<&mut CallPlan> {
    match action {
        ActionPlan::Call(call) if call.connection.is_none() => Some(call),
        _ => None,
    }
}

/// A tool that only calls another one takes and gives what that one does, where the spec says nothing.
fn alias(plan: &mut Plan, declared: &Tool, index: usize) {
    let Some(Action::Call(call)) = declared.action.as_ref().filter(|_| declared.connection.is_none()) else { return };
    let Some(other) = plan.tools.iter().find(|other| other.tool == call.tool) else { return };
    let (parameters, output) = (other.parameters.clone(), other.output.clone());
    let tool = &mut plan.tools[index];
    if call.arguments.is_none() && declared.parameters.is_none() {
        tool.parameters = parameters;
    }
    if declared.returns.is_none() && call.select.is_none() {
        tool.output = output;
    }
}
