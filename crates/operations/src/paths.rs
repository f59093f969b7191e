//! Where this program keeps things.

use serde::Serialize;

use crate::Context;
use crate::context::STORE;
use crate::deploy::{LOGS, RESIDENTS};
use crate::reserved::LOCK_FILE;

/// Folder of what scripts remember, below the home folder.
pub(crate) const STATE: &str = "state";
/// Folder of tokens of APIs, below the home folder.
pub(crate) const TOKENS: &str = "tokens";
/// Folder of tasks, below the home folder: a file for each server that runs alone, and one for those that are deployed.
pub const TASKS: &str = "tasks";

/// A place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// A word for it.
    pub name: &'static str,
    /// Where it is.
    pub path: String,
    /// What is there.
    pub about: &'static str,
    /// Whether something is there.
    pub exists: bool,
}

/// The places, the program itself first. Nothing is made.
pub fn paths(context: &Context) -> Vec<Kept> {
    let home = context.home.path();
    let place = |name, path: std::path::PathBuf, about| Kept {
        name,
        exists: path.exists(),
        path: path.display().to_string(),
        about,
    };
    let mut found = Vec::new();
    found.extend(std::env::current_exe().ok().map(|path| place("program", path, "the program")));
    found.push(place("home", home.to_owned(), "everything that is kept"));
    found.push(match context.environment.get(STORE) {
        // The URL may hold a password.
        Some(_) => Kept {
            name: "store",
            path: format!("the database of {STORE}"),
            about: "servers, keys, accounts, the audit log",
            exists: context.has_store(),
        },
        None => place("store", home.join(store::FILE_NAME), "servers, keys, accounts, the audit log"),
    });
    let more = [
        ("logs", LOGS, "a line for each call of a deployed server"),
        ("state", STATE, "what scripts remember, and timers"),
        ("tokens", TOKENS, "what APIs gave for users who authorised servers, and sign-ins of `connect URL`"),
        ("tasks", TASKS, "calls that go on as tasks"),
        ("servers", RESIDENTS, "which servers were launched here, where several control planes share a store"),
        ("control plane", LOCK_FILE, "held by the control plane that runs on this home folder"),
    ];
    found.extend(more.map(|(name, below, about)| place(name, home.join(below), about)));
    found
}
