//! `mcp-factory import`.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use operations::all::{Import, ImportServerJson};
use operations::{Code, Context, Error, archive, server_json};
use serde_json::{Map, Value};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;
use crate::table::table;

/// The largest file that is read.
const FILE_BYTES_MAX: u64 = archive::ARCHIVE_BYTES_MAX;

const EXAMPLES: &str = "Examples:
  mcp-factory import servers.tar.gz
  mcp-factory import servers.tar.gz --dry-run           say what would be stored, and what conflicts
  mcp-factory import server.json --name weather         a server whose calls go to its remote
";

/// Import servers from an archive, or an entry of the official registry
///
/// An archive of `export` is stored as a whole or not at all: a version that is stored with another content is a conflict, unless --force
/// replaces it. A `server.json` of the official MCP registry with a remote becomes a server that passes calls on to it; the variables
/// for what the remote wants to be shown are named.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// An archive, or a server.json
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name of the server that a server.json becomes
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Replace stored versions that have another content
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let Arguments { file, name, force } = arguments;
    let dry_run = session.global.dry_run;
    let bytes = read(&file)?;
    let printer = &session.printer;
    if bytes.trim_ascii_start().starts_with(b"[") {
        let what = format!("{} holds a JSON array: neither a server.json nor an archive", file.display());
        return Err(Error::new(Code::BadArchive, what).hint(
            "a server.json of the MCP registry is one JSON object with `name` and `remotes`; an archive is what `mcp-factory export` writes",
        ));
    }
    if bytes.trim_ascii_start().starts_with(b"{") {
        let document: Map<String, Value> = serde_json::from_slice(&bytes)
            .map_err(|error| Error::new(Code::BadArchive, format!("{} is not JSON: {error}", file.display())))?;
        let input = server_json::ImportInput { document, name, force, dry_run };
        let done = session.run::<ImportServerJson>(&context, input).await?;
        printer.answer(&done, |style| {
            let word = if dry_run { "would make" } else { "made" };
            format!(
                "{} {} {} with {} tools",
                style.green(word),
                done.made.name,
                done.made.version,
                done.made.tools.len()
            )
        });
        for variable in &done.variables {
            printer.note(&format!("set {variable}: the remote wants it to be shown"));
        }
        return Ok(OK);
    }
    if name.is_some() {
        return Err(Error::new(
            Code::Usage,
            format!("{} is an archive, and `--name` names what a server.json becomes", file.display()),
        )
        .hint("leave `--name` out: servers of an archive keep their names"));
    }
    let input = archive::ImportInput { archive: BASE64_STANDARD.encode(bytes), force, dry_run };
    let done = session.run::<Import>(&context, input).await?;
    let conflicts = done.versions.iter().filter(|one| one.result == "conflict").count();
    printer.answer(&done, |style| {
        let rows = done.versions.iter().map(|one| vec![one.name.clone(), one.version.clone(), one.result.clone()]);
        table(style, &["SERVER", "VERSION", "RESULT"], &rows.collect::<Vec<_>>())
    });
    Ok(if conflicts > 0 { BAD_NEWS } else { OK })
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Error::new(Code::FileNotFound, format!("there is no file {}", file.display())).hint("check the path")
        }
        _ => Error::new(Code::FileUnreadable, format!("cannot read {}: {error}", file.display()))
            .hint("check that it is a file and that you may read it"),
    };
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(failed)?;
    if opened.metadata().is_ok_and(|data| data.is_dir()) {
        return Err(Error::new(Code::FileUnreadable, format!("{} is a folder", file.display()))
            .hint("name an archive that `mcp-factory export` wrote, or a server.json; `mcp-factory create --spec FILE` takes a spec"));
    }
    opened.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
