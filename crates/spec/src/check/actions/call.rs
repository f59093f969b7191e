//! Calls of other tools.

use std::collections::BTreeSet;

use base::{Diagnostic, Select, nearest};

use super::super::Check;
use super::super::sql::NO_EFFECTS;
use super::super::templates::Names;
use crate::codes;
use crate::model::{Action, Call, Spec, Tool};
use crate::sql::Effects;
use crate::structure::clip;
use crate::syntax::Node;

/// What nothing is known of.
const ANYTHING: Effects = Effects { read_only: false, destructive: true, idempotent: false };

/// Checks a call; gives what it does, as far as the spec says.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Call, node: &Node) -> Option<Effects> {
    let at = node.get("call")?;
    let mut names = Names::new(check, tool, node, &[]);
    if let Some(arguments) = &action.arguments {
        for (value, entry) in arguments.values().zip(at.get("arguments").map(Node::entries).unwrap_or_default()) {
            names.tree(check, value, &entry.value);
        }
        names.unused(check, node, "call");
    }
    if let Some(Err(why)) = action.select.as_deref().map(Select::parse) {
        let message = format!("the selection cannot be read: {why}");
        check.error(codes::CALL, at.span_of("select"), message, "write a path such as `$.user.name`");
    }
    if tool.connection.is_some() {
        return Some(match action.write {
            Some(false) => NO_EFFECTS,
            Some(true) => ANYTHING,
            // What the other server says is known when the server is made.
            None => return None,
        });
    }
    if !check.names.has_tool(&action.tool) {
        let known = check.names.tools.clone();
        if let Some(node) = at.get("tool") {
            check.unknown(codes::UNKNOWN_TOOL, false, node, "tool", &known);
        }
        return None;
    }
    if let Some(other) = check.spec.tools.iter().find(|other| other.name == action.tool) {
        fits(check, tool, action, other, at);
    }
    None
}

/// Whether the other tool takes what it is called with.
fn fits(check: &mut Check<'_, '_>, tool: &Tool, action: &Call, other: &Tool, at: &Node) {
    // A tool whose parameters are derived says later what it takes.
    if other.parameters.is_none() || (action.arguments.is_none() && tool.parameters.is_none()) {
        return;
    }
    let given: BTreeSet<&str> = match &action.arguments {
        Some(arguments) => arguments.keys().map(String::as_str).collect(),
        None => tool.parameters().iter().map(|parameter| parameter.name.as_str()).collect(),
    };
    let span = at.entry("arguments").map_or_else(|| at.span_of("tool"), |entry| entry.key.span);
    let other_name = clip(&other.name);
    // Without `arguments` what the other tool does not take is left out.
    for name in given.iter().filter(|_| action.arguments.is_some()) {
        if other.parameter(name).is_none() {
            let message = format!("the tool `{other_name}` takes no argument `{}`", clip(name));
            let place = at.get("arguments").and_then(|all| all.entry(name)).map_or(span, |entry| entry.key.span);
            let known = other.parameters().iter().map(|parameter| parameter.name.as_str());
            let problem = Diagnostic::error(codes::CALL, message).at(place);
            check.push(match nearest(name, known) {
                Some(near) => problem.label(format!("did you mean `{near}`?")),
                None => problem.help("remove it"),
            });
        }
    }
    let missing = other.parameters().iter().find(|one| other.demands(one) && !given.contains(one.name.as_str()));
    if let Some(parameter) = missing {
        let message = format!("the tool `{other_name}` needs the argument `{}`", clip(&parameter.name));
        let help = format!("add `{}` under `arguments`", clip(&parameter.name));
        check.error(codes::CALL, span, message, help);
    }
}

/// The tools of the spec that an action calls.
fn called<'a>(tool: &'a Tool, spec: &'a Spec) -> Vec<&'a str> {
    let is_own = |connection: &Option<String>| connection.is_none();
    let own = |action: &'a Action, connection: &Option<String>| match action {
        Action::Call(call) if is_own(connection) => Some(call.tool.as_str()),
        _ => None,
    };
    let names: Vec<&str> = match &tool.action {
        Some(Action::Steps(steps)) => {
            let steps = steps.list.iter();
            steps.filter_map(|step| own(step.action.as_ref()?, &step.connection)).collect()
        }
        Some(action) => own(action, &tool.connection).into_iter().collect(),
        None => Vec::new(),
    };
    names.into_iter().filter(|name| spec.tools.iter().any(|tool| tool.name == *name)).collect()
}

/// Tools that call each other in a circle never end. Each circle is told once.
pub(super) fn cycles(check: &mut Check<'_, '_>) {
    let spec = check.spec;
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for (tool, node) in check.tools() {
        if let Some(circle) = circle(spec, tool, &mut Vec::new(), &mut done) {
            let span = node.entry("call").or_else(|| node.entry("steps")).map_or(node.span, |entry| entry.key.span);
            let chain: Vec<String> = circle.iter().map(|name| format!("`{}`", clip(name))).collect();
            let message = format!("the tools call each other in a circle: {}", chain.join(" → "));
            check.error(codes::CALL_CYCLE, span, message, "let one of them do its work by itself");
        }
    }
}

fn circle<'a>(
    spec: &'a Spec,
    tool: &'a Tool,
    path: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(start) = path.iter().position(|name| *name == tool.name) {
        return Some(path[start..].iter().copied().chain([tool.name.as_str()]).collect());
    }
    if !done.insert(&tool.name) {
        return None;
    }
    path.push(&tool.name);
    let found = called(tool, spec).into_iter().find_map(|name| {
        let next = spec.tools.iter().find(|other| other.name == name)?;
        circle(spec, next, path, done)
    });
    path.pop();
    found
}
