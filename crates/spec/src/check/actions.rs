//! Actions of tools and the connections they use.

use super::{Check, annotations, pages, script, sql};
use crate::codes;
use crate::model::{Action, ConnectionKind, Reply, Spec, Tool};
use crate::structure::{clip, list};
use crate::syntax::Node;

mod files;
mod graphql;
mod grpc;
mod http;
mod mongo;
mod redis;
mod send;
mod vector;

/// An action without a connection uses the only one of the spec that it can run on. With one connection, that one: whether it
/// fits is checked.
pub(crate) fn choose_connections(spec: &mut Spec) {
    for tool in &mut spec.tools {
        let Some(action) = tool.action.as_ref().filter(|_| tool.connection.is_none()) else { continue };
        let mut fitting = spec.connections.iter().filter(|connection| action.runs_on(connection.kind()) == Some(true));
        match (fitting.next(), fitting.next(), spec.connections.as_slice()) {
            (Some(only), None, _) => tool.connection = Some(only.name().to_owned()),
            (None, None, [only]) if action.runs_on(only.kind()).is_some() => {
                tool.connection = Some(only.name().to_owned())
            }
            _ => {}
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
            Some(Action::Http(action)) => http::all(check, tool, action, node),
            Some(Action::Redis(action)) => redis::all(check, tool, action, node),
            Some(Action::Mongo(action)) => mongo::all(check, tool, action, node),
            Some(Action::Graphql(action)) => graphql::all(check, tool, action, node),
            Some(Action::Grpc(action)) => grpc::all(check, tool, action, node),
            Some(Action::Files(action)) => files::all(check, tool, action, node),
            Some(Action::Send(action)) => send::all(check, tool, action, node),
            Some(Action::Vector(action)) => vector::all(check, tool, action, node),
            Some(Action::Reply(action)) => {
                reply(check, action, node);
                Some(sql::NO_EFFECTS)
            }
            Some(Action::Script(action)) => script::all(check, tool, action, node),
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
    }
    let Some(action) = &tool.action else { return };
    let span = node.entry(action.key()).map_or(node.span, |entry| entry.key.span);
    if let Some(found) = check.spec.connections.iter().find(|one| Some(one.name()) == tool.connection.as_deref()) {
        if action.runs_on(found.kind()) == Some(false) {
            let (key, kind, name) = (action.key(), found.kind().as_str(), clip(found.name()));
            let message = format!("the action `{key}` cannot run on `{name}`, which is a connection of type `{kind}`");
            let help = format!("use a connection that has `{key}`, or another action");
            check.error(codes::ACTION_KIND, span, message, help);
        }
        return;
    }
    if action.runs_on(ConnectionKind::Http).is_none() || tool.connection.is_some() || check.is_damaged(node) {
        return;
    }
    let names: Vec<&str> = check.names.connections.iter().map(String::as_str).collect();
    let (message, help) = match names.len() {
        0 => (
            format!("the action `{}` needs a connection, and the spec has none", action.key()),
            "add one under `connections`".to_owned(),
        ),
        1 => return, // It was cut out for an error of its own.
        _ => (
            match action {
                Action::Sql(_) => {
                    format!("the tool `{}` does not say which connection its SQL is for", clip(&tool.name))
                }
                _ => format!(
                    "the tool `{}` does not say which connection its `{}` is for",
                    clip(&tool.name),
                    action.key()
                ),
            },
            format!("add `connection`, one of {}", list(&names)),
        ),
    };
    check.error(codes::ACTION_CONNECTION, span, message, help);
}

fn one_action(check: &mut Check<'_, '_>, tool: &Tool, node: &Node) {
    let mut keys = node.entries().iter().filter(|entry| Action::KEYS.contains(&entry.key.text.as_str()));
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
