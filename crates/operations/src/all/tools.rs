//! Calling and testing tools.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::access::About;
use crate::operation::{Declared, Effect, Operation, Scope};
use crate::{Context, Error, Subject, test};

/// Calls a tool of a spec or a server, its arguments as text: what the command line does.
pub struct Call;

/// Calling a tool may do whatever the tool does.
const CALLS: Effect = Effect::Changes { destroys: true, idempotent: false };

impl Operation for Call {
    type Input = test::CallInput;
    type Output = test::CallOutput;
    const DECLARED: Declared = Declared {
        scope: Scope::ServersCall,
        effect: CALLS,
        command: Some("test"),
        deadline: Duration::from_secs(120),
        ..Declared::changes("tool.try", "/mcp/call", None).told(
            "Call a tool of a spec or a server",
            "Calls a tool of a spec that need not be stored, or of a server.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(test::call(context, &input)).await
    }

    fn about(input: &Self::Input) -> About {
        About::calls(&input.subject, &input.tool)
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.subject.label().to_owned())
    }
}

/// Which tool to call, and with what.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallToolInput {
    /// Name of the server.
    pub server: String,
    /// Name of the tool.
    pub tool: String,
    /// The arguments of the tool.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// Which version of the server; the current one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Calls a tool of a server.
pub struct CallTool;

impl Operation for CallTool {
    type Input = CallToolInput;
    type Output = test::CallOutput;
    const DECLARED: Declared = Declared {
        scope: Scope::ServersCall,
        effect: CALLS,
        deadline: Duration::from_secs(120),
        ..Declared::changes("tool.call", "/mcp/servers/{server}/tools/{tool}", Some("call_tool")).told(
            "Call a tool of a server",
            "Calls a tool of a server of this control plane and gives its answer. `get_server` shows the tools that a server has.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        let CallToolInput { server, tool, arguments, version } = input;
        // Whoever names a version of their own server tries that, whatever is deployed.
        if version.is_none() || crate::access::check(context, &About::Owned(server.clone())).await.is_err() {
            crate::deploy::not_stopped(context, &server).await?;
        }
        let subject = Subject::Server { name: server, version: version.clone() };
        let arguments = Some(Value::Object(arguments).to_string());
        let input = test::CallInput { subject, tool, arguments, dev: false };
        let answer = Box::pin(test::call(context, &input)).await?;
        let sent = input.arguments.as_ref().map_or(0, String::len);
        crate::usage::count(context, &answer, version, sent).await;
        Ok(answer)
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.server.clone())
    }

    fn about(input: &Self::Input) -> About {
        About::Calls { server: input.server.clone(), tool: input.tool.clone() }
    }
}

/// Tests every tool of a server or a spec.
pub struct TestAll;

impl Operation for TestAll {
    type Input = test::AllInput;
    type Output = test::AllOutput;
    const DECLARED: Declared = Declared {
        scope: Scope::ServersCall,
        effect: CALLS,
        job: true,
        ..Declared::changes("server.test", "/mcp/test", Some("test_server")).told(
            "Test a server",
            "Tests every tool of a server or a spec with made-up calls: some that must work, and some that must be refused. Tools that may change data are only called with `write`.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(test::all(context, &input)).await
    }

    async fn sound(context: &Context, input: &Self::Input) -> Result<(), Error> {
        crate::pipeline::load(context, &input.subject, false).await.map(drop)
    }

    fn about(input: &Self::Input) -> About {
        About::owned(&input.subject)
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.subject.label().to_owned())
    }
}
