//! Annotations against what the action does. A client trusts them when it decides whether to ask
//! a person, so a wrong one is unsafe.

use super::Check;
use crate::codes;
use crate::model::{Action, Tool};
use crate::sql::Effects;
use crate::syntax::Node;

pub(super) fn all(check: &mut Check<'_, '_>, tool: &Tool, node: &Node, effects: Option<Effects>) {
    let Some(at) = node.get("annotations") else { return };
    let hints = &tool.annotations;
    let read_only = hints.read_only_hint == Some(true);
    if read_only && hints.destructive_hint == Some(true) {
        let help = "a tool that changes nothing destroys nothing: keep one of the two";
        return check.error(
            codes::ANNOTATIONS,
            at.span_of("destructiveHint"),
            "`readOnlyHint` and `destructiveHint` contradict each other",
            help,
        );
    }
    let Some(effects) = effects else { return };
    // Many APIs search by POST. What a script or a method of an API does twice, or destroys, only its author knows.
    let read_only_known = !matches!(&tool.action, Some(Action::Http(action)) if action.method == "POST");
    let known =
        !matches!(tool.action, Some(Action::Http(_) | Action::Graphql(_) | Action::Grpc(_) | Action::Script(_)));
    if read_only && !effects.read_only && read_only_known {
        let help = "remove it: the hint is derived from the SQL";
        check.error(
            codes::ANNOTATIONS,
            at.span_of("readOnlyHint"),
            "the tool writes, and `readOnlyHint` says that it does not",
            help,
        );
    }
    if hints.destructive_hint == Some(false) && effects.destructive && known {
        let help = "remove it: the hint is derived from the SQL";
        let message = "the tool overwrites or removes data, and `destructiveHint` says that it does not";
        check.error(codes::ANNOTATIONS, at.span_of("destructiveHint"), message, help);
    }
    if hints.idempotent_hint == Some(true) && !effects.idempotent && known {
        let help = "remove it: a client that repeats the call would change the data again";
        let message = "calling the tool twice is not the same as calling it once, and `idempotentHint` says that it is";
        check.error(codes::ANNOTATIONS, at.span_of("idempotentHint"), message, help);
    }
}
