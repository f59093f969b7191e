//! Actions of tools and the connections they use.

use super::{Check, annotations, pages, script, sql};
use crate::codes;
use crate::model::{Action, Reply, Spec, Tool};
use crate::structure::{clip, list};
use crate::syntax::Node;

/// A `sql` action without a connection uses the only one of the spec.
pub(crate) fn choose_connections(spec: &mut Spec) {
    let [only] = spec.connections.as_slice() else { return };
    let name = only.name.clone();
    for tool in &mut spec.tools {
        if tool.connection.is_none() && matches!(tool.action, Some(Action::Sql(_))) {
            tool.connection = Some(name.clone());
        }
    }
}

pub(super) fn all(check: &mut Check<'_, '_>) {
    for (tool, node) in check.tools() {
        connection(check, tool, node);
        one_action(check, tool, node);
        let effects = match &tool.action {
            Some(Action::Sql(action)) => {
                let statements = sql::all(check, tool, action, node);
                pages::all(check, tool, action, node, statements.as_deref());
                statements.map(|statements| sql::effects(&statements))
            }
            Some(Action::Reply(action)) => {
                reply(check, action, node);
                Some(sql::NO_EFFECTS)
            }
            Some(Action::Script(action)) => script::all(check, action, node),
            None => None,
        };
        annotations::all(check, tool, node, effects);
    }
}

fn connection(check: &mut Check<'_, '_>, tool: &Tool, node: &Node) {
    if let Some(at) = node.get("connection") {
        if !tool.connection.as_ref().is_some_and(|name| check.names.has_connection(name)) {
            let known = check.names.connections.clone();
            return check.unknown(codes::UNKNOWN_CONNECTION, false, at, "connection", &known);
        }
        if matches!(tool.action, Some(Action::Reply(_))) {
            check.warning(
                codes::IDLE_CONNECTION,
                at.span,
                "a fixed reply does not use a connection",
                "remove `connection`",
            );
        }
        return;
    }
    let Some(Action::Sql(_)) = tool.action else { return };
    if tool.connection.is_some() || check.is_damaged(node) {
        return;
    }
    let span = node.entry("sql").map_or(node.span, |entry| entry.key.span);
    let names: Vec<&str> = check.names.connections.iter().map(String::as_str).collect();
    let (message, help) = match names.len() {
        0 => (
            "the action `sql` needs a connection, and the spec has none".to_owned(),
            "add one under `connections`".to_owned(),
        ),
        1 => return, // It was cut out for an error of its own.
        _ => (
            format!("the tool `{}` does not say which connection its SQL is for", clip(&tool.name)),
            format!("add `connection`, one of {}", list(&names)),
        ),
    };
    check.error(codes::ACTION_CONNECTION, span, message, help);
}

fn one_action(check: &mut Check<'_, '_>, tool: &Tool, node: &Node) {
    let mut keys = node.entries().iter().filter(|entry| matches!(entry.key.text.as_str(), "sql" | "script" | "reply"));
    if let (Some(first), Some(second)) = (keys.next(), keys.next()) {
        let message =
            format!("the tool `{}` has two actions, `{}` and `{}`", clip(&tool.name), first.key.text, second.key.text);
        check.error(codes::TWO_ACTIONS, second.key.span, message, "keep one; a tool does one thing");
    }
}

fn reply(check: &mut Check<'_, '_>, action: &Reply, node: &Node) {
    let Some(entry) = node.entry("reply") else { return };
    let message = match (&action.text, &action.json) {
        (Some(_), Some(_)) => "the reply has both `text` and `json`",
        (None, None) if !check.is_damaged(&entry.value) => "the reply has neither `text` nor `json`",
        _ => return,
    };
    check.error(
        codes::REPLY,
        entry.value.span,
        message,
        "give exactly one of them; `reply: some text` is short for `text`",
    );
}
