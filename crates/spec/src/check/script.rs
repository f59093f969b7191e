//! Scripts of tools. Whether the code can be compiled is for the room that can compile it.

use std::collections::BTreeMap;

use base::{Diagnostic, nearest};

use self::shape::{Call, Taken};
use super::{Check, hosts, sql};
use crate::codes;
use crate::model::{Action, Script, ScriptPlace, Spec, TextPlace, Tool};
use crate::sql::Effects;
use crate::structure::{clip, list};
use crate::syntax::{Lines, Node, align};

mod shape;
mod words;

/// Names that the second parameter of a script's function has anyhow.
const OWN_NAMES: [&str; 8] = ["again", "answer", "fail", "log", "markdown", "progress", "sleep", "tools"];

/// Names that it has when the spec has `state`.
const STATE_NAMES: [&str; 2] = ["state", "timers"];

/// The name that it has when calls of the tool may be tasks.
const TASK_NAME: &str = "task";

/// What a script may do that writes: nothing more is known of it.
const ANYTHING: Effects = Effects { read_only: false, destructive: true, idempotent: false };

/// Notes where each script stands in the document.
pub(crate) fn places(spec: &mut Spec, tree: &Node, lines: &Lines<'_>) {
    let nodes = tree.get("tools").map(Node::items).unwrap_or_default();
    for (tool, node) in spec.tools.iter_mut().zip(nodes) {
        match &mut tool.action {
            Some(Action::Script(script)) => note(script, (&spec.modules, tree), node, lines),
            Some(Action::Steps(steps)) => {
                let nodes = node.get("steps").and_then(|steps| steps.get("do")).map(Node::items).unwrap_or_default();
                for (step, node) in steps.list.iter_mut().zip(nodes) {
                    if let Some(Action::Script(script)) = &mut step.action {
                        note(script, (&spec.modules, tree), node, lines);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Notes where the script of a tool or a step stands.
fn note(script: &mut Script, modules: (&BTreeMap<String, String>, &Node), node: &Node, lines: &Lines<'_>) {
    if let Some(name) = &script.module {
        let text = modules.1.get("modules").and_then(|all| all.get(name));
        if let (Some(node), Some(code)) = (text, modules.0.get(name)) {
            script.place = ScriptPlace(place(code, node, lines));
        }
    } else if let Some(code) = node.get("script").and_then(|script| script.get("code")) {
        script.place = ScriptPlace(place(&script.code, code, lines));
    }
}

/// The place of a text on one line, or of one whose lines are lines of the document, all in one column.
fn place(code: &str, node: &Node, lines: &Lines<'_>) -> Option<TextPlace> {
    let number = |place: usize| u32::try_from(place).ok();
    // What is found is the first character that is no white space.
    let offset = code.len() - code.trim_start().len();
    let found = align::place(lines, node, offset, 1);
    let start = code[..offset].rfind('\n').map_or(0, |at| at + 1);
    let column = found.column.checked_sub(code[start..offset].chars().count())?;
    let line = found.line.checked_sub(code[..start].matches('\n').count())?;
    let (line, column) = (number(line)?, number(column)?);
    let rest = lines.text().get(found.start..)?;
    if !code.trim_end().contains('\n') {
        // Escapes and folded lines are not followed.
        return rest.starts_with(code.trim()).then_some(TextPlace { line, column, indent: 1 });
    }
    let indent = usize::try_from(column).ok()?.checked_sub(1)?;
    // The first line, of which the white space before it is known already; then the others, whole.
    let mut written = rest.split('\n');
    let mut meant = code[offset..].trim_end().split('\n');
    let same = |written: &str, meant: &str| written.trim_end() == meant.trim_end();
    let first = same(written.next()?, meant.next()?);
    let others = meant.all(|meant| {
        written.next().is_some_and(|written| match written.get(..indent) {
            Some(before) => before.trim().is_empty() && same(&written[indent..], meant),
            None => same(written, meant),
        })
    });
    (first && others).then_some(TextPlace { line, column, indent: column })
}

/// Checks a script; gives what it may do.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Script, node: &Node) -> Option<Effects> {
    let at = node.get("script")?;
    source(check, action, at);
    let is_written = at.get("code").is_some();
    if action.module.is_none() && is_written && action.code.trim().is_empty() && !check.is_damaged(at) {
        let help = "write `export default async function run(args, host) { … }`";
        check.error(codes::EMPTY_TEXT, at.span, "the script is empty", help);
    }
    let state = if check.spec.state.is_some() { &STATE_NAMES[..] } else { &[] };
    let task = tool.task.map(|_| TASK_NAME);
    for name in OWN_NAMES.into_iter().chain(state.iter().copied()).chain(task) {
        let Some(connection) = check.list("connections").iter().find(|node| node.str_of("name") == Some(name)) else {
            continue;
        };
        let message =
            format!("a script cannot reach a connection of the name `{name}`, which is a function of its own");
        let span = connection.span_of("name");
        check.error(codes::SCRIPT_NAME, span, message, "give the connection another name");
    }
    if let Some(code) = at.get("code").filter(|_| !check.is_damaged(node)) {
        uses(check, tool, action, code);
    }
    fetch(check, action, at);
    Some(if action.write { ANYTHING } else { sql::NO_EFFECTS })
}

/// Checks what a script may fetch.
fn fetch(check: &mut Check<'_, '_>, action: &Script, node: &Node) {
    let Some(at) = node.get("fetch").filter(|_| action.fetch.is_some()) else { return };
    if let Some(list) = at.get("hosts") {
        hosts::all(check, list);
    }
    if action.module.is_none() && !action.code.contains("fetch") && !check.is_damaged(node) {
        let message = "the script may fetch, and never names `fetch`";
        check.warning(codes::FETCH_IDLE, at.span, message, "remove `fetch`, or call `await fetch(url)`");
    }
}

/// Modules that no script names.
pub(super) fn unused_modules(check: &mut Check<'_, '_>) {
    let spec = check.spec;
    let names = |action: Option<&Action>, name: &str| matches!(action, Some(Action::Script(script)) if script.module.as_deref() == Some(name));
    let used = |name: &str| {
        spec.tools.iter().any(|tool| match &tool.action {
            Some(Action::Steps(steps)) => steps.list.iter().any(|step| names(step.action.as_ref(), name)),
            action => names(action.as_ref(), name),
        })
    };
    let Some(modules) = check.tree.get("modules") else { return };
    for name in spec.modules.keys().filter(|name| !used(name)) {
        let span = modules.entry(name).map_or(modules.span, |entry| entry.key.span);
        let message = format!("no tool uses the module `{}`", clip(name));
        check.warning(codes::MODULE, span, message, "name it in a tool: `script: {module: NAME}`, or remove it");
    }
}

/// A script has code of its own, or names a module that is there.
fn source(check: &mut Check<'_, '_>, action: &Script, at: &Node) {
    let own = !action.code.is_empty();
    match &action.module {
        None => {
            if at.get("code").is_none() {
                let help = "add `code: \"export default async function run(args, host) { … }\"`, or `module: NAME`";
                check.error(codes::MISSING_KEY, at.span, "the script has neither `code` nor `module`", help);
            }
            if let Some(function) = at.entry("function") {
                let help = "add `module: NAME`; code of its own is called by its default export";
                check.error(codes::SCRIPT_SOURCE, function.key.span, "`function` names an export of no module", help);
            }
        }
        Some(_) if own => {
            let help = "keep one of them: code that several tools share belongs into `modules`";
            check.error(codes::SCRIPT_SOURCE, at.span_of("module"), "the script has both `code` and `module`", help);
        }
        Some(name) if !check.spec.modules.contains_key(name) => {
            let known: Vec<&str> = check.spec.modules.keys().map(String::as_str).collect();
            let help = if known.is_empty() {
                format!("declare it: `modules: {{{}: \"export async function …\"}}`", clip(name))
            } else {
                format!("there are {}", list(&known))
            };
            let message = format!("there is no module `{}`", clip(name));
            check.error(codes::SCRIPT_MODULE, at.span_of("module"), message, help);
        }
        Some(_) => {}
    }
}

/// What the text of a script says that it uses: arguments, connections, SQL, and what no script has.
fn uses(check: &mut Check<'_, '_>, tool: &Tool, action: &Script, node: &Node) {
    let shape = shape::read(&action.code);
    if tool.parameters.is_some() {
        let known: Vec<&str> = tool.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
        for taken in &shape.arguments {
            unknown_name(check, node, taken, "argument", &known);
        }
    }
    let declared = check.names;
    let connections = declared.connections.iter().map(String::as_str);
    let own = |name: &&str| tool.connection.as_deref().is_none_or(|only| only == *name);
    let state = if check.spec.state.is_some() { &STATE_NAMES[..] } else { &[] };
    let task = tool.task.map(|_| TASK_NAME);
    let known: Vec<&str> = connections.filter(own).chain(OWN_NAMES).chain(state.iter().copied()).chain(task).collect();
    for taken in &shape.host {
        unknown_name(check, node, taken, "connection or function", &known);
    }
    for (name, offset) in &shape.foreign {
        if *name == "fetch" && action.fetch.is_some() {
            continue;
        }
        let place = align::place(check.lines, node, *offset, name.len());
        let help = match *name {
            "fetch" => "allow it: `script: {fetch: {hosts: [api.example.com]}, code: …}`, or use a connection",
            _ => {
                "a script reaches its connections, `answer`, `fail`, `log`, `markdown`, `progress` and `sleep`: no network, no files, no other modules"
            }
        };
        check.warning(codes::SCRIPT_USES, place, format!("a script has no `{name}`"), help);
    }
    for call in &shape.calls {
        statement(check, action, call, node);
    }
}

fn unknown_name(check: &mut Check<'_, '_>, node: &Node, taken: &Taken<'_>, what: &str, known: &[&str]) {
    if known.contains(&taken.key) {
        return;
    }
    let place = align::place(check.lines, node, taken.start, taken.key.len());
    let message = format!("the script takes `{}`, and there is no such {what}", clip(taken.key));
    let help = if known.is_empty() { "there is none".to_owned() } else { format!("there are {}", list(known)) };
    let problem = Diagnostic::warning(codes::SCRIPT_USES, message).at(place).help(help);
    check.push(match nearest(taken.key, known.iter().copied()) {
        Some(near) => problem.label(format!("did you mean `{near}`?")),
        None => problem,
    });
}

/// A SQL text that a script holds as a whole is checked as the SQL of a tool is.
fn statement(check: &mut Check<'_, '_>, action: &Script, call: &Call<'_>, node: &Node) {
    let Some(connection) = check.spec.connections.iter().find(|other| other.name() == call.connection) else { return };
    sql::in_script(check, call.sql, connection.kind(), action.write, (node, call.start));
}
