//! Several actions, one after the other.

use std::collections::BTreeSet;

use super::super::sql::NO_EFFECTS;
use super::super::templates::Names;
use super::super::{Check, Within};
use crate::codes;
use crate::limits::STEPS_MAX;
use crate::model::{Action, Parameter, Schema, Step, Steps, Tool};
use crate::sql::Effects;
use crate::structure::clip;
use crate::syntax::Node;

/// Checks steps; gives what they do together, when that is known.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Steps, node: &Node) -> Option<Effects> {
    let at = node.get("steps")?;
    let nodes = at.get("do").map(Node::items).unwrap_or_default();
    if nodes.is_empty() && !check.is_damaged(at) {
        check.error(codes::STEPS, at.span, "there is no step", "add one: `- {name: first, call: other_tool}`");
    }
    if nodes.len() > STEPS_MAX {
        let message = format!("there are {} steps", nodes.len());
        check.error(codes::STEPS, at.span, message, format!("allowed: {STEPS_MAX}; more belong in a `script`"));
    }
    let all: Vec<String> = action.list.iter().map(|step| step.name.clone()).collect();
    let mut within = Within { all, ..Within::default() };
    let (mut sum, mut used) = (Some(NO_EFFECTS), BTreeSet::new());
    for (step, node) in action.list.iter().zip(nodes) {
        let one = self::step(check, tool, step, node, &within, &mut used);
        sum = sum.zip(one).map(|(sum, one)| Effects {
            read_only: sum.read_only && one.read_only,
            destructive: sum.destructive || one.destructive,
            idempotent: sum.idempotent && one.idempotent,
        });
        within.done.push(step.name.clone());
    }
    check.within = Some(within);
    if let (Some(result), Some(at)) = (&action.result, at.get("result")) {
        let mut names = Names::new(check, tool, node, &[]);
        names.tree(check, result, at);
    }
    check.within = None;
    sum
}

fn step(
    check: &mut Check<'_, '_>,
    tool: &Tool,
    step: &Step,
    node: &Node,
    before: &Within,
    used: &mut BTreeSet<String>,
) -> Option<Effects> {
    name(check, step, node, used);
    conditions(check, tool, step, node, before);
    let Some(action) = &step.action else {
        if !check.is_damaged(node) {
            let help = format!("add one of {}", Action::KEYS.join(", "));
            check.error(codes::STEPS, node.span, format!("the step `{}` does nothing", clip(&step.name)), help);
        }
        return None;
    };
    if let Action::Steps(_) = action {
        let help = "put them in a tool of their own and `call` it";
        check.error(codes::STEPS, node.span, "a step cannot have steps of its own", help);
        return None;
    }
    // The step as if it were a tool with the arguments that it has.
    let with = step
        .with
        .keys()
        .filter(|name| tool.parameter(name).is_none())
        .map(|name| Parameter::new(name, true, Schema(serde_json::Map::new())));
    let mut alone = Tool { connection: step.connection.clone(), action: step.action.clone(), ..tool.clone() };
    alone.annotations = crate::model::Annotations::default();
    if let Some(parameters) = &mut alone.parameters {
        parameters.extend(with);
    }
    check.within = Some(scope(step, before));
    super::connection(check, &alone, node);
    super::one_action(check, &alone, node);
    let effects = super::action(check, &alone, node);
    check.within = None;
    effects
}

/// What the templates of a step's action look up.
fn scope(step: &Step, before: &Within) -> Within {
    let mut within = before.clone();
    if step.each.is_some() {
        within.more.extend(["item", "index"]);
    }
    within
}

fn name(check: &mut Check<'_, '_>, step: &Step, node: &Node, used: &mut BTreeSet<String>) {
    let is_word = step.name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && step.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_word {
        let message = format!("`{}` is no name of a step", clip(&step.name));
        let help = "use letters, digits and `_`, a letter first: templates write `steps.NAME`";
        check.error(codes::STEPS, node.span_of("name"), message, help);
    } else if !used.insert(step.name.clone()) {
        let message = format!("the step `{}` is there twice", clip(&step.name));
        check.error(codes::DUPLICATE_NAME, node.span_of("name"), message, "give one of them another name");
    }
}

fn conditions(check: &mut Check<'_, '_>, tool: &Tool, step: &Step, node: &Node, before: &Within) {
    let mut names = Names::new(check, tool, node, &[]);
    check.within = Some(before.clone());
    if let (Some(when), Some(at)) = (&step.when, node.get("when")) {
        names.expression(check, when, at);
    }
    if let (Some(each), Some(at)) = (&step.each, node.get("each")) {
        if !(each.is_array() || each.is_string()) {
            let message = "`each` is no list and no template";
            check.error(codes::STEPS, at.span, message, "write `each: \"{{ steps.NAME.items }}\"` or a list");
        }
        names.tree(check, each, at);
    }
    let inside = scope(step, before);
    check.within = Some(inside.clone());
    for (value, entry) in step.with.values().zip(node.get("with").map(Node::entries).unwrap_or_default()) {
        names.tree(check, value, &entry.value);
    }
    if let (Some(until), Some(at)) = (&step.until, node.get("until")) {
        let mut more = inside.clone();
        more.more.push("result");
        check.within = Some(more);
        names.expression(check, until, at);
    } else if let Some(entry) = node.entry("everyMs").or_else(|| node.entry("withinMs")) {
        let message = format!("`{}` has no effect without `until`", entry.key.text);
        check.error(codes::STEPS, entry.key.span, message, "add `until`, or remove it");
    }
    if let (Some(fallback), Some(at)) = (&step.fallback, node.get("fallback")) {
        let mut more = inside;
        more.more.push("error");
        check.within = Some(more);
        names.tree(check, fallback, at);
    }
    if let (None, Some(entry)) = (&step.each, node.entry("parallel")) {
        check.error(
            codes::STEPS,
            entry.key.span,
            "`parallel` has no effect without `each`",
            "add `each`, or remove it",
        );
    }
    if let (Some(_), Some(entry)) = (&step.fallback, node.entry("onError")) {
        check.error(codes::STEPS, entry.key.span, "the step has both `onError` and `fallback`", "keep one of them");
    }
    check.within = None;
}
