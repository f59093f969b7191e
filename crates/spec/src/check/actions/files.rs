//! Files: one verb, and values that belong together.

use super::super::Check;
use super::super::templates::Names;
use crate::codes;
use crate::model::{Files, Tool};
use crate::sql::Effects;
use crate::syntax::Node;

/// Checks an action on files; gives what it does to the world.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Files, node: &Node) -> Option<Effects> {
    let at = node.get("files")?;
    let Some((verb, settings)) = action.verb() else {
        if !check.is_damaged(node) {
            let message = "an action on files has exactly one of list, read, write, delete, move, search, stat, folder and presign";
            check.error(codes::FILES, at.span, message, "keep one; a tool does one thing");
        }
        return None;
    };
    let below = at.get(verb).unwrap_or(at);
    let mut names = Names::new(check, tool, node, &[]);
    names.tree(check, &settings, below);
    let mut wrong = |message: &str, help: &str| check.error(codes::FILES, below.span, message, help);
    if let Some(write) = &action.write {
        let given = [write.text.is_some(), write.base64.is_some(), write.json.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1 && !check.is_damaged(node) {
            let message = "what is written is exactly one of text, base64 and json";
            check.error(codes::FILES, below.span, message, "write `text: \"{{ args.content }}\"`");
        }
    } else if let Some(read) = &action.read {
        let bytes = read.offset.is_some() || read.length.is_some();
        if bytes && (read.head.is_some() || read.tail.is_some()) {
            wrong("a part of a file is either bytes or lines", "keep `offset` and `length`, or `head` and `tail`");
        }
    }
    names.unused(check, node, "files");
    Some(action.effects())
}
