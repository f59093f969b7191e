//! Messages: fields that their connection knows.

use super::super::Check;
use super::super::templates::Names;
use crate::codes;
use crate::model::{ConnectionKind, Send, Tool};
use crate::sql::Effects;
use crate::syntax::Node;

/// The fields that each kind of connection knows.
const LETTER: &[&str] = &["to", "text", "cc", "bcc", "from", "replyTo", "subject", "html", "inReplyTo", "attachments"];
const SLACK: &[&str] = &["to", "text", "blocks", "thread", "broadcast"];
const SHORT: &[&str] = &["to", "text", "from"];

/// Checks a message; gives what it does to the world.
pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, action: &Send, node: &Node) -> Option<Effects> {
    let at = node.get("send")?;
    let mut names = Names::new(check, tool, node, &[]);
    names.tree(check, &serde_json::to_value(action).unwrap_or_default(), at);
    let kind = check.spec.connections.iter().find(|one| Some(one.name()) == tool.connection.as_deref());
    if let Some(kind) = kind.map(crate::model::Connection::kind) {
        fields(check, kind, at);
        let has_text = action.text.is_some()
            || (kind == ConnectionKind::Smtp && action.html.is_some())
            || (kind == ConnectionKind::Slack && action.blocks.is_some());
        if !has_text && kind.is_messenger() && !check.is_damaged(node) {
            check.error(codes::SEND, at.span, "the message has no text", "write `text: \"{{ args.text }}\"`");
        }
        if action.to.is_none()
            && matches!(kind, ConnectionKind::Smtp | ConnectionKind::Twilio)
            && !check.is_damaged(node)
        {
            check.error(codes::SEND, at.span, "the message goes to nobody", "write `to: \"{{ args.to }}\"`");
        }
    }
    names.unused(check, node, "send");
    Some(action.effects())
}

fn fields(check: &mut Check<'_, '_>, kind: ConnectionKind, at: &Node) {
    let known = match kind {
        ConnectionKind::Smtp => LETTER,
        ConnectionKind::Slack => SLACK,
        ConnectionKind::Twilio => SHORT,
        _ => return,
    };
    for entry in at.entries() {
        let key = entry.key.text.as_str();
        let is_other = LETTER.contains(&key) || SLACK.contains(&key) || SHORT.contains(&key);
        if is_other && !known.contains(&key) {
            let message = format!("a message by a connection of type `{}` has no `{key}`", kind.as_str());
            check.error(codes::SEND, entry.key.span, message, format!("it has: {}", known.join(", ")));
        }
    }
}
