//! Texts found by what they are like: one verb, and values that belong together.

use super::super::Check;
use super::super::templates::Names;
use crate::codes;
use crate::model::{Tool, Vector};
use crate::sql::Effects;
use crate::syntax::Node;

/// Checks an action on texts with vectors; gives what it does to the world.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Vector, node: &Node) -> Option<Effects> {
    let at = node.get("vector")?;
    let Some((verb, settings)) = action.verb() else {
        if !check.is_damaged(node) {
            let message = "an action on texts with vectors has exactly one of store, search and delete";
            check.error(codes::VECTOR, at.span, message, "keep one; a tool does one thing");
        }
        return None;
    };
    let below = at.get(verb).unwrap_or(at);
    let mut names = Names::new(check, tool, node, &[]);
    names.tree(check, &settings, below);
    names.unused(check, node, "vector");
    let wrong = if let Some(keep) = &action.store {
        let several = keep.items.is_some();
        let one = keep.text.is_some();
        (several == one || (several && (keep.id.is_some() || keep.metadata.is_some())))
            .then_some(("what is kept is either a `text` or a list of `items`", "write `text: \"{{ args.text }}\"`"))
    } else if let Some(delete) = &action.delete {
        (delete.ids.is_some() == delete.filter.is_some())
            .then_some(("what is deleted is named by either `ids` or a `filter`", "write `ids: \"{{ args.id }}\"`"))
    } else {
        None
    };
    if let Some((message, help)) = wrong.filter(|_| !check.is_damaged(node)) {
        check.error(codes::VECTOR, below.span, message, help);
    }
    Some(action.effects())
}
