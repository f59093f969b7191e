//! The only way to standard output and standard error.

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{Diagnostic, Source};
use operations::{Code, Error};
use serde::Serialize;

use crate::arguments::{Global, Output};

/// Whether an answer could not be written to standard output.
static LOST: AtomicBool = AtomicBool::new(false);

/// Whether an answer could not be written: the exit code then says so.
pub(crate) fn output_was_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

/// Prints data to standard output and messages to standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printer {
    output: Output,
    quiet: bool,
    color_out: bool,
    color_err: bool,
    /// Columns of the terminal that standard output is.
    width: Option<usize>,
}

impl Printer {
    /// Decides once what is printed and how, from the options and the surroundings.
    pub(crate) fn new(global: &Global) -> Self {
        let wanted = |terminal: bool| !global.no_color && color_wanted(terminal, |name| std::env::var(name).ok());
        Self {
            output: global.output,
            quiet: global.quiet,
            color_out: wanted(std::io::stdout().is_terminal()),
            color_err: wanted(std::io::stderr().is_terminal()),
            width: terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0)),
        }
    }

    /// Whether JSON was asked for.
    pub(crate) fn is_json(&self) -> bool {
        matches!(self.output, Output::Json | Output::Ndjson)
    }

    /// Whether lines of JSON were asked for.
    pub(crate) fn is_lines(&self) -> bool {
        self.output == Output::Ndjson
    }

    /// Colours for text on standard output.
    pub(crate) fn style(&self) -> Style {
        let wide = self.output == Output::Wide;
        Style { on: self.color_out, wide, width: self.width.filter(|_| !wide) }
    }

    /// Colours for text on standard error.
    pub(crate) fn message_style(&self) -> Style {
        Style { on: self.color_err, wide: false, width: None }
    }

    /// Prints a command's answer: the value as JSON, or the text that is made from it.
    pub(crate) fn answer<T: Serialize>(&self, value: &T, text: impl FnOnce(Style) -> String) {
        if self.is_json() {
            self.json(value);
        } else {
            self.data(&text(self.style()));
        }
    }

    /// Prints a list as [`Self::answer`] does; as lines of JSON it is a line for each thing of these members, of the list itself where
    /// there are none. Where there are several members each line says its `kind`: the name of its member, of one.
    pub(crate) fn list<T: Serialize>(&self, value: &T, members: &[&str], text: impl FnOnce(Style) -> String) {
        if self.output != Output::Ndjson {
            return self.answer(value, text);
        }
        let Ok(value) = serde_json::to_value(value) else { return self.json(value) };
        if members.is_empty() {
            value.as_array().into_iter().flatten().for_each(|thing| self.json(thing));
        }
        for member in members {
            for thing in value[*member].as_array().into_iter().flatten() {
                let mut thing = thing.clone();
                if let (true, Some(fields)) = (members.len() > 1, thing.as_object_mut()) {
                    fields.insert("kind".to_owned(), member.trim_end_matches('s').into());
                }
                self.json(&thing);
            }
        }
        if let Some(cursor) = value["nextCursor"].as_str() {
            self.note(&format!("there are more: add `--cursor {cursor}`"));
        }
    }

    /// Prints a JSON document to standard output.
    pub(crate) fn json<T: Serialize>(&self, value: &T) {
        let written = match self.output {
            Output::Ndjson => serde_json::to_string(value),
            _ => serde_json::to_string_pretty(value),
        };
        match written {
            Ok(text) => self.data(&text),
            Err(error) => self.warn(&format!("the answer cannot be written as JSON: {error}")),
        }
    }

    /// Prints data to standard output, with a newline at its end.
    pub(crate) fn data(&self, text: &str) {
        match write_line(&mut std::io::stdout().lock(), text) {
            // A reader that went away, as in `mcp-factory list | head -1`, is no failure.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                LOST.store(true, Ordering::Relaxed);
                let lost = Error::new(Code::CannotWrite, format!("cannot write to standard output: {error}"));
                self.error(&lost.hint("what was asked was done, and its answer is lost; check where the output goes"));
            }
            _ => {}
        }
    }

    /// Whether `--quiet` was given.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Prints a message to standard error, unless `--quiet` was given.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.message(text);
        }
    }

    /// Prints a message to standard error, `--quiet` or not.
    pub(crate) fn always(&self, text: &str) {
        self.message(text);
    }

    /// Prints a warning to standard error.
    pub(crate) fn warn(&self, text: &str) {
        self.message(&format!("{} {text}", self.message_style().yellow("warning:")));
    }

    /// Prints diagnostics to standard error. With JSON they are part of the answer and not repeated.
    pub(crate) fn diagnostics(&self, diagnostics: &[Diagnostic], source: Source<'_>) {
        if !self.is_json() && !diagnostics.is_empty() {
            self.message(operations::render(diagnostics, source, self.color_err).trim_end());
        }
    }

    /// Prints a failure to standard error: as one JSON document, or its diagnostics, its code and
    /// message, and its hints.
    pub(crate) fn error(&self, error: &Error) {
        if self.is_json() {
            self.message(&error.to_json().to_string());
            return;
        }
        let style = self.message_style();
        if !error.diagnostics.is_empty() {
            self.message(&error.render_diagnostics(self.color_err));
        }
        let mut text = format!("{}: {}", style.red(&format!("error[{}]", error.code.as_str())), error.message);
        for hint in &error.hints {
            text.push_str(&format!("\n  {} {hint}", style.cyan("hint:")));
        }
        self.message(&text);
    }

    fn message(&self, text: &str) {
        let _ = write_line(&mut std::io::stderr().lock(), text);
    }
}

fn write_line(out: &mut impl std::io::Write, text: &str) -> std::io::Result<()> {
    out.write_all(text.as_bytes())?;
    if !text.ends_with('\n') {
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// Whether to use colours, by the conventions of <https://no-color.org> and
/// <https://bixense.com/clicolors>.
fn color_wanted(terminal: bool, variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    if set("NO_COLOR") {
        return false;
    }
    if variable("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0") {
        return true;
    }
    terminal && variable("TERM").as_deref() != Some("dumb") && variable("CLICOLOR").as_deref() != Some("0")
}

/// Colours, or none; and how much room there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    on: bool,
    wide: bool,
    width: Option<usize>,
}

impl Style {
    /// Whether everything is to be shown.
    pub(crate) fn is_wide(self) -> bool {
        self.wide
    }

    /// Columns of the terminal; nothing where lines may have any length.
    pub(crate) fn width(self) -> Option<usize> {
        self.width
    }

    /// A text on one line, cut to `width` characters unless everything is to be shown.
    pub(crate) fn short(self, text: &str, width: usize) -> String {
        crate::table::short(text, if self.wide { usize::MAX } else { width })
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("31;1", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.wrap("33;1", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }
}

#[cfg(test)]
mod tests {
    use super::color_wanted;

    #[test]
    fn colours_follow_the_conventions() {
        type Case = (bool, &'static [(&'static str, &'static str)], bool);
        let cases: [Case; 9] = [
            (true, &[], true),
            (false, &[], false),
            (true, &[("NO_COLOR", "1")], false),
            (true, &[("NO_COLOR", "")], true),
            (false, &[("CLICOLOR_FORCE", "1")], true),
            (false, &[("CLICOLOR_FORCE", "0")], false),
            (false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
            (true, &[("TERM", "dumb")], false),
            (true, &[("CLICOLOR", "0")], false),
        ];
        for (terminal, variables, wanted) in cases {
            let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned());
            assert_eq!(color_wanted(terminal, get), wanted, "{terminal} {variables:?}");
        }
    }
}
