//! Names, versions and texts.

use super::Check;
use crate::codes;
use crate::limits::{
    DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX, PARAMETERS_MAX, SERVER_NAME_CHARS_MAX, TOOL_NAME_CHARS_MAX, TOOLS_MAX,
};
use crate::model::{Action, Trigger};
use crate::structure::clip;
use crate::syntax::{Node, Value};

/// Words that are paths of the HTTP interface next to the names of servers: no server may have one.
pub const RESERVED_NAMES: [&str; 26] = [
    "admin",
    "api",
    "auth",
    "console",
    "create",
    "deploy",
    "docs",
    "events",
    "explain",
    "health",
    "jobs",
    "logs",
    "mcp",
    "message",
    "messages",
    "metrics",
    "natural",
    "oauth",
    "openapi",
    "register",
    "schema",
    "servers",
    "sse",
    "static",
    "templates",
    "well-known",
];

pub(super) fn all(check: &mut Check<'_, '_>) {
    server(check);
    version(check);
    offer(check);
    tools(check);
    connections(check);
    parameters(check);
    icons(check);
    texts(check, check.tree, "");
}

fn server(check: &mut Check<'_, '_>) {
    let Some(node) = check.tree.get("name") else { return };
    let Some(name) = node.as_str() else { return };
    if node.span == check.tree.span {
        return; // A placeholder for a name that is missing.
    }
    if !is_kebab(name) {
        let help = format!("write `{}`: lower-case letters, digits and single hyphens, a letter first", kebab(name));
        check.error(codes::SERVER_NAME, node.span, format!("the server name `{}` is not kebab-case", clip(name)), help);
    } else if name.len() > SERVER_NAME_CHARS_MAX {
        let help = format!("up to {SERVER_NAME_CHARS_MAX} characters");
        check.error(codes::SERVER_NAME, node.span, "the server name is too long", help);
    } else if RESERVED_NAMES.contains(&name) {
        let help = format!("choose another, such as `{name}-mcp`");
        check.error(codes::RESERVED_NAME, node.span, format!("the server name `{name}` is reserved"), help);
    }
}

