//! A case as its file has it.

use std::path::Path;

use regex::Regex;

/// What is asked.
#[derive(Debug)]
pub(crate) enum Step {
    /// `> TOOL ARGUMENTS`
    Call { tool: String, arguments: String },
    /// `# METHOD PARAMS`: any other request.
    Ask { method: String, params: String },
    /// `= NAME POINTER`: keeps a part of the last answer, for `$NAME` in what follows.
    Keep { name: String, pointer: String },
}

/// A case.
#[derive(Debug)]
pub(crate) struct Case {
    /// Everything before the calls.
    pub(crate) head: String,
    /// Arguments of `run` besides the spec.
    pub(crate) options: Vec<String>,
    /// Variables of the environment; `$WORD`s in them are not filled in yet.
    pub(crate) variables: Vec<(String, String)>,
    /// What varies from run to run, with what stands for it.
    pub(crate) varies: Vec<(Regex, String)>,
    /// The requests, each with its line.
    pub(crate) steps: Vec<(String, Step)>,
    /// The requests with their answers.
    pub(crate) expected: String,
}

impl Case {
    pub(crate) fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join("calls.case");
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (head, expected) = text.split_once("=== calls\n").ok_or("the file has no `=== calls`")?;
        let section = |name: &str| {
            let (_, rest) = head.split_once(&format!("=== {name}\n")).unwrap_or_default();
            rest.split("=== ").next().unwrap_or_default().to_owned()
        };
        let pairs = |name: &str, sign: &str| -> Vec<(String, String)> {
            let found = section(name);
            let lines = found.lines().filter_map(|line| line.split_once(sign));
            lines.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
        };
        let varies = pairs("varies", " => ").into_iter().map(|(pattern, stands)| {
            Regex::new(&pattern).map(|pattern| (pattern, stands)).map_err(|error| error.to_string())
        });
        Ok(Self {
            head: head.to_owned(),
            options: section("options").split_whitespace().map(str::to_owned).collect(),
            variables: pairs("env", "="),
            varies: varies.collect::<Result<_, _>>()?,
            steps: expected.lines().filter_map(|line| Some((line.to_owned(), Step::read(line)?))).collect(),
            expected: expected.to_owned(),
        })
    }
}

impl Step {
    fn read(line: &str) -> Option<Self> {
        let (sign, rest) = line.split_at_checked(2)?;
        let (word, more) = rest.split_once(' ').unwrap_or((rest, "{}"));
        let (word, more) = (word.to_owned(), more.to_owned());
        match sign {
            "> " => Some(Self::Call { tool: word, arguments: more }),
            "# " => Some(Self::Ask { method: word, params: more }),
            "= " => Some(Self::Keep { name: word, pointer: more }),
            _ => None,
        }
    }
}
