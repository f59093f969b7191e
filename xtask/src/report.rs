//! Counting and printing what was checked.

use std::fmt::Write as _;

/// What a group of checks gave.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub passed: usize,
    pub failures: Vec<String>,
    /// What could not run, each with its reason.
    pub skips: Vec<String>,
}

impl Tally {
    /// One check that passed.
    pub fn one() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    /// One check that failed.
    pub fn failure(what: impl Into<String>) -> Self {
        Self { failures: vec![what.into()], ..Self::default() }
    }

    /// Counts a check that passed, or keeps what it said.
    pub fn check(&mut self, name: &str, result: anyhow::Result<()>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(error) => self.failures.push(format!("{name}: {error:#}")),
        }
    }

    /// Takes in the counts of another group.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failures.extend(other.failures);
        self.skips.extend(other.skips);
    }

    /// An error when something failed.
    pub fn into_result(self, what: &str) -> anyhow::Result<()> {
        if self.failures.is_empty() {
            return Ok(());
        }
        let mut text = format!("{what}: {} failed", self.failures.len());
        for failure in &self.failures {
            let _ = write!(text, "\n  - {failure}");
        }
        anyhow::bail!(text)
    }
}

/// Prints rows in aligned columns.
pub fn table(heading: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = heading.iter().map(|word| word.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}", width = *width)).collect();
        println!("{}", padded.join("  ").trim_end());
    };
    line(heading.to_vec());
    println!("{}", "-".repeat(widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)));
    for row in rows {
        line(row.iter().map(String::as_str).collect());
    }
}
