//! Actions of tools and the connections they use.

use super::{Check, annotations, pages, script, sql};
use crate::codes;
use crate::model::{Action, ConnectionKind, Spec, Tool};
use crate::sql::Effects;
use crate::structure::{clip, list};
use crate::syntax::Node;

mod call;
mod command;
mod files;
mod graphql;
mod grpc;
mod http;
mod mongo;
mod redis;
mod reply;
mod send;
mod steps;
mod vector;

pub(super) use command::{environment, program};

/// An action without a connection uses the only one of the spec that it can run on. With one connection, that one: whether it
/// fits is checked. A call of a tool of this spec needs none.
pub(crate) fn choose_connections(spec: &mut Spec) {
    let own: Vec<String> = spec.tools.iter().map(|tool| tool.name.clone()).collect();
    let kinds: Vec<(String, ConnectionKind)> =
        spec.connections.iter().map(|connection| (connection.name().to_owned(), connection.kind())).collect();
    let choose = |action: &Action, name: &str| {
        // A tool that calls one of its own name means that of another server.
        if matches!(action, Action::Call(call) if call.tool != name && own.contains(&call.tool)) {
            return None;
        }
        let mut fitting = kinds.iter().filter(|(_, kind)| action.runs_on(*kind) == Some(true));
        match (fitting.next(), fitting.next(), kinds.as_slice()) {
            (Some((only, _)), None, _) => Some(only.clone()),
            (None, None, [(only, kind)]) if action.runs_on(*kind).is_some() => Some(only.clone()),
            _ => None,
        }
    };
    for tool in &mut spec.tools {
        let wanted = tool.connection.clone();
        if let Some(Action::Steps(steps)) = &mut tool.action {
            for step in steps.list.iter_mut().filter(|step| step.connection.is_none()) {
                let Some(action) = &step.action else { continue };
                let of_tool = kinds.iter().find(|(name, _)| Some(name) == wanted.as_ref());
                let fits = of_tool.is_some_and(|(_, kind)| action.runs_on(*kind) == Some(true));
                step.connection = wanted.clone().filter(|_| fits).or_else(|| choose(action, &tool.name));
            }
            continue;
        }
        let Some(action) = tool.action.as_ref().filter(|_| tool.connection.is_none()) else { continue };
        tool.connection = choose(action, &tool.name);
    }
}

pub(super) fn all(check: &mut Check<'_, '_>) {
    for (tool, node) in check.tools() {
        connection(check, tool, node);
        one_action(check, tool, node);
        let effects = action(check, tool, node);
        annotations::all(check, tool, node, effects);
    }
    call::cycles(check);
}

/// Checks the action of a tool or a step; gives what it does, when that is known.
fn action(check: &mut Check<'_, '_>, tool: &Tool, node: &Node) -> Option<Effects> {
    match tool.action.as_ref()? {
        Action::Sql(action) => {
            let statements = sql::all(check, tool, action, node);
            pages::all(check, tool, action, node, statements.as_deref());
            statements.map(|statements| sql::effects(&statements))
        }
        Action::Http(action) => http::all(check, tool, action, node),
        Action::Redis(action) => redis::all(check, tool, action, node),
        Action::Mongo(action) => mongo::all(check, tool, action, node),
        Action::Graphql(action) => graphql::all(check, tool, action, node),
        Action::Grpc(action) => grpc::all(check, tool, action, node),
        Action::Files(action) => files::all(check, tool, action, node),
        Action::Send(action) => send::all(check, tool, action, node),
        Action::Vector(action) => vector::all(check, tool, action, node),
        Action::Reply(action) => reply::all(check, tool, action, node),
        Action::Script(action) => script::all(check, tool, action, node),
        Action::Call(action) => call::all(check, tool, action, node),
        Action::Steps(action) => steps::all(check, tool, action, node),
        Action::Command(action) => command::all(check, tool, action, node),
    }
}

fn connection(check: &mut Check<'_, '_>, tool: &Tool, node: &Node) {
    if let Some(at) = node.get("connection") {
        if !tool.connection.as_ref().is_some_and(|name| check.names.has_connection(name)) {
            let known = check.names.connections.clone();
            return check.unknown(codes::UNKNOWN_CONNECTION, false, at, "connection", &known);
        }
        if matches!(tool.action, Some(Action::Reply(_))) {
            check.warning(codes::IDLE_CONNECTION, at.span, "a reply does not use a connection", "remove `connection`");
        }
    }
    let Some(action) = &tool.action else { return };
    // A call without a connection is one of a tool of this spec, which is looked for elsewhere.
    if matches!(action, Action::Call(_)) && tool.connection.is_none() {
        return;
    }
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
