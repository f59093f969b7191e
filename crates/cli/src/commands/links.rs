//! `mcp-factory links`.

use std::path::{Path, PathBuf};

use clap::Args;
use operations::{Code, Error};
use serde_json::json;

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::links::NAMES;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory links ~/.local/bin
  mcp-create --spec ./inventory-mcp.yaml      is then the same as `mcp-factory create --spec …`
";

/// Make the names mcp-create, mcp-list and so on, as links to this program
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Folder to make the links in; it is made when absent
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Replace links and files of these names
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    let folder = &arguments.folder;
    let failed = |what: &Path, error: &std::io::Error| {
        Error::new(Code::CannotWrite, format!("cannot make {}: {error}", what.display()))
            .hint("choose a folder that you may write, such as ~/.local/bin")
    };
    let program = std::env::current_exe().and_then(std::fs::canonicalize);
    let program = program.map_err(|error| {
        Error::new(Code::Internal, format!("the path of this program is not known: {error}"))
            .hint("make the links by hand: `ln -s /path/to/mcp-factory mcp-create`")
    })?;
    let dry_run = session.global.dry_run;
    if !dry_run {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    }
    let (mut made, mut would) = (Vec::new(), Vec::new());
    for name in NAMES {
        let link = folder.join(format!("mcp-{name}"));
        match std::fs::symlink_metadata(&link) {
            Ok(_) if points_to(&link, &program) => {}
            Ok(_) if !arguments.force => {
                return Err(Error::new(
                    Code::VersionConflict,
                    format!("{} exists and is something else", link.display()),
                )
                .hint("replace it with `--force`, or choose another folder"));
            }
            Ok(_) if dry_run => would.push(format!("would replace {}", link.display())),
            Ok(_) => std::fs::remove_file(&link).map_err(|error| failed(&link, &error))?,
            Err(_) if dry_run => would.push(format!("would make {}", link.display())),
            Err(_) => {}
        }
        if !dry_run && !points_to(&link, &program) {
            symlink(&program, &link).map_err(|error| failed(&link, &error))?;
        }
        made.push(link.display().to_string());
    }
    let answer = json!({ "program": program.display().to_string(), "links": made, "dryRun": dry_run });
    session.printer.answer(&answer, |_| match dry_run {
        true if would.is_empty() => "every link is there".to_owned(),
        true => format!("{}\neach would lead to {}", would.join("\n"), program.display()),
        false => made.join("\n"),
    });
    if dry_run {
        session.tell_tried();
        return Ok(OK);
    }
    if !session.printer.is_json() && !on_path(folder) {
        session.printer.note(&format!("add the folder to your path: `export PATH=\"{}:$PATH\"`", folder.display()));
    }
    Ok(OK)
}

fn points_to(link: &Path, program: &Path) -> bool {
    std::fs::read_link(link).is_ok_and(|target| target == program)
}

fn on_path(folder: &Path) -> bool {
    let Ok(folder) = std::fs::canonicalize(folder) else { return false };
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|entry| std::fs::canonicalize(entry).is_ok_and(|entry| entry == folder))
    })
}

#[cfg(unix)]
fn symlink(program: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(program, link)
}

#[cfg(not(unix))]
fn symlink(program: &Path, link: &Path) -> std::io::Result<()> {
    std::fs::copy(program, link.with_extension("exe")).map(drop)
}
