//! Lines of Markdown: what stands before each line, and the breaks and marks that wait for the next text.

/// What stands before the lines of a block: the mark of an item, then its indentation.
#[derive(Debug, Default)]
struct Prefix {
    first: Option<String>,
    rest: String,
}

/// A text that grows.
#[derive(Debug, Default)]
pub(super) struct Lines {
    out: String,
    /// Line breaks before the next text.
    breaks: usize,
    /// Whether a space comes before the next text.
    space: bool,
    /// Marks, such as `**`, that come right before the next text.
    marks: Vec<&'static str>,
    prefixes: Vec<Prefix>,
    is_line_start: bool,
}

impl Lines {
    /// The next text stands after at least so many line breaks.
    pub(super) fn break_to(&mut self, count: usize) {
        self.breaks = self.breaks.max(count);
        self.space = false;
    }

    /// The next text stands apart from what is before it.
    pub(super) fn space(&mut self) {
        self.space = true;
    }

    /// The lines that follow are in a block: its mark comes before the first of them.
    pub(super) fn indent(&mut self, first: impl Into<String>, rest: impl Into<String>) {
        let first = first.into();
        self.prefixes.push(Prefix { first: (!first.is_empty()).then_some(first), rest: rest.into() });
    }

    pub(super) fn outdent(&mut self) {
        self.prefixes.pop();
    }

    /// A mark before the next text; gives what [`Lines::close`] needs.
    pub(super) fn mark(&mut self, mark: &'static str) -> usize {
        self.marks.push(mark);
        self.marks.len() - 1
    }

    /// Ends what a mark began; nothing when there was no text.
    pub(super) fn close(&mut self, opened: usize, end: &str) {
        if self.marks.len() > opened {
            self.marks.truncate(opened);
        } else {
            self.out.push_str(end);
        }
    }

    /// Text of a page: white space counts as one space, and what Markdown would take for a mark is escaped.
    pub(super) fn text(&mut self, text: &str) {
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            if c.is_ascii_whitespace() {
                self.space = true;
                continue;
            }
            self.flush();
            let inside =
                self.out.ends_with(char::is_alphanumeric) && rest.peek().is_some_and(|next| next.is_alphanumeric());
            let is_mark = match c {
                '*' | '`' => true,
                '_' => !inside,
                '#' | '>' => self.is_line_start,
                _ => false,
            };
            if is_mark {
                self.out.push('\\');
            }
            self.out.push(c);
            self.is_line_start = false;
        }
    }

    /// A text on one line, as it is.
    pub(super) fn raw(&mut self, text: &str) {
        self.flush();
        self.out.push_str(text);
        self.is_line_start = false;
    }

    /// Several lines, as they are.
    pub(super) fn verbatim(&mut self, text: &str) {
        for (nth, line) in text.lines().enumerate() {
            if nth > 0 {
                self.breaks = 1;
            }
            self.flush();
            self.out.push_str(line);
        }
    }

    /// Whether there is no text yet.
    pub(super) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    pub(super) fn into_text(mut self) -> String {
        self.out.truncate(self.out.trim_end().len());
        self.out
    }

    /// Writes what waits for the next text.
    fn flush(&mut self) {
        if self.out.is_empty() || self.breaks > 0 {
            for nth in 0..if self.out.is_empty() { 0 } else { self.breaks } {
                if nth > 0 {
                    let blank: String =
                        self.prefixes.iter().filter(|one| one.first.is_none()).map(|one| one.rest.as_str()).collect();
                    self.out.push_str(blank.trim_end());
                }
                self.out.push('\n');
            }
            for prefix in &mut self.prefixes {
                match prefix.first.take() {
                    Some(first) => self.out.push_str(&first),
                    None => self.out.push_str(&prefix.rest),
                }
            }
            self.is_line_start = true;
        } else if self.space && !self.out.ends_with(char::is_whitespace) {
            self.out.push(' ');
        }
        self.breaks = 0;
        self.space = false;
        for mark in self.marks.drain(..) {
            self.out.push_str(mark);
        }
    }
}
