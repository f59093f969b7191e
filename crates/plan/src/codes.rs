//! The diagnostics of planning.

/// Code, title and help of each diagnostic of this crate.
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
    (
        NO_ACTION,
        "the tool has neither an action nor a connection",
        "Without an action key (`sql`, `reply`) a tool's action is inferred from its connection. This tool names no \
         connection, so it answers every call with an error that says so. Give it `connection: <name>` or an action.",
    ),
    (
        NOT_INFERRED,
        "the action could not be inferred",
        "The tool's name, description, parameters and `returns` are compared with the tables and columns that the \
         database really has. Nothing there explains the tool well enough, and a guess would answer wrongly. Write \
         the statement under `sql`, or change the tool so that its words are those of the database.",
    ),
    (
        AMBIGUOUS,
        "several tables fit the tool equally well",
        "Name the table in the tool's name or description, add parameters or `returns` that only one of them has, or write `sql`.",
    ),
    (
        UNREACHED,
        "the connection was not reached",
        "The plan was made without looking at the database: written SQL was not checked against it, and nothing \
         could be inferred. Check the URL in the environment variable and plan again.",
    ),
    (
        NO_COLUMN,
        "a property of `returns` has no column",
        "The rows have no column for it, so answers do not have it. Alias a column to that name, or remove the property.",
    ),
    (
        NULLABLE,
        "a column that may be NULL meets a type without null",
        "`returns` declares a type that null is not part of, but the column may be NULL; such a row would not conform. \
         Write `type: [string, \"null\"]`, or `COALESCE` the column in the SQL.",
    ),
    (
        IGNORED,
        "a parameter has no effect",
        "Nothing in the database fits this optional parameter, so it is taken and ignored. Remove it, name it like its column, or write `sql`.",
    ),
    (
        UNORDERED,
        "pages without an order",
        "Without `ORDER BY` the database may give rows in another order on each page, so that rows are repeated or \
         missed. Add an `ORDER BY` over a unique column, or use `by: keyset` with `key`.",
    ),
    (
        REFUSED,
        "the database refuses the statement",
        "The statement was prepared on the live database, without running it, and was refused. The message is the \
         database's own.",
    ),
    (
        PIN_DROPPED,
        "a pinned plan no longer fits",
        "A person pinned or edited this tool's plan, but it no longer fits the spec (its parameters, its connection, \
         or its SQL). The tool was planned anew.",
    ),
    (
        NO_PAGE,
        "the statement cannot be given in pages",
        "Pages need one query (`SELECT`, `VALUES`, `WITH … SELECT`) that gives rows and locks nothing.",
    ),
    (
        GUESSED,
        "a choice that a person should look at",
        "The plan rests on a guess that is probably right. Read the tool's plan; pin it, or write `sql`.",
    ),
    (
        PARAMETER_TYPE,
        "a parameter's type differs from what the database takes",
        "The database wants another type at this place than the spec declares, so calls would fail. Change the \
         parameter's `type`, or cast it in the SQL.",
    ),
];
