//! `mcp-factory export`.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use operations::all::{Export, ExportServerJson};
use operations::backup::{keep, may_write};
use operations::{Code, Context, Error, archive, server_json};
use serde_json::{Value, json};

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
    /// The file to write, or `-` for standard output
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
    let dry_run = session.global.dry_run;
    let out = Out { is_stream: file.as_os_str() == "-", file, force, session };
    if let (Some(namespace), Some(name)) = (registry, server.clone()) {
        let input = server_json::ExportInput { name, namespace, url: public_url };
        let found = session.run::<ExportServerJson>(&context, input).await?;
        let mut text = serde_json::to_string_pretty(&found.document).unwrap_or_default();
        text.push('\n');
        out.keep(text.as_bytes())?;
        found.warnings.iter().for_each(|warning| session.printer.warn(warning));
        let answer =
            json!({"file": out.file, "document": found.document, "warnings": found.warnings, "dryRun": dry_run});
        out.tell(&answer, "");
        return Ok(OK);
    }
    let found = session.run::<Export>(&context, archive::ExportInput { name: server }).await?;
    let bytes = BASE64_STANDARD
        .decode(&found.archive)
        .map_err(|error| Error::new(Code::Internal, format!("the archive that came is no Base64: {error}")))?;
    if out.is_stream && !dry_run && std::io::stdout().is_terminal() {
        return Err(Error::new(Code::Usage, "the archive is compressed, and standard output is a terminal")
            .hint("name a file, or pass it on: `mcp-factory export - | …`"));
    }
    out.keep(&bytes)?;
    let answer = json!({"file": out.file, "bytes": bytes.len(), "manifest": found.manifest, "dryRun": dry_run});
    let versions = counted(found.manifest.versions.len(), "version");
    out.tell(&answer, &format!(" with {versions}, {} bytes", bytes.len()));
    Ok(OK)
}

/// Where it goes.
struct Out<'a> {
    file: PathBuf,
    /// It goes to standard output, where nothing else may be then.
    is_stream: bool,
    force: bool,
    session: &'a Session,
}

impl Out<'_> {
    /// Writes it, unless it is only tried.
    fn keep(&self, bytes: &[u8]) -> Result<(), Error> {
        let dry_run = self.session.global.dry_run;
        if !self.is_stream {
            return match dry_run {
                true => may_write(&self.file, self.force),
                false => keep(&self.file, bytes, self.force),
            };
        }
        if dry_run {
            return Ok(());
        }
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| {
            Error::new(Code::CannotWrite, format!("cannot write to standard output: {error}"))
                .hint("check where the output goes")
        })
    }

    /// Says what was written.
    fn tell(&self, answer: &Value, more: &str) {
        let Session { printer, global } = self.session;
        let place = if self.is_stream { "to standard output".to_owned() } else { self.file.display().to_string() };
        let said = |style| format!("{} {place}{more}", self.session.done(style, "wrote", "would write"));
        match self.is_stream {
            true => printer.note(&said(printer.message_style())),
            false => printer.answer(answer, said),
        }
        if global.dry_run {
            self.session.tell_tried();
        }
    }
}
