//! Prompts.

use std::collections::BTreeSet;

use base::{Diagnostic, nearest};

use super::{Check, schemas};
use crate::codes;
use crate::model::{Prompt, PromptMessage};
use crate::structure::clip;
use crate::syntax::{Node, align};

pub(super) fn all(check: &mut Check<'_, '_>) {
    let spec = check.spec;
    let nodes = check.list("prompts");
    check.duplicates("prompt", nodes.iter().filter_map(|prompt| prompt.get("name")), false);
    for (prompt, node) in spec.prompts.iter().zip(nodes) {
        if prompt.name.trim().is_empty() {
            check.error(codes::EMPTY_TEXT, node.span_of("name"), "the prompt's name is empty", "give it a name");
        }
        if prompt.messages.is_empty() && !check.is_damaged(node) {
            let message = format!("the prompt `{}` has no message", clip(&prompt.name));
            check.error(codes::EMPTY_TEXT, node.span_of("messages"), message, "add one: `- {role: user, text: …}`");
        }
        arguments(check, prompt, node);
    }
}

fn arguments(check: &mut Check<'_, '_>, prompt: &Prompt, node: &Node) {
    let nodes = node.get("arguments").map(Node::items).unwrap_or_default();
    check.duplicates("argument", nodes.iter().filter_map(|argument| argument.get("name")), false);
    nodes.iter().filter_map(|argument| argument.get("enum")).for_each(|choices| schemas::offered(check, choices));
    let known: Vec<&str> = prompt.arguments.iter().map(|argument| argument.name.as_str()).collect();
    let is_damaged = check.is_damaged(node);
    let mut used = BTreeSet::new();
    for (message, at) in prompt.messages.iter().zip(node.get("messages").map(Node::items).unwrap_or_default()) {
        used.extend(source(check, prompt, message, at));
    }
    for (message, at) in prompt.messages.iter().zip(node.get("messages").map(Node::items).unwrap_or_default()) {
        let Some(at) = at.get("text") else { continue };
        for (offset, name) in placeholders(&message.text) {
            let trimmed = name.trim();
            used.insert(trimmed);
            if known.contains(&trimmed) || is_damaged {
                continue;
            }
            let place = align::place(check.lines, at, offset, name.len() + 4);
            let message = format!("the prompt has no argument `{}`", clip(trimmed));
            let problem = Diagnostic::error(codes::PROMPT_PLACEHOLDER, message)
                .at(place)
                .help(format!("declare it under `arguments`: `- name: {}`", clip(trimmed)));
            check.push(match nearest(trimmed, known.iter().copied()) {
                Some(near) => problem.label(format!("did you mean `{{{{{near}}}}}`?")),
                None => problem,
            });
        }
    }
    if check.is_damaged(node) {
        return; // A misspelt name is not reported twice.
    }
    for (argument, at) in prompt.arguments.iter().zip(nodes) {
        if !used.contains(argument.name.as_str()) {
            let message = format!("the argument `{}` is never used", clip(&argument.name));
            let help = format!("write `{{{{{}}}}}` in a message, or remove it", clip(&argument.name));
            check.warning(codes::PROMPT_UNUSED, at.span_of("name"), message, help);
        }
    }
}

/// Checks that a message has one source, and that its tool can be called; gives the arguments that the tool takes.
fn source<'p>(check: &mut Check<'_, '_>, prompt: &'p Prompt, message: &PromptMessage, node: &Node) -> Vec<&'p str> {
    if check.is_damaged(node) {
        return Vec::new();
    }
    let (Some(name), Some(at)) = (&message.tool, node.get("tool")) else {
        if node.get("text").is_none() {
            let help = "add `text`, or `tool` whose answer is the text";
            check.error(codes::MISSING_KEY, node.span, "a prompt message needs `text`", help);
        }
        return Vec::new();
    };
    if node.get("text").is_some() {
        let help = "keep one of `text` and `tool`; write another message for the other one";
        check.error(codes::PROMPT_TOOL, at.span, "the message has a text and a tool", help);
    }
    let Some(tool) = check.spec.tools.iter().find(|tool| tool.name == *name) else {
        let known = check.names.tools.clone();
        if !known.contains(name) {
            check.unknown(codes::UNKNOWN_TOOL, false, at, "tool", &known);
        }
        return prompt.arguments.iter().map(|argument| argument.name.as_str()).collect();
    };
    for parameter in tool.parameters().iter().filter(|one| one.required && !one.is_hidden()) {
        if !prompt.arguments.iter().any(|argument| argument.name == parameter.name && argument.required) {
            let message = format!(
                "the tool `{}` needs `{}`, which is no argument that people have to give",
                clip(name),
                clip(&parameter.name)
            );
            let help = format!("declare it under `arguments`: `- {{name: {}, required: true}}`", clip(&parameter.name));
            check.error(codes::PROMPT_TOOL, at.span, message, help);
        }
    }
    // What an inferred tool takes is known only later.
    let takes = |name: &str| tool.parameters.is_none() || tool.parameter(name).is_some();
    prompt.arguments.iter().map(|argument| argument.name.as_str()).filter(|name| takes(name)).collect()
}

/// The `{{name}}` of a text with the offset of each.
fn placeholders(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("{{").filter_map(|(at, _)| {
        let rest = &text[at + 2..];
        let name = &rest[..rest.find("}}")?];
        let is_name = !name.contains(['{', '}', '\n']) && !name.trim().is_empty();
        is_name.then_some((at, name))
    })
}
