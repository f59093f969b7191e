//! `mcp-factory doctor`, `mcp-doctor`.

use clap::Args;
use operations::all::Doctor;
use operations::doctor::{Check, Input, Output, PORT, State};
use operations::{Context, Error};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;
use crate::table::counted;

const EXAMPLES: &str = "Examples:
  mcp-factory doctor
  mcp-factory doctor --offline
  mcp-factory doctor factory_droid_swarm               the settings of one server
  mcp-factory doctor --output json | jq '.checks | map_values(.state)'
";

/// Check the home folder, the catalogue, the servers' databases and the surroundings
///
/// Exits with 1 when a check failed. Each failed check names its remedy.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Check only the settings of this server, one of the catalogue or one that comes with the program
    #[arg(value_name = "NAME")]
    server: Option<String>,
    /// Do not connect to databases
    #[arg(long)]
    offline: bool,
    /// The port to look at
    #[arg(long, value_name = "N", default_value_t = PORT)]
    port: u16,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let input = Input { server: arguments.server, offline: arguments.offline, port: arguments.port };
    let found = session.run::<Doctor>(&context, input).await?;
    session.printer.answer(&found, |style| text(&found, style));
    Ok(if found.healthy { OK } else { BAD_NEWS })
}

fn text(found: &Output, style: Style) -> String {
    let mut text = format!("mcp-factory {}, home {}\n", found.version, found.home);
    for (name, check) in &found.checks {
        text.push_str(&line(name, check, style));
    }
    let count = |state: State| found.checks.values().filter(|check| check.state == state).count();
    text.push_str(&format!(
        "{} passed, {}, {} failed",
        count(State::Passed),
        counted(count(State::Warning), "warning"),
        count(State::Failed)
    ));
    text
}

fn line(name: &str, check: &Check, style: Style) -> String {
    let state = match check.state {
        State::Passed => style.green("PASSED "),
        State::Warning => style.yellow("WARNING"),
        State::Failed => style.red("FAILED "),
    };
    let fix = check.fix.as_ref().map(|fix| format!("\n        {} {fix}", style.cyan("fix:"))).unwrap_or_default();
    format!("{state} {name}: {}{fix}\n", check.detail)
}
