//! Resources.

use super::Check;
use crate::codes;
use crate::model::Resource;
use crate::structure::clip;
use crate::syntax::{Node, align};

pub(super) fn all(check: &mut Check<'_, '_>) {
    let spec = check.spec;
    let nodes = check.list("resources");
    check.duplicates("resource", nodes.iter().filter_map(|resource| resource.get("uri")), false);
    check.duplicates("resource", nodes.iter().filter_map(|resource| resource.get("name")), false);
    same_templates(check, nodes);
    for (resource, node) in spec.resources.iter().zip(nodes) {
        if resource.name.trim().is_empty() {
            check.error(codes::EMPTY_TEXT, node.span_of("name"), "the resource's name is empty", "give it a name");
        }
        super::names::media_type(check, node);
        let variables = uri(check, resource, node);
        source(check, resource, node);
        if let Some(variables) = variables {
            fit(check, resource, node, &variables);
        }
    }
}

/// The variables of the URI, when it is a good one.
fn uri<'r>(check: &mut Check<'_, '_>, resource: &'r Resource, node: &Node) -> Option<Vec<&'r str>> {
    let at = node.get("uri")?;
    let text = resource.uri.as_str();
    let scheme = text.split(':').next().unwrap_or_default();
    let scheme_is_good = text.contains(':')
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !scheme_is_good || text.len() == scheme.len() + 1 {
        let message = format!("`{}` is not a URI", clip(text));
        check.error(codes::RESOURCE_URI, at.span, message, "start it with a scheme: `docs://handbook`");
        return None;
    }
    let is_bad = |offset: usize, c: char| {
        let is_half = c == '%' && !text[offset + 1..].bytes().take(2).filter(u8::is_ascii_hexdigit).count().eq(&2);
        c.is_whitespace() || c.is_control() || !c.is_ascii() || is_half || "<>\"\\^`|".contains(c)
    };
    if let Some((offset, bad)) = text.char_indices().find(|(offset, c)| is_bad(*offset, *c)) {
        let place = align::place(check.lines, at, offset, bad.len_utf8());
        check.error(
            codes::RESOURCE_URI,
            place,
            "this character is not allowed in a URI",
            "write it percent-encoded, a space as `%20`",
        );
        return None;
    }
    if let Some(offset) = dots(text) {
        let place = align::place(check.lines, at, offset, 2);
        let help = "clients resolve `.` and `..` before they ask; write the URI without them";
        check.error(codes::RESOURCE_URI, place, "a URI has no `.` or `..` as a part of its path", help);
        return None;
    }
    match variables(text) {
        Ok(names) => Some(names),
        Err((offset, message)) => {
            let place = align::place(check.lines, at, offset, 1);
            check.error(codes::RESOURCE_URI, place, message, "a variable is a name in braces: `orders://{id}`");
            None
        }
    }
}

/// Where `.` or `..` is a part of a URI's path, plain or percent-encoded.
fn dots(uri: &str) -> Option<usize> {
    let path = &uri[..uri.find(['?', '#']).unwrap_or(uri.len())];
    let mut start = 0;
    path.split('/').find_map(|part| {
        let at = start;
        start += part.len() + 1;
        let plain = part.replace("%2e", ".").replace("%2E", ".");
        (at > 0 && matches!(plain.as_str(), "." | "..")).then_some(at)
    })
}

/// Templates that differ only in the names of their variables: which of them is meant could not be told.
fn same_templates(check: &mut Check<'_, '_>, nodes: &[Node]) {
    let mut seen: std::collections::HashMap<String, (&str, usize)> = std::collections::HashMap::new();
    for node in nodes.iter().filter_map(|resource| resource.get("uri")) {
        let uri = node.as_str().unwrap_or_default();
        let Ok(names) = variables(uri) else { continue };
        if names.is_empty() {
            continue;
        }
        let form = names.iter().fold(uri.to_owned(), |form, name| form.replace(&format!("{{{name}}}"), "{}"));
        match seen.get(&form) {
            Some((first, line)) if *first != uri => {
                let message = format!("the templates `{}` and `{}` match the same URIs", clip(uri), clip(first));
                let problem = base::Diagnostic::error(codes::DUPLICATE_NAME, message)
                    .at(node.span)
                    .label(format!("first declared on line {line}"));
                check.push(problem.help("give one of them another path"));
            }
            Some(_) => {} // The same text twice is reported as that.
            None => {
                seen.insert(form, (uri, node.span.line));
            }
        }
    }
}

/// The names of a level 1 template of RFC 6570, or the offset of what is wrong.
fn variables(uri: &str) -> Result<Vec<&str>, (usize, &'static str)> {
    let mut names = Vec::new();
    let mut at = 0;
    while let Some(found) = uri[at..].find(['{', '}']) {
        let open = at + found;
        if uri[open..].starts_with('}') {
            return Err((open, "a brace is closed that was not opened"));
        }
        let Some(length) = uri[open..].find('}') else { return Err((open, "the brace is not closed")) };
        let name = &uri[open + 1..open + length];
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) {
            return Err((open, "this is not a variable of a simple template"));
        }
        if names.contains(&name) {
            return Err((open, "the variable stands twice in the template"));
        }
        names.push(name);
        at = open + length + 1;
    }
    Ok(names)
}

fn source(check: &mut Check<'_, '_>, resource: &Resource, node: &Node) {
    let name = clip(&resource.name);
    match (&resource.text, &resource.tool) {
        (Some(_), Some(_)) => {
            let message = format!("the resource `{name}` has both `text` and `tool`");
            check.error(
                codes::RESOURCE_SOURCE,
                node.entry("tool").map_or(node.span, |e| e.key.span),
                message,
                "keep one of them",
            );
        }
        (None, None) if !check.is_damaged(node) => {
            let message = format!("the resource `{name}` does not say where its document comes from");
            check.error(codes::RESOURCE_SOURCE, node.span, message, "add `text`, or the `tool` whose answer it is");
        }
        _ => {}
    }
}

fn fit(check: &mut Check<'_, '_>, resource: &Resource, node: &Node, variables: &[&str]) {
    let span = node.span_of("uri");
    let Some(name) = &resource.tool else {
        if let (Some(variable), Some(_)) = (variables.first(), &resource.text) {
            let message = format!("a fixed text does not use the variable `{variable}`");
            check.error(
                codes::RESOURCE_VARIABLES,
                span,
                message,
                "remove the variable, or give a `tool` instead of `text`",
            );
        }
        return;
    };
    if !check.names.has_tool(name) {
        let known = check.names.tools.clone();
        if let Some(at) = node.get("tool") {
            check.unknown(codes::UNKNOWN_TOOL, false, at, "tool", &known);
        }
        return;
    }
    let Some((tool, at)) = check.tools().find(|(tool, _)| tool.name == *name) else { return };
    if tool.parameters.is_none() && tool.action.is_none() || check.is_damaged(at) {
        return;
    }
    for variable in variables {
        if tool.parameter(variable).is_none() {
            let message = format!("the tool `{}` has no parameter `{}`", clip(name), clip(variable));
            check.error(codes::RESOURCE_VARIABLES, span, message, "variables are the parameters of the tool");
        }
    }
    for parameter in tool.parameters().iter().filter(|parameter| parameter.required) {
        if !variables.contains(&parameter.name.as_str()) {
            let message =
                format!("the tool `{}` requires `{}`, which the URI does not give", clip(name), clip(&parameter.name));
            check.error(
                codes::RESOURCE_VARIABLES,
                span,
                message,
                format!("put `{{{}}}` in the URI", clip(&parameter.name)),
            );
        }
    }
}
