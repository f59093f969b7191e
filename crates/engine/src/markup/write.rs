//! Elements as Markdown.

use url::Url;

use super::block::Lines;
use super::tags::attribute;

/// Deepest nesting of elements; deeper ones count as their content.
const OPEN_MAX: usize = 256;

/// What an open element asks for when it ends.
enum Kind {
    /// A mark such as `**`.
    Mark {
        opened: usize,
        end: &'static str,
    },
    Link {
        opened: usize,
        end: String,
    },
    /// A block with something before its lines.
    Indented(usize),
    List {
        next: Option<u64>,
    },
    Code(String),
    Pre {
        text: String,
        language: String,
    },
    Table {
        rows: Vec<Vec<String>>,
    },
    Cell {
        outer: Box<Lines>,
    },
}

/// Writes a page.
pub(super) struct Writer<'u> {
    base: Option<&'u Url>,
    lines: Lines,
    open: Vec<(String, Kind)>,
}

impl<'u> Writer<'u> {
    pub(super) fn new(base: Option<&'u Url>) -> Self {
        Self { base, lines: Lines::default(), open: Vec::new() }
    }

    pub(super) fn text(&mut self, text: &str) {
        match self
            .open
            .iter_mut()
            .rev()
            .map(|(_, kind)| kind)
            .find(|kind| !matches!(kind, Kind::Mark { .. } | Kind::Link { .. }))
        {
            Some(Kind::Pre { text: held, .. }) => held.push_str(text),
            Some(Kind::Code(held)) => held.push_str(text),
            _ => self.lines.text(text),
        }
    }

    pub(super) fn start(&mut self, name: &str, attributes: &str) {
        self.close_implied(name);
        let block = breaks(name);
        if block > 0 {
            self.lines.break_to(block);
        }
        match name {
            "br" => self.line_break(),
            "hr" => {
                self.lines.raw("---");
                self.lines.break_to(2);
            }
            "img" => self.image(attributes),
            _ if self.open.len() >= OPEN_MAX => {}
            _ => {
                if let Some(kind) = self.kind(name, attributes) {
                    self.open.push((name.to_owned(), kind));
                }
            }
        }
    }

