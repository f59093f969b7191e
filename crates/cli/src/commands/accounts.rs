//! `mcp-factory accounts`.

use clap::{Args, Subcommand, ValueEnum};
use operations::accounts::{Create, Invited, Listed, Named};
use operations::all::{CreateAccount, ListAccounts, Nothing, RemoveAccount, ResetPassword};
use operations::{Context, Error};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;
use crate::table::{short, table};

const EXAMPLES: &str = "Examples:
  mcp-factory accounts create ann                prints a link by which Ann chooses a password
  mcp-factory accounts create bob --role admin
  mcp-factory accounts list
  mcp-factory accounts reset ann                 a link for another password
  mcp-factory accounts remove ann
";

/// Width of what a provider calls a person, in the table.
const TIED_WIDTH: usize = 40;

/// Make, list and remove accounts of people who use a control plane
///
/// The first account is made by the link that `serve` prints as long as there is none. A member makes and uses what is
/// theirs; an admin and an owner run the control plane. Links are used once and have force for a day.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    Member,
    Admin,
    Owner,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an account, and a link by which its person chooses a password
    Create {
        /// What the person signs in with
        #[arg(value_name = "NAME")]
        name: String,
        /// What the person may do
        #[arg(long, value_enum, default_value_t = Role::Member)]
        role: Role,
    },
    /// List the accounts
    List,
    /// Make a link by which the person of an account chooses another password
    Reset {
        /// Name of the account
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Remove an account with its keys; its servers stay
    Remove {
        /// Name of the account
        #[arg(value_name = "NAME")]
        name: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let printer = &session.printer;
    match arguments.what {
        What::Create { name, role } => {
            let role = role.to_possible_value().map(|value| value.get_name().to_owned());
            let made = session.run::<CreateAccount>(&context, Create { name, role }).await?;
            invited(&made, "would make the account", session);
        }
        What::Reset { name } => {
            let made = session.run::<ResetPassword>(&context, Named { name }).await?;
            invited(&made, "would make a link for", session);
        }
        What::List => {
            let listed = session.run::<ListAccounts>(&context, Nothing {}).await?;
            if listed.accounts.is_empty() && !printer.is_json() {
                printer.note("there are no accounts; `mcp-factory serve` prints a link that makes the first one");
                return Ok(OK);
            }
            printer.list(&listed, &["accounts"], |style| text(&listed, style));
        }
        What::Remove { name, yes } => {
            let question = format!("Removing the account `{name}` with its keys");
            if !session.confirm(&question, yes || session.global.dry_run).await? {
                printer.note("nothing was removed");
                return Ok(BAD_NEWS);
            }
            let removed = session.run::<RemoveAccount>(&context, Named { name }).await?;
            let word = |style: Style| session.done(style, "removed", "would remove");
            printer.answer(&removed, |style| format!("{} the account {}", word(style), removed.name));
            if removed.servers > 0 {
                printer.note(&format!("its {} servers stay, for whoever runs the control plane", removed.servers));
            }
        }
    }
    Ok(OK)
}

/// Prints a link, or what would be made of it.
fn invited(invited: &Invited, would: &str, session: &Session) {
    let printer = &session.printer;
    printer.answer(invited, |_| match session.global.dry_run {
        true => format!("{would} {}", invited.account.name),
        false => invited.link.clone(),
    });
    // Nothing was made of a dry run.
    if invited.link.is_empty() {
        return;
    }
    printer.note(&format!(
        "give {} this link: it is shown once, used once, and has force for a day",
        invited.account.name
    ));
    if invited.link.starts_with('/') {
        printer.note("no control plane runs: put its URL before the link when one does");
    }
}

fn text(listed: &Listed, style: Style) -> String {
    let day = |moment: &str| moment.get(..10).unwrap_or_default().to_owned();
    let rows: Vec<Vec<String>> = listed
        .accounts
        .iter()
        .map(|account| {
            let last = account
                .signed_in_at
                .as_deref()
                .map_or_else(|| if account.ready { "never".to_owned() } else { "invited".to_owned() }, day);
            let tied = account.called.as_ref().or(account.subject.as_ref());
            let tied = tied.map_or_else(|| "-".to_owned(), |tied| short(tied, TIED_WIDTH));
            vec![account.name.clone(), account.role.clone(), day(&account.created_at), last, tied, account.id.clone()]
        })
        .collect();
    table(style, &["NAME", "ROLE", "MADE", "SIGNED IN", "TIED TO", "ID"], &rows)
}
