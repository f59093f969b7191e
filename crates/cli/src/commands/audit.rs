//! `mcp-factory audit`.

use clap::{Args, Subcommand, ValueEnum};
use operations::all::{ListAudit, VerifyAudit};
use operations::audit::{Kind, ListInput, ListOutput, VerifyInput};
use operations::{Context, Error};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::printer::Style;
use crate::session::Session;
use crate::table::table;

const EXAMPLES: &str = "Examples:
  mcp-factory audit list
  mcp-factory audit list --kind change --since 7d --outcome failed
  mcp-factory audit list --subject inventory-mcp --output json
  mcp-factory audit verify
  mcp-factory audit verify --expect 4711:sha256:9f86d081…   the `head` that an earlier run printed
";

/// List who did what, and prove that the list was not changed
///
/// Every change, and the outcome of every call, is an entry with a hash over itself and the entry before it. A change and its entry
/// are one transaction. Arguments and answers are not kept. `verify` exits with 1 when an entry was changed, removed or put in
/// between; who notes its `head` can prove later that the newest entries were not removed either.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List entries, newest first
    List {
        /// Only changes, calls, or notes about the log
        #[arg(long, value_enum, value_name = "KIND")]
        kind: Option<KindWord>,
        /// Of this caller alone
        #[arg(long, value_name = "ID")]
        caller: Option<String>,
        /// About this alone: the name of a server, account or policy, or the id of a key or job
        #[arg(long, value_name = "NAME")]
        subject: Option<String>,
        /// Of this operation alone, such as server.create
        #[arg(long, value_name = "NAME")]
        operation: Option<String>,
        /// With this outcome: ok, a code such as MF1005, or failed
        #[arg(long, value_name = "OUTCOME")]
        outcome: Option<String>,
        /// Since then: a time, or how long ago, such as 2h or 7d
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Most entries in one answer [default: 50]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
        limit: Option<u64>,
        /// The `nextCursor` of the page before
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
    },
    /// Look through the whole chain
    Verify {
        /// A `head` that was noted earlier
        #[arg(long, value_name = "NUMBER:HASH")]
        expect: Option<String>,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindWord {
    /// Changes
    Change,
    /// Calls of tools
    Call,
    /// Notes about the log itself
    Note,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    match arguments.what {
        What::List { kind, caller, subject, operation, outcome, since, limit, cursor } => {
            let kind = kind.map(|kind| match kind {
                KindWord::Change => Kind::Change,
                KindWord::Call => Kind::Call,
                KindWord::Note => Kind::Note,
            });
            let limit = limit.and_then(|limit| usize::try_from(limit).ok());
            let input = ListInput { kind, caller, subject, operation, outcome, since, cursor, limit };
            list(input, session, &context).await
        }
        What::Verify { expect } => verify(VerifyInput { expect }, session, &context).await,
    }
}

async fn list(input: ListInput, session: &Session, context: &Context) -> Result<u8, Error> {
    let found = session.run::<ListAudit>(context, input).await?;
    let printer = &session.printer;
    if found.entries.is_empty() && !printer.is_json() {
        printer.note("there are no such entries");
        return Ok(OK);
    }
    printer.list(&found, &["entries"], |style| text(&found, style));
    if let (Some(cursor), false) = (&found.next_cursor, printer.is_json()) {
        printer.note(&format!("there are more: add `--cursor {cursor}`"));
    }
    Ok(OK)
}

fn text(found: &ListOutput, style: Style) -> String {
    let rows: Vec<Vec<String>> = found
        .entries
        .iter()
        .map(|entry| {
            let tool = entry.details["tool"].as_str().map(|tool| format!(" {tool}")).unwrap_or_default();
            vec![
                entry.seq.to_string(),
                entry.time.clone(),
                entry.caller.clone(),
                entry.operation.clone(),
                format!("{}{tool}", entry.subject),
                entry.outcome.clone(),
            ]
        })
        .collect();
    table(style, &["NUMBER", "TIME", "CALLER", "OPERATION", "SUBJECT", "OUTCOME"], &rows)
}

async fn verify(input: VerifyInput, session: &Session, context: &Context) -> Result<u8, Error> {
    let found = session.run::<VerifyAudit>(context, input).await?;
    session.printer.answer(&found, |style| match &found.problem {
        None => format!("{} {} entries, head {}", style.green("intact:"), found.entries, found.head),
        Some(problem) => format!("{} {problem}", style.red("broken:")),
    });
    if let (Some(hint), false) = (&found.hint, session.printer.is_json()) {
        session.printer.note(&format!("hint: {hint}"));
    }
    Ok(if found.intact { OK } else { BAD_NEWS })
}
