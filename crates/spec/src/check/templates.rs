//! Templates in actions: whether they can be read, and whether their names are there.

use std::collections::BTreeSet;

use base::{Diagnostic, nearest};
use serde_json::Value;

use super::{Check, Within};
use crate::codes;
use crate::expression::{Expression, Fault, Template, Tree};
use crate::model::Tool;
use crate::structure::clip;
use crate::syntax::{Node, align};

/// What the templates of one action may look up, and what they did.
pub(super) struct Names<'a> {
    tool: &'a Tool,
    /// Names beside `args` and `caller`.
    more: &'a [&'a str],
    /// Whether every parameter is known: none was cut out for an error of its own.
    are_whole: bool,
    /// Parameters that were used.
    pub(super) used: BTreeSet<String>,
}

impl<'a> Names<'a> {
    pub(super) fn new(check: &Check<'_, '_>, tool: &'a Tool, node: &Node, more: &'a [&'a str]) -> Self {
        let are_whole = node.get("parameters").is_none_or(|parameters| !check.is_damaged(parameters));
        Self { tool, more, are_whole: are_whole && tool.parameters.is_some(), used: BTreeSet::new() }
    }

    /// The names of a template that looks up nothing of the call.
    pub(super) fn of(tool: &'a Tool, more: &'a [&'a str]) -> Self {
        Self { tool, more, are_whole: true, used: BTreeSet::new() }
    }

    /// Checks a text. `node` is where it stands.
    pub(super) fn text(&mut self, check: &mut Check<'_, '_>, text: &str, node: &Node) {
        match Template::parse(text) {
            Ok(template) => self.names(check, template.names(), node),
            Err(fault) => unreadable(check, &fault, node),
        }
    }

    /// Checks an expression, which may stand in braces.
    pub(super) fn expression(&mut self, check: &mut Check<'_, '_>, text: &str, node: &Node) {
        match Expression::bare(text) {
            Ok(expression) => self.names(check, expression.names(), node),
            Err(fault) => unreadable(check, &fault, node),
        }
    }

    /// Checks a value template.
    pub(super) fn tree(&mut self, check: &mut Check<'_, '_>, value: &Value, node: &Node) {
        let find = |path: &str| find(node, path).unwrap_or(node);
        match Tree::parse(value) {
            Ok(tree) => {
                for (name, path) in tree.names() {
                    self.names(check, vec![name], find(&path));
                }
            }
            Err(faults) => faults.iter().for_each(|(path, fault)| unreadable(check, fault, find(path))),
        }
    }

    /// Warns of parameters that nothing used.
    pub(super) fn unused(&self, check: &mut Check<'_, '_>, node: &Node, action: &str) {
        if check.is_damaged(node) {
            return; // A misspelt name is not reported twice.
        }
        let nodes = node.get("parameters").map(Node::items).unwrap_or_default();
        for (parameter, at) in self.tool.parameters().iter().zip(nodes) {
            if !self.used.contains(&parameter.name) {
                let name = clip(&parameter.name);
                let message = format!("the parameter `{name}` is never used by the action `{action}`");
                let help = format!("write `{{{{ args.{name} }}}}` where it belongs, or remove the parameter");
                check.warning(codes::UNUSED_PARAMETER, at.span_of("name"), message, help);
            }
        }
    }

    fn names(&mut self, check: &mut Check<'_, '_>, names: Vec<String>, node: &Node) {
        for name in names {
            let within = check.within.clone().unwrap_or_default();
            let mut parts = name.split('.');
            match (parts.next().unwrap_or_default(), parts.next()) {
                ("args", Some(parameter)) => self.argument(check, parameter, node),
                ("args", None) => self.used.extend(self.tool.parameters().iter().map(|one| one.name.clone())),
                ("caller", Some(part)) if !CALLER.contains(&part) => {
                    let message = format!("`{}` is nothing that is known of a caller", clip(&name));
                    let problem = Diagnostic::error(codes::TEMPLATE_NAME, message).at(place(check, node, &name));
                    check.push(problem.help("look up `caller.subject` or `caller.claims.NAME`"));
                }
                ("caller", _) => {}
                ("steps", Some(step)) if check.within.is_some() => step_name(check, &within, step, node),
                ("steps", None) if check.within.is_some() => {}
                (root, _) if self.more.contains(&root) || within.more.contains(&root) => {}
                (root, _) => self.unknown(check, root, node),
            }
        }
    }

    fn argument(&mut self, check: &mut Check<'_, '_>, parameter: &str, node: &Node) {
        self.used.insert(parameter.to_owned());
        if !self.are_whole || self.tool.parameter(parameter).is_some() {
            return;
        }
        let known = self.tool.parameters().iter().map(|one| one.name.as_str());
        let near = nearest(parameter, known);
        let message = format!("the tool has no parameter `{}`", clip(parameter));
        let problem = Diagnostic::error(codes::TEMPLATE_NAME, message).at(place(check, node, parameter));
        let problem = problem.help(format!("declare it under `parameters`: `{}: string`", clip(parameter)));
        check.push(match near {
            Some(near) => problem.label(format!("did you mean `args.{near}`?")),
            None => problem,
        });
    }

    fn unknown(&self, check: &mut Check<'_, '_>, root: &str, node: &Node) {
        let message = format!("nothing here is called `{}`", clip(root));
        let problem = Diagnostic::error(codes::TEMPLATE_NAME, message).at(place(check, node, root));
        let is_argument = self.tool.parameter(root).is_some();
        let within = check.within.clone();
        let steps = within.iter().flat_map(|within| ["steps"].into_iter().chain(within.more.iter().copied()));
        let known: Vec<&str> = ["args", "caller"].into_iter().chain(self.more.iter().copied()).chain(steps).collect();
        let known = known.iter().copied();
        let names: Vec<String> = known.clone().map(|name| format!("`{name}`")).collect();
        let problem = problem.help(format!("names that can be used: {}", names.join(", ")));
        check.push(match nearest(root, known) {
            _ if is_argument => problem.label(format!("did you mean `args.{root}`?")),
            Some(near) => problem.label(format!("did you mean `{near}`?")),
            None => problem,
        });
    }
}

/// A step whose result is looked up.
fn step_name(check: &mut Check<'_, '_>, within: &Within, step: &str, node: &Node) {
    if within.done.iter().any(|name| name == step) {
        return;
    }
    let later = within.all.iter().any(|name| name == step);
    let message = match later {
        true => format!("the step `{}` is not done yet here", clip(step)),
        false => format!("there is no step `{}`", clip(step)),
    };
    let problem = Diagnostic::error(codes::STEP_NAME, message).at(place(check, node, step));
    let names: Vec<String> = within.done.iter().map(|name| format!("`steps.{name}`")).collect();
    let problem = problem.help(match names.is_empty() {
        true => "no step stands before this one".to_owned(),
        false => format!("steps before this one: {}", names.join(", ")),
    });
    check.push(match nearest(step, within.done.iter().map(String::as_str)) {
        Some(near) if !later => problem.label(format!("did you mean `steps.{near}`?")),
        _ => problem,
    });
}

/// The place of a name in a text.
fn place(check: &Check<'_, '_>, node: &Node, name: &str) -> base::Span {
    let at = node.as_str().and_then(|text| {
        let inside = text.find("{{").unwrap_or_default();
        text[inside..].find(name).map(|at| at + inside)
    });
    at.map_or(node.span, |at| align::place(check.lines, node, at, name.len()))
}

fn unreadable(check: &mut Check<'_, '_>, fault: &Fault, node: &Node) {
    let place = fault.offset.map_or(node.span, |offset| align::place(check.lines, node, offset, 1));
    let message = format!("the template cannot be read: {}", fault.message);
    check.error(codes::TEMPLATE, place, message, "expressions are Jinja's: `{{ args.name | default('x') }}`");
}

/// The node at a JSON pointer below a node.
fn find<'a>(node: &'a Node, path: &str) -> Option<&'a Node> {
    path.split('/').skip(1).try_fold(node, |node, key| {
        let key = key.replace("~1", "/").replace("~0", "~");
        match node.as_list() {
            Some(items) => items.get(key.parse::<usize>().ok()?),
            None => node.get(&key),
        }
    })
}

/// What is known of a caller.
const CALLER: [&str; 2] = ["subject", "claims"];

/// Checks a text that looks up the caller alone.
pub(super) fn of_caller(check: &mut Check<'_, '_>, code: &str, text: &str, node: &Node) {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(fault) => return unreadable(check, &fault, node),
    };
    for name in template.names() {
        let mut parts = name.split('.');
        let is_known = parts.next() == Some("caller") && parts.next().is_some_and(|part| CALLER.contains(&part));
        if !is_known {
            let message = format!("`{}` is nothing that is known of a caller", clip(&name));
            let help = "look up `caller.subject` or `caller.claims.NAME`; arguments cannot be used here";
            check.error(code, node.span, message, help);
        }
    }
}
