//! What a script may reach: the names, and who answers.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;

/// A call to the host under way.
pub type HostFuture<'a> = BoxFuture<'a, Result<Bytes, HostError>>;

/// Who answers a script.
pub trait Host: Send + Sync {
    /// Calls a function: its number in the [`Surface`], and its arguments as a JSON array. The answer is JSON.
    /// The future is dropped when the run ends first.
    fn call(&self, function: usize, arguments: String) -> HostFuture<'_>;

    /// A script rests: nothing of its engine is held until this ends. The future is dropped when the run ends first.
    fn rest<'a>(&'a self, rest: &'a Rest) -> BoxFuture<'a, Result<(), HostError>> {
        Box::pin(async move {
            tokio::time::sleep(rest.time).await;
            Ok(())
        })
    }

    /// The script says how far it is.
    fn progress(&self, _done: f64, _total: Option<f64>, _message: &str) {}

    /// The script says something.
    fn log(&self, _level: Level, _text: &str) {}
}

/// What a run gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The value that the function returned, JSON.
    pub json: Bytes,
    /// The text for people that it was returned with: `return answer(value, text)`.
    pub text: Option<String>,
}

/// What ends the rest of a script: `return again(state, { inMs, key, version, progress })`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// It ends after this time,
    pub time: Duration,
    /// or as soon as the value of this key has another version than this one; none is no value.
    pub change: Option<(String, Option<i64>)>,
    /// Changes of the value of this key are told as progress meanwhile.
    pub progress: Option<String>,
}

/// How important a log line is: the levels of syslog (RFC 5424), as MCP uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// For whoever writes the script.
    Debug,
    /// What happens.
    Info,
    /// What happens and matters.
    Notice,
    /// Something looks wrong.
    Warning,
    /// Something went wrong.
    Error,
    /// Something went wrong that others depend on.
    Critical,
    /// Somebody must act at once.
    Alert,
    /// Nothing works.
    Emergency,
}

impl Level {
    const NAMES: [(&str, Self); 8] = [
        ("debug", Self::Debug),
        ("info", Self::Info),
        ("notice", Self::Notice),
        ("warning", Self::Warning),
        ("error", Self::Error),
        ("critical", Self::Critical),
        ("alert", Self::Alert),
        ("emergency", Self::Emergency),
    ];

    /// The level of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, level)| *level)
    }

    /// The name, as MCP spells it.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, level)| *level == self).map_or("info", |(name, _)| name)
    }
}

/// Why the host could not do what a script asked for. In the script it is an `Error` with this message and code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostError {
    /// What went wrong.
    pub message: String,
    /// A word for programs: `error.code`.
    pub code: Option<String>,
}

impl HostError {
    /// An error without a code.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: None }
    }

    /// Adds a word for programs.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HostError {}

/// Names that the second parameter of a script's function has anyhow.
pub(crate) const OWN: [&str; 6] = ["again", "answer", "fail", "log", "progress", "sleep"];

/// The objects of the host and their functions, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surface {
    names: Vec<(String, String)>,
}

impl Surface {
    /// Nothing but the names of the script's own: `again`, `answer`, `fail`, `log`, `progress` and `sleep`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an object with functions. A name of the script's own is not replaced: gives
    /// `false` then.
    pub fn add<'a>(&mut self, object: &str, functions: impl IntoIterator<Item = &'a str>) -> bool {
        if OWN.contains(&object) {
            return false;
        }
        self.names.extend(functions.into_iter().map(|function| (object.to_owned(), function.to_owned())));
        true
    }

    /// Adds a function that stands beside `log`, `progress` and `sleep`. `fetch` is one of the language instead: a global
    /// function as the WHATWG says, whose host is called with the URL and `{method, headers, redirect, text?, base64?}` and gives
    /// `{status, statusText, url, redirected, headers, text, base64?}`.
    pub fn add_function(&mut self, function: &str) -> bool {
        if OWN.contains(&function) {
            return false;
        }
        self.names.push((String::new(), function.to_owned()));
        true
    }

    /// The object and the function of a number.
    pub fn name(&self, function: usize) -> Option<(&str, &str)> {
        self.names.get(function).map(|(object, function)| (object.as_str(), function.as_str()))
    }

    /// `[["db", "query"], …]`.
    pub(crate) fn to_json(&self) -> String {
        serde_json::json!(self.names).to_string()
    }
}
