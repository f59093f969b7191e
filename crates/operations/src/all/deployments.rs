//! Running servers, and what they answered.

use serde_json::{Value, json};

use crate::access::About;
use crate::operation::{Declared, Effect, Operation, Scope};
use crate::{Context, Error, deploy};

/// Deploys a server.
pub struct Deploy;

impl Operation for Deploy {
    type Input = deploy::Input;
    type Output = deploy::Deployment;
    const DECLARED: Declared = Declared {
        command: Some("deploy"),
        job: true,
        ..Declared::changes("deployment.deploy", "/mcp/deploy/{name}", Some("deploy_server")).told(
            "Deploy a server",
            "Runs a server on a target. The target `local` serves it from the control plane at /servers/NAME/mcp. A version that is not well is not switched to; `rollback` goes back to the version before.",
        ).may_be_tried()
.of_a_server()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(deploy::deploy(context, input)).await
    }

    async fn sound(context: &Context, input: &Self::Input) -> Result<(), Error> {
        deploy::deployable(context, input).await
    }

    fn changes(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }

    fn noted(input: &Self::Input) -> Value {
        json!({"version": input.version, "rollback": input.rollback})
    }
}

/// Starts a deployed server.
pub struct Start;

impl Operation for Start {
    type Input = deploy::NameInput;
    type Output = deploy::Deployment;
    const DECLARED: Declared = Declared {
        command: Some("start"),
        ..Declared::changes("deployment.start", "/mcp/servers/{name}/start", Some("start_server"))
            .told("Start a server", "Starts a deployed server that was stopped.")
            .may_be_tried()
            .of_a_server()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(deploy::start(context, input)).await
    }

    fn changes(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }
}

/// Stops a deployed server.
pub struct Stop;

impl Operation for Stop {
    type Input = deploy::NameInput;
    type Output = deploy::Deployment;
    const DECLARED: Declared = Declared {
        effect: Effect::Changes { destroys: true, idempotent: true },
        command: Some("stop"),
        ..Declared::changes("deployment.stop", "/mcp/servers/{name}/stop", Some("stop_server"))
            .told("Stop a server", "Stops a deployed server. It stays deployed and can be started again.")
            .may_be_tried()
            .of_a_server()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(deploy::stop(context, input)).await
    }

    fn changes(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }
}

/// Reads what a deployed server answered.
pub struct ReadLogs;

impl Operation for ReadLogs {
    type Input = deploy::LogsInput;
    type Output = deploy::LogsOutput;
    const DECLARED: Declared = Declared {
        scope: Scope::LogsRead,
        command: Some("logs"),
        ..Declared::reads("deployment.logs", "/mcp/servers/{name}/logs", Some("read_logs")).told(
            "Read the log of a server",
            "Gives the calls that a deployed server answered: time, tool, caller, version, outcome, duration, size. Arguments and answers are not kept.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        deploy::logs(context, input).await
    }

    fn about(input: &Self::Input) -> About {
        About::Owned(input.name.clone())
    }
}
