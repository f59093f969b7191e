//! Specs and plans.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Nothing;
use crate::access::About;
use crate::operation::{Declared, Effect, Operation, Scope};
use crate::{Context, Error, Subject, fmt, plan, schema, validate};

/// Checks a spec.
pub struct Validate;

impl Operation for Validate {
    type Input = validate::Input;
    type Output = validate::Output;
    const DECLARED: Declared = Declared {
        scope: Scope::ServersRead,
        effect: Effect::Reads,
        command: Some("validate"),
        ..Declared::changes("spec.validate", "/mcp/validate", Some("validate_spec")).told(
            "Check a spec",
            "Checks a spec without a database and without storing anything, and gives every problem with its place and how to mend it.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Ok(validate::validate(context, &input).await)
    }
}

/// Formats a spec.
pub struct Format;

impl Operation for Format {
    type Input = fmt::Input;
    type Output = fmt::Output;
    const DECLARED: Declared = Declared {
        scope: Scope::ServersRead,
        effect: Effect::Reads,
        command: Some("fmt"),
        ..Declared::changes("spec.format", "/mcp/format", None)
            .told("Format a spec", "Brings the text of a spec into the usual form. Comments are kept.")
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        fmt::format(context, input).await
    }
}

/// The JSON Schema of specs.
pub struct SchemaOf;

/// The JSON Schema of specs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaOutput {
    /// The schema, draft 2020-12.
    pub schema: serde_json::Value,
}

impl Operation for SchemaOf {
    type Input = Nothing;
    type Output = SchemaOutput;
    const DECLARED: Declared = Declared {
        command: Some("schema"),
        ..Declared::reads("spec.schema", "/mcp/schema", Some("get_spec_schema"))
            .told("Get the schema of specs", "Gives the JSON Schema of specs: everything that a spec may contain.")
    };

    async fn run(_: &Context, _: Nothing) -> Result<SchemaOutput, Error> {
        Ok(SchemaOutput { schema: schema::schema() })
    }
}

/// Shows or changes a plan.
pub struct PlanOf;

impl Operation for PlanOf {
    type Input = plan::Input;
    type Output = plan::Output;
    const DECLARED: Declared = Declared {
        command: Some("plan"),
        ..Declared::changes("server.plan", "/mcp/plan", Some("plan_server")).told(
            "Show or change a plan",
            "Shows what the tools of a server or a spec really run, and why; plans again from what the databases offer now (`refresh`), keeps a tool's action (`pin`), or takes an edited plan (`import`).",
        )
        .may_be_tried()
.of_a_server()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(plan::plan(context, &input)).await
    }

    fn changes(input: &Self::Input) -> Option<String> {
        match &input.subject {
            Subject::Server { name, .. } => Some(name.clone()),
            Subject::Spec { .. } => None,
        }
    }

    fn about(input: &Self::Input) -> About {
        About::owned(&input.subject)
    }
}
