//! Annotations against what the action does. A client trusts them when it decides whether to ask
//! a person, so a wrong one is unsafe.

use super::Check;
use crate::codes;
use crate::model::Tool;
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
    if read_only && !effects.read_only {
        let help = "remove it: the hint is derived from the SQL";
        check.error(
            codes::ANNOTATIONS,
            at.span_of("readOnlyHint"),
            "the tool writes, and `readOnlyHint` says that it does not",
            help,
        );
    }
    if hints.destructive_hint == Some(false) && effects.destructive {
        let help = "remove it: the hint is derived from the SQL";
        let message = "the tool overwrites or removes data, and `destructiveHint` says that it does not";
        check.error(codes::ANNOTATIONS, at.span_of("destructiveHint"), message, help);
    }
    if hints.idempotent_hint == Some(true) && !effects.idempotent {
        let help = "remove it: a client that repeats the call would change the data again";
        let message = "calling the tool twice is not the same as calling it once, and `idempotentHint` says that it is";
        check.error(codes::ANNOTATIONS, at.span_of("idempotentHint"), message, help);
    }
}
