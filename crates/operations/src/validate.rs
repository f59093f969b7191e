//! Checks a spec without a database and without storing anything.

use base::{Diagnostic, Digest};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Context, SpecText};

/// What to check.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// The spec.
    pub spec: SpecText,
    /// Whether warnings count as errors.
    #[serde(default)]
    pub strict: bool,
}

/// What was found.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// Whether the spec can be used.
    pub valid: bool,
    /// Name of the server; absent when the spec cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Version of the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Digest of the canonical form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub digest: Option<Digest>,
    /// Names of the tools.
    pub tools: Vec<String>,
    /// How many errors.
    pub errors: usize,
    /// How many warnings.
    pub warnings: usize,
    /// How many problems are counted above but not listed.
    pub omitted: usize,
    /// The problems, in the order of the text.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub diagnostics: Vec<Diagnostic>,
}

impl Output {
    /// What is said of a spec that cannot be used for these problems.
    pub fn refused(diagnostics: Vec<Diagnostic>) -> Self {
        let errors = diagnostics.iter().filter(|one| one.is_error()).count();
        Self {
            valid: false,
            name: None,
            version: None,
            digest: None,
            tools: Vec::new(),
            errors,
            warnings: diagnostics.len() - errors,
            omitted: 0,
            diagnostics,
        }
    }
}

/// Checks a spec. A spec with errors is an answer, not a failure.
#[allow(clippy::unused_async, reason = "every operation has this shape")]
pub async fn validate(_context: &Context, input: &Input) -> Output {
    let (spec, diagnostics, omitted) = match input.spec.parse(input.strict) {
        Ok(parsed) => (Some(parsed.spec), parsed.diagnostics, parsed.omitted),
        Err(error) => (None, error.diagnostics, 0),
    };
    let errors = diagnostics.iter().filter(|one| one.is_error()).count();
    Output {
        valid: spec.is_some(),
        errors,
        warnings: diagnostics.len() - errors,
        omitted,
        digest: spec.as_ref().map(spec::Spec::digest),
        tools: spec.iter().flat_map(|spec| &spec.tools).map(|tool| tool.name.clone()).collect(),
        version: spec.as_ref().map(|spec| spec.version.clone()),
        name: spec.map(|spec| spec.name),
        diagnostics,
    }
}
