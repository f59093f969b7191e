//! The commands as manual pages, in the macros of man(7).

use clap::{Arg, Command};

use crate::arguments::command;

/// Options that every command has are on the page of the program alone.
const PROGRAM: &str = "mcp-factory";

/// Every page with the name of its file.
pub(crate) fn pages() -> Vec<(String, String)> {
    let cli = built();
    let own = (format!("{PROGRAM}.1"), of(&cli, &cli));
    let shown = cli.get_subcommands().filter(|one| !one.is_hide_set());
    std::iter::once(own).chain(shown.map(|one| (format!("{PROGRAM}-{}.1", one.get_name()), of(&cli, one)))).collect()
}

/// The page of a command, or of the program.
pub(crate) fn page(topic: Option<&str>) -> Option<String> {
    let cli = built();
    match topic {
        None => Some(of(&cli, &cli)),
        Some(topic) => cli.find_subcommand(topic).filter(|one| !one.is_hide_set()).map(|one| of(&cli, one)),
    }
}

fn built() -> Command {
    let mut cli = command();
    cli.build();
    cli
}

fn of(cli: &Command, command: &Command) -> String {
    let is_program = command.get_name() == PROGRAM;
    let name = if is_program { PROGRAM.to_owned() } else { format!("{PROGRAM}-{}", command.get_name()) };
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut page = format!(
        ".TH {} 1 \"\" \"mcp-factory {}\" \"MCP Factory\"\n.SH NAME\n{} \\- {}\n",
        text(&name.to_uppercase()),
        env!("CARGO_PKG_VERSION"),
        text(&name),
        text(about.trim_end_matches('.'))
    );
    page.push_str(&format!(".SH SYNOPSIS\n{}\n", text(&usage(command))));
    let before = command.get_before_help().map(ToString::to_string).unwrap_or_default();
    let (more, examples) = before.split_once("Examples:\n").unwrap_or((before.as_str(), ""));
    if !more.trim().is_empty() {
        page.push_str(&format!(".SH DESCRIPTION\n{}\n", text(more.trim())));
    }
    if !examples.is_empty() {
        page.push_str(&format!(".SH EXAMPLES\n.nf\n{}\n.fi\n", text(examples.trim_end())));
    }
    if is_program {
        page.push_str(".SH COMMANDS\n");
        for one in cli.get_subcommands().filter(|one| !one.is_hide_set()) {
            let about = one.get_about().map(ToString::to_string).unwrap_or_default();
            page.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", text(one.get_name()), text(&about)));
        }
    } else {
        for one in command.get_subcommands().filter(|one| !one.is_hide_set()) {
            let about = one.get_about().map(ToString::to_string).unwrap_or_default();
            page.push_str(&format!(
                ".SH {}\n{}\n.PP\n{}\n",
                text(&one.get_name().to_uppercase()),
                text(&about),
                text(&usage(one))
            ));
            options(&mut page, one, false);
        }
    }
    let has_own = command.get_arguments().any(|one| is_shown(one) && (is_program || !one.is_global_set()));
    if has_own {
        page.push_str(".SH OPTIONS\n");
        options(&mut page, command, is_program);
    }
    page.push_str(&match is_program {
        true => ".SH EXIT STATUS\nSee \\fBmcp\\-factory help exit\\-codes\\fR.\n".to_owned(),
        false => format!(".SH SEE ALSO\n\\fB{}\\fR(1), which has the options of every command.\n", text(PROGRAM)),
    });
    page
}

fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage:").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set()
}

fn options(page: &mut String, command: &Command, with_global: bool) {
    let own = |one: &&Arg| is_shown(one) && (with_global || !one.is_global_set());
    for one in command.get_arguments().filter(own) {
        let value =
            one.get_value_names().map(|names| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" "));
        let value = value.filter(|_| one.get_action().takes_values()).unwrap_or_default();
        let name = match (one.get_short(), one.get_long()) {
            (Some(short), Some(long)) => format!("-{short}, --{long}"),
            (None, Some(long)) => format!("--{long}"),
            (Some(short), None) => format!("-{short}"),
            (None, None) => String::new(),
        };
        let between = if name.is_empty() || value.is_empty() { "" } else { " " };
        let help = one.get_help().map(ToString::to_string).unwrap_or_default();
        page.push_str(&format!(".TP\n\\fB{}\\fR{between}\\fI{}\\fR\n{}\n", text(&name), text(&value), text(&help)));
    }
}

/// A text in which nothing is a macro.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line) in text.lines().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        if line.starts_with(['.', '\'']) {
            out.push_str("\\&");
        }
        out.push_str(&line.replace('\\', "\\e").replace('-', "\\-"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{page, pages, text};

    #[test]
    fn every_command_has_a_page_of_sound_macros() {
        let all = pages();
        assert!(all.len() > 30 && all.iter().any(|(name, _)| name == "mcp-factory-create.1"));
        for (name, page) in &all {
            for part in [".TH MCP", "\n.SH NAME\n", "\n.SH SYNOPSIS\n"] {
                assert!(page.contains(part), "{name} has no {part:?}: {page}");
            }
            let macros = [".TH", ".SH", ".TP", ".PP", ".nf", ".fi"];
            for line in page.lines().filter(|line| line.starts_with('.')) {
                assert!(macros.iter().any(|one| line.starts_with(one)), "{name}: {line}");
            }
            assert!(!page.contains('\u{1b}'), "{name} has colours");
        }
        assert!(page(Some("deploy")).is_some() && page(Some("__gen")).is_none());
        assert_eq!(text(".so x\n--all \\n"), "\\&.so x\n\\-\\-all \\en");
    }
}
