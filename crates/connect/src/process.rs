//! Programs of this machine: started without a shell, each in a process group of its own, within limits.
//!
//! Nothing is started that the operator did not list ([`Allowed`]). A program sees the variables that it was given and no others,
//! and when it is no longer wanted its whole group ends.

mod allowed;
mod group;
mod run;

use std::path::PathBuf;

use crate::{Error, ErrorKind};

pub use allowed::Allowed;
pub use group::Started;
pub use run::{Ended, Limits, Run};

/// A program that may be started.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it is called in errors: the connection or the tool.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// The folder that it works in; this process's own without one.
    pub folder: Option<PathBuf>,
    /// The variables of its environment. There are no others.
    pub environment: Vec<(String, String)>,
}

impl Program {
    fn error(&self, kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            connection: self.name.clone(),
            attempted: "run a program",
            message: message.into(),
            code: None,
            position: None,
            hint: None,
        }
    }
}
