//! `mcp-factory connect`, `mcp-connect`.

use std::time::Duration;

use clap::Args;
use operations::authorize::{Input, begin};
use operations::{Code, Context, Error};
use serde_json::json;
use server::Callback;

use super::OK;
use crate::arguments::COMMAND_HELP;
use crate::input::subject;
use crate::session::Session;

const EXAMPLES: &str = "Examples:
  mcp-factory connect calendar-mcp calendar --as ann
  mcp-factory connect ./calendar-mcp.yaml calendar --as ann --port 8910    on a fixed port
";

/// Let a user authorise a server at an API: OAuth 2.0 with a code and PKCE
///
/// For connections with `credentials: {type: oauth2_user}`. The page to open is printed; the browser comes back to a port on
/// this machine. The tokens are kept in the home folder, readable by this account alone, renewed as needed, and used for the
/// calls of this user only.
#[derive(Debug, Args)]
#[command(before_help = EXAMPLES, help_template = COMMAND_HELP)]
pub(crate) struct Arguments {
    /// Name of a server, or file of a spec
    #[arg(value_name = "NAME|FILE")]
    subject: String,
    /// The connection
    #[arg(value_name = "CONNECTION")]
    connection: String,
    /// Who authorises, as the server knows its callers: the `subject` of a key
    #[arg(long = "as", value_name = "SUBJECT")]
    user: String,
    /// Port that the browser comes back to; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    port: u16,
    /// How long to wait for the user, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
}

pub(crate) async fn run(arguments: Arguments, session: &Session, context: Context) -> Result<u8, Error> {
    let callback = Callback::bind(arguments.port).await.map_err(|error| {
        Error::new(Code::Address, format!("port {} of this machine cannot be listened on: {error}", arguments.port))
            .hint("choose another with `--port`, or 0 for a free one")
    })?;
    let input = Input {
        subject: subject(&arguments.subject, None)?,
        connection: arguments.connection.clone(),
        user: arguments.user.clone(),
        redirect: callback.url(),
    };
    let asked = begin(&context, &input).await?;
    session.printer.always(&format!("open this page and authorise:\n  {}", asked.url));
    let wait = Duration::from_secs(arguments.timeout);
    let code = tokio::time::timeout(wait, callback.wait(&asked.state)).await.map_err(|_| {
        Error::new(Code::TimedOut, format!("nobody authorised within {} seconds", arguments.timeout))
            .hint("run it again; `--timeout` waits longer")
    })?;
    let code = code.map_err(|why| {
        Error::new(Code::Upstream, format!("the authorisation was refused: {why}")).hint("run it again to authorise")
    })?;
    let server = asked.server.clone();
    asked.finish(&code).await?;
    let done = json!({ "server": server, "connection": arguments.connection, "user": arguments.user });
    session.printer.answer(&done, |style| {
        let (user, connection) = (style.bold(&arguments.user), style.bold(&arguments.connection));
        format!("{server} may act for {user} at {connection} now")
    });
    Ok(OK)
}
