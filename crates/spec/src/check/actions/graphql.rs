//! Operations of GraphQL APIs, as far as their text alone can be judged.

use base::Select;

use super::super::Check;
use super::super::templates::Names;
use crate::codes;
use crate::model::{Graphql, Tool};
use crate::sql::Effects;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Graphql, node: &Node) -> Option<Effects> {
    let at = node.get("graphql")?;
    let span = at.span_of("operation");
    if action.operation.trim().is_empty() {
        check.error(codes::GRAPHQL, span, "the operation is empty", "write one, such as `query { orders { id } }`");
    }
    if action.word() == Some("subscription") {
        let message = "a subscription has no end; a tool runs a query or a mutation";
        check.error(codes::GRAPHQL, span, message, "write a query");
    }
    let mut names = Names::new(check, tool, node, &[]);
    for (value, entry) in action.variables.values().zip(at.get("variables").map(Node::entries).unwrap_or_default()) {
        names.tree(check, value, &entry.value);
    }
    // A variable takes the argument of its name; the operation's own check knows better when the API's schema is there.
    for parameter in tool.parameters() {
        let variable = format!("${}", parameter.name);
        let is_used = action.operation.match_indices(&variable).any(|(at, _)| {
            let after = action.operation[at + variable.len()..].chars().next();
            !after.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        if is_used {
            names.used.insert(parameter.name.clone());
        }
    }
    if let Some(Err(why)) = action.select.as_deref().map(Select::parse) {
        let message = format!("the selection cannot be read: {why}");
        check.error(codes::GRAPHQL, at.span_of("select"), message, "write a path such as `$.user.orders`");
    }
    names.unused(check, node, "graphql");
    Some(action.effects())
}
