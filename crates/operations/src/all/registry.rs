//! The catalogue as a whole: what servers can do, what they use, how their versions differ.

use crate::access::About;
use crate::operation::{Declared, Operation};
use crate::{Context, Error, dependencies, diff, search};

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
            "Shows the connections of a server, the servers behind them, other servers that share them, and the servers that stop working without it.",
        )
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        dependencies::dependencies(context, input).await
    }

    fn about(input: &Self::Input) -> About {
        About::Owned(input.name.clone())
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
