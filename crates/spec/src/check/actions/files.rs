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
            let message = "an action on files has exactly one of list, read, write, edit, delete, move, search, stat, folder, tree, roots and presign";
            check.error(codes::FILES, at.span, message, "keep one; a tool does one thing");
        }
        return None;
    };
    let below = at.get(verb).unwrap_or(at);
    let mut names = Names::new(check, tool, node, &[]);
    names.tree(check, &settings, below);
    if let Some((message, help)) = wrong(action).filter(|_| !check.is_damaged(node)) {
        check.error(codes::FILES, below.span, message, help);
    }
    names.unused(check, node, "files");
    Some(action.effects())
}

/// What does not belong together, with what to write.
fn wrong(action: &Files) -> Option<(&'static str, &'static str)> {
    if let Some(write) = &action.write {
        let given = [write.text.is_some(), write.base64.is_some(), write.json.is_some()];
        return (given.into_iter().filter(|given| *given).count() != 1).then_some((
            "what is written is exactly one of text, base64 and json",
            "write `text: \"{{ args.content }}\"`",
        ));
    }
    let read = action.read.as_ref()?;
    let bytes = read.offset.is_some() || read.length.is_some();
    let lines = read.head.is_some() || read.tail.is_some();
    if read.path.is_some() == read.paths.is_some() {
        return Some(("what is read is named by either `path` or `paths`", "write `path: \"{{ args.path }}\"`"));
    }
    if read.paths.is_some() && (bytes || lines) {
        return Some((
            "several files are read whole",
            "remove `offset`, `length`, `head` and `tail`, or read one file",
        ));
    }
    (bytes && lines)
        .then_some(("a part of a file is either bytes or lines", "keep `offset` and `length`, or `head` and `tail`"))
}
