//! Several servers under the same load, round by round, and what the rounds say together.

use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::Settings;
use crate::load::{Figures, Request, window};
use crate::process::Server;
use crate::report::Table;

/// One server of a comparison.
pub struct Contender {
    /// Who, for the table.
    pub name: &'static str,
    /// The server itself, or why it is missing.
    pub server: Result<Server>,
    /// What it is asked.
    pub request: Box<dyn Fn(u16) -> Request>,
}

/// Everything measured of one server, a figure for each round.
pub struct Measured {
    /// Who.
    pub name: &'static str,
    /// Its rounds, or why there are none.
    pub rounds: Result<Vec<Figures>>,
}

/// How a comparison is run.
#[derive(Clone, Copy)]
pub struct Plan {
    /// Keep-alive connections, each a closed loop.
    pub connections: usize,
    /// Length of a measured window.
    pub window: Duration,
    /// Measured windows of each server.
    pub rounds: usize,
}

/// Measures all servers in turn, round by round, so that whatever else the machine does in the meantime falls on all of
/// them. A server that answers wrongly is left out from there on.
pub async fn measure(contenders: &[Contender], plan: Plan) -> Comparison {
    let mut all: Vec<Measured> = Vec::new();
    for contender in contenders.iter() {
        let rounds = match &contender.server {
            Ok(server) => {
                let request = (contender.request)(server.port);
                let warm = window(server, &request, plan.connections, WARM_UP).await.context("warm up");
                warm.map(|_| Vec::new())
            }
            Err(missing) => Err(anyhow!("{missing:#}")),
        };
        all.push(Measured { name: contender.name, rounds });
    }
    for _ in 0..plan.rounds {
        for (contender, measured) in contenders.iter().zip(&mut all) {
            let (Ok(server), Ok(rounds)) = (&contender.server, &mut measured.rounds) else { continue };
            let request = (contender.request)(server.port);
            match window(server, &request, plan.connections, plan.window).await {
                Ok(figures) => rounds.push(figures),
                Err(error) => measured.rounds = Err(error),
            }
        }
    }
    Comparison(all)
}

/// Gives every server the same share of one processor from now on.
pub fn confine(contenders: &mut [Contender], share: f64) {
    for contender in contenders {
        let confined = contender.server.as_mut().map(|server| server.confine(share));
        if let Ok(Err(error)) = confined {
            contender.server = Err(error.context("cannot be confined"));
        }
    }
}

/// Unmeasured calls before the first round: pools fill, statements are prepared, code is compiled where it is at run time.
const WARM_UP: Duration = Duration::from_millis(1500);

/// The middle one; noise of a shared machine goes both ways once rounds are compared in pairs.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

impl Plan {
    /// The plan of these settings.
    pub fn of(settings: &Settings, connections: usize) -> Self {
        Self { connections, window: Duration::from_secs(settings.seconds), rounds: settings.rounds }
    }
}

/// What was measured of all servers; the first is ours.
pub struct Comparison(pub Vec<Measured>);

impl Comparison {
    fn rounds(&self, name: &str) -> Option<&[Figures]> {
        let measured = self.0.iter().find(|measured| measured.name == name)?;
        measured.rounds.as_deref().ok().filter(|rounds| !rounds.is_empty())
    }

    /// The median of a figure.
    pub fn median(&self, name: &str, figure: impl Fn(&Figures) -> f64) -> Option<f64> {
        median(self.rounds(name)?.iter().map(figure).collect())
    }

    /// The median over the rounds of the ratio of a figure of one server to that of another in the same round.
    pub fn ratio(&self, name: &str, other: &str, figure: impl Fn(&Figures) -> f64) -> Option<f64> {
        let pairs = self.rounds(name)?.iter().zip(self.rounds(other)?);
        median(pairs.map(|(one, other)| figure(one) / figure(other)).collect())
    }

    /// The medians as a table, with the ratio of each server's CPU to ours.
    pub fn table(&self) -> Table {
        let mut table = Table::new(&["CPU us/call", "x ours", "calls/s", "p50 ms", "p99 ms", "RSS MB", "elsewhere %"]);
        self.fill(&mut table, "");
        table
    }

    /// Puts the medians into a table that [`Comparison::table`] made, with a word after the servers' names.
    pub fn fill(&self, table: &mut Table, suffix: &str) {
        let ours = self.0.first().map(|measured| measured.name).unwrap_or_default();
        for measured in &self.0 {
            let (name, shown) = (measured.name, format!("{}{suffix}", measured.name));
            if let Err(error) = &measured.rounds {
                table.missing(&shown, &format!("{error:#}"));
                continue;
            }
            let middle = |figure: fn(&Figures) -> f64| self.median(name, figure).unwrap_or(f64::NAN);
            table.row(
                &shown,
                &[
                    middle(|f| f.cpu_us),
                    self.ratio(name, ours, |f| f.cpu_us).unwrap_or(f64::NAN),
                    middle(|f| f.rate),
                    middle(|f| f.p50_ms),
                    middle(|f| f.p99_ms),
                    middle(|f| f.rss_mb),
                    middle(|f| f.elsewhere),
                ],
            );
        }
    }
}
