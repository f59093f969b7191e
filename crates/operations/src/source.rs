//! What an operation is asked to work on.

mod read;

use base::Source;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Code, Error};

/// The text of a spec. It is read from its text, from a spec that is written as JSON in place, or from an object of its
/// three fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SpecText {
    /// Where it comes from, for messages: a path, `<stdin>`, `<json>`.
    pub name: String,
    /// The text.
    pub text: String,
    /// How it is written. Found out from the text when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
}

/// How a spec is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
}

impl SpecText {
    /// Takes bytes that should be UTF-8.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>, format: Option<Format>) -> Result<Self, Error> {
        let name = name.into();
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text, format }),
            Err(error) => {
                let bytes = error.into_bytes();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let parsed = spec::parse_bytes(&name, &bytes, &spec::ParseOptions::default());
                Err(Error::invalid_spec(&Self { name, text, format }, parsed.diagnostics, parsed.omitted))
            }
        }
    }

    /// What diagnostics point into.
    pub fn as_source(&self) -> Source<'_> {
        Source { name: &self.name, text: &self.text }
    }

    fn format(&self) -> Option<spec::Format> {
        self.format.map(|format| match format {
            Format::Yaml => spec::Format::Yaml,
            Format::Json => spec::Format::Json,
        })
    }

    /// Gives problems that were found after the text was read their places in it.
    pub(crate) fn add_places(&self, diagnostics: &mut [base::Diagnostic]) {
        spec::add_places(diagnostics, self.as_source(), self.format());
    }

    pub(crate) fn parse(&self, strict: bool) -> Result<Parsed, Error> {
        let parsed = spec::parse(self.as_source(), &spec::ParseOptions { strict, format: self.format() });
        let actions = |spec| engine::check_scripts(spec).into_iter().chain(engine::check_replies(spec));
        let actions: Vec<_> = parsed.spec.iter().flat_map(actions).collect();
        if !actions.is_empty() {
            let mut diagnostics: Vec<_> = parsed.diagnostics.into_iter().chain(actions).collect();
            self.add_places(&mut diagnostics);
            return Err(Error::invalid_spec(self, diagnostics, parsed.omitted));
        }
        match parsed.spec {
            Some(spec) => Ok(Parsed { spec, diagnostics: parsed.diagnostics, omitted: parsed.omitted }),
            None => Err(Error::invalid_spec(self, parsed.diagnostics, parsed.omitted)),
        }
    }

    /// How it is written, found out from the text where it was not said.
    pub(crate) fn written_as(&self) -> store::Format {
        match self.format {
            Some(Format::Json) => store::Format::Json,
            Some(Format::Yaml) => store::Format::Yaml,
            None if self.text.trim_start().starts_with('{') => store::Format::Json,
            None => store::Format::Yaml,
        }
    }
}

/// A usable spec and what was found in it all the same.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) spec: spec::Spec,
    pub(crate) diagnostics: Vec<base::Diagnostic>,
    pub(crate) omitted: usize,
}

/// A spec given as text, or a server of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "from")]
pub enum Subject {
    /// A spec that need not be in the catalogue.
    Spec {
        /// The spec.
        spec: SpecText,
    },
    /// A server of the catalogue.
    Server {
        /// Its name.
        name: String,
        /// Which version; the current one when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
}

impl Subject {
    /// How both are written, as hints say it.
    pub(crate) const FORMS: &'static str = "`{\"subject\": {\"from\": \"server\", \"name\": \"NAME\"}}` for a server of the catalogue, or \
        `{\"subject\": {\"from\": \"spec\", \"spec\": {…}}}` for a spec";

    /// The current version of a server of the catalogue.
    pub fn server(name: impl Into<String>) -> Self {
        Self::Server { name: name.into(), version: None }
    }

    /// A name for messages.
    pub fn label(&self) -> &str {
        match self {
            Self::Spec { spec } => &spec.name,
            Self::Server { name, .. } => name,
        }
    }
}

/// The error for a tool that is not there.
pub(crate) fn no_tool(server: &str, tool: &str, known: &[String]) -> Error {
    let mut error = Error::new(Code::NoTool, format!("server `{server}` has no tool `{tool}`"));
    if let Some(near) = base::nearest(tool, known.iter().map(String::as_str)) {
        error = error.hint(format!("did you mean `{near}`?"));
    }
    error.hint(format!("its tools are {}", crate::error::listed(known)))
}
