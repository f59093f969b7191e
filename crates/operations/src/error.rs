//! A failed operation.

use base::{Diagnostic, Source};
use serde::Serialize;

use crate::code::{Code, Kind};
use crate::source::SpecText;

/// A failed operation: what was attempted and went wrong, and what to do next. The same value is
/// printed for people and serialized for programs.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// Stable code with a help page.
    pub code: Code,
    /// What was attempted and what went wrong, one sentence without a full stop.
    pub message: String,
    /// What to do, one line each.
    pub hints: Vec<String>,
    /// The problems found in a user's text.
    pub diagnostics: Vec<Diagnostic>,
    /// The text that the diagnostics point into. Boxed: an error is returned by value everywhere.
    pub text: Option<Box<SpecText>>,
}

impl Error {
    /// An error without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hints: Vec::new(), diagnostics: Vec::new(), text: None }
    }

    /// Adds a line that says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> Kind {
        self.code.kind()
    }

    /// The machine output.
    pub fn to_json(&self) -> serde_json::Value {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shape<'a> {
            code: &'static str,
            kind: Kind,
            exit_code: u8,
            message: &'a str,
            hints: &'a [String],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            diagnostics: &'a [Diagnostic],
        }
        let shape = Shape {
            code: self.code.as_str(),
            kind: self.kind(),
            exit_code: self.kind().exit_code(),
            message: &self.message,
            hints: &self.hints,
            diagnostics: &self.diagnostics,
        };
        serde_json::json!({ "error": shape })
    }

    /// The diagnostics as text for people, each with its place underlined.
    pub fn render_diagnostics(&self, color: bool) -> String {
        let nameless = SpecText { name: "<input>".to_owned(), text: String::new(), format: None };
        render(&self.diagnostics, self.text.as_deref().unwrap_or(&nameless).as_source(), color)
    }

    /// A spec that cannot be used, with everything that was found in it.
    pub(crate) fn invalid_spec(source: &SpecText, mut diagnostics: Vec<Diagnostic>, omitted: usize) -> Self {
        diagnostics.iter_mut().for_each(|diagnostic| diagnostic.locate(&source.text));
        let errors = diagnostics.iter().filter(|one| one.is_error()).count() + omitted;
        let what = match errors {
            0 => format!("{} has warnings, and warnings count as errors here", source.name),
            1 => format!("{} has 1 error", source.name),
            _ => format!("{} has {errors} errors", source.name),
        };
        let mut error = Self::new(Code::InvalidSpec, what);
        if omitted > 0 {
            error = error.hint(format!("{omitted} more problems are not shown; mend these first"));
        }
        let code = diagnostics.iter().find(|one| one.is_error()).or(diagnostics.first()).map(|one| one.code.clone());
        error = error.hint(match code {
            Some(code) => format!("`mcp-factory explain {code}` says more about the first one"),
            None => "`mcp-factory schema` prints what a spec may contain".to_owned(),
        });
        error.diagnostics = diagnostics;
        error.text = Some(Box::new(source.clone()));
        error
    }
}

/// Diagnostics as text for people.
pub fn render(diagnostics: &[Diagnostic], source: Source<'_>, color: bool) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.render(source, color)).collect::<Vec<_>>().join("\n")
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        use store::Error as E;
        let message = error.to_string();
        match error {
            E::NoServer { name, known } => no_server(&name, &known),
            E::NoVersion { name, known, .. } => Self::new(Code::NoVersion, message)
                .hint(format!("`{name}` has {}", listed(&known)))
                .hint(format!("`mcp-factory status {name}` shows its versions")),
            E::Conflict { name, version, stored, offered } => Self::new(
                Code::VersionConflict,
                format!(
                    "version {version} of `{name}` exists with another content (stored {}, offered {})",
                    stored.short(),
                    offered.short()
                ),
            )
            .hint("raise `version` in the spec to keep both")
            .hint("or replace the stored one with `force` (`--force`)"),
            E::Taken { .. } => taken(message),
            E::TooMany { used, most } => crate::policies::exceeded("servers", used, most),
            E::Cursor { .. } => Self::new(Code::BadCursor, message)
                .hint("pass the `nextCursor` of the page before, or leave `--cursor` out to begin at the start"),
            E::Away { .. } => Self::new(Code::CatalogueAway, message)
                .hint("nothing was changed that is not shown; try again when the database answers"),
            E::Gone { returns, .. } => {
                const ANEW: &str = "to go on with a copy, end this process, put the copy there without files named `-wal` and `-shm`, and start it again";
                let error = Self::new(Code::CatalogueAway, message);
                match returns {
                    true => error.hint("nothing was changed; put the same file back, and it goes on").hint(ANEW),
                    false => error.hint("nothing was changed").hint(ANEW),
                }
            }
            E::Held { .. } => Self::new(Code::HomeHeld, message)
                .hint("end the control planes on this database first; they would go on with what they know"),
            E::Busy { .. } => Self::new(Code::CatalogueBusy, message).hint("try again in a moment"),
            E::Full { .. } => {
                Self::new(Code::CatalogueFull, message).hint("nothing was changed; make room on the disk and try again")
            }
            E::Unkeepable { .. } => Self::new(Code::BadRequest, message).hint("nothing has such a name; leave it out"),
            E::TooNew { .. } => Self::new(Code::Catalogue, message)
                .hint("use the newer mcp-factory that wrote it, or another home folder with `--home DIR`"),
            E::Tried | E::Open { .. } | E::Failed { .. } => Self::new(Code::Catalogue, message)
                .hint("`mcp-factory doctor` checks the home folder and the catalogue")
                .hint("or choose another home folder with `--home DIR`"),
        }
    }
}

/// A name that is somebody else's.
pub(crate) fn taken(message: String) -> Error {
    Error::new(Code::Taken, message).hint("give the server another name in its spec")
}

/// A server that is not there, for a caller who is not to learn which ones are.
pub(crate) fn none_to_see(name: &str) -> Error {
    Error::new(Code::NoServer, format!("there is no server `{name}` that you may use"))
        .hint("`mcp-factory list` shows yours")
}

fn no_server(name: &str, known: &[String]) -> Error {
    let mut error = Error::new(Code::NoServer, format!("there is no server `{name}`"));
    if let Some(near) = base::nearest(name, known.iter().map(String::as_str)) {
        error = error.hint(format!("did you mean `{near}`?"));
    }
    error.hint(if known.is_empty() {
        "there are no servers yet; make one with `mcp-factory create --spec FILE`".to_owned()
    } else {
        "`mcp-factory list` shows the servers that exist".to_owned()
    })
}

/// Names for a sentence, a few of them.
pub(crate) fn listed(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
