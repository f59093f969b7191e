//! `mcp-factory remove`, `mcp-remove`.

use clap::Args;
use operations::all::Remove;
use operations::remove::Input;
use operations::{Context, Error};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;
use crate::table::counted;

const EXAMPLES: &str = "Examples:
  mcp-factory remove inventory-mcp
  mcp-factory remove inventory-mcp --yes
  mcp-factory remove inventory-mcp --dry-run
  mcp-factory remove inventory-mcp --force --yes            although other servers use it
";

/// Remove a server with all its versions and plans
///
/// What was kept for it goes too: what its scripts remember, the tokens of its users, its tasks, its log and how much it was called.
/// The databases that its tools use are not touched. Asks first at a terminal; elsewhere `--yes`
/// is needed. A server that other servers use is not removed without `--force`.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP, visible_alias = "rm")]
pub(crate) struct Arguments {
    /// Name of the server
    #[arg(value_name = "NAME")]
    name: String,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// Remove it although other servers use it
    #[arg(long)]
    force: bool,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let (name, force) = (arguments.name, arguments.force);
    // Said before anything is asked: a name that does not exist needs no confirmation.
    let found = session.run::<Remove>(&context, Input { name: name.clone(), dry_run: true, force }).await?;
    for user in &found.breaks {
        session.printer.warn(&format!("this breaks {user}"));
    }
    let done = if session.global.dry_run {
        found
    } else {
        let question = format!("Removing server `{name}` with {}", counted(found.versions, "version"));
        if !session.confirm(&question, arguments.yes).await? {
            session.printer.note("nothing was removed");
            return Ok(BAD_NEWS);
        }
        session.run::<Remove>(&context, Input { name: name.clone(), dry_run: false, force }).await?
    };
    session.printer.answer(&done, |style| {
        let word = if done.removed { style.green("removed") } else { "would remove".to_owned() };
        format!("{word} {name} with {}", counted(done.versions, "version"))
    });
    Ok(OK)
}
