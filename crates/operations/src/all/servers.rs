//! Making, listing, showing and removing servers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::access::About;
use crate::operation::{Answers, Declared, Effect, Method, Operation, Scope};
use crate::{Context, Error, create, list, natural, remove, status};

/// Makes a server.
pub struct Create;

impl Operation for Create {
    type Input = create::Input;
    type Output = create::Output;
    const DECLARED: Declared = Declared {
        answers: Answers::Made,
        command: Some("create"),
        job: true,
        ..Declared::changes("server.create", "/mcp/create", Some("create_server")).told(
            "Make a server",
            "Makes an MCP server from a spec, or a new version of it: checks the spec, reads its databases, plans and checks what its tools run, compiles, and stores. Nothing is stored when anything fails. The same spec again changes nothing; another content under the same version is a conflict unless `force`.",
        )
        .may_be_tried()
.of_a_server()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(create::create(context, input)).await
    }

    async fn sound(context: &Context, input: &Self::Input) -> Result<(), Error> {
        create::readable(context, input).await.map(drop)
    }

    fn made(output: &Self::Output) -> Option<String> {
        let created = output.result == store::Outcome::Created && !output.dry_run;
        created.then(|| format!("/mcp/servers/{}", output.name))
    }

    fn changes(input: &Self::Input) -> Option<String> {
        if input.dry_run {
            return None;
        }
        input.spec.parse(false).ok().map(|parsed| parsed.spec.name)
    }

    fn about(input: &Self::Input) -> About {
        input.spec.parse(false).map_or(About::Spec, |parsed| About::Makes(parsed.spec.name))
    }

    fn subject(input: &Self::Input) -> Option<String> {
        input.spec.parse(false).ok().map(|parsed| parsed.spec.name)
    }

    fn noted(input: &Self::Input) -> Value {
        let spec = input.spec.parse(false).ok().map(|parsed| parsed.spec);
        let (version, digest) = spec.map(|spec| (spec.version.clone(), spec.digest())).unzip();
        json!({"version": version, "digest": digest, "force": input.force})
    }
}

/// Makes a server from natural language.
pub struct CreateNatural;

impl Operation for CreateNatural {
    type Input = natural::Input;
    type Output = create::Output;
    const DECLARED: Declared = Declared {
        answers: Answers::Made,
        job: true,
        ..Declared::changes("server.create.natural", "/mcp/create/natural", None).told(
            "Make a server from a description",
            "Makes an MCP server from a description in natural language. Refused where no intake is configured.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        natural::create(context, input).await
    }

    async fn sound(context: &Context, input: &Self::Input) -> Result<(), Error> {
        natural::create(context, input.clone()).await.map(drop)
    }
}

/// Lists servers.
pub struct List;

impl Operation for List {
    type Input = list::Input;
    type Output = list::Output;
    const DECLARED: Declared = Declared {
        command: Some("list"),
        ..Declared::reads("server.list", "/mcp/servers", Some("list_servers"))
            .told("List the servers", "Lists the servers by name, with their current versions.")
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        list::list(context, input).await
    }
}

/// Shows a server and its health.
pub struct Status;

impl Operation for Status {
    type Input = status::Input;
    type Output = status::Output;
    const DECLARED: Declared = Declared {
        command: Some("status"),
        deadline: Duration::from_secs(60),
        ..Declared::reads("server.status", "/mcp/servers/{name}", Some("get_server")).told(
            "Show a server",
            "Shows a server: its health, versions, connections, and its tools with what each runs.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        Box::pin(status::status(context, input)).await
    }

    fn about(input: &Self::Input) -> About {
        About::Owned(input.name.clone())
    }

    fn tag(output: &Self::Output) -> Option<String> {
        Some(status::tag(&output.version, &output.digest, output.plan_revision))
    }
}

/// Removes a server.
pub struct Remove;

impl Operation for Remove {
    type Input = remove::Input;
    type Output = remove::Output;
    const DECLARED: Declared = Declared {
        method: Method::Delete,
        scope: Scope::ServersWrite,
        effect: Effect::Changes { destroys: true, idempotent: false },
        command: Some("remove"),
        ..Declared::changes("server.remove", "/mcp/servers/{name}", Some("remove_server"))
            .told(
                "Remove a server",
                "Removes a server with all its versions and plans, and what was kept for it: what its scripts remember, the tokens of its users, its tasks, its log and how much it was called. The databases that its tools use are not touched.",
            )
            .may_be_tried()
            .of_a_server()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        remove::remove(context, input).await
    }

    fn changes(input: &Self::Input) -> Option<String> {
        (!input.dry_run).then(|| input.name.clone())
    }

    fn about(input: &Self::Input) -> About {
        About::Owned(input.name.clone())
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }
}
