//! Other MCP servers.

use super::super::Check;
use super::super::actions::{environment, program};
use super::references;
use crate::codes;
use crate::model::{Credentials, McpConnection, McpTransport};
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>, mcp: &McpConnection, node: &Node) {
    if let Ok(http) = mcp.http() {
        super::http::all(check, &http, node);
    }
    let (Some(command), Some(at)) = (&mcp.command, node.get("command")) else { return };
    program(check, &command.program, command.folder.as_deref(), at);
    environment(check, &command.env, &command.pass, at);
    for (argument, at) in command.args.iter().zip(at.get("args").map(Node::items).unwrap_or_default()) {
        references(check, argument, at.span);
    }
    let of_addresses = [
        ("headers", !mcp.headers.is_empty()),
        ("credentials", mcp.credentials != Credentials::None),
        ("tls", mcp.tls.ca_file.is_some()),
        ("transport", mcp.transport != McpTransport::Auto),
    ];
    for (key, _) in of_addresses.into_iter().filter(|(_, given)| *given) {
        let message = format!("`{key}` is for an address, and this server is a program");
        let span = node.entry(key).map_or(node.span, |entry| entry.key.span);
        check.error(codes::OTHER_SETTING, span, message, "remove it, or write `url` instead of `command`");
    }
}
