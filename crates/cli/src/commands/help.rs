//! `mcp-factory help`.

use clap::Args;
use operations::{Code, Error, Kind};
use serde_json::json;

use super::OK;
use crate::arguments::{COMMAND_HELP, command};
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory help run
  mcp-factory help exit-codes
";

/// Explain a command, or the exit codes
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// A command, or `exit-codes`
    #[arg(value_name = "TOPIC")]
    topic: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, session: &Session) -> Result<u8, Error> {
    let mut cli = command();
    cli.build();
    let text = match arguments.topic.as_deref() {
        None => cli.render_help().to_string(),
        Some("exit-codes") => {
            exit_codes(session);
            return Ok(OK);
        }
        Some(topic) => match cli.find_subcommand_mut(topic) {
            Some(command) => command.render_help().to_string(),
            None => return Err(unknown(topic, &cli)),
        },
    };
    session.printer.answer(&json!({ "help": text }), |_| text.clone());
    Ok(OK)
}

fn unknown(topic: &str, cli: &clap::Command) -> Error {
    let known: Vec<&str> =
        cli.get_subcommands().filter(|one| !one.is_hide_set()).map(clap::Command::get_name).collect();
    let mut error = Error::new(Code::Usage, format!("there is no command `{topic}`"));
    if let Some(near) = base::nearest(topic, known.iter().copied().chain(["exit-codes"])) {
        error = error.hint(format!("did you mean `mcp-factory help {near}`?"));
    }
    error.hint("`mcp-factory help` lists the commands")
}

fn exit_codes(session: &Session) {
    let table_of = std::iter::once((0u8, "it worked")).chain(Kind::TABLE.iter().map(|(_, code, why)| (*code, *why)));
    let rows: Vec<(u8, &str)> = table_of.collect();
    let answer: Vec<_> = rows.iter().map(|(code, why)| json!({ "code": code, "meaning": why })).collect();
    session.printer.answer(&answer, |style| {
        let rows: Vec<Vec<String>> = rows.iter().map(|(code, why)| vec![code.to_string(), (*why).to_owned()]).collect();
        table(style, &["CODE", "MEANING"], &rows)
    });
}
