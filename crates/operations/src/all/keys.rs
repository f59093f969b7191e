//! API keys.

use super::Nothing;
use crate::operation::{Answers, Declared, Effect, Method, Operation, Scope};
use crate::{Context, Error, keys};

/// Makes a key.
pub struct CreateKey;

impl Operation for CreateKey {
    type Input = keys::Create;
    type Output = keys::Created;
    const DECLARED: Declared = Declared {
        scope: Scope::Keys,
        answers: Answers::Made,
        effect: Effect::Changes { destroys: false, idempotent: false },
        secret: true,
        command: Some("keys"),
        ..Declared::changes("key.create", "/api/mcp-keys", None).told(
            "Make an API key",
            "Makes an API key, by which a program uses the servers of its owner: `Authorization: Bearer of_mcp_…`. The key is shown this once.",
        ).may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        keys::create(context, input).await
    }

    fn made(output: &Self::Output) -> Option<String> {
        Some(format!("/api/mcp-keys/{}", output.info.id))
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }
}

/// Lists keys.
pub struct ListKeys;

impl Operation for ListKeys {
    type Input = Nothing;
    type Output = keys::Listed;
    const DECLARED: Declared = Declared {
        scope: Scope::Keys,
        ..Declared::reads("key.list", "/api/mcp-keys", None).told(
            "List the API keys",
            "Lists the API keys of the caller, and the programs that they let in. The keys themselves are not kept.",
        )
    };

    async fn run(context: &Context, _: Nothing) -> Result<Self::Output, Error> {
        keys::list(context).await
    }
}

/// Revokes a key.
pub struct RevokeKey;

impl Operation for RevokeKey {
    type Input = keys::Revoke;
    type Output = keys::Revoked;
    const DECLARED: Declared = Declared {
        method: Method::Delete,
        scope: Scope::Keys,
        effect: Effect::Changes { destroys: true, idempotent: false },
        ..Declared::changes("key.revoke", "/api/mcp-keys/{id}", None).told(
            "Revoke an API key",
            "Takes the force from an API key, or from a program that was let in. Its open streams are cut within a second.",
        ).may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        keys::revoke(context, &input.id).await
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.id.clone())
    }
}
