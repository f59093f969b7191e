//! How much is called: calls, failures, latency and bytes for each tool, version and caller, by hour and day.

mod keep;
mod sums;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{UsagePeriod, UsageQuery};

use crate::operation::Scope;
use crate::{Code, Context, Error};

pub use keep::{FLUSH_EVERY, finish, keep, sink};
pub(crate) use keep::{count, forget};
use sums::By;

/// Rows of one answer unless told otherwise.
const LIMIT: usize = 100;
/// Most rows of one answer.
pub const LIMIT_MAX: usize = 10_000;
/// How far back is looked unless told otherwise.
const SINCE: &str = "1d";

/// Which calls, and how they are summed up.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// Calls of this server alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Calls of this version alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Calls of this tool alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Calls of this caller alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Since then: a time (RFC 3339), or how long ago, such as `2h`, `7d`; `1d` when absent. Whole hours are counted, and whole
    /// days (UTC) further back than 14 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What is told apart, by commas: `server`, `version`, `tool`, `caller`, `hour`, `day`; `server,tool` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Most rows in the answer, those with the most calls; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000))]
    pub limit: Option<usize>,
}

/// How much was called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// The first hour or day that was counted, RFC 3339.
    pub since: String,
    /// The sums: by time where that is told apart, else those with the most calls first.
    pub rows: Vec<Row>,
    /// How many rows there are, those that are not shown too.
    pub total_rows: usize,
    /// Everything together.
    pub total: Sums,
}

/// The sum of some calls.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// When the hour or the day begins, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// The server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The version that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Who called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// What was counted.
    #[serde(flatten)]
    pub sums: Sums,
}

/// What was counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sums {
    /// Calls.
    pub calls: u64,
    /// Calls that failed.
    pub errors: u64,
    /// What half of the calls did not exceed, milliseconds; right to a sixteenth.
    pub p50_ms: f64,
    /// What nine of ten calls did not exceed, milliseconds.
    pub p90_ms: f64,
    /// What 99 of 100 calls did not exceed, milliseconds.
    pub p99_ms: f64,
    /// The slowest call, milliseconds.
    pub max_ms: f64,
    /// The mean, milliseconds.
    pub mean_ms: f64,
    /// Bytes of arguments.
    pub bytes_in: u64,
    /// Bytes of answers.
    pub bytes_out: u64,
}

/// Sums up calls.
///
/// # Errors
/// `since` or `by` cannot be read; the catalogue cannot be read.
pub async fn usage(context: &Context, input: Input) -> Result<Output, Error> {
    if input.server.is_none() && !context.caller.may(Scope::Admin) {
        return Err(Error::new(
            Code::Forbidden,
            "the calls of all servers together are for who runs the control plane",
        )
        .hint("name a server of yours: `server=NAME`"));
    }
    let micros = crate::deploy::moment(input.since.as_deref().unwrap_or(SINCE))?;
    let by = By::parse(input.by.as_deref().unwrap_or("server,tool")).map_err(|word| {
        Error::new(Code::BadRequest, format!("`by` names `{word}`, and calls are not told apart by that"))
            .hint("name some of `server`, `version`, `tool`, `caller`, and `hour` or `day`")
    })?;
    let since = i64::try_from(micros / 1_000_000).unwrap_or(i64::MAX);
    let oldest_hour = chrono::Utc::now().timestamp() - store::HOURS_KEPT;
    // A minute of grace: `14d` is as far back as hours go.
    let period = if since < oldest_hour - 60 { UsagePeriod::Day } else { UsagePeriod::Hour };
    if by.hour && period == UsagePeriod::Day {
        let days = store::HOURS_KEPT / 86_400;
        return Err(Error::new(Code::BadRequest, format!("hours are kept for {days} days, and more are asked for"))
            .hint(format!("ask for `day`, or for `since={days}d` and later")));
    }
    let since = since - since.rem_euclid(period.seconds());
    if context.has_store() {
        keep::flush(context).await?;
    }
    let query = UsageQuery {
        period,
        since,
        server: input.server,
        version: input.version,
        tool: input.tool,
        caller: input.caller,
    };
    let totals = sums::Totals::new(by);
    let totals = if context.has_store() { added(context, query, totals).await? } else { totals };
    let (mut rows, total) = totals.end();
    let total_rows = rows.len();
    rows.truncate(input.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX));
    Ok(Output { since: sums::moment(since), rows, total_rows, total })
}

/// Adds all rows of a query, a page at a time: there may be many.
async fn added(context: &Context, query: UsageQuery, mut totals: sums::Totals) -> Result<sums::Totals, Error> {
    context
        .store(move |store| {
            let mut page = store.usage(&query, None)?;
            loop {
                page.iter().for_each(|row| totals.add(row));
                let Some(last) = page.last().filter(|_| page.len() == store::USAGE_PAGE) else { return Ok(totals) };
                page = store.usage(&query, Some(last))?;
            }
        })
        .await
}
