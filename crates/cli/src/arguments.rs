//! The command line as clap sees it. Each command's own arguments are in its file.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::commands;

/// Template of the top-level help: examples first, then the commands in groups.
const HELP: &str = "\
{about}

Examples:
  mcp-factory demo                                       see the whole thing work, without a database server
  mcp-factory create --spec ./inventory-mcp.yaml         make a server from its spec
  mcp-factory test inventory-mcp search_products '{\"query\": \"laptop\"}'
  mcp-factory run inventory-mcp --transport http         serve it

{usage-heading} {usage}

Servers:
  create      Make a server from a spec, or a new version of it
  list        List the servers
  status      Check a server's health and show its details
  test        Call a tool, or test all tools
  run         Serve a server, or a spec file, over stdio, HTTP or SSE
  connect     Join a client on standard streams to a deployed server; authorise a server at an API
  clients     Write the configuration of an MCP client: Claude, Cursor, Codex, VS Code
  keys        Make, list and revoke API keys and connected programs
  accounts    Make, list and remove accounts of people
  policies    Say who may use which servers and tools, and how much
  deploy      Run a server on a target
  start       Start a deployed server
  stop        Stop a deployed server
  logs        Show the calls that a deployed server answered
  usage       Show how much is called
  audit       List who did what, and prove that the list was not changed
  remove      Remove a server
  export      Export servers as an archive, or as an entry of the official registry
  import      Import servers from an archive, or an entry of the official registry
  backup      Back the store up to one file, also while it is used
  restore     Restore the store from a backup
  search      Find what servers can do
  uses        Show what a server uses, and who uses it
  diff        Compare two versions of a server
  jobs        Show, watch and stop the work that a control plane does in the background
  serve       Run the control plane: REST, MCP, deployed servers

Specs:
  validate    Check a spec
  plan        Show what a server really runs, and why; change it
  fmt         Format a spec
  schema      Print the JSON Schema of specs
  templates   List the specs to start from, or print one
  explain     Explain a code such as MF0201

This program:
  demo        Make, serve and call the example server; `demo droids` shows a swarm
  shim        Run an agent's program for callers who sign their requests
  fake        Serve a fake of an API, for trying servers without an account
  doctor      Check the home folder, the databases and the surroundings
  links       Make the names mcp-create, mcp-list and so on
  debug       Show where this program keeps things
  completion  Print a completion script for a shell
  man         Print a manual page, or write all of them
  version     Print the version
  help        Explain a command, or `help exit-codes`

Options:
{options}

`mcp-factory COMMAND --help` explains a command, examples first.";

/// Template of a command's help.
pub(crate) const COMMAND_HELP: &str = "\
{about}

{before-help}{usage-heading} {usage}

{all-args}{after-help}";

/// The command line as it is parsed and as help shows it.
///
/// `-h`, `--help` and `help COMMAND` print the same: one line per option, and what a command's
/// long description says beyond its first line stands above the examples.
pub(crate) fn command() -> clap::Command {
    let mut cli = Cli::command();
    let names: Vec<String> = cli.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    for name in names {
        cli = cli.mut_subcommand(name, |command| {
            let text = |part: Option<&clap::builder::StyledStr>| part.map(ToString::to_string).unwrap_or_default();
            let (about, long) = (text(command.get_about()), text(command.get_long_about()));
            let more = long.trim_start_matches(about.as_str()).trim();
            if more.is_empty() {
                return command;
            }
            let help = format!("{more}\n\n{}", text(command.get_before_help()));
            command.before_help(help)
        });
    }
    cli
}

