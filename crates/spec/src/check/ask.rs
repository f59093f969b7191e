//! Questions to the person behind a caller.

use std::collections::BTreeSet;

use base::{Diagnostic, nearest};

use super::Check;
use super::secrets::has_secret_name;
use super::templates::Names;
use crate::codes;
use crate::model::{Ask, Parameter, Tool};
use crate::structure::clip;
use crate::syntax::Node;

/// Types that a form has fields for (MCP, elicitation).
const TYPES: [&str; 4] = ["string", "integer", "number", "boolean"];

pub(super) fn all(check: &mut Check<'_, '_>) {
    for (tool, node) in check.tools() {
        if let (Some(ask), Some(at)) = (&tool.ask, node.get("ask")) {
            one(check, tool, ask, node, at);
        }
    }
    nobody(check);
}

fn one(check: &mut Check<'_, '_>, tool: &Tool, ask: &Ask, node: &Node, at: &Node) {
    texts(check, tool, ask, node, at);
    if ask.fields.is_empty() && ask.confirm.is_none() && !check.is_damaged(at) {
        let help = "add `fields`, parameters that the person is asked for, or `confirm`, what they have to agree to";
        check.error(codes::ASK, at.span, "the person is asked for nothing", help);
    }
    for (key, needs, is_there) in
        [("message", "fields", !ask.fields.is_empty()), ("when", "confirm", ask.confirm.is_some())]
    {
        if let (false, Some(entry)) = (is_there, at.entry(key)) {
            let message = format!("`{key}` has no effect without `{needs}`");
            check.error(codes::ASK, entry.key.span, message, format!("add `{needs}`, or remove it"));
        }
    }
    let mut seen = BTreeSet::new();
    for (name, at) in ask.fields.iter().zip(at.get("fields").map(Node::items).unwrap_or_default()) {
        if !seen.insert(name) {
            let message = format!("the person is asked for `{}` twice", clip(name));
            check.error(codes::ASK, at.span, message, "remove one of them");
        } else if node.get("parameters").is_none_or(|parameters| !check.is_damaged(parameters)) {
            field(check, tool, name, at);
        }
    }
}

fn texts(check: &mut Check<'_, '_>, tool: &Tool, ask: &Ask, node: &Node, at: &Node) {
    let mut names = Names::new(check, tool, node, &[]);
    for (text, key) in [(&ask.message, "message"), (&ask.confirm, "confirm")] {
        if let (Some(text), Some(at)) = (text, at.get(key)) {
            names.text(check, text, at);
            if text.trim().is_empty() {
                let message = format!("`{key}` says nothing");
                check.error(codes::ASK, at.span, message, "write what the person is asked");
            }
        }
    }
    if let (Some(when), Some(at)) = (&ask.when, at.get("when")) {
        names.expression(check, when, at);
    }
}

fn field(check: &mut Check<'_, '_>, tool: &Tool, name: &str, at: &Node) {
    let shown = clip(name);
    let Some(parameter) = tool.parameter(name) else {
        // What is derived is known when the server is made.
        if tool.parameters.is_some() {
            let message = format!("the tool has no parameter `{shown}`");
            let help = format!("declare it under `parameters`: `{shown}: string`");
            let problem = Diagnostic::error(codes::ASK, message).at(at.span).help(help);
            let near = nearest(name, tool.parameters().iter().map(|one| one.name.as_str()));
            check.push(match near {
                Some(near) => problem.label(format!("did you mean `{near}`?")),
                None => problem,
            });
        }
        return;
    };
    if parameter.is_hidden() {
        let message = format!("`{shown}` is hidden: its value comes from elsewhere, and nobody is asked for it");
        check.error(codes::ASK, at.span, message, "remove it from `fields`, or what hides the parameter");
    } else if !has_field(parameter) {
        let message = format!("a form has no field for `{shown}`, which is no single text, number or boolean");
        let help = "give the parameter the type `string`, `integer`, `number` or `boolean`, or remove it from `fields`";
        check.error(codes::ASK_FIELD, at.span, message, help);
    } else if has_secret_name(name) || parameter.schema.0.get("format").is_some_and(|format| format == "password") {
        let message = format!("`{shown}` looks like a secret, which servers must not ask for in a form");
        let help = "let the operator of the server give it: `env` on the parameter, or the credentials of a connection";
        check.warning(codes::ASK_SECRET, at.span, message, help);
    }
}

fn has_field(parameter: &Parameter) -> bool {
    parameter.schema.kind().is_some_and(|kind| TYPES.contains(&kind))
}

/// Triggers and resources have nobody behind them who could be asked.
fn nobody(check: &mut Check<'_, '_>) {
    let spec = check.spec;
    let asks = |name: &str| spec.tools.iter().find(|tool| tool.name == name).and_then(|tool| tool.ask.as_ref());
    for (key, what) in [("triggers", "a trigger"), ("resources", "a resource")] {
        for node in check.list(key) {
            let Some(at) = node.get("tool") else { continue };
            let Some(ask) = at.as_str().and_then(asks) else { continue };
            // A form may be filled in by the arguments; a yes is nobody's here.
            if ask.confirm.is_some() && ask.when.is_none() {
                let message = format!(
                    "{what} calls `{}`, which needs the yes of a person",
                    clip(at.as_str().unwrap_or_default())
                );
                let help = "nobody can be asked there, so each call fails; use a tool without `ask.confirm`, or give it `when`";
                check.warning(codes::ASK_NOBODY, at.span, message, help);
            }
        }
    }
}
