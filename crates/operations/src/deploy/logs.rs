//! The calls that a deployed server answered.

use ::deploy::{Entry, Logs, Query, READ_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::blocking;
use crate::{Code, Context, Error};

/// Name of the folder of the logs in the home folder.
pub(crate) const FOLDER: &str = "logs";
/// Entries of one answer unless told otherwise.
const LIMIT: usize = 100;

/// Which calls.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogsInput {
    /// Name of the server.
    pub name: String,
    /// Calls of this tool alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Calls since then: a time (RFC 3339), or how long ago, such as `90s`, `10m`, `2h`, `7d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Calls after the one that the `nextCursor` or the `followCursor` of an earlier answer names, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most calls in one answer; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<usize>,
}

/// Calls, oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogsOutput {
    /// The calls.
    pub entries: Vec<Entry>,
    /// Where the next page begins; absent where these are the newest calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Where newer calls will begin: for asking again later, also when there are none yet.
    pub follow_cursor: String,
}

/// The logs of a home folder.
pub fn logs_of(context: &Context) -> Logs {
    Logs::at(context.home.path().join(FOLDER))
}

/// Waits until the calls that were answered before this moment are in their logs.
pub(crate) async fn written(context: &Context) {
    if let Some(targets) = &context.targets {
        targets.local.log().flush().await;
    }
}

/// Reads the log of a server: the newest calls, or those after a cursor.
///
/// # Errors
/// There is no such server; `since` or the cursor cannot be read; a file cannot be read.
pub async fn logs(context: &Context, input: LogsInput) -> Result<LogsOutput, Error> {
    let after = input.cursor.as_deref().map(opened).transpose()?;
    let since = input.since.as_deref().map(moment).transpose()?;
    let (name, key) = (input.name.clone(), input.name);
    context.store(move |store| store.server(&key).map(drop)).await?;
    let limit = input.limit.unwrap_or(LIMIT).clamp(1, READ_MAX);
    let query = Query { tool: input.tool, since, after, limit };
    let logs = logs_of(context);
    // Whoever has an answer finds its call.
    written(context).await;
    let entries = blocking(move || {
        logs.read(&name, &query).map_err(|error| {
            Error::new(Code::FileUnreadable, format!("the log of `{name}` cannot be read: {error}"))
                .hint("`mcp-factory doctor` checks the home folder")
        })
    })
    .await?;
    let last = entries.last().map(|entry| entry.id).or(after).unwrap_or_default();
    let follow_cursor = format!("1.{last}");
    // Without a cursor the newest calls are read, and after one the oldest.
    let more = after.is_some() && entries.len() == limit;
    Ok(LogsOutput { entries, next_cursor: more.then(|| follow_cursor.clone()), follow_cursor })
}

fn opened(cursor: &str) -> Result<u64, Error> {
    let id = cursor.strip_prefix("1.").and_then(|id| id.parse().ok());
    id.ok_or_else(|| {
        Error::new(Code::BadCursor, format!("`{cursor}` is not a cursor of this log"))
            .hint("pass the `followCursor` of an earlier answer, or leave it out")
    })
}

/// A moment in microseconds since 1970.
pub(crate) fn moment(text: &str) -> Result<u64, Error> {
    let refused = || {
        Error::new(Code::BadRequest, format!("`{text}` is no moment"))
            .hint("write a time such as `2026-01-31T12:00:00Z`, or how long ago: `90s`, `10m`, `2h`, `7d`")
    };
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return u64::try_from(time.timestamp_micros()).map_err(|_| refused());
    }
    let unit = text.chars().last().ok_or_else(refused)?;
    let seconds: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(refused()),
    };
    let count: u64 = text[..text.len() - 1].parse().map_err(|_| refused())?;
    let ago = count.checked_mul(seconds * 1_000_000).ok_or_else(refused)?;
    let now = u64::try_from(chrono::Utc::now().timestamp_micros()).unwrap_or_default();
    Ok(now.saturating_sub(ago))
}

#[cfg(test)]
mod tests {
    use super::{moment, opened};

    #[test]
    fn moments_are_times_or_how_long_ago() {
        assert_eq!(moment("1970-01-01T00:00:01Z").unwrap(), 1_000_000);
        let (minute, hour) = (moment("1m").unwrap(), moment("1h").unwrap());
        assert!((58 * 60_000_000..=60 * 60_000_000).contains(&(minute - hour)), "{}", minute - hour);
        for bad in ["", "m", "1", "1y", "-1m", "yesterday", "99999999999999999999d", "1é"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
        assert_eq!(opened("1.5").unwrap(), 5);
        assert!(opened("5").is_err());
    }
}
