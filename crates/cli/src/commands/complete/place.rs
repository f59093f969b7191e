//! What stands where the cursor is: which name of the catalogue, if any.

use std::collections::HashMap;

use clap::{Arg, Command};

/// What is to be named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A server.
    Servers,
    /// A tool, of a server if one is named.
    Tools(Option<String>),
    /// A version of a server.
    Versions(String),
    /// An API key or a connected program.
    Keys,
    /// A job.
    Jobs,
    /// A rule of the policies.
    Rules,
    /// An account.
    Accounts,
    /// A template.
    Templates,
    /// A scope.
    Scopes,
    /// The code of a failure.
    Codes,
    /// A topic of `help`.
    Topics,
}

/// The place of the cursor.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// What is to be named there.
    pub(super) wanted: Wanted,
    /// What is typed of the name.
    pub(super) typed: String,
    /// What stands in the same word before the name: `--server=`, or names and a comma.
    before: String,
    /// Values of options that were typed, by the names of the options.
    options: HashMap<String, String>,
}

impl Place {
    /// Reads a line as far as it is typed; nothing where no name of the catalogue is wanted.
    pub(super) fn of(cli: &Command, words: &[String], current: &str) -> Option<Self> {
        let mut line = Line { path: Vec::new(), command: cli, cli, values: Vec::new(), options: HashMap::new() };
        let mut waiting: Option<&Arg> = None;
        for word in words {
            waiting = line.read(word, waiting);
        }
        let (argument, before, typed) = match (waiting, current.split_once('=')) {
            (Some(option), _) => (option, "", if current == "=" { "" } else { current }),
            (None, Some((option, typed))) if option.starts_with("--") => {
                (line.option(option)?, &current[..=option.len()], typed)
            }
            (None, _) if current.starts_with('-') => return None,
            (None, _) => (line.positional()?, "", current),
        };
        let (before, typed) = match (argument.get_value_delimiter(), typed.rsplit_once(',')) {
            (Some(','), Some((others, typed))) => (format!("{before}{others},"), typed),
            _ => (before.to_owned(), typed),
        };
        let wanted = line.wanted(argument)?;
        Some(Self { wanted, typed: typed.to_owned(), before, options: line.options })
    }

    /// The value of an option that was typed.
    pub(super) fn option(&self, name: &str) -> Option<String> {
        self.options.get(name).cloned()
    }

    /// The word with a name in it.
    pub(super) fn whole(&self, name: &str) -> String {
        format!("{}{name}", self.before)
    }
}

/// A line that is read word by word.
struct Line<'a> {
    /// Names of the command and of its subcommand.
    path: Vec<&'a str>,
    command: &'a Command,
    cli: &'a Command,
    values: Vec<String>,
    options: HashMap<String, String>,
}

impl<'a> Line<'a> {
    /// Reads a word, and gives the option whose value comes next.
    fn read(&mut self, word: &str, waiting: Option<&'a Arg>) -> Option<&'a Arg> {
        if let Some(option) = waiting {
            // Bash takes `--option=value` for three words.
            if word == "=" {
                return waiting;
            }
            self.options.insert(option.get_id().to_string(), word.to_owned());
            return None;
        }
        if let Some((name, value)) = word.split_once('=').filter(|(name, _)| name.starts_with("--")) {
            if let Some(option) = self.option(name) {
                self.options.insert(option.get_id().to_string(), value.to_owned());
            }
            return None;
        }
        if word.starts_with('-') && word.len() > 1 {
            return self.option(word).filter(|option| option.get_action().takes_values());
        }
        match self.command.find_subcommand(word).filter(|_| self.values.is_empty()) {
            Some(found) => {
                self.path.push(found.get_name());
                self.command = found;
            }
            None => self.values.push(word.to_owned()),
        }
        None
    }

    fn option(&self, word: &str) -> Option<&'a Arg> {
        let all = self.command.get_arguments().chain(self.cli.get_arguments());
        let long = word.strip_prefix("--");
        let short = word.strip_prefix('-').and_then(|rest| rest.chars().next());
        all.into_iter().find(|one| match long {
            Some(long) => one.get_long() == Some(long),
            None => one.get_short().is_some() && one.get_short() == short,
        })
    }

