//! The hidden command behind the completion of server names.

use clap::Args;
use operations::{Context, Error};

use super::OK;
use crate::session::Session;

/// Print the names of all servers, one a line
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

pub(crate) async fn run(session: &Session, context: Context) -> Result<u8, Error> {
    let names = operations::list::names(&context).await?;
    if !names.is_empty() {
        session.printer.answer(&names, |_| names.join("\n"));
    }
    Ok(OK)
}
