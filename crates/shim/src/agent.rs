//! The program that is run, and its arguments for one request.

use std::path::PathBuf;

use connect::process::Program;

use crate::dialogue::Dialogue;
use crate::limits::ARGUMENT_BYTES_MAX;
use crate::paper::Paper;
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

/// What a program is given for one request.
#[derive(Debug)]
pub(crate) struct Given {
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// What is said to it.
    pub(crate) input: Input,
    /// The prompt, where it is given in a file, which has to be there as long as the program runs.
    pub(crate) paper: Option<Paper>,
}

/// Why a program cannot be given a request.
#[derive(Debug)]
pub(crate) enum Ungiven {
    /// An argument would have so many bytes.
    TooLong(usize),
    /// The prompt cannot be written down.
    Unwritten(std::io::Error),
}

/// The program, found once.
#[derive(Debug)]
pub(crate) struct Agent {
    program: Program,
    arguments: Vec<String>,
    is_droid: bool,
    dialogue: bool,
    /// Where prompts are written down.
    papers: PathBuf,
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
        Ok(Self {
            program,
            arguments: arguments.to_vec(),
            is_droid,
            dialogue: settings.dialogue,
            papers: std::env::temp_dir(),
        })
    }

    /// The program in the folder of a request.
    pub(crate) fn program(&self, job: &Job) -> Program {
        Program { folder: Some(job.folder.clone()), ..self.program.clone() }
    }

    /// What it is given.
    pub(crate) fn give(&self, job: &Job) -> Result<Given, Ungiven> {
        let cwd = job.folder.display().to_string();
        let session = job.session.as_deref().unwrap_or_default();
        // Nothing but droid's own `exec` is known to take either.
        let is_told_once = self.is_droid && !self.dialogue;
        let wants_file = match is_told_once {
            true => job.prompt.len() > ARGUMENT_BYTES_MAX,
            false => self.arguments.iter().any(|word| word.contains("{prompt-file}")),
        };
        let paper = match wants_file {
            true => Some(Paper::write(&self.papers, &job.prompt).map_err(Ungiven::Unwritten)?),
            false => None,
        };
        let file = paper.as_ref().map(|paper| paper.path().display().to_string()).unwrap_or_default();
        let pairs = [
            ("{prompt}", job.prompt.as_str()),
            ("{prompt-file}", &file),
            ("{cwd}", &cwd),
            ("{mode}", job.mode.word()),
            ("{session}", session),
        ];
        let mut arguments: Vec<String> = self.arguments.iter().map(|word| fill(word, &pairs)).collect();
        if self.is_droid {
            arguments.extend(["--cwd".to_owned(), cwd.clone()]);
            arguments.extend(job.mode.auto().into_iter().flat_map(|level| ["--auto".to_owned(), level.to_owned()]));
        }
        if is_told_once {
            arguments.extend(job.session.iter().flat_map(|name| ["-s".to_owned(), name.clone()]));
            match &paper {
                Some(_) => arguments.extend(["-f".to_owned(), file.clone()]),
                // Behind `--` nothing is an option.
                None => arguments.extend(["--".to_owned(), job.prompt.clone()]),
            }
        }
        if let Some(long) = arguments.iter().map(String::len).find(|bytes| *bytes > ARGUMENT_BYTES_MAX) {
            return Err(Ungiven::TooLong(long));
        }
        let has_prompt = is_told_once || paper.is_some() || self.arguments.iter().any(|word| word.contains("{prompt}"));
        let input = match (self.dialogue, has_prompt) {
            (true, _) => Input::Dialogue(Dialogue::new(job)),
            (false, true) => Input::Nothing,
            (false, false) => Input::Prompt(job.prompt.clone()),
        };
        Ok(Given { arguments, input, paper })
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
