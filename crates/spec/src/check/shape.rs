//! What of results is given.

use std::collections::BTreeSet;

use super::Check;
use crate::codes;
use crate::limits::SHAPE_DEPTH_MAX;
use crate::model::Shape;
use crate::structure::clip;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>) {
    for (tool, node) in check.tools() {
        if let (Some(shape), Some(at)) = (&tool.shape, node.get("shape")) {
            one(check, shape, at);
        }
    }
}

fn one(check: &mut Check<'_, '_>, shape: &Shape, at: &Node) {
    if *shape == Shape::default() && !check.is_damaged(at) {
        let help = "add `pick`, `rename`, `limit` or `truncate`, or remove the key";
        check.error(codes::SHAPE, at.span, "the shape changes nothing", help);
    }
    let picked = at.get("pick").map(Node::items).unwrap_or_default();
    for (index, (path_text, node)) in shape.pick.iter().zip(picked).enumerate() {
        path(check, path_text, node);
        let covers = |other: &String| other == path_text || path_text.starts_with(&format!("{other}."));
        if let Some(other) = shape.pick[..index].iter().find(|other| covers(other)) {
            let message = format!("`{}` is kept already by `{}`", clip(path_text), clip(other));
            check.error(codes::SHAPE, node.span, message, "keep one of them");
        }
    }
    let mut entries: Vec<_> = at.get("rename").map(Node::entries).unwrap_or_default().iter().collect();
    entries.sort_by(|one, other| one.key.text.cmp(&other.key.text));
    let mut taken = BTreeSet::new();
    for ((old, new), entry) in shape.rename.iter().zip(entries) {
        path_at(check, old, entry.key.span);
        if new.trim().is_empty() || new.contains('.') {
            let message = format!("`{}` is no name of a field", clip(new));
            check.error(
                codes::SHAPE,
                entry.value.span,
                message,
                "write a name without dots; a field stays where it is",
            );
        }
        let owner = old.rsplit_once('.').map_or("", |(owner, _)| owner);
        if !taken.insert((owner.to_owned(), new.clone())) {
            let message = format!("two fields are renamed to `{}`", clip(new));
            check.error(codes::SHAPE, entry.value.span, message, "give one of them another name");
        }
        let within =
            |one: &String| one == old || one.starts_with(&format!("{old}.")) || old.starts_with(&format!("{one}."));
        if !shape.pick.is_empty() && !shape.pick.iter().any(within) {
            let message = format!("`{}` is renamed, but `pick` leaves it out", clip(old));
            check.error(codes::SHAPE, entry.key.span, message, "add it to `pick`; both use the old names");
        }
        let sibling = if owner.is_empty() { new.clone() } else { format!("{owner}.{new}") };
        let stays = shape.pick.contains(&sibling) && !shape.rename.contains_key(&sibling);
        if stays && sibling != *old {
            let message = format!("`{}` is renamed to `{}`, which is kept too", clip(old), clip(new));
            check.error(codes::SHAPE, entry.value.span, message, "give one of them another name");
        }
    }
}

fn path(check: &mut Check<'_, '_>, text: &str, node: &Node) {
    path_at(check, text, node.span);
}

fn path_at(check: &mut Check<'_, '_>, text: &str, span: base::Span) {
    if text.split('.').any(|part| part.trim().is_empty()) {
        let message = format!("`{}` is no path of a field", clip(text));
        check.error(codes::SHAPE, span, message, "write `id`, or `customer.name` for a field below an object");
    } else if text.split('.').count() > SHAPE_DEPTH_MAX {
        let message = format!("`{}` is deeper than {SHAPE_DEPTH_MAX} levels", clip(text));
        check.error(codes::SHAPE, span, message, "keep a field further up");
    }
}