/// Makes and runs MCP servers from specifications.
#[derive(Debug, Parser)]
#[command(name = "mcp-factory", version, help_template = HELP, disable_help_subcommand = true, max_term_width = 110)]
#[command(disable_help_flag = true)]
#[command(propagate_version = false, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// Print `text` for people, `wide` with all columns, `json`, or `ndjson` with a line for each thing of a list; `--json` for short, but with `create`
    #[arg(long, short, global = true, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    #[arg(hide_possible_values = true)]
    pub(crate) output: Output,
    /// Folder of the catalogue [default: MCP_FACTORY_HOME, else mcp-factory in the XDG data folder]
    #[arg(long, global = true, value_name = "DIR", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub(crate) home: Option<PathBuf>,
    /// File with NAME=value lines, read over the environment
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Private networks that connections may reach: `private`, hosts, addresses, ranges, by commas [default: MCP_FACTORY_ALLOW_NETWORK, else none]
    #[arg(long, global = true, value_name = "LIST")]
    pub(crate) allow_network: Option<String>,
    /// File that says what names of hosts stand for, as /etc/hosts does; others are looked up [default: MCP_FACTORY_HOSTS_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) hosts_file: Option<String>,
    /// Programs that specs may start: names and absolute paths, by commas, or `*` [default: MCP_FACTORY_ALLOW_COMMANDS, else none]
    #[arg(long, global = true, value_name = "LIST")]
    pub(crate) allow_commands: Option<String>,
    /// Work at the control plane of this URL, not in the home folder [default: MCP_FACTORY_URL, else none]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Variable that holds the key for the control plane [default: MCP_FACTORY_KEY]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) key_env: Option<String>,
    /// Print no messages but warnings and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Use no colours (as do NO_COLOR, TERM=dumb and a pipe; CLICOLOR_FORCE asks for them)
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Only say what a change would do
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Never ask; fail where an answer would be needed
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// Print help
    #[arg(long, short, global = true, action = ArgAction::HelpShort)]
    help: Option<bool>,
}

/// What a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Text for people
    Text,
    /// Text for people, with all columns and nothing cut
    Wide,
    /// One JSON document
    Json,
    /// JSON on one line: of a list, a line for each of its things
    Ndjson,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Create(commands::create::Arguments),
    List(commands::list::Arguments),
    Status(commands::status::Arguments),
    Test(commands::test::Arguments),
    Run(commands::run::Arguments),
    Serve(commands::serve::Arguments),
    Deploy(commands::deploy::Arguments),
    Start(commands::start::StartArguments),
    Stop(commands::start::StopArguments),
    Logs(commands::logs::Arguments),
    Usage(commands::usage::Arguments),
    Audit(commands::audit::Arguments),
    Remove(commands::remove::Arguments),
    Export(commands::export::Arguments),
    Import(commands::import::Arguments),
    Backup(commands::backup::BackupArguments),
    Restore(commands::backup::RestoreArguments),
    Search(commands::search::Arguments),
    Uses(commands::uses::Arguments),
    Diff(commands::diff::Arguments),
    Validate(commands::validate::Arguments),
    Plan(commands::plan::Arguments),
    Fmt(commands::fmt::Arguments),
    Schema(commands::schema::Arguments),
    Shim(commands::shim::Arguments),
    #[cfg(feature = "fakes")]
    Fake(commands::fake::Arguments),
    Explain(commands::explain::Arguments),
    Connect(commands::connect::Arguments),
    Clients(commands::clients::Arguments),
    Keys(commands::keys::Arguments),
    Accounts(commands::accounts::Arguments),
    Policies(commands::policies::Arguments),
    Jobs(commands::jobs::Arguments),
    Templates(commands::templates::Arguments),
    Demo(commands::demo::Arguments),
    Doctor(commands::doctor::Arguments),
    Links(commands::links::Arguments),
    Completion(commands::completion::Arguments),
    Debug(commands::debug::Arguments),
    Man(commands::man::Arguments),
    Version(commands::version::Arguments),
    Help(commands::help::Arguments),
    #[command(name = "__gen", hide = true)]
    Gen(commands::generate::Arguments),
    #[command(name = "__complete", hide = true)]
    Complete(commands::complete::Arguments),
}
