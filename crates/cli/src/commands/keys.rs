//! `mcp-factory keys`.

use clap::{Args, Subcommand};
use operations::all::{CreateKey, ListKeys, Nothing, RevokeKey};
use operations::keys::{self, Create, Listed, Revoke};
use operations::{Context, Error};

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory keys create cursor                 prints the key, this once
  mcp-factory keys create ci --days 30
  mcp-factory keys list
  mcp-factory keys revoke 01908d5e-9a4f-7c1e-8d5e-0123456789ab
  mcp-factory keys create agent --scope mcp,servers:write   one that may make servers too
  mcp-factory run inventory-mcp --transport http --auth keys
";

/// Make, list and revoke API keys; list and revoke connected programs
///
/// A key lets a program in to a control plane, and to servers that run with `--auth keys`. What it may do are its scopes:
/// `mcp` to use servers, `servers:read`, `servers:write`, `servers:call`, `logs:read`, `keys`, `metrics:read`, `admin`. It is shown once and kept as a hash. What is
/// revoked loses its force at once: open streams of running servers are cut within a second.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make an API key
    Create {
        /// What it is called, such as the program that will use it
        #[arg(value_name = "NAME")]
        name: String,
        /// What it may do, by commas [default: mcp]
        #[arg(long, value_name = "SCOPE", value_delimiter = ',')]
        scope: Vec<String>,
        /// After how many days it ends [default: never]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(keys::DAYS_MAX)))]
        days: Option<u16>,
        /// Whose servers it may use at a control plane [default: your own]
        #[arg(long, value_name = "OWNER")]
        owner: Option<String>,
    },
    /// List the API keys, and the programs that were let in by OAuth
    List,
    /// Take the force from a key or a program, at once
    Revoke {
        /// Id of the key or program
        #[arg(value_name = "ID")]
        id: String,
    },
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let printer = &session.printer;
    match arguments.what {
        What::Create { name, scope, days, owner } => {
            let created = session.run::<CreateKey>(&context, Create { name, scopes: scope, days, owner }).await?;
            printer.answer(&created, |_| match session.global.dry_run {
                true => format!("would make the key {}", created.info.name),
                false => created.key.clone(),
            });
            if !session.global.dry_run {
                printer.note("keep it now: it is not shown again; clients send it as `Authorization: Bearer KEY`");
                printer.note(&format!("`mcp-factory keys revoke {}` ends it", created.info.id));
            }
        }
        What::List => {
            let listed = session.run::<ListKeys>(&context, Nothing {}).await?;
            if listed.keys.is_empty() && listed.programs.is_empty() && !printer.is_json() {
                printer.note("there are no keys and no connected programs; `mcp-factory keys create NAME` makes a key");
                return Ok(OK);
            }
            printer.list(&listed, &["keys", "programs"], |style| text(&listed, style));
        }
        What::Revoke { id } => {
            let revoked = session.run::<RevokeKey>(&context, Revoke { id }).await?;
            let word = |style: Style| session.done(style, "revoked", "would revoke");
            printer.answer(&revoked, |style| format!("{} the {} {}", word(style), revoked.kind, revoked.name));
        }
    }
    Ok(OK)
}

fn text(listed: &Listed, style: Style) -> String {
    let day = |moment: &str| moment.get(..10).unwrap_or_default().to_owned();
    let keys = listed.keys.iter().map(|key| {
        let ends = key.expires_at.as_deref().map_or_else(|| "never".to_owned(), day);
        vec![
            key.id.clone(),
            "key".into(),
            key.name.clone(),
            key.owner.clone(),
            format!("{}…", key.start),
            key.scopes.join(" "),
            day(&key.created_at),
            ends,
        ]
    });
    let programs = listed.programs.iter().map(|program| {
        let (made, ends) = (day(&program.created_at), day(&program.expires_at));
        vec![
            program.id.clone(),
            "program".into(),
            program.name.clone(),
            program.owner.clone(),
            program.server.clone(),
            program.scopes.join(" "),
            made,
            ends,
        ]
    });
    let rows: Vec<Vec<String>> = keys.chain(programs).collect();
    table(style, &["ID", "KIND", "NAME", "OWNER", "KEY OR SERVER", "SCOPES", "MADE", "ENDS"], &rows)
}
