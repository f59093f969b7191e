//! `mcp-factory validate`, `mcp-validate`.

use std::path::PathBuf;

use base::Source;
use clap::Args;
use operations::all::Validate;
use operations::validate::{Input, Output};
use operations::{Context, Error};
use serde::Serialize;

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::input::read_spec;
use crate::session::Session;
use crate::table::counted;

const EXAMPLES: &str = "Examples:
  mcp-factory validate ./inventory-mcp.yaml
  mcp-factory validate specs/*.yaml --strict
  mcp-factory validate ./inventory-mcp.yaml --output json | jq .files[].diagnostics
";

/// Check specs, without a database and without storing anything
///
/// Every problem is reported at once, with its place, what is allowed and how to mend it. Exits
/// with 1 when a spec cannot be used.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Files, YAML or JSON; - reads standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Count warnings as errors
    #[arg(long)]
    strict: bool,
}

/// The machine output.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    valid: bool,
    files: Vec<File>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    file: String,
    #[serde(flatten)]
    found: Output,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let printer = &session.printer;
    let mut files = Vec::new();
    for path in &arguments.files {
        let spec = match read_spec(path) {
            Ok(spec) => spec,
            // One file that is no text is an answer, and no reason to leave the others out.
            Err(error) if !error.diagnostics.is_empty() => {
                let source = error.text.as_ref().map_or_else(|| Source { name: "", text: "" }, |text| text.as_source());
                printer.diagnostics(&error.diagnostics, source);
                let found = Output::refused(error.diagnostics);
                files.push(File { file: path.display().to_string(), found });
                continue;
            }
            Err(error) => return Err(error),
        };
        let input = Input { spec, strict: arguments.strict };
        let spec = input.spec.clone();
        let found = session.run::<Validate>(&context, input).await?;
        printer.diagnostics(&found.diagnostics, spec.as_source());
        files.push(File { file: spec.name, found });
    }
    let report = Report { valid: files.iter().all(|file| file.found.valid), files };
    printer.answer(&report, |style| {
        let line = |file: &File| {
            let found = &file.found;
            let head = if found.valid { style.green("valid") } else { style.red("invalid") };
            let name = match (&found.name, &found.version, &found.digest) {
                (Some(name), Some(version), Some(digest)) => format!(" {name} {version} ({})", digest.short()),
                _ => String::new(),
            };
            let tools = if found.valid { format!("{}, ", counted(found.tools.len(), "tool")) } else { String::new() };
            let omitted = if found.omitted > 0 { format!(", {} more not shown", found.omitted) } else { String::new() };
            format!(
                "{}: {head}{name}: {tools}{}, {}{omitted}",
                file.file,
                counted(found.errors, "error"),
                counted(found.warnings, "warning")
            )
        };
        report.files.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(if report.valid { OK } else { BAD_NEWS })
}
