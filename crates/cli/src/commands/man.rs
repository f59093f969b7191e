//! `mcp-factory man`.

use std::path::PathBuf;

use clap::Args;
use operations::{Code, Error};
use serde_json::json;

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::manual;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory man | man -l -
  mcp-factory man create | man -l -
  mcp-factory man --to ~/.local/share/man/man1        then `man mcp-factory-create` finds them
";

/// Print a manual page, or write all of them
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// The command that the page is about [default: the program]
    #[arg(value_name = "TOPIC", conflicts_with = "to")]
    topic: Option<String>,
    /// Write all pages to this folder
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    let Some(folder) = &arguments.to else {
        let page = manual::page(arguments.topic.as_deref()).ok_or_else(|| {
            let topic = arguments.topic.as_deref().unwrap_or_default();
            Error::new(Code::Usage, format!("there is no command `{topic}`"))
                .hint("`mcp-factory help` lists the commands")
        })?;
        session.printer.answer(&json!({ "page": page }), |_| page.clone());
        return Ok(OK);
    };
    let failed = |path: &std::path::Path, error: std::io::Error| {
        Error::new(Code::CannotWrite, format!("cannot write {}: {error}", path.display()))
            .hint("check the folder's permissions and the free space of the disk")
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut written = Vec::new();
    for (name, text) in manual::pages() {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
        written.push(path.display().to_string());
    }
    session.printer.answer(&json!({ "written": written }), |_| written.join("\n"));
    Ok(OK)
}
