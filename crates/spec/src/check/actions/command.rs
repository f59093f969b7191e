//! Programs of the machine that the server runs on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::templates::Names;
use super::super::{Check, auth};
use crate::codes;
use crate::expression::is_template;
use crate::limits::COMMAND_ARGUMENTS_MAX;
use crate::model::{Command, Tool};
use crate::sql::Effects;
use crate::structure::clip;
use crate::syntax::Node;

/// Programs that read one of their arguments as a program of its own, with the options that say so.
const SHELLS: [&str; 10] = ["sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "busybox", "pwsh", "powershell"];

/// Checks a program and its arguments; gives what it does, as far as the spec says.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Command, node: &Node) -> Option<Effects> {
    let at = node.get("command")?;
    program(check, &action.program, action.folder.as_deref(), at);
    environment(check, &action.env, &action.pass, at);
    let mut names = Names::new(check, tool, node, &[]);
    arguments(check, &mut names, action, at);
    if let (Some(text), Some(at)) = (&action.stdin, at.get("stdin")) {
        names.text(check, text, at);
    }
    if action.ok_codes.is_empty() && !check.is_damaged(at) {
        check.error(codes::COMMAND, at.span_of("okCodes"), "no exit code is a success", "write `okCodes: [0]`");
    }
    for (text, (code, _)) in action.errors.values().zip(&action.errors) {
        let Some(entry) = at.get("errors").and_then(|errors| errors.entry(code)) else { continue };
        if code != "default" && !code.parse::<u8>().is_ok_and(|number| number.to_string() == *code) {
            let message = format!("`{}` is no exit code", clip(code));
            check.error(
                codes::COMMAND,
                entry.key.span,
                message,
                "write a number from 0 to 255 in quotes, or `default`",
            );
        }
        Names::of(tool, &["code", "output", "errors"]).text(check, text, &entry.value);
    }
    names.unused(check, node, "command");
    Some(action.effects())
}

fn arguments(check: &mut Check<'_, '_>, names: &mut Names<'_>, action: &Command, at: &Node) {
    let nodes = at.get("args").map(Node::items).unwrap_or_default();
    if nodes.len() > COMMAND_ARGUMENTS_MAX {
        let message = format!("the program has {} arguments", nodes.len());
        check.error(codes::COMMAND, at.span_of("args"), message, format!("allowed: {COMMAND_ARGUMENTS_MAX}"));
    }
    let shell = SHELLS.contains(&action.program.rsplit('/').next().unwrap_or_default());
    for (value, node) in action.args.iter().zip(nodes) {
        match value {
            Value::Object(_) => {
                let help = "an argument is a text; write JSON with `{{ … | tojson }}`";
                check.error(codes::COMMAND, node.span, "an argument is a map", help);
            }
            Value::String(text) if shell && is_template(text) => {
                let help = "name the program itself: a shell would read the value as a part of its language";
                check.error(codes::COMMAND_SHELL, node.span, "a value goes into the arguments of a shell", help);
            }
            _ => {}
        }
        names.tree(check, value, node);
    }
}

/// Checks a program and its folder.
pub(in crate::check) fn program(check: &mut Check<'_, '_>, program: &str, folder: Option<&str>, at: &Node) {
    let span = at.span_of("program");
    let has_parent = |path: &str| path.split('/').any(|part| part == "..");
    if program.trim().is_empty() {
        check.error(codes::COMMAND, span, "the program has no name", "write `program: git`, or an absolute path");
    } else if is_template(program) {
        let message = "the program is a template; callers do not choose what is run";
        check.error(codes::COMMAND, span, message, "write the program out");
    } else if program.contains('/') && (!program.starts_with('/') || has_parent(program)) {
        let message = format!("`{}` is neither a name nor an absolute path", clip(program));
        check.error(codes::COMMAND, span, message, "write a name such as `git`, or `/usr/bin/git`");
    } else if program.contains(char::is_whitespace) && !program.starts_with('/') {
        let message = format!("`{}` is no name of a program", clip(program));
        check.error(codes::COMMAND, span, message, "write the program and its arguments apart: `[git, status]`");
    }
    if let Some(folder) = folder
        && (!folder.starts_with('/') || has_parent(folder))
    {
        let message = "the folder is no absolute path";
        check.error(codes::COMMAND, at.span_of("folder"), message, "write a path such as `/srv/data`");
    }
}

/// Checks the variables of a program.
pub(in crate::check) fn environment(
    check: &mut Check<'_, '_>,
    env: &BTreeMap<String, String>,
    pass: &[String],
    at: &Node,
) {
    for (name, value) in env {
        let Some(entry) = at.get("env").and_then(|env| env.entry(name)) else { continue };
        auth::env_var(check, name, entry.key.span);
        super::super::connections::references(check, value, entry.value.span);
    }
    for (name, at) in pass.iter().zip(at.get("pass").map(Node::items).unwrap_or_default()) {
        auth::env_var(check, name, at.span);
    }
}