pub(super) fn is_kebab(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

/// The nearest name that is kebab-case.
fn kebab(name: &str) -> String {
    let mut out = String::new();
    let mut previous = '-';
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            if character.is_ascii_uppercase() && previous.is_ascii_lowercase() {
                out.push('-');
            }
            out.push(character.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= SERVER_NAME_CHARS_MAX {
            break;
        }
        previous = character;
    }
    let out = out.trim_matches('-').trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    if out.is_empty() { "my-server".to_owned() } else { out.to_owned() }
}

fn version(check: &mut Check<'_, '_>) {
    let Some(node) = check.tree.get("version") else { return };
    let Some(text) = node.as_str() else { return };
    if !is_semantic(text) {
        let message = format!("`{}` is not a semantic version", clip(text));
        check.error(codes::VERSION, node.span, message, "write `1.2.3`, with `-beta.1` behind it for a pre-release");
    }
}

/// <https://semver.org>, version 2.0.0.
fn is_semantic(text: &str) -> bool {
    let (rest, build) = text.split_once('+').map_or((text, None), |(rest, build)| (rest, Some(build)));
    let (core, pre) = rest.split_once('-').map_or((rest, None), |(core, pre)| (core, Some(pre)));
    let is_number = |part: &str| {
        !part.is_empty()
            && part.len() <= 18
            && part.bytes().all(|b| b.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let is_label = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_pre = |part: &str| is_label(part) && (!part.bytes().all(|b| b.is_ascii_digit()) || is_number(part));
    core.split('.').count() == 3
        && core.split('.').all(is_number)
        && pre.is_none_or(|pre| pre.split('.').all(is_pre))
        && build.is_none_or(|build| build.split('.').all(is_label))
}

fn offer(check: &mut Check<'_, '_>) {
    let spec = check.spec;
    if !(spec.tools.is_empty() && spec.resources.is_empty() && spec.prompts.is_empty()) || check.report.has_errors() {
        return;
    }
    let span = check.tree.entry("tools").map_or_else(|| check.tree.span_of("name"), |entry| entry.key.span);
    check.error(
        codes::NOTHING_OFFERED,
        span,
        "the spec offers no tool, no resource and no prompt",
        "add a tool under `tools`",
    );
}

fn tools(check: &mut Check<'_, '_>) {
    let nodes = check.list("tools");
    if let Some(extra) = nodes.get(TOOLS_MAX) {
        let message = format!("the spec has {} tools", nodes.len());
        check.error(codes::TOO_LONG, extra.span, message, format!("up to {TOOLS_MAX}; split it into several servers"));
    }
    for node in nodes.iter().filter_map(|tool| tool.get("name")) {
        let name = node.as_str().unwrap_or_default();
        if name.len() > TOOL_NAME_CHARS_MAX {
            let help = format!("up to {TOOL_NAME_CHARS_MAX} characters");
            check.error(codes::TOOL_NAME, node.span, format!("the tool name `{}` is too long", clip(name)), help);
        } else if !is_word(name) {
            let help = "use letters, digits, `_` and `-` only: `search_products`";
            check.error(codes::TOOL_NAME, node.span, format!("the tool name `{}` is not allowed", clip(name)), help);
        }
    }
    check.duplicates("tool", nodes.iter().filter_map(|tool| tool.get("name")), true);
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

fn connections(check: &mut Check<'_, '_>) {
    let nodes = check.list("connections");
    for node in nodes.iter().filter_map(|connection| connection.get("name")) {
        other_name(check, node, "connection", is_word);
    }
    check.duplicates("connection", nodes.iter().filter_map(|connection| connection.get("name")), true);
}

/// A letter or `_` first: such a name can be a `:name` in SQL.
fn is_parameter(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn parameters(check: &mut Check<'_, '_>) {
    for tool in check.list("tools") {
        let parameters = tool.get("parameters").map(Node::items).unwrap_or_default();
        if let Some(extra) = parameters.get(PARAMETERS_MAX) {
            let message = format!("the tool has {} parameters", parameters.len());
            check.error(codes::TOO_LONG, extra.span, message, format!("up to {PARAMETERS_MAX}"));
        }
        for node in parameters.iter().filter_map(|parameter| parameter.get("name")) {
            other_name(check, node, "parameter", is_parameter);
            plain_name(check, node);
        }
        check.duplicates("parameter", parameters.iter().filter_map(|parameter| parameter.get("name")), true);
    }
}

fn other_name(check: &mut Check<'_, '_>, node: &Node, what: &str, good: fn(&str) -> bool) {
    let name = node.as_str().unwrap_or_default();
    if name.chars().count() > NAME_CHARS_MAX {
        let message = format!("the {what} name `{}` is too long", clip(name));
        check.error(codes::OTHER_NAME, node.span, message, format!("up to {NAME_CHARS_MAX} characters"));
    } else if !good(name) {
        let message = format!("the {what} name `{}` is not allowed", clip(name));
        check.error(codes::OTHER_NAME, node.span, message, "use letters, digits and `_`, a letter first");
    }
}

/// Interfaces of models take names of ASCII letters, digits, `_`, `-` and `.` only.
fn plain_name(check: &mut Check<'_, '_>, node: &Node) {
    let name = node.as_str().unwrap_or_default();
    if is_parameter(name) && !name.is_ascii() && name.chars().count() <= NAME_CHARS_MAX {
        let message = format!("some clients do not take the parameter name `{}`", clip(name));
        check.warning(codes::WIDE_NAME, node.span, message, "use the letters a to z; put the other name into `title`");
    }
}

/// The `mimeType` of a resource or an icon: `type/subtype` of RFC 6838, with parameters.
pub(super) fn media_type(check: &mut Check<'_, '_>, owner: &Node) {
    let Some(node) = owner.get("mimeType") else { return };
    let text = node.as_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim();
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.len() <= 127
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    if !essence.split_once('/').is_some_and(|(kind, rest)| is_name(kind) && is_name(rest)) {
        let message = format!("`{}` is not a media type", clip(text));
        check.error(codes::MEDIA_TYPE, node.span, message, "write a type and a subtype, such as `text/markdown`");
    }
}

/// `48x48` or `any`.
fn is_icon_size(size: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && !part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
    size == "any" || size.split_once('x').is_some_and(|(width, height)| is_number(width) && is_number(height))
}

fn icons(check: &mut Check<'_, '_>) {
    let tools = check.list("tools");
    let lists = std::iter::once(check.tree).chain(tools).filter_map(|owner| owner.get("icons"));
    for icon in lists.flat_map(Node::items) {
        let src = icon.str_of("src").unwrap_or_default();
        let is_data = src.starts_with("data:image/") && src.contains(',');
        let is_https = src.strip_prefix("https://").is_some_and(|rest| !rest.starts_with(['/', '\\']))
            && url::Url::parse(src).is_ok();
        if !is_data && !is_https {
            let message = format!("the icon address `{}` is not allowed", clip(src));
            check.error(codes::ICON, icon.span_of("src"), message, "use an `https://` address or a `data:image/…` URL");
        }
        media_type(check, icon);
        for size in icon.get("sizes").map(Node::items).unwrap_or_default() {
            if !size.as_str().is_some_and(is_icon_size) {
                let message = format!("`{}` is not a size of an icon", clip(size.as_str().unwrap_or_default()));
                check.error(codes::ICON, size.span, message, "write `48x48`, or `any` for a drawing of any size");
            }
        }
        if let Some(theme) = icon.get("theme").filter(|theme| !matches!(theme.as_str(), Some("light" | "dark"))) {
            let message = format!("an icon has no theme `{}`", clip(theme.as_str().unwrap_or_default()));
            check.error(codes::ICON, theme.span, message, "allowed: `light`, `dark`");
        }
    }
}

/// Titles, descriptions and instructions: not empty, not too long.
fn texts(check: &mut Check<'_, '_>, node: &Node, key: &str) {
    match &node.value {
        Value::String(text, _) if matches!(key, "title" | "description" | "instructions") => {
            if text.trim().is_empty() {
                check.error(
                    codes::EMPTY_TEXT,
                    node.span,
                    format!("`{key}` is empty"),
                    "write something, or remove the key",
                );
            } else if text.chars().count() > DESCRIPTION_CHARS_MAX {
                let message = format!("`{key}` has {} characters", text.chars().count());
                check.error(codes::TOO_LONG, node.span, message, format!("up to {DESCRIPTION_CHARS_MAX}"));
            }
        }
        Value::List(items) => items.iter().for_each(|item| texts(check, item, "")),
        // Below these keys is a user's data or properties called `title`.
        Value::Map(entries)
            if !matches!(key, "arguments" | "default" | "json" | "enum" | "examples" | "const" | "properties") =>
        {
            entries.iter().for_each(|entry| texts(check, &entry.value, &entry.key.text));
        }
        _ => {}
    }
}

/// Connections that nothing names.
pub(super) fn unused_connections(check: &mut Check<'_, '_>) {
    let spec = check.spec;
    // A tool that says neither what it does nor with what may come to use any connection.
    let needs_none =
        |action: &Action| matches!(action, Action::Reply(_) | Action::Call(_) | Action::Steps(_) | Action::Command(_));
    if spec.tools.iter().any(|tool| tool.connection.is_none() && !tool.action.as_ref().is_some_and(needs_none)) {
        return;
    }
    // A tool that was cut out, or one with a misspelt name, may be the one that uses it.
    let is_known =
        |tool: &crate::model::Tool| tool.connection.as_ref().is_none_or(|name| check.names.has_connection(name));
    if spec.tools.len() != check.names.tools.len() || !spec.tools.iter().all(is_known) {
        return;
    }
    let by_step = |tool: &crate::model::Tool, name: Option<&str>| match &tool.action {
        Some(Action::Steps(steps)) => steps.list.iter().any(|step| {
            step.connection.as_deref() == name
                || matches!(step.action, Some(Action::Script(_)) if step.connection.is_none())
        }),
        _ => false,
    };
    for node in check.list("connections").iter().filter_map(|connection| connection.get("name")) {
        let name = node.as_str();
        let by_tool = spec.tools.iter().any(|tool| tool.connection.as_deref() == name || by_step(tool, name));
        let by_trigger = spec.triggers.iter().any(
            |trigger| matches!(trigger, Trigger::Database { connection, .. } if Some(connection.as_str()) == name),
        );
        if !by_tool && !by_trigger {
            let message = format!("the connection `{}` is never used", clip(name.unwrap_or_default()));
            check.warning(
                codes::UNUSED_CONNECTION,
                node.span,
                message,
                "name it in the `connection` of a tool, or remove it",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_kebab, is_semantic, kebab};

    #[test]
    fn names_and_versions() {
        for (given, better) in
            [("Inventory MCP", "inventory-mcp"), ("inventoryMcp", "inventory-mcp"), ("a__b", "a-b"), ("9", "my-server")]
        {
            assert!(!is_kebab(given), "{given}");
            assert_eq!(kebab(given), better);
            assert!(is_kebab(better));
        }
        for good in ["1.0.0", "0.1.2-beta.1+build.5", "1.0.0--"] {
            assert!(is_semantic(good), "{good}");
        }
        for bad in ["1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+", "latest", ""] {
            assert!(!is_semantic(bad), "{bad}");
        }
    }
}
