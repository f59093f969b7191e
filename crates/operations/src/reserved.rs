//! Names that a control plane keeps for itself.

use crate::{Code, Context, Error};

/// Words of the control plane's own paths: a server of such a name could not be told from them.
pub(crate) const WORDS: [&str; 23] = [
    "call",
    "codes",
    "create",
    "deploy",
    "docs",
    "doctor",
    "explain",
    "format",
    "groups",
    "health",
    "jobs",
    "logs",
    "mcp",
    "messages",
    "metrics",
    "natural",
    "oauth",
    "plan",
    "schema",
    "servers",
    "sse",
    "templates",
    "validate",
];

/// Name of the file that the control plane of a home folder locks while it runs.
pub(crate) const LOCK_FILE: &str = "serve.lock";

/// Refuses a reserved name in the home folder of a control plane.
pub(crate) fn check(context: &Context, name: &str) -> Result<(), Error> {
    let serves = || context.jobs.is_some() || context.home.path().join(LOCK_FILE).exists();
    if !WORDS.contains(&name) || !serves() {
        return Ok(());
    }
    Err(Error::new(Code::ReservedName, format!("a server cannot be called `{name}`: the control plane uses that word"))
        .hint(format!("give it another name, such as `{name}-mcp`")))
}
