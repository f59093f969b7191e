//! `mcp-factory deploy`, `mcp-deploy`.

use clap::{Args, ValueEnum};
use operations::doctor::PORT;
use operations::{Code, Error};

use super::run::{self, Transport};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory deploy inventory-mcp --target local           over the transport that its spec names
  mcp-factory deploy inventory-mcp --transport http         on http://127.0.0.1:8808/mcp
";

/// Run a server of the catalogue on a target
///
/// The target `local` serves it from this process, without isolation, as `run` does, until Ctrl-C or
/// SIGTERM. For stdio, let the client start the command; `run` has more settings.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of a server
    #[arg(value_name = "NAME")]
    name: String,
    /// Where it runs
    #[arg(long, value_enum, value_name = "TARGET", default_value_t = Target::Local)]
    target: Target,
    /// How clients reach it [default: the spec's `transport`, which is stdio unless it says otherwise]
    #[arg(long, value_enum, value_name = "TRANSPORT")]
    transport: Option<Transport>,
    /// Port to listen on; 0 takes a free one and prints it
    #[arg(long, value_name = "N", default_value_t = PORT)]
    port: u16,
    /// Which version of the server [default: the current one]
    #[arg(long, value_name = "VERSION")]
    spec_version: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// This process
    Local,
}

pub(crate) fn run(arguments: Arguments, session: &Session) -> Result<u8, Error> {
    let Arguments { name, target: Target::Local, transport, port, spec_version } = arguments;
    if name.contains(['/', '\\', '.']) || name == "-" {
        let message = format!("`{name}` is a file, and only a server of the catalogue is deployed");
        return Err(Error::new(Code::Usage, message)
            .hint(format!("make it with `mcp-factory create --spec {name}`"))
            .hint(format!("or serve the file itself with `mcp-factory run {name}`")));
    }
    run::run(run::Arguments::of_server(name, transport, port, spec_version), session)
}
