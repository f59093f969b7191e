//! The hidden command that writes the generated contracts of the repository.

use std::path::PathBuf;

use clap::Args;
use operations::{Code, Error};

use super::OK;
use crate::reference;
use crate::session::Session;

/// Write the generated contracts below a folder
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Root of the repository
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    let mut written = Vec::new();
    for (path, text) in reference::files() {
        let path = arguments.folder.join(path);
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        made.map_err(|error| {
            Error::new(Code::CannotWrite, format!("cannot write {}: {error}", path.display()))
                .hint("check the folder's permissions and the free space of the disk")
        })?;
        written.push(path.display().to_string());
    }
    session.printer.answer(&written, |_| written.join("\n"));
    Ok(OK)
}