    fn positional(&self) -> Option<&'a Arg> {
        self.command.get_positionals().nth(self.values.len())
    }

    /// What an argument names.
    fn wanted(&self, argument: &Arg) -> Option<Wanted> {
        let first = || self.values.first().cloned();
        let named = argument.get_value_names().and_then(|names| names.first()).map(|name| name.as_str());
        let path: Vec<&str> = self.path.clone();
        if argument.is_positional() {
            return Some(match (path.as_slice(), named?) {
                (["keys", "revoke"], _) => Wanted::Keys,
                // What is made has no name yet.
                (["keys" | "accounts", "create"] | ["policies", "set" | "quota"], _) => return None,
                (["jobs", ..], "ID") => Wanted::Jobs,
                (["policies", ..], "NAME") => Wanted::Rules,
                (["accounts", ..], "NAME") => Wanted::Accounts,
                (["templates"], "NAME") => Wanted::Templates,
                (["explain"], "CODE") => Wanted::Codes,
                (["help"], "TOPIC") => Wanted::Topics,
                (["diff"], "FROM" | "TO") => Wanted::Versions(first()?),
                (_, "TOOL") => Wanted::Tools(first()),
                (_, "NAME" | "NAME|FILE" | "SERVER") => Wanted::Servers,
                _ => return None,
            });
        }
        Some(match (argument.get_long()?, named?) {
            ("server", "NAME") => Wanted::Servers,
            ("subject", "NAME") | ("servers", "NAME") => Wanted::Servers,
            ("template", _) => Wanted::Templates,
            ("scope", "SCOPE") if path.first() == Some(&"keys") => Wanted::Scopes,
            ("tool" | "pin" | "unpin", _) => Wanted::Tools(first().or_else(|| self.options.get("server").cloned())),
            ("tools", "NAME") => Wanted::Tools(None),
            ("spec-version", "VERSION") => {
                let server = if path.first() == Some(&"clients") { self.values.get(1).cloned() } else { first() };
                Wanted::Versions(server.or_else(|| self.options.get("server").cloned())?)
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, Wanted};
    use crate::arguments::command;

    fn at(line: &str) -> Option<(Wanted, String)> {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let current = words.pop().unwrap_or_default();
        let mut cli = command();
        cli.build();
        Place::of(&cli, &words, &current).map(|place| (place.wanted.clone(), place.whole("X")))
    }

    #[test]
    fn every_name_has_its_places() {
        let shop = || Some("shop".to_owned());
        let cases: [(&str, Wanted, &str); 24] = [
            ("status ", Wanted::Servers, "X"),
            ("rm sh", Wanted::Servers, "X"),
            ("--home /x -q run ", Wanted::Servers, "X"),
            ("test shop ", Wanted::Tools(shop()), "X"),
            ("logs shop --tool ", Wanted::Tools(shop()), "X"),
            ("logs shop --tool=", Wanted::Tools(shop()), "--tool=X"),
            ("logs shop --tool =", Wanted::Tools(shop()), "X"),
            ("logs shop --tool = gr", Wanted::Tools(shop()), "X"),
            ("usage --server ", Wanted::Servers, "X"),
            ("usage --server shop --tool ", Wanted::Tools(shop()), "X"),
            ("diff shop ", Wanted::Versions("shop".to_owned()), "X"),
            ("diff shop 1.0.0 ", Wanted::Versions("shop".to_owned()), "X"),
            ("deploy shop --spec-version ", Wanted::Versions("shop".to_owned()), "X"),
            ("keys revoke ", Wanted::Keys, "X"),
            ("keys create ci --scope mcp,se", Wanted::Scopes, "mcp,X"),
            ("jobs cancel ", Wanted::Jobs, "X"),
            ("policies remove ", Wanted::Rules, "X"),
            ("accounts remove ", Wanted::Accounts, "X"),
            ("templates ", Wanted::Templates, "X"),
            ("create --template ", Wanted::Templates, "X"),
            ("clients add cursor ", Wanted::Servers, "X"),
            ("explain ", Wanted::Codes, "X"),
            ("help ", Wanted::Topics, "X"),
            ("uses ", Wanted::Servers, "X"),
        ];
        for (line, wanted, whole) in cases {
            assert_eq!(at(line), Some((wanted, whole.to_owned())), "{line}");
        }
        for line in
            ["", "sta", "status -", "status shop ", "keys create ", "create ", "run --port ", "accounts create "]
        {
            assert_eq!(at(line), None, "{line}");
        }
    }
}
