//! Whom calls act as at a database.

use super::super::{Check, templates};
use crate::codes;
use crate::expression::Template;
use crate::model::{ConnectionKind, Database};
use crate::structure::clip;
use crate::syntax::Node;

/// Longest name of a role (PostgreSQL's `NAMEDATALEN`), bytes.
const ROLE_BYTES_MAX: usize = 63;

pub(super) fn all(check: &mut Check<'_, '_>, kind: ConnectionKind, database: &Database, node: &Node) {
    let (Some(acts), Some(at)) = (&database.act_as, node.get("actAs")) else { return };
    if kind != ConnectionKind::Postgresql {
        let message = format!("a connection of type `{}` cannot act for its callers", kind.as_str());
        return check.error(codes::ACT_AS, at.span, message, "remove `actAs`; it is for PostgreSQL");
    }
    if acts.role.is_none() && acts.settings.is_empty() && !check.is_damaged(at) {
        let help = "add `role` or `settings`, or remove the key";
        check.error(codes::ACT_AS, at.span, "`actAs` does not say as whom", help);
    }
    if let (Some(role), Some(node)) = (&acts.role, at.get("role")) {
        template(check, role, node);
        let is_fixed = Template::parse(role).is_ok_and(|template| template.is_literal());
        if !is_fixed && acts.roles.is_empty() {
            let help = "list those that may come out: `roles: [reader, editor]`";
            check.error(codes::ACT_AS, node.span, "any role may come out of this template", help);
        }
        if is_fixed && !acts.roles.is_empty() && !acts.roles.contains(role) {
            check.error(codes::ACT_AS, node.span, "the role is not among `roles`", "add it there, or remove `roles`");
        }
        if is_fixed {
            name(check, role, node);
        }
    }
    for (role, node) in acts.roles.iter().zip(at.get("roles").map(Node::items).unwrap_or_default()) {
        name(check, role, node);
    }
    let mut entries: Vec<_> = at.get("settings").map(Node::entries).unwrap_or_default().iter().collect();
    entries.sort_by(|one, other| one.key.text.cmp(&other.key.text));
    for ((setting, value), entry) in acts.settings.iter().zip(entries) {
        if !is_setting(setting) {
            let message = format!("`{}` is no setting of an application", clip(setting));
            let help = "write a name with a dot, such as `app.user_id`; settings of the server itself are not changed";
            check.error(codes::ACT_AS, entry.key.span, message, help);
        }
        template(check, value, &entry.value);
    }
}

fn template(check: &mut Check<'_, '_>, text: &str, node: &Node) {
    templates::of_caller(check, codes::ACT_AS, text, node);
}

fn name(check: &mut Check<'_, '_>, role: &str, node: &Node) {
    let is_word = matches!(role.to_ascii_lowercase().as_str(), "none" | "default" | "public" | "");
    if is_word || role.len() > ROLE_BYTES_MAX || role.contains('\0') {
        let message = format!("`{}` is no role that a call can act as", clip(role));
        check.error(codes::ACT_AS, node.span, message, "name a role of the database");
    }
}

/// Settings with a dot belong to applications; others change the server.
fn is_setting(name: &str) -> bool {
    name.split_once('.').is_some_and(|(first, rest)| {
        let is_part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        is_part(first) && rest.split('.').all(is_part)
    })
}
