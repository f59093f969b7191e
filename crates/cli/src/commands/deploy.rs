//! `mcp-factory deploy`, `mcp-deploy`.

mod follow;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use operations::all::Deploy;
use operations::deploy::{Input, LOCAL};
use operations::doctor::PORT;
use operations::{Code, Error};

use super::run::{self, Transport};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory deploy inventory-mcp --target local           at the control plane, where one runs
  mcp-factory deploy inventory-mcp --spec-version 1.1.0     hold it at a version
  mcp-factory deploy inventory-mcp --rollback               go back to the version before
  mcp-factory deploy --follow ./inventory-mcp.yaml          and again as it changes
  mcp-factory deploy inventory-mcp --transport http         without a control plane, at port 8808
";

/// Run a server of the catalogue on a target
///
/// The target `local` is the process of the control plane: the one that `--url` names, or the one that holds the home folder
/// (`mcp-factory serve`). The server then answers at /servers/NAME/mcp of the control plane, follows its spec, and runs again
/// when the control plane is started again. A version that is not well is not switched to.
///
/// Where no control plane runs, or with --transport or --port, the server runs in this process, as with `run`, until Ctrl-C or
/// SIGTERM. For stdio, let the client start the command; `run` has more settings.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of a server
    #[arg(value_name = "NAME", required_unless_present = "follow")]
    name: Option<String>,
    /// Make and deploy the server of this spec file, and again whenever the file changes, until Ctrl-C
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "transport", "port", "rollback", "spec_version"])]
    follow: Option<PathBuf>,
    /// Where it runs
    #[arg(long, value_enum, value_name = "TARGET", default_value_t = Target::Local)]
    target: Target,
    /// How clients reach it [default: the spec's `transport`, which is stdio unless it says otherwise]
    #[arg(long, value_enum, value_name = "TRANSPORT")]
    transport: Option<Transport>,
    /// Port to listen on [default: 8808]; 0 takes a free one and prints it
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Go back to the version that ran before
    #[arg(long, conflicts_with_all = ["spec_version", "transport", "port"])]
    rollback: bool,
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
    let Arguments { name, follow, target: Target::Local, transport, port, spec_version, rollback } = arguments;
    let untried =
        || Error::new(Code::Usage, "only a deployment at a control plane has a dry run").hint("leave `--dry-run` out");
    if let Some(file) = follow {
        if session.global.dry_run {
            return Err(untried());
        }
        return super::block_on(session, |context| follow::run(file, session, context));
    }
    let Some(name) = name else { return Err(Error::new(Code::Usage, "no server is named")) };
    if name.contains(['/', '\\', '.']) || name == "-" {
        let message = format!("`{name}` is a file, and only a server of the catalogue is deployed");
        return Err(Error::new(Code::Usage, message)
            .hint(format!("make it with `mcp-factory create --spec {name}`"))
            .hint(format!("or serve the file itself with `mcp-factory run {name}`")));
    }
    let context = session.context()?;
    let at_plane = session.remote(&context)?.is_some() || operations::plane::running(&context).is_some();
    if at_plane && transport.is_none() && port.is_none() {
        let input = Input { name, target: LOCAL.to_owned(), version: spec_version, rollback };
        return super::block_on(session, |context| async move {
            let done = session.run::<Deploy>(&context, input).await?;
            Ok(super::start::tell(&done, session))
        });
    }
    if rollback {
        return Err(Error::new(
            Code::NoControlPlane,
            format!("`{name}` runs nowhere that could go back: no control plane holds this home folder"),
        )
        .hint("start one with `mcp-factory serve`, or name one with `--url`"));
    }
    if session.global.dry_run {
        return Err(untried());
    }
    session.local_only("deploy --transport")?;
    run::run(run::Arguments::of_server(name, transport, port.unwrap_or(PORT), spec_version), session)
}
