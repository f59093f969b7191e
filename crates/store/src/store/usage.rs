//! Calls of tools, summed up for hours and days.

use super::Store;
use crate::db::{Attempted as _, Fault, Param, Row, Session, params};
use crate::error::Error;
use crate::model::{UsagePeriod, UsageQuery, UsageRow};

/// For how long hours are kept, seconds.
pub const HOURS_KEPT: i64 = 14 * 86_400;
/// For how long days are kept, seconds.
pub const DAYS_KEPT: i64 = 400 * 86_400;
/// Rows of one page.
pub const USAGE_PAGE: usize = 20_000;

const KEY: &str = "start, server, version, tool, caller";
const ROW: &str =
    "SELECT period, start, server, version, tool, caller, calls, errors, bytes_in, bytes_out, micros, slowest,
       latency FROM usage";

impl Store {
    /// Adds what was counted to the sums that are kept. `merge` joins two histograms. Sums that are too old go.
    pub fn add_usage(
        &self,
        rows: Vec<UsageRow>,
        now: i64,
        merge: impl Fn(&[u8], &[u8]) -> Vec<u8> + Send + 'static,
    ) -> Result<(), Error> {
        const WHAT: &str = "store what was called";
        self.db.change(WHAT, move |session| {
            for row in &rows {
                add(session, row, &merge).attempted(WHAT)?;
            }
            for (period, kept) in [(UsagePeriod::Hour, HOURS_KEPT), (UsagePeriod::Day, DAYS_KEPT)] {
                let old = "DELETE FROM usage WHERE period = ?1 AND start < ?2";
                session.execute(old, params![period.as_str(), now - kept]).attempted(WHAT)?;
            }
            Ok(())
        })
    }

    /// Forgets what was called of a server that is gone.
    pub fn forget_usage(&self, server: &str) -> Result<(), Error> {
        const WHAT: &str = "forget what was called";
        let server = server.to_owned();
        self.db.change(WHAT, move |session| forget(session, &server).attempted(WHAT))
    }

    /// A page of the sums of a period, oldest first: the first one, or the one that begins behind this row. It is the last
    /// one when it has fewer than [`USAGE_PAGE`] rows.
    pub fn usage(&self, query: &UsageQuery, after: Option<&UsageRow>) -> Result<Vec<UsageRow>, Error> {
        const WHAT: &str = "read what was called";
        let mut wheres = String::from("period = ?1 AND start >= ?2");
        let mut values: Vec<Param<'_>> = vec![query.period.as_str().into(), query.since.into()];
        let equals =
            [("server", &query.server), ("version", &query.version), ("tool", &query.tool), ("caller", &query.caller)];
        for (column, value) in equals {
            if let Some(value) = value {
                values.push(value.into());
                wheres.push_str(&format!(" AND {column} = ?{}", values.len()));
            }
        }
        if let Some(last) = after {
            values.extend::<[Param<'_>; 5]>([
                last.start.into(),
                (&last.server).into(),
                (&last.version).into(),
                (&last.tool).into(),
                (&last.caller).into(),
            ]);
            let places: Vec<String> = (values.len() - 4..=values.len()).map(|place| format!("?{place}")).collect();
            wheres.push_str(&format!(" AND ({KEY}) > ({})", places.join(", ")));
        }
        let sql = format!("{ROW} WHERE {wheres} ORDER BY {KEY} LIMIT {USAGE_PAGE}");
        self.db.read(WHAT, |session| session.rows(&sql, &values, row).attempted(WHAT))
    }
}

pub(super) fn forget(session: &Session<'_>, server: &str) -> Result<(), Fault> {
    session.execute("DELETE FROM usage WHERE server = ?1", params![server]).map(drop)
}

fn add(session: &Session<'_>, row: &UsageRow, merge: &impl Fn(&[u8], &[u8]) -> Vec<u8>) -> Result<(), Fault> {
    let key = "period = ?1 AND start = ?2 AND server = ?3 AND version = ?4 AND tool = ?5 AND caller = ?6";
    let period = row.period.as_str();
    let keys = params![period, row.start, &row.server, &row.version, &row.tool, &row.caller];
    let known: Option<Vec<u8>> =
        session.row(&format!("SELECT latency FROM usage WHERE {key}"), keys, |row| row.get(0))?;
    let latency = known.map_or_else(|| row.latency.clone(), |known| merge(&known, &row.latency));
    let sql =
        "INSERT INTO usage (period, start, server, version, tool, caller, calls, errors, bytes_in, bytes_out, micros,
                                  slowest, latency)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
               ON CONFLICT (period, start, server, version, tool, caller) DO UPDATE SET
                 calls = usage.calls + excluded.calls, errors = usage.errors + excluded.errors,
                 bytes_in = usage.bytes_in + excluded.bytes_in, bytes_out = usage.bytes_out + excluded.bytes_out,
                 micros = usage.micros + excluded.micros, latency = excluded.latency,
                 slowest = CASE WHEN usage.slowest > excluded.slowest THEN usage.slowest ELSE excluded.slowest END";
    let values = params![
        period,
        row.start,
        &row.server,
        &row.version,
        &row.tool,
        &row.caller,
        row.calls,
        row.errors,
        row.bytes_in,
        row.bytes_out,
        row.micros,
        row.slowest,
        &latency,
    ];
    session.execute(sql, values).map(drop)
}

fn row(row: &Row<'_>) -> Result<UsageRow, Fault> {
    Ok(UsageRow {
        period: if row.get::<String>(0)? == UsagePeriod::Day.as_str() { UsagePeriod::Day } else { UsagePeriod::Hour },
        start: row.get(1)?,
        server: row.get(2)?,
        version: row.get(3)?,
        tool: row.get(4)?,
        caller: row.get(5)?,
        calls: row.get(6)?,
        errors: row.get(7)?,
        bytes_in: row.get(8)?,
        bytes_out: row.get(9)?,
        micros: row.get(10)?,
        slowest: row.get(11)?,
        latency: row.get(12)?,
    })
}
