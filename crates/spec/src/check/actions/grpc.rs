//! Calls of gRPC methods, as far as the spec alone can be judged.

use base::Select;

use super::super::Check;
use super::super::templates::Names;
use crate::codes;
use crate::model::{Grpc, Tool};
use crate::sql::Effects;
use crate::structure::clip;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Grpc, node: &Node) -> Option<Effects> {
    let at = node.get("grpc")?;
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !action.method.trim_start_matches('/').split(['/', '.']).all(is_name) {
        let message = format!("`{}` is no name of a method", clip(&action.method));
        let help = "write `GetOrder`, or with its service `shop.v1.Orders/GetOrder`";
        check.error(codes::GRPC, at.span_of("method"), message, help);
    }
    let mut names = Names::new(check, tool, node, &[]);
    for (key, value) in &action.metadata {
        if let Some(at) = at.get("metadata").and_then(|metadata| metadata.get(key)) {
            names.tree(check, value, at);
        }
        if key.to_ascii_lowercase().starts_with("grpc-") {
            let message = format!("the metadata `{}` belongs to the protocol", clip(key));
            check.error(codes::GRPC, at.span_of("metadata"), message, "remove it");
        }
    }
    // Without `message` every argument is a field of the message.
    if let (Some(message), Some(at)) = (&action.message, at.get("message")) {
        names.tree(check, message, at);
        names.unused(check, node, "grpc");
    }
    if let Some(Err(why)) = action.select.as_deref().map(Select::parse) {
        let message = format!("the selection cannot be read: {why}");
        check.error(codes::GRPC, at.span_of("select"), message, "write a path such as `$.order.id`");
    }
    Some(action.effects())
}
