//! The program that is run, and its arguments for one request.

use connect::process::Program;

use crate::dialogue::Dialogue;
use crate::request::Job;
use crate::settings::{Problem, Settings, program};

/// What is run unless the operator names another program. What depends on the request is added.
const DROID: [&str; 4] = ["droid", "exec", "--output-format", "json"];
/// The same as a conversation.
const DROID_DIALOGUE: [&str; 6] =
    ["droid", "exec", "--output-format", "stream-jsonrpc", "--input-format", "stream-jsonrpc"];

/// What is said to a program through its standard input.
#[derive(Debug)]
pub(crate) enum Input {
    /// Nothing: its arguments say all.
    Nothing,
    /// The prompt.
    Prompt(String),
    /// What a conversation asks for.
    Dialogue(Dialogue),
}

/// The program, found once.
#[derive(Debug)]
pub(crate) struct Agent {
    program: Program,
    arguments: Vec<String>,
    is_droid: bool,
    dialogue: bool,
}

impl Agent {
    pub(crate) fn find(settings: &Settings) -> Result<Self, Problem> {
        let is_droid = settings.command.is_empty();
        let words: Vec<String> = match (is_droid, settings.dialogue) {
            (false, _) => settings.command.clone(),
            (true, false) => DROID.map(str::to_owned).to_vec(),
            (true, true) => DROID_DIALOGUE.map(str::to_owned).to_vec(),
        };
        let path = settings.environment.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_str());
        let (name, arguments) = words.split_first().ok_or_else(|| Problem("there is no program to run".to_owned()))?;
        let program = Program {
            name: name.clone(),
            path: program(name, path)?,
            folder: None,
            environment: settings.environment.clone(),
        };
        Ok(Self { program, arguments: arguments.to_vec(), is_droid, dialogue: settings.dialogue })
    }

    /// The program in the folder of a request.
    pub(crate) fn program(&self, job: &Job) -> Program {
        Program { folder: Some(job.folder.clone()), ..self.program.clone() }
    }

    /// Its arguments, and what is said to it.
    pub(crate) fn arguments(&self, job: &Job) -> (Vec<String>, Input) {
        let cwd = job.folder.display().to_string();
        let session = job.session.as_deref().unwrap_or_default();
        let mut arguments = Vec::with_capacity(self.arguments.len() + 8);
        let mut takes_prompt = false;
        for word in &self.arguments {
            takes_prompt |= word.contains("{prompt}");
            let pairs = [
                ("{prompt}", job.prompt.as_str()),
                ("{cwd}", &cwd),
                ("{mode}", job.mode.word()),
                ("{session}", session),
            ];
            arguments.push(fill(word, &pairs));
        }
        if self.is_droid {
            arguments.extend(["--cwd".to_owned(), cwd]);
            arguments.extend(job.mode.auto().into_iter().flat_map(|level| ["--auto".to_owned(), level.to_owned()]));
            if !self.dialogue {
                arguments.extend(job.session.iter().flat_map(|name| ["-s".to_owned(), name.clone()]));
                // Behind `--` nothing is an option.
                arguments.extend(["--".to_owned(), job.prompt.clone()]);
                takes_prompt = true;
            }
        }
        let input = match (self.dialogue, takes_prompt) {
            (true, _) => Input::Dialogue(Dialogue::new(job)),
            (false, true) => Input::Nothing,
            (false, false) => Input::Prompt(job.prompt.clone()),
        };
        (arguments, input)
    }
}

/// Replaces names once: what a value holds is not looked at again.
fn fill(word: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(word.len());
    let mut rest = word;
    'next: while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        for (name, value) in pairs {
            if let Some(after) = rest.strip_prefix(name) {
                out.push_str(value);
                rest = after;
                continue 'next;
            }
        }
        out.push('{');
        rest = &rest[1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::fill;

    #[test]
    fn values_are_put_in_once() {
        let pairs = [("{prompt}", "a {cwd}"), ("{cwd}", "/x")];
        assert_eq!(fill("{prompt}:{cwd}:{other}:{", &pairs), "a {cwd}:/x:{other}:{");
    }
}
