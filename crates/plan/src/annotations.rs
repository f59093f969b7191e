//! Hints about a tool, derived from its statements.

use spec::model::Annotations;
use spec::sql::Effects;

/// The hints of a tool whose statements have these effects; what the spec says wins. All four are said.
/// `open` says that it reaches what belongs to others.
pub(crate) fn derive(declared: &Annotations, effects: &[Effects], open: bool) -> Annotations {
    Annotations {
        read_only_hint: Some(declared.read_only_hint.unwrap_or_else(|| effects.iter().all(|e| e.read_only))),
        destructive_hint: Some(declared.destructive_hint.unwrap_or_else(|| effects.iter().any(|e| e.destructive))),
        idempotent_hint: Some(declared.idempotent_hint.unwrap_or_else(|| effects.iter().all(|e| e.idempotent))),
        open_world_hint: Some(declared.open_world_hint.unwrap_or(open)),
    }
}
