//! `mcp-factory fmt`, `mcp-fmt`.

use std::path::PathBuf;

use clap::Args;
use operations::all::Format;
use operations::fmt::{Input, Output};
use operations::{Code, Context, Error};
use serde::Serialize;

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::input::read_spec;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory fmt ./inventory-mcp.yaml            print the formatted text
  mcp-factory fmt --write specs/*.yaml            format the files
  mcp-factory fmt --check specs/*.yaml            exit with 1 when one is not formatted
";

/// Format specs; comments are kept and the meaning does not change
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Files, YAML or JSON; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Write the files
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Only say which files are not formatted
    #[arg(long)]
    check: bool,
}

/// The machine output.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    formatted: bool,
    files: Vec<Output>,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let mut files = Vec::new();
    for path in &arguments.files {
        let spec = read_spec(path)?;
        let done = session.run::<Format>(&context, Input { spec }).await?;
        if arguments.write && !session.global.dry_run && done.changed && path.as_os_str() != "-" {
            replace(path, &done.text)?;
        }
        files.push(done);
    }
    let report = Report { formatted: files.iter().all(|file| !file.changed), files };
    let in_place = arguments.write || arguments.check;
    let printer = &session.printer;
    if printer.is_json() {
        printer.json(&report);
    } else if in_place {
        let word = match (arguments.check, session.global.dry_run) {
            (true, _) => "not formatted",
            (false, true) => "would be formatted",
            (false, false) => "formatted",
        };
        for file in report.files.iter().filter(|file| file.changed) {
            printer.data(&format!("{word}: {}", file.name));
        }
    } else {
        for file in &report.files {
            printer.data(&file.text);
        }
    }
    if arguments.write && session.global.dry_run {
        session.tell_tried();
    }
    if arguments.check && !report.formatted {
        printer.note("`mcp-factory fmt --write FILE` formats them");
        return Ok(BAD_NEWS);
    }
    Ok(OK)
}

/// Replaces a file in one step: a reader sees the old text or the new one.
fn replace(path: &std::path::Path, text: &str) -> Result<(), Error> {
    let beside = path.with_extension(format!("fmt-{}", std::process::id()));
    let written = std::fs::metadata(path)
        .and_then(|data| {
            std::fs::write(&beside, text).and_then(|()| std::fs::set_permissions(&beside, data.permissions()))
        })
        .and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        Error::new(Code::CannotWrite, format!("cannot write {}: {error}", path.display()))
            .hint("check the folder's permissions and the free space of the disk")
    })
}
