//! Answers that the spec itself gives.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::Check;
use super::super::sql::NO_EFFECTS;
use super::super::templates::Names;
use crate::codes;
use crate::expression::is_template;
use crate::model::{Reply, ReplyItem, Tool};
use crate::sql::Effects;
use crate::syntax::Node;

/// Most items of an answer.
const ITEMS_MAX: usize = 100;

/// Checks an answer.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Reply, node: &Node) -> Option<Effects> {
    let at = node.get("reply")?;
    let mut names = Names::new(check, tool, node, &[]);
    let (item, listed) = (action.item(), !action.content.is_empty());
    let parts = item.keys() + usize::from(action.json.is_some()) + usize::from(listed);
    let pair = action.json.is_some() && listed && parts == 2;
    if parts != 1 && !pair && !check.is_damaged(at) {
        let message = if parts == 0 { "the reply says nothing" } else { "the reply says several things" };
        let help =
            "give one of `text`, `json`, `image`, `audio`, `resource`, `link`; several are a list under `content`";
        check.error(codes::REPLY, at.span, message, help);
    }
    one(check, &mut names, &item, at);
    if let (Some(json), Some(at)) = (&action.json, at.get("json")) {
        names.tree(check, json, at);
    }
    let nodes = at.get("content").map(Node::items).unwrap_or_default();
    if nodes.len() > ITEMS_MAX {
        let message = format!("the reply has {} items", nodes.len());
        check.error(codes::REPLY, at.span_of("content"), message, format!("allowed: {ITEMS_MAX}"));
    }
    for (item, at) in action.content.iter().zip(nodes) {
        if item.keys() != 1 && !check.is_damaged(at) {
            let help = "give each item one of `text`, `image`, `audio`, `resource`, `link`";
            check.error(codes::REPLY, at.span, "the item does not say one thing", help);
        }
        one(check, &mut names, item, at);
    }
    // An answer that is the same for every call may well take arguments that it does not look at.
    if !names.used.is_empty() {
        names.unused(check, node, "reply");
    }
    Some(NO_EFFECTS)
}

fn one(check: &mut Check<'_, '_>, names: &mut Names<'_>, item: &ReplyItem, node: &Node) {
    for (path, text) in item.templates() {
        let Some(at) = path.iter().try_fold(node, |node, key| node.get(key)) else { continue };
        names.text(check, text, at);
        let fixed = !is_template(text);
        match path {
            [_, "base64"] if fixed && STANDARD.decode(text.trim()).is_err() => {
                check.error(codes::REPLY, at.span, "the text is no Base64", "write bytes as Base64 with padding");
            }
            [_, "mediaType"] if fixed && !text.contains('/') => {
                check.error(codes::MEDIA_TYPE, at.span, "the media type is not valid", "write one such as `image/png`");
            }
            [_, "uri"] if fixed && url::Url::parse(text).is_err() => {
                let help = "write an absolute URI such as `docs://handbook`";
                check.error(codes::RESOURCE_URI, at.span, "the URI is not valid", help);
            }
            _ => {}
        }
    }
    if let (Some(file), Some(at)) = (&item.resource, node.get("resource"))
        && file.text.is_some() == file.base64.is_some()
        && !check.is_damaged(at)
    {
        check.error(codes::REPLY, at.span, "the file needs exactly one of `text` and `base64`", "give one of them");
    }
}
