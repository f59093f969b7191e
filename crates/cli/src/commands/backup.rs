//! `mcp-factory backup` and `mcp-factory restore`.

use std::path::PathBuf;

use clap::Args;
use operations::{Context, Error, backup};

use super::{BAD_NEWS, OK};
use crate::arguments::COMMAND_HELP;
use crate::session::Session;

const BACKUP_EXAMPLES: &str = "Examples:
  mcp-factory backup /var/backups/mcp-factory.gz
  mcp-factory backup nightly.gz --force                 overwrite the last one
";

/// Back the store up to one file, also while it is used
///
/// Everything that the store holds as it is at one moment: servers, versions, plans, deployments, keys and tokens as hashes, jobs, the
/// audit log, usage. The file is the same for both kinds of store, carries its digest, and only its owner may read it. Files of the home
/// folder beside the store (`state`, `tokens`, `logs`) are not in it.
#[derive(Debug, Args)]
#[command(before_help = BACKUP_EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct BackupArguments {
    /// The file to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Overwrite the file
    #[arg(long)]
    force: bool,
}

const RESTORE_EXAMPLES: &str = "Examples:
  mcp-factory restore /var/backups/mcp-factory.gz --home ./another-home
  mcp-factory restore nightly.gz --force --yes          in the place of what is stored
";

/// Restore the store from a backup
///
/// The file is looked through first; what is stored is replaced at once or not at all. A store with something in it is only replaced with
/// --force, and not while a control plane holds the home folder, or uses the same PostgreSQL database from another one. A backup of an SQLite file can be restored to PostgreSQL and the other
/// way round.
#[derive(Debug, Args)]
#[command(before_help = RESTORE_EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct RestoreArguments {
    /// A file that `backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace what is stored
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

pub(crate) async fn backup(arguments: BackupArguments, session: &Session, context: Context) -> Result<u8, Error> {
    let context = if session.global.dry_run { context.trying() } else { context };
    let done = backup::backup(&context, arguments.file, arguments.force).await?;
    session.printer.answer(&done, |style| {
        let (file, rows, bytes, digest) = (&done.file, done.rows, done.bytes, &done.digest);
        format!("{} {file}: {rows} rows, {bytes} bytes, {digest}", session.done(style, "wrote", "would write"))
    });
    if done.dry_run {
        session.tell_tried();
    }
    Ok(OK)
}

pub(crate) async fn restore(arguments: RestoreArguments, session: &Session, context: Context) -> Result<u8, Error> {
    let RestoreArguments { file, force, yes } = arguments;
    let dry_run = session.global.dry_run;
    let context = if dry_run { context.trying() } else { context };
    if force && !dry_run && !session.confirm("Restoring replaces everything that is stored", yes).await? {
        session.printer.note("nothing was restored");
        return Ok(BAD_NEWS);
    }
    let done = backup::restore(&context, file, force).await?;
    session.printer.answer(&done, |style| {
        let word = session.done(style, "restored", "would restore");
        let place = if force && dry_run { ", in the place of everything that is stored" } else { "" };
        format!("{word} {} rows of {}, written {}{place}", done.rows, done.file, done.made_at)
    });
    if dry_run {
        session.tell_tried();
    }
    Ok(OK)
}
