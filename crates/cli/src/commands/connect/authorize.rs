//! A user authorises a server at an API.

use std::time::Duration;

use operations::authorize::{Input, begin};
use operations::{Code, Context, Error};
use serde_json::json;
use server::Callback;

use crate::commands::OK;
use crate::input::subject;
use crate::session::Session;

/// Whose authorisation, for what, and how it comes back.
pub(super) struct Asked {
    pub(super) subject: String,
    pub(super) connection: String,
    pub(super) user: String,
    pub(super) port: u16,
    pub(super) timeout: u64,
}

pub(super) async fn run(arguments: Asked, session: &Session, context: Context) -> Result<u8, Error> {
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
    asked.finish(&code.code).await?;
    let done = json!({ "server": server, "connection": arguments.connection, "user": arguments.user });
    session.printer.answer(&done, |style| {
        let (user, connection) = (style.bold(&arguments.user), style.bold(&arguments.connection));
        format!("{server} may act for {user} at {connection} now")
    });
    Ok(OK)
}
