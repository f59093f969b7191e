//! The diagnostics of planning.

/// Code, title and help page (Markdown) of each diagnostic of this crate.
pub fn codes() -> &'static [(&'static str, &'static str, &'static str)] {
    &CODES
}

pub(crate) const NO_ACTION: &str = "MF0801";
pub(crate) const NOT_INFERRED: &str = "MF0802";
pub(crate) const AMBIGUOUS: &str = "MF0803";
pub(crate) const UNREACHED: &str = "MF0804";
pub(crate) const NO_COLUMN: &str = "MF0805";
pub(crate) const NULLABLE: &str = "MF0806";
pub(crate) const IGNORED: &str = "MF0807";
pub(crate) const UNORDERED: &str = "MF0808";
pub(crate) const REFUSED: &str = "MF0809";
pub(crate) const PIN_DROPPED: &str = "MF0810";
pub(crate) const NO_PAGE: &str = "MF0811";
pub(crate) const GUESSED: &str = "MF0812";
pub(crate) const PARAMETER_TYPE: &str = "MF0813";

const CODES: [(&str, &str, &str); 13] = [
    (NO_ACTION, "the tool has neither an action nor a connection", include_str!("codes/MF0801.md")),
    (NOT_INFERRED, "the action could not be inferred", include_str!("codes/MF0802.md")),
    (AMBIGUOUS, "several tables fit the tool equally well", include_str!("codes/MF0803.md")),
    (UNREACHED, "the connection was not reached", include_str!("codes/MF0804.md")),
    (NO_COLUMN, "a property of `returns` has no column", include_str!("codes/MF0805.md")),
    (NULLABLE, "a column that may be NULL meets a type without null", include_str!("codes/MF0806.md")),
    (IGNORED, "a parameter has no effect", include_str!("codes/MF0807.md")),
    (UNORDERED, "pages without an order", include_str!("codes/MF0808.md")),
    (REFUSED, "the database refuses the statement", include_str!("codes/MF0809.md")),
    (PIN_DROPPED, "a pinned plan no longer fits", include_str!("codes/MF0810.md")),
    (NO_PAGE, "the statement cannot be given in pages", include_str!("codes/MF0811.md")),
    (GUESSED, "a choice that a person should look at", include_str!("codes/MF0812.md")),
    (PARAMETER_TYPE, "a parameter's type differs from what the database takes", include_str!("codes/MF0813.md")),
];