    /// What an element asks for; nothing when it is only its content.
    fn kind(&mut self, name: &str, attributes: &str) -> Option<Kind> {
        Some(match name {
            "b" | "strong" => Kind::Mark { opened: self.lines.mark("**"), end: "**" },
            "i" | "em" => Kind::Mark { opened: self.lines.mark("*"), end: "*" },
            "del" | "s" | "strike" => Kind::Mark { opened: self.lines.mark("~~"), end: "~~" },
            "q" => Kind::Mark { opened: self.lines.mark("\""), end: "\"" },
            "a" => {
                let target = attribute(attributes, "href").and_then(|href| self.target(&href))?;
                Kind::Link { opened: self.lines.mark("["), end: format!("]({target})") }
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let level = usize::from(name.as_bytes()[1] - b'0');
                self.lines.indent(format!("{} ", "#".repeat(level)), "");
                Kind::Indented(2)
            }
            "blockquote" => {
                self.lines.indent("", "> ");
                Kind::Indented(2)
            }
            "dd" => {
                self.lines.indent(": ", "  ");
                Kind::Indented(1)
            }
            "li" => {
                let list = self
                    .open
                    .iter_mut()
                    .rev()
                    .find_map(|(_, kind)| if let Kind::List { next } = kind { Some(next) } else { None });
                let mark = match list {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                let rest = " ".repeat(mark.len());
                self.lines.indent(mark, rest);
                Kind::Indented(1)
            }
            "ul" | "menu" => Kind::List { next: None },
            "ol" => Kind::List {
                next: Some(attribute(attributes, "start").and_then(|text| text.parse().ok()).unwrap_or(1)),
            },
            "pre" => Kind::Pre { text: String::new(), language: language(attributes) },
            "code" | "kbd" | "samp" | "tt" if self.is_in_code() => {
                if let Some((_, Kind::Pre { language: known, .. })) = self.open.last_mut()
                    && known.is_empty()
                {
                    *known = language(attributes);
                }
                return None;
            }
            "code" | "kbd" | "samp" | "tt" => Kind::Code(String::new()),
            "table" => Kind::Table { rows: Vec::new() },
            "tr" => {
                if let Some((_, Kind::Table { rows })) = self.open.last_mut() {
                    rows.push(Vec::new());
                }
                return None;
            }
            "td" | "th" => Kind::Cell { outer: Box::new(std::mem::take(&mut self.lines)) },
            _ => return None,
        })
    }

    pub(super) fn end(&mut self, name: &str) {
        // An end tag does not reach out of the cell that it is in.
        let within = self.open.iter().rposition(|(_, kind)| matches!(kind, Kind::Cell { .. })).unwrap_or(0);
        let reaches_out = matches!(name, "td" | "th" | "table");
        let found = self.open.iter().rposition(|(open, _)| open == name).filter(|at| reaches_out || *at >= within);
        if let Some(at) = found {
            while self.open.len() > at {
                self.close_last();
            }
        }
        let block = breaks(name);
        if block > 0 {
            self.lines.break_to(block);
        }
    }

    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close_last();
        }
        self.lines.into_text()
    }

    /// Ends elements whose end tag may be left out.
    fn close_implied(&mut self, name: &str) {
        let (closes, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "menu"]),
            "dt" | "dd" => (&["dd"], &["dl"]),
            "td" | "th" | "tr" | "tbody" | "thead" | "tfoot" => (&["td", "th"], &["table"]),
            _ => return,
        };
        let last = self.open.iter().rposition(|(open, _)| within.contains(&open.as_str())).map_or(0, |at| at + 1);
        if let Some(at) = self.open[last..].iter().position(|(open, _)| closes.contains(&open.as_str())) {
            while self.open.len() > last + at {
                self.close_last();
            }
        }
    }

    fn close_last(&mut self) {
        let Some((_, kind)) = self.open.pop() else { return };
        match kind {
            Kind::Mark { opened, end } => self.lines.close(opened, end),
            Kind::Link { opened, end } => self.lines.close(opened, &end),
            Kind::Indented(breaks) => {
                self.lines.outdent();
                self.lines.break_to(breaks);
            }
            Kind::List { .. } => {
                // A list within an item is followed by the next line.
                let inner = self.open.iter().any(|(_, kind)| matches!(kind, Kind::List { .. }));
                self.lines.break_to(if inner { 1 } else { 2 });
            }
            Kind::Code(text) => self.code(text.trim()),
            Kind::Pre { text, language } => self.pre(&text, &language),
            Kind::Table { rows } => self.table(&rows),
            Kind::Cell { outer } => {
                let text = std::mem::replace(&mut self.lines, *outer).into_text();
                let rows = self
                    .open
                    .iter_mut()
                    .rev()
                    .find_map(|(_, kind)| if let Kind::Table { rows } = kind { Some(rows) } else { None });
                match rows {
                    Some(rows) => {
                        if rows.is_empty() {
                            rows.push(Vec::new());
                        }
                        rows.last_mut().into_iter().for_each(|row| row.push(text.clone()));
                    }
                    // A cell without a table is a block.
                    None => self.block(&text),
                }
            }
        }
    }

    fn is_in_code(&self) -> bool {
        self.open.iter().any(|(_, kind)| matches!(kind, Kind::Pre { .. } | Kind::Code(_)))
    }

    fn line_break(&mut self) {
        let is_heading = |name: &String| name.len() == 2 && name.starts_with('h');
        if self.is_in_code() {
            self.text("\n");
        } else if self.open.iter().any(|(name, _)| is_heading(name)) {
            self.lines.space();
        } else if !self.lines.is_empty() {
            self.lines.break_to(1);
        }
    }

    fn image(&mut self, attributes: &str) {
        let alt = attribute(attributes, "alt").unwrap_or_default();
        let source = attribute(attributes, "src")
            .filter(|source| !source.starts_with("data:"))
            .and_then(|source| self.target(&source));
        let alt: String = alt.split_whitespace().collect::<Vec<_>>().join(" ").replace(['[', ']'], "");
        match source {
            Some(source) => self.lines.raw(&format!("![{alt}]({source})")),
            None if !alt.is_empty() => self.lines.text(&alt),
            None => {}
        }
    }

    /// Where a link leads; nothing for what is no place.
    fn target(&self, href: &str) -> Option<String> {
        let href = href.trim();
        let scheme = href.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()).unwrap_or_default();
        if href.is_empty() || matches!(scheme.as_str(), "javascript" | "data" | "vbscript") {
            return None;
        }
        let whole = self.base.and_then(|base| base.join(href).ok()).map(String::from);
        let whole = whole.unwrap_or_else(|| href.to_owned());
        let encode = |c: char| match c {
            ' ' => "%20".to_owned(),
            '(' => "%28".to_owned(),
            ')' => "%29".to_owned(),
            '<' => "%3C".to_owned(),
            '>' => "%3E".to_owned(),
            c if c.is_control() => String::new(),
            c => c.to_string(),
        };
        Some(whole.chars().map(encode).collect())
    }

    fn code(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fence = "`".repeat(longest_run(&text) + 1);
        let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
        self.lines.raw(&format!("{fence}{pad}{text}{pad}{fence}"));
    }

    fn pre(&mut self, text: &str, language: &str) {
        let text = text.strip_prefix('\n').unwrap_or(text).trim_end();
        if !text.is_empty() {
            let fence = "`".repeat((longest_run(text) + 1).max(3));
            self.lines.break_to(2);
            self.lines.verbatim(&format!("{fence}{language}\n{text}\n{fence}"));
        }
        self.lines.break_to(2);
    }

    fn block(&mut self, text: &str) {
        if !text.is_empty() {
            self.lines.break_to(2);
            self.lines.verbatim(text);
            self.lines.break_to(2);
        }
    }

    fn table(&mut self, rows: &[Vec<String>]) {
        let rows: Vec<&Vec<String>> = rows.iter().filter(|row| row.iter().any(|cell| !cell.is_empty())).collect();
        let width = rows.iter().map(|row| row.len()).max().unwrap_or_default();
        // Tables that only lay a page out hold blocks.
        if width < 2 || rows.iter().any(|row| row.iter().any(|cell| cell.contains("\n\n") || cell.contains("\n|"))) {
            return rows.iter().for_each(|row| row.iter().for_each(|cell| self.block(cell)));
        }
        let mut text = String::new();
        for (nth, row) in rows.iter().enumerate() {
            let cell =
                |at: usize| row.get(at).map(|cell| cell.replace('\n', " ").replace('|', "\\|")).unwrap_or_default();
            let cells: Vec<String> = (0..width).map(cell).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
            if nth == 0 {
                text.push_str(&format!("|{}\n", " --- |".repeat(width)));
            }
        }
        self.block(text.trim_end());
    }
}

/// How far an element stands from what is before and behind it.
fn breaks(name: &str) -> usize {
    match name {
        "p" | "div" | "section" | "article" | "main" | "header" | "figure" | "address" | "details" | "form"
        | "fieldset" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hr" | "pre" | "blockquote" | "table" | "dl"
        | "body" | "hgroup" | "center" => 2,
        "ul" | "ol" | "menu" | "li" | "dt" | "dd" | "tr" | "figcaption" | "summary" | "caption" | "legend"
        | "option" => 1,
        _ => 0,
    }
}

/// The language of a block of code, as pages commonly say it.
fn language(attributes: &str) -> String {
    let class = attribute(attributes, "class").unwrap_or_default();
    let found =
        class.split_whitespace().find_map(|word| word.strip_prefix("language-").or_else(|| word.strip_prefix("lang-")));
    found.unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric() || "+-#.".contains(*c)).take(20).collect()
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
