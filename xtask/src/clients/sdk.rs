//! The SDKs under test.

use std::time::Duration;

use anyhow::Result;

use crate::exec::Run;
use crate::repo;
use crate::setup::python;

/// Longest run of one client.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One SDK, of one age, in one mode.
pub struct Sdk {
    pub name: &'static str,
    language: Language,
    /// `legacy` connects by `initialize`, `auto` asks `server/discover` first.
    pub mode: &'static str,
    /// The revision that it agrees on with a server that knows all of them.
    pub revision: &'static str,
}

enum Language {
    /// `client.py` in this environment.
    Python(&'static str),
    /// This script.
    TypeScript(&'static str),
}

/// The newest revision.
pub const MODERN: &str = "2026-07-28";
/// The newest revision that begins with `initialize`.
pub const LEGACY: &str = "2025-11-25";

pub const SDKS: [Sdk; 7] = [
    Sdk { name: "python 1.9", language: Language::Python("py-old"), mode: "legacy", revision: "2025-03-26" },
    Sdk { name: "python 1.30", language: Language::Python("py-1x"), mode: "legacy", revision: LEGACY },
    Sdk { name: "python 2.3", language: Language::Python("py"), mode: "auto", revision: MODERN },
    Sdk { name: "python 2.3 legacy", language: Language::Python("py"), mode: "legacy", revision: LEGACY },
    Sdk { name: "typescript 1.32", language: Language::TypeScript("old.mjs"), mode: "legacy", revision: LEGACY },
    Sdk { name: "typescript 2.4", language: Language::TypeScript("new.mjs"), mode: "auto", revision: MODERN },
    Sdk { name: "typescript 2.4 legacy", language: Language::TypeScript("new.mjs"), mode: "legacy", revision: LEGACY },
];

impl Sdk {
    /// The client program, without its arguments.
    pub fn command(&self) -> Result<Run> {
        let folder = repo::root()?.join("tests/clients");
        match self.language {
            Language::Python(environment) => {
                Ok(Run::new(python::program(environment, "python")?).arg(folder.join("python/client.py")))
            }
            Language::TypeScript(script) => Ok(Run::new(python::node()?).arg(folder.join("node").join(script))),
        }
    }
}
