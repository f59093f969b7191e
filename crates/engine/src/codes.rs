//! The diagnostics of compiling a toolset.

/// Code, title and help of each diagnostic of this crate.
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

const CODES: [(&str, &str, &str); 7] = [
    (
        PLAN_DIFFERS,
        "the plan is not of this spec",
        "A plan belongs to one spec. A tool of the spec has no plan, or the plan has other tools. Plan again.",
    ),
    (
        SQL,
        "a planned statement cannot be read",
        "The SQL of the plan is cut into its parameters when the toolset is compiled, and that failed. Mend the statement \
         in the spec or in the pinned plan.",
    ),
    (
        SCHEMA,
        "a schema cannot be compiled",
        "The parameters or `returns` of a tool are no valid JSON Schema (draft 2020-12), or refer to a document outside \
         of themselves, which is never fetched.",
    ),
    (
        UNBOUND,
        "a planned statement uses a name that nothing binds",
        "Every `:name` of a statement must be a parameter of its tool, a field of a batch element, `:item`, or one of the \
         page's own names (`:page_limit`, `:page_offset`, `:page_key_1` …).",
    ),
    (
        REPLY,
        "a fixed answer does not conform to `returns`",
        "Clients check answers against the tool's output schema. Change the reply or `returns`.",
    ),
    (
        RESOURCE,
        "a resource cannot be read",
        "A resource with `tool` needs a tool of that name, and every `{name}` of its URI must be a parameter of that tool.",
    ),
    (
        ENGINE,
        "the plan is written for another engine",
        "The plan's SQL is in the dialect of the engine that the connection named when it was made. The connection now \
         names another one. Plan again.",
    ),
];
