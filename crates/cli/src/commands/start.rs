//! `mcp-factory start` and `stop`, `mcp-start` and `mcp-stop`.

use clap::Args;
use operations::all::{Start, Stop};
use operations::deploy::{Deployment, NameInput};
use operations::{Context, Error};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;

/// Start a deployed server that was stopped
///
/// The control plane of the home folder, or of --url, makes it so. Exits with 1 when it does not run well.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  mcp-factory start inventory-mcp\n", help_template = COMMAND_HELP)]
pub(crate) struct StartArguments {
    /// Name of the server
    #[arg(value_name = "NAME")]
    name: String,
}

/// Stop a deployed server
///
/// It stays deployed: `start` lets it answer again, and until then it stays stopped, also when the control plane is started
/// again.
#[derive(Debug, Args)]
#[command(before_help = "Examples:\n  mcp-factory stop inventory-mcp\n", help_template = COMMAND_HELP)]
pub(crate) struct StopArguments {
    /// Name of the server
    #[arg(value_name = "NAME")]
    name: String,
}

pub(crate) async fn start(arguments: StartArguments, session: &Session, context: Context) -> Result<u8, Error> {
    let done = session.run::<Start>(&context, NameInput { name: arguments.name }).await?;
    Ok(tell(&done, session))
}

pub(crate) async fn stop(arguments: StopArguments, session: &Session, context: Context) -> Result<u8, Error> {
    let done = session.run::<Stop>(&context, NameInput { name: arguments.name }).await?;
    Ok(tell(&done, session))
}

/// Prints a deployment, and gives the exit code.
pub(crate) fn tell(done: &Deployment, session: &Session) -> u8 {
    session.printer.answer(done, |style| text(done, style));
    if done.healthy { OK } else { BAD_NEWS }
}

fn text(done: &Deployment, style: Style) -> String {
    let state = if done.healthy { style.green(&done.state) } else { style.red(&done.state) };
    let version = done.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
    let took = done.elapsed_ms.map(|ms| format!(" in {ms:.0} ms")).unwrap_or_default();
    let state = if done.dry_run { format!("would be {state}:") } else { state };
    let mut text = format!("{state} {}{version}{took}", style.bold(&done.name));
    if let Some(reason) = &done.reason {
        text.push_str(&format!("\n  {} {reason}", style.red("problem:")));
    }
    if let (Some(url), "running") = (&done.url, done.wanted.as_str()) {
        text.push_str(&format!("\n  MCP clients use {url}"));
    }
    text
}
