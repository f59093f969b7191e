//! Ways to people as a script sees them: `await team.send({to: 'C0123456789', text: 'It is done'})`.

use std::sync::Arc;

use bytes::Bytes;
use connect::Job;
use script::HostError;

use super::super::host::{ScriptHost, told};
use super::refuse;
use crate::actions::send::{Given, Messenger, Undone, deliver};
use crate::outcome::FailureKind;

/// Takes the message, with the settings that the action `send` has.
pub(super) const FUNCTIONS: [&str; 1] = ["send"];

pub(super) async fn call(
    way: &Arc<Messenger>,
    host: &ScriptHost<'_>,
    connection: &str,
    arguments: &str,
) -> Result<Bytes, HostError> {
    if !host.writes() {
        return Err(super::silent(&format!("`{connection}.send`")));
    }
    let (message,): (Given,) = serde_json::from_str(arguments).map_err(|error| {
        refuse(FailureKind::Value, format!("`{connection}.send(message)` takes an object: {error}"))
    })?;
    let job = Job { deadline: host.deadline().into(), cancel: host.context.cancel.clone() };
    match deliver(way, message, &job).await {
        Ok(receipt) => Ok(receipt.to_string().into()),
        Err(Undone::Message(why)) => Err(refuse(FailureKind::Value, why)),
        Err(Undone::Refused(error)) => Err(told(&error, true)),
    }
}
