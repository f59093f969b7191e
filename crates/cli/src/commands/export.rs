//! `mcp-factory export`.

use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use operations::all::{Export, ExportServerJson};
use operations::backup::may_write;
use operations::{Code, Context, Error, archive, server_json};
use serde_json::json;

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::session::Session;
use crate::table::counted;

const EXAMPLES: &str = "Examples:
  mcp-factory export servers.tar.gz                     all servers with all versions
  mcp-factory export shop.tar.gz --server shop-mcp
  mcp-factory export server.json --server shop-mcp --registry com.example --public-url https://a.io
";

/// Export servers as an archive, or as an entry of the official registry
///
/// The archive (`.tar.gz`) has a manifest with digests, and each version's spec as it was written, its canonical form and its plan. It
/// holds no secrets, since specs refer to them. With --registry, a `server.json` for the official MCP registry is written instead.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// This server alone
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Write a server.json with this namespace, a domain written backwards
    #[arg(long, value_name = "NAMESPACE", requires = "server")]
    registry: Option<String>,
    /// Where the world reaches the control plane, for the addresses in a server.json
    #[arg(long, value_name = "URL", requires = "registry")]
    public_url: Option<String>,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let Arguments { file, server, registry, public_url, force } = arguments;
    let printer = &session.printer;
    let dry_run = session.global.dry_run;
    let keep = |bytes: &[u8]| match dry_run {
        true => may_write(&file, force),
        false => write(&file, bytes, force),
    };
    if let (Some(namespace), Some(name)) = (registry, server.clone()) {
        let input = server_json::ExportInput { name, namespace, url: public_url };
        let found = session.run::<ExportServerJson>(&context, input).await?;
        let mut text = serde_json::to_string_pretty(&found.document).unwrap_or_default();
        text.push('\n');
        keep(text.as_bytes())?;
        found.warnings.iter().for_each(|warning| printer.warn(warning));
        let answer = json!({"file": file, "document": found.document, "warnings": found.warnings, "dryRun": dry_run});
        printer.answer(&answer, |style| format!("{} {}", session.done(style, "wrote", "would write"), file.display()));
        if dry_run {
            session.tell_tried();
        }
        return Ok(OK);
    }
    let found = session.run::<Export>(&context, archive::ExportInput { name: server }).await?;
    let bytes = BASE64_STANDARD
        .decode(&found.archive)
        .map_err(|error| Error::new(Code::Internal, format!("the archive that came is no Base64: {error}")))?;
    keep(&bytes)?;
    let answer = json!({"file": file, "bytes": bytes.len(), "manifest": found.manifest, "dryRun": dry_run});
    printer.answer(&answer, |style| {
        let versions = counted(found.manifest.versions.len(), "version");
        let word = session.done(style, "wrote", "would write");
        format!("{word} {} with {versions}, {} bytes", file.display(), bytes.len())
    });
    if dry_run {
        session.tell_tried();
    }
    Ok(OK)
}

/// Writes a file that is not there yet, unless it may be overwritten.
fn write(file: &std::path::Path, bytes: &[u8], force: bool) -> Result<(), Error> {
    may_write(file, force)?;
    std::fs::write(file, bytes).map_err(|error| {
        Error::new(Code::CannotWrite, format!("cannot write {}: {error}", file.display()))
            .hint("check the folder's permissions and the free space of the disk")
    })
}
