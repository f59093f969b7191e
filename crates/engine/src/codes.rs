//! The diagnostics of compiling a toolset.

/// Code, title and help page (Markdown) of each diagnostic of this crate.
pub fn codes() -> &'static [(&'static str, &'static str, &'static str)] {
    &CODES
}

pub(crate) const PLAN_DIFFERS: &str = "MF0901";
pub(crate) const SQL: &str = "MF0902";
pub(crate) const SCHEMA: &str = "MF0903";
pub(crate) const UNBOUND: &str = "MF0904";
pub(crate) const REPLY: &str = "MF0905";
pub(crate) const RESOURCE: &str = "MF0906";
pub(crate) const ENGINE: &str = "MF0907";
pub(crate) const SCRIPT: &str = "MF0908";
pub(crate) const ACTION: &str = "MF0909";

const CODES: [(&str, &str, &str); 9] = [
    (PLAN_DIFFERS, "the plan is not of this spec", include_str!("codes/MF0901.md")),
    (SQL, "a planned statement cannot be read", include_str!("codes/MF0902.md")),
    (SCHEMA, "a schema cannot be compiled", include_str!("codes/MF0903.md")),
    (UNBOUND, "a planned statement uses a name that nothing binds", include_str!("codes/MF0904.md")),
    (REPLY, "a fixed answer does not conform to `returns`", include_str!("codes/MF0905.md")),
    (RESOURCE, "a resource cannot be read", include_str!("codes/MF0906.md")),
    (ENGINE, "the plan is written for another engine", include_str!("codes/MF0907.md")),
    (SCRIPT, "a script cannot be compiled", include_str!("codes/MF0908.md")),
    (ACTION, "an action cannot be compiled", include_str!("codes/MF0909.md")),
];
