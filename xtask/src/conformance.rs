//! Outside judges of the wire: the official conformance suite, mcpcheck, and the Inspector.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::clients::{self, case::Case};
use crate::exec::Run;
use crate::fixture::{self, Server, Transport};
use crate::inspector;
use crate::report::{self, Tally};
use crate::setup::{self, node, python};

pub const HELP: &str = "\
Usage: cargo xtask conformance [--revision DATE | --only suite|mcpcheck|inspector]

Lets outside judges look at the protocol crate's example server and at the product:
  suite      the official conformance suite on the example, for each revision of MCP; every check must pass, and no
             failure is expected
  mcpcheck   `mcpcheck --probe all --legacy-probes --strict` on both, which must find nothing
  inspector  the MCP Inspector's command line on both, over stdio, Streamable HTTP and HTTP+SSE

Reports are kept in `.work/results/conformance`.

Examples:
  cargo xtask conformance
  cargo xtask conformance --revision 2025-11-25
";

/// One run of the suite.
struct Revision {
    date: &'static str,
    /// What selects its scenarios. The suite knows the requirements of the newer revisions by date.
    arguments: &'static [&'static str],
    /// Checks that must pass at least. Fewer would mean that scenarios went missing; optional ones come on top.
    checks: usize,
}

const REVISIONS: [Revision; 4] = [
    Revision { date: "2026-07-28", arguments: &["--requirements", "2026-07-28"], checks: 197 },
    Revision { date: "2025-11-25", arguments: &["--requirements", "2025-11-25"], checks: 83 },
    Revision { date: "2025-06-18", arguments: &["--suite", "all", "--spec-version", "2025-06-18"], checks: 56 },
    Revision { date: "2025-03-26", arguments: &["--suite", "all", "--spec-version", "2025-03-26"], checks: 3 },
];

/// Longest run of one judge.
const PATIENCE: Duration = Duration::from_secs(300);

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (part, date) = match words[..] {
        [] => (None, None),
        ["--revision" | "--requirements", date] => (Some("suite"), Some(date)),
        ["--only", part @ ("suite" | "mcpcheck" | "inspector")] => (Some(part), None),
        _ => bail!("unknown arguments {words:?}; see `cargo xtask conformance --help`"),
    };
    if let Some(date) = date
        && REVISIONS.iter().all(|revision| revision.date != date)
    {
        bail!("there is no revision {date}");
    }
    setup::tools()?;
    if matches!(part, Some("suite" | "mcpcheck")) {
        fixture::build_everything()?
    } else {
        fixture::build()?
    }
    check(part, date)?.into_result("conformance")
}

/// Runs the judges on what is built.
pub fn check(part: Option<&str>, date: Option<&str>) -> Result<Tally> {
    let results = fixture::results("conformance")?;
    let mut tally = Tally::default();
    let wanted = |name: &str| part.is_none_or(|part| part == name);
    let mut rows = Vec::new();
    if wanted("suite") {
        let server = fixture::everything()?.serve(Transport::Http, &results.join("suite.log"))?;
        for revision in REVISIONS.iter().filter(|revision| date.is_none_or(|date| date == revision.date)) {
            suite(revision, &server, &results, &mut tally, &mut rows)?;
        }
    }
    if wanted("mcpcheck") {
        for case in Case::all()? {
            let log = results.join(format!("mcpcheck-{}.log", case.name));
            let server = clients::program(&case, &results)?.serve(Transport::Http, &log)?;
            mcpcheck(&case.name, &server, &results, &mut tally, &mut rows)?;
        }
    }
    if wanted("inspector") {
        inspector::check(&results, &mut tally, &mut rows)?;
    }
    report::table(&["judge", "subject", "passed", "wanted", "failed"], &rows);
    Ok(tally)
}

fn suite(
    revision: &Revision,
    server: &Server,
    results: &Path,
    tally: &mut Tally,
    rows: &mut Vec<Vec<String>>,
) -> Result<()> {
    let captured = Run::new(python::node()?)
        .arg(node::file("@modelcontextprotocol/conformance/dist/index.js")?)
        .args(["server", "--url", &server.url(Transport::Http)])
        .args(revision.arguments)
        .arg("--output-dir")
        .arg(results.join(revision.date))
        .env("NO_COLOR", "1")
        .timeout(PATIENCE)
        .capture()?;
    let text = format!("{}{}", captured.stdout, captured.stderr);
    let log = results.join(format!("{}.txt", revision.date));
    std::fs::write(&log, &text)?;
    let (passed, failed) = totals(&text)
        .with_context(|| format!("the suite printed no totals for {}; see {}", revision.date, log.display()))?;
    tally.passed += passed;
    if failed > 0 || passed < revision.checks || !captured.status.success() {
        tally.failures.push(format!(
            "conformance {}: {passed} passed, {failed} failed, at least {} wanted ({}); see {}\n{}",
            revision.date,
            revision.checks,
            captured.status,
            log.display(),
            failed_scenarios(&text)
        ));
    }
    let cells = [&passed, &revision.checks, &failed].map(ToString::to_string);
    rows.push([["suite".to_owned(), revision.date.to_owned()].to_vec(), cells.to_vec()].concat());
    Ok(())
}

/// The last `Total: N passed, N failed` of the suite.
fn totals(text: &str) -> Option<(usize, usize)> {
    let line = text.lines().rfind(|line| line.contains("Total:") && line.contains("passed"))?;
    let mut numbers = line.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

/// The suite marks what failed with a cross.
fn failed_scenarios(text: &str) -> String {
    text.lines().filter(|line| line.trim_start().starts_with('✗')).collect::<Vec<_>>().join("\n")
}

fn mcpcheck(
    subject: &str,
    server: &Server,
    results: &Path,
    tally: &mut Tally,
    rows: &mut Vec<Vec<String>>,
) -> Result<()> {
    let captured = Run::new(python::program(python::TOOLS, "mcpcheck")?)
        .args([&server.url(Transport::Http), "--probe", "all", "--legacy-probes", "--strict", "--no-color"])
        .timeout(PATIENCE)
        .capture()?;
    let text = format!("{}{}", captured.stdout, captured.stderr);
    std::fs::write(results.join(format!("mcpcheck-{subject}.txt")), &text)?;
    let failed = usize::from(!captured.status.success());
    tally.passed += 1 - failed;
    if failed > 0 {
        tally.failures.push(format!("mcpcheck of {subject} ({}):\n{text}", captured.status));
    }
    let cells = [1 - failed, 1, failed].map(|count| count.to_string());
    rows.push([["mcpcheck".to_owned(), subject.to_owned()].to_vec(), cells.to_vec()].concat());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::totals;

    #[test]
    fn the_last_totals_count() {
        let text = "Total: 1 passed, 2 failed\nmore\nTotal: 196 passed, 1 failed, 3 warnings\n";
        assert_eq!(totals(text), Some((196, 1)));
        assert_eq!(totals("nothing"), None);
    }
}
