//! The catalogue as a whole: what servers can do, what they use, how their versions differ.

use std::time::Duration;

use crate::access::About;
use crate::operation::{Declared, Operation, Scope};
use crate::{Context, Error, audit, dependencies, diff, search, usage};

/// Finds capabilities.
pub struct Search;

impl Operation for Search {
    type Input = search::Input;
    type Output = search::Output;
    const DECLARED: Declared = Declared {
        command: Some("search"),
        ..Declared::reads("capability.search", "/mcp/capabilities", Some("search_capabilities")).told(
            "Find what servers can do",
            "Finds tools, resources and prompts of all servers by what they do (`q`: who can search products), by what they take and give (`takes`: query:string), and by server, group, effect and connection. The best come first, with the words that made them fit.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        search::search(context, input).await
    }
}

/// Shows what a server uses and who uses it.
pub struct Dependencies;

impl Operation for Dependencies {
    type Input = dependencies::Input;
    type Output = dependencies::Output;
    const DECLARED: Declared = Declared {
        command: Some("uses"),
        ..Declared::reads("server.dependencies", "/mcp/servers/{name}/dependencies", Some("get_dependencies")).told(
            "Show what a server uses and who uses it",
            "Shows the connections of a server, the servers behind them, other servers that share them, and the servers that stop working without it. For the name of a template: the servers that were made from it. For a connection, by its name, its variable or its place: the servers that have it.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        dependencies::dependencies(context, input).await
    }

    fn about(_: &Self::Input) -> About {
        // It tells what the caller may list.
        About::Nothing
    }
}

/// Compares versions of a server.
pub struct Diff;

impl Operation for Diff {
    type Input = diff::Input;
    type Output = diff::Output;
    const DECLARED: Declared = Declared {
        command: Some("diff"),
        ..Declared::reads("server.diff", "/mcp/servers/{name}/diff", Some("diff_versions")).told(
            "Compare two versions of a server",
            "Says what is different between two versions of a server (`from`, `to`; the current one and the one before when absent): tools, schemas, resources, prompts, and whether callers break.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        diff::diff(context, input).await
    }

    fn about(input: &Self::Input) -> About {
        About::Owned(input.name.clone())
    }
}

/// Sums up calls.
pub struct ReadUsage;

impl Operation for ReadUsage {
    type Input = usage::Input;
    type Output = usage::Output;
    const DECLARED: Declared = Declared {
        scope: Scope::LogsRead,
        command: Some("usage"),
        ..Declared::reads("usage.read", "/mcp/usage", Some("read_usage")).told(
            "Read how much is called",
            "Sums up the calls of tools: calls, failures, latency (p50, p90, p99), bytes; told apart by server, version, tool, caller, hour or day (`by`).",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        usage::usage(context, input).await
    }

    fn about(input: &Self::Input) -> About {
        input.server.clone().map_or(About::Nothing, About::Owned)
    }
}

/// Lists the audit log.
pub struct ListAudit;

impl Operation for ListAudit {
    type Input = audit::ListInput;
    type Output = audit::ListOutput;
    const DECLARED: Declared = Declared {
        scope: Scope::Admin,
        command: Some("audit"),
        ..Declared::reads("audit.list", "/mcp/audit", Some("read_audit")).told(
            "Read the audit log",
            "Lists who changed or called what, when, and with what outcome, newest first. Arguments and answers are not kept.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        audit::list(context, input).await
    }
}

/// Checks the audit log.
pub struct VerifyAudit;

impl Operation for VerifyAudit {
    type Input = audit::VerifyInput;
    type Output = audit::VerifyOutput;
    const DECLARED: Declared = Declared {
        scope: Scope::Admin,
        command: Some("audit"),
        deadline: Duration::from_secs(120),
        ..Declared::reads("audit.verify", "/mcp/audit/verify", Some("verify_audit")).told(
            "Check the audit log",
            "Looks through the chain of hashes of the whole audit log: whether an entry was changed, removed, or put in between.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        audit::verify(context, input).await
    }
}
