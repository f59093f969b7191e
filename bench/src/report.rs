//! Tables of figures, and bars.

/// One row of a table.
pub struct Row {
    /// Who.
    pub name: String,
    /// Figures, in the order of the table's columns; `None` where it could not be measured.
    pub figures: Vec<Option<f64>>,
}

/// A table.
pub struct Table {
    /// Column heads with units.
    pub columns: Vec<&'static str>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Bars: a sentence and whether it was met.
    pub bars: Vec<(String, bool)>,
}

impl Table {
    /// An empty table.
    pub fn new(columns: &[&'static str]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new(), bars: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, name: &str, figures: &[f64]) {
        let figures = figures.iter().map(|figure| figure.is_finite().then_some(*figure)).collect();
        self.rows.push(Row { name: name.to_owned(), figures });
    }

    /// Adds a row for a peer that is not there.
    pub fn missing(&mut self, name: &str, why: &str) {
        self.rows.push(Row { name: format!("{name} ({why})"), figures: vec![None; self.columns.len()] });
    }

    /// Adds a bar: `value` must be at most `bar`.
    pub fn at_most(&mut self, what: &str, value: Option<f64>, bar: f64) {
        self.bar(what, value, bar, "at most", |value| value <= bar);
    }

    /// Adds a bar: `value` must be at least `bar`.
    pub fn at_least(&mut self, what: &str, value: Option<f64>, bar: f64) {
        self.bar(what, value, bar, "at least", |value| value >= bar);
    }

    fn bar(&mut self, what: &str, value: Option<f64>, bar: f64, word: &str, met: impl Fn(f64) -> bool) {
        let (text, met) = match value {
            Some(value) => (format!("{what}: {value:.3}, {word} {bar}"), met(value)),
            None => (format!("{what}: not measured, {word} {bar}"), false),
        };
        self.bars.push((text, met));
    }

    /// Whether a bar was missed.
    pub fn missed(&self) -> bool {
        self.bars.iter().any(|(_, met)| !met)
    }

    /// Prints the table and its bars.
    pub fn print(&self) {
        print!("   {:<44}", "");
        for column in &self.columns {
            print!("{column:>13}");
        }
        println!();
        for row in &self.rows {
            print!("   {:<44}", row.name);
            for figure in &row.figures {
                match figure {
                    Some(figure) => print!("{figure:>13.2}"),
                    None => print!("{:>13}", "-"),
                }
            }
            println!();
        }
        for (text, met) in &self.bars {
            println!("   {} {text}", if *met { "met   " } else { "MISSED" });
        }
    }
}
