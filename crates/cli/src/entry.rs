//! From the process's arguments to its exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use operations::{Code, Error};

use crate::arguments::{Cli, Command, command};
use crate::commands;
use crate::links;
use crate::printer::{Printer, output_was_lost};
use crate::session::Session;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let words = in_json(links::expand(std::env::args_os().collect()));
    let cli = match command().try_get_matches_from(&words).and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => cli,
        Err(error) => return usage(&shown(error), &words),
    };
    let session = Session::new(cli.global);
    let result = commands::dispatch(cli.command, &session);
    ExitCode::from(match result {
        Ok(0) if output_was_lost() => Code::CannotWrite.kind().exit_code(),
        Ok(code) => code,
        Err(error) => {
            session.printer.error(&error);
            error.kind().exit_code()
        }
    })
}

/// The same without what is not shown: no tip and no list names hidden commands, and an alias is told by the name that help has.
fn shown(mut error: clap::Error) -> clap::Error {
    let cli = command();
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::ValidSubcommand] {
        let Some(ContextValue::Strings(names)) = error.remove(kind) else { continue };
        let mut kept: Vec<String> = Vec::new();
        for name in names.iter().filter_map(|name| name_in_help(&cli, name)) {
            if !kept.contains(&name) {
                kept.push(name);
            }
        }
        if !kept.is_empty() {
            error.insert(kind, ContextValue::Strings(kept));
        }
    }
    error
}

/// The name under which help shows a command of any depth; `None` for a hidden one.
fn name_in_help(within: &clap::Command, name: &str) -> Option<String> {
    let is_it = |one: &&clap::Command| one.get_name() == name || one.get_all_aliases().any(|alias| alias == name);
    match within.get_subcommands().find(is_it) {
        Some(found) => (!found.is_hide_set()).then(|| found.get_name().to_owned()),
        None => within.get_subcommands().find_map(|one| name_in_help(one, name)),
    }
}

/// What clap says: help and version go to standard output, the rest is a usage error.
fn usage(error: &clap::Error, words: &[OsString]) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let code = Code::Usage.kind().exit_code();
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(code);
    }
    if wants_json(words) {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let mut failure = Error::new(Code::Usage, message);
        for line in text.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()) {
            failure = failure.hint(line.trim_start_matches("tip: "));
        }
        json_printer().error(&failure);
    } else {
        let _ = error.print();
    }
    ExitCode::from(code)
}

/// `--json` is short for `--output json`, but with `create`, where it brings the spec. Keys and accounts are created without one.
fn in_json(words: Vec<OsString>) -> Vec<OsString> {
    let command = words.iter().skip(1).find(|word| ["create", "keys", "accounts"].iter().any(|name| *word == name));
    let takes_spec = command.is_some_and(|word| word == "create");
    let mut verbatim = takes_spec;
    let each = words.into_iter().map(|word| {
        // What follows `--` is nobody's option.
        verbatim |= word == "--";
        if !verbatim && word == "--json" { OsString::from("--output=json") } else { word }
    });
    each.collect()
}

/// Whether JSON was asked for, on a command line that clap could not read.
fn wants_json(words: &[OsString]) -> bool {
    let is_json = |word: &OsString| word == "json" || word == "ndjson";
    let joined = ["--output=json", "--output=ndjson", "-ojson", "-ondjson", "-o=json", "-o=ndjson"];
    words.iter().any(|word| joined.iter().any(|one| word == one))
        || words.windows(2).any(|pair| (pair[0] == "--output" || pair[0] == "-o") && is_json(&pair[1]))
}

fn json_printer() -> Printer {
    let cli = <Cli as clap::Parser>::try_parse_from(["mcp-factory", "--output", "json", "version"]);
    match cli {
        Ok(Cli { global, command: Command::Version(_) }) => Printer::new(&global),
        _ => unreachable!("these words are a command line"),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::in_json;

    #[test]
    fn json_is_a_form_of_output_but_for_a_spec() {
        let of = |line: &str| {
            let words = in_json(line.split(' ').map(OsString::from).collect());
            words.iter().any(|word| word == "--output=json")
        };
        for line in
            ["x list --json", "x keys create n --json", "x --json accounts create n", "x accounts create n --json"]
        {
            assert!(of(line), "{line}");
        }
        for line in ["x create --json {}", "x --home h create --json {}", "x test a b -- --json"] {
            assert!(!of(line), "{line}");
        }
    }
}
