//! Acting as the caller: the role and the settings of one transaction. They end with it, whether it is committed, rolled back
//! or fails; a session whose transaction did not end is closed and never used again.

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::error::Place;
use crate::{Acting, Error, ErrorKind};

/// Takes on the role and sets the settings. Names and values are bound: `set_config('role', …, true)` is `SET LOCAL ROLE`.
/// The settings come first, while the connection's own account may still set them.
pub(super) async fn become_caller(client: &Client, acting: Option<&Acting>, place: Place<'_>) -> Result<(), Error> {
    let Some(acting) = acting else { return Ok(()) };
    let role = acting.role.as_deref().map(|role| ("role", role));
    let settings = acting.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(role);
    let pairs: Vec<(&str, &str)> = settings.collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let calls: Vec<String> =
        (0..pairs.len()).map(|at| format!("set_config(${}, ${}, true)", 2 * at + 1, 2 * at + 2)).collect();
    let text = format!("SELECT {}", calls.join(", "));
    let mut values: Vec<(&(dyn ToSql + Sync), Type)> = Vec::with_capacity(2 * pairs.len());
    for (name, value) in &pairs {
        values.push((name, Type::TEXT));
        values.push((value, Type::TEXT));
    }
    client.query_typed(&text, &values).await.map(drop).map_err(|error| refused(&error, acting, place))
}

fn refused(error: &tokio_postgres::Error, acting: &Acting, place: Place<'_>) -> Error {
    let place = Place { attempted: "act for the caller", ..place };
    let Some(told) = error.as_db_error() else { return place.engine(error) };
    let hint = match &acting.role {
        Some(role) => {
            format!("the role must exist, and the account needs it: GRANT \"{role}\" TO the account of the URL")
        }
        None => "the account of the URL must be allowed to set these".to_owned(),
    };
    let mut refused = place.error(ErrorKind::Denied, told.message(), &hint);
    refused.code = Some(told.code().code().to_owned());
    refused
}
