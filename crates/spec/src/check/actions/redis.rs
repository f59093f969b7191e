//! Commands of Redis.

use serde_json::Value;

use super::super::Check;
use super::super::templates::Names;
use crate::codes;
use crate::expression::is_template;
use crate::model::{Redis, RedisType, Tool};
use crate::redis::{Class, class};
use crate::sql::Effects;
use crate::syntax::Node;

/// Most commands of an action.
const COMMANDS_MAX: usize = 100;

/// Checks commands; gives what they do to the world.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Redis, node: &Node) -> Option<Effects> {
    let at = node.get("redis")?;
    let mut names = Names::new(check, tool, node, &[]);
    let given = [action.command.is_some(), action.commands.is_some(), action.scan.is_some()];
    if given.iter().filter(|given| **given).count() != 1 && !check.is_damaged(at) {
        let help = "give exactly one of `command`, `commands` and `scan`";
        check.error(codes::REDIS, at.span, "the action does not say one thing that is done", help);
    }
    let one = at.get("command").into_iter();
    let nodes: Vec<&Node> = one.chain(at.get("commands").map(Node::items).unwrap_or_default()).collect();
    if nodes.len() > COMMANDS_MAX {
        let message = format!("the action has {} commands", nodes.len());
        check.error(codes::REDIS, at.span, message, format!("allowed: {COMMANDS_MAX}; more belong in a `script`"));
    }
    let mut writes = false;
    for (words, node) in action.all().zip(&nodes) {
        writes |= command(check, action, words, node);
        names.tree(check, &Value::Array(words.clone()), node);
    }
    if action.write && !writes && !check.is_damaged(at) && given != [false; 3] {
        let help = "remove `write: true`";
        check.warning(codes::REDIS_WRITE, at.span_of("write"), "nothing here changes data", help);
    }
    scan(check, &mut names, action, at);
    names.unused(check, node, "redis");
    Some(action.effects())
}

/// Checks one command; whether it changes data.
fn command(check: &mut Check<'_, '_>, action: &Redis, words: &[Value], node: &Node) -> bool {
    let literal: Vec<&str> = words.iter().map_while(Value::as_str).take_while(|word| !is_template(word)).collect();
    if literal.is_empty() {
        if !check.is_damaged(node) {
            let help = "write the command's name first, such as `[GET, \"user:{{ args.id }}\"]`";
            check.error(codes::REDIS, node.span, "the command has no name that is written out", help);
        }
        return false;
    }
    match class(&literal) {
        Ok(Class::Read) => false,
        Ok(Class::Script) if literal.len() < 2 => {
            let help = "write the script out; values of a caller go into its keys and arguments";
            check.error(codes::REDIS, node.span, "the script of the command is not written out", help);
            true
        }
        Ok(class) => {
            if !action.write {
                let what = if class == Class::Script { "runs a script at the server" } else { "changes data" };
                let message = format!("`{}` {what}, and the action does not say that it writes", literal[0]);
                check.error(codes::REDIS, node.span, message, "add `write: true` if the tool should change data");
            }
            true
        }
        Err(why) => {
            check.error(codes::REDIS, node.span, why, "use another command; reads are allowed as they are");
            false
        }
    }
}

fn scan(check: &mut Check<'_, '_>, names: &mut Names<'_>, action: &Redis, at: &Node) {
    let (Some(scan), Some(at)) = (&action.scan, at.get("scan")) else { return };
    for (text, key) in [(&scan.key, "key"), (&scan.pattern, "match"), (&scan.cursor, "cursor")] {
        if let (Some(text), Some(at)) = (text, at.get(key)) {
            names.text(check, text, at);
        }
    }
    if let (Some(limit), Some(at)) = (&scan.limit, at.get("limit")) {
        names.tree(check, limit, at);
    }
    let members = [Some(RedisType::Hash), Some(RedisType::Set), Some(RedisType::Zset)];
    if scan.key.is_some() && !members.contains(&scan.kind) {
        let help = "add `type: hash`, `type: set` or `type: zset`";
        check.error(codes::REDIS, at.span, "the walk through the members of a key needs the key's type", help);
    }
}
