//! The platform itself: templates, codes, checks, the version.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Nothing;
use crate::operation::{Declared, Effect, Method, Operation, Scope};
use crate::{Context, Error, doctor, explain, templates, version};

/// Lists the templates.
pub struct ListTemplates;

impl Operation for ListTemplates {
    type Input = templates::ListInput;
    type Output = templates::ListOutput;
    const DECLARED: Declared = Declared::reads("template.list", "/mcp/templates", Some("list_templates"))
        .told("List the templates", "Lists specs to start from, with their connections and tools.");

    async fn run(_: &Context, _: Self::Input) -> Result<Self::Output, Error> {
        Ok(templates::list())
    }
}

/// Gives a template.
pub struct GetTemplate;

impl Operation for GetTemplate {
    type Input = templates::GetInput;
    type Output = templates::Template;
    const DECLARED: Declared = Declared::reads("template.get", "/mcp/templates/{name}", Some("get_template"))
        .told("Get a template", "Gives a spec to start from, as YAML with comments.");

    async fn run(_: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        templates::get(&input.name)
    }
}

/// The codes of failures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Codes {
    /// The codes, in order.
    pub codes: Vec<explain::Entry>,
}

/// Lists the codes.
pub struct ListCodes;

impl Operation for ListCodes {
    type Input = Nothing;
    type Output = Codes;
    const DECLARED: Declared = Declared {
        scope: Scope::Open,
        ..Declared::reads("code.list", "/mcp/codes", None)
            .told("List the codes", "Lists the codes of failures and of problems in specs.")
    };

    async fn run(_: &Context, _: Nothing) -> Result<Codes, Error> {
        Ok(Codes { codes: explain::entries() })
    }
}

/// Which code.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExplainInput {
    /// The code, such as `MF0203`.
    pub code: String,
}

/// Explains a code.
pub struct Explain;

impl Operation for Explain {
    type Input = ExplainInput;
    type Output = explain::Page;
    const DECLARED: Declared = Declared {
        scope: Scope::Open,
        command: Some("explain"),
        ..Declared::reads("code.explain", "/mcp/codes/{code}", Some("explain_code"))
            .told("Explain a code", "Says why a failure such as MF0203 happens and what to do.")
    };

    async fn run(_: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        explain::explain(&input.code)
    }
}

/// Checks the surroundings.
pub struct Doctor;

impl Operation for Doctor {
    type Input = doctor::Input;
    type Output = doctor::Output;
    const DECLARED: Declared = Declared {
        method: Method::Get,
        scope: Scope::Admin,
        effect: Effect::Reads,
        command: Some("doctor"),
        ..Declared::changes("platform.doctor", "/mcp/doctor", Some("check_platform")).told(
            "Check the platform",
            "Checks the home folder, the catalogue, the servers' databases and the surroundings. Each failed check names its remedy.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(doctor::doctor(context, &input)).await
    }
}

/// The version of this program.
pub struct Version;

impl Operation for Version {
    type Input = Nothing;
    type Output = version::Output;
    const DECLARED: Declared = Declared {
        scope: Scope::Open,
        command: Some("version"),
        ..Declared::reads("platform.version", "/version", None)
            .told("Get the version", "Gives the version of the control plane.")
    };

    async fn run(_: &Context, _: Nothing) -> Result<Self::Output, Error> {
        Ok(version::version())
    }
}
