//! Groups of tools.

use super::Check;
use crate::codes;
use crate::structure::clip;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>) {
    let nodes = check.list("groups");
    for node in nodes.iter().filter_map(|group| group.get("name")) {
        name(check, node);
    }
    check.duplicates("group", nodes.iter().filter_map(|group| group.get("name")), true);
    let tools = check.names.tools.clone();
    for node in nodes.iter().filter_map(|group| group.get("tools")).flat_map(Node::items) {
        if node.as_str().is_some_and(|tool| !check.names.has_tool(tool)) {
            check.unknown(codes::UNKNOWN_TOOL, false, node, "tool", &tools);
        }
    }
    let declared: Vec<String> = nodes.iter().filter_map(|group| group.str_of("name")).map(str::to_owned).collect();
    for node in check.list("tools").iter().filter_map(|tool| tool.get("groups")).flat_map(Node::items) {
        match node.as_str() {
            // Without a list of groups the tools say which there are.
            Some(group) if !declared.is_empty() && !declared.iter().any(|known| known == group) => {
                check.unknown(codes::GROUP, false, node, "group", &declared);
            }
            _ if declared.is_empty() => name(check, node),
            _ => {}
        }
    }
    if check.report.has_errors() {
        return;
    }
    for group in check.spec.all_groups().iter().filter(|group| group.tools.is_empty()) {
        let at = nodes.iter().find(|node| node.str_of("name") == Some(&group.name));
        let message = format!("the group `{}` has no tools", clip(&group.name));
        let help = "list them under `tools`, or name the group in the `groups` of tools";
        check.error(codes::GROUP, at.map_or(check.tree.span, |node| node.span_of("name")), message, help);
    }
}

/// A group is a part of a URL.
fn name(check: &mut Check<'_, '_>, node: &Node) {
    let text = node.as_str().unwrap_or_default();
    if !super::names::is_kebab(text) || text.len() > crate::limits::NAME_CHARS_MAX {
        let message = format!("`{}` is no name of a group", clip(text));
        let help = "it is a part of a URL: write lower-case letters, digits and single hyphens, a letter first";
        check.error(codes::GROUP, node.span, message, help);
    }
}
